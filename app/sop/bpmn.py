"""The SOP as BPMN 2.0: one task for each transition, one gateway for each step, lanes as lanes.

Standard: ISO/IEC 19510. A step is an exclusive gateway: its ways in meet there and its transitions
leave from there. Only the model is written, no drawing.
"""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import quoteattr

from app.sop.definition import Sop, Step, Transition

_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' targetNamespace="urn:aduan:sop" id="sop">\n'
)


def bpmn_of(sop: Sop, language: str = "id") -> str:
    """The whole file; task names are the keys of transitions, as in the event log."""
    nodes: list[str] = []
    flows: list[str] = []
    lanes: dict[str, list[str]] = {lane.key: [] for lane in sop.lanes}

    def flow(source: str, target: str) -> None:
        flows.append(
            f'    <sequenceFlow id="flow{len(flows)}" sourceRef={quoteattr(source)}'
            f" targetRef={quoteattr(target)}/>"
        )

    nodes.append('    <startEvent id="start" name="start"/>')
    flow("start", _gate(sop.step(sop.entry)))
    for step in sop.steps:
        label = quoteattr(getattr(step.label, language))
        nodes.append(f"    <exclusiveGateway id={quoteattr(_gate(step))} name={label}/>")
        lanes[step.actor].append(_gate(step))
        if step.kind == "end":
            end = f"end_{step.key}"
            nodes.append(f"    <endEvent id={quoteattr(end)} name={label}/>")
            lanes[step.actor].append(end)
            flow(_gate(step), end)
        for move in step.transitions:
            task = _task(move)
            nodes.append(f"    <task id={quoteattr(task)} name={quoteattr(move.key)}/>")
            lanes[move.actor].append(task)
            flow(_gate(step), task)
            flow(task, _gate(sop.step(move.target)))
    groups = [
        f"      <lane id={quoteattr('lane_' + lane.key)} name={quoteattr(getattr(lane.label, language))}>"
        + "".join(f"<flowNodeRef>{node}</flowNodeRef>" for node in lanes[lane.key])
        + "</lane>"
        for lane in sop.lanes
    ]
    body = ['    <laneSet id="lanes">', *groups, "    </laneSet>", *nodes, *flows]
    name = quoteattr(getattr(sop.title, language))
    process = f'  <process id="process" name={name} isExecutable="false">\n'
    return _HEAD + process + "\n".join(body) + "\n  </process>\n</definitions>\n"


def _gate(step: Step) -> str:
    return f"step_{step.key}"


def _task(move: Transition) -> str:
    return f"move_{move.source}_{move.key}"
