"""pm4py as an outside judge of the event log: run as a program of its own, never imported."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.absent import absent
from tools import process_mining

#: Reads a log and a model, and answers how well they fit: token replay and alignments.
_PROGRAM = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import pm4py
frame = pm4py.read_xes(sys.argv[1])
log = pm4py.convert_to_event_log(frame)
net, start, end = pm4py.convert_to_petri_net(pm4py.read_bpmn(sys.argv[2]))
replayed = pm4py.conformance_diagnostics_token_based_replay(log, net, start, end)
aligned = pm4py.conformance_diagnostics_alignments(log, net, start, end)
cases = [trace.attributes["concept:name"] for trace in log]
print("RESULT " + json.dumps({
    "cases": cases,
    "events": len(frame),
    "activities": sorted(set(frame["concept:name"])),
    "columns": sorted(frame.columns),
    "replay": [item["trace_fitness"] for item in replayed],
    "aligned": [item["fitness"] for item in aligned],
    "fitness": pm4py.fitness_token_based_replay(log, net, start, end)["log_fitness"],
}))
"""


def pm4py_or_skip() -> Path:
    """The interpreter that has pm4py; without it the test is skipped, in CI it fails."""
    if not process_mining.ready():
        message = "pm4py is not installed (tools/process_mining.py)"
        absent(message)
    return process_mining.PYTHON


def judge(python: Path, log: Path, model: Path) -> dict[str, Any]:
    """What pm4py says of a log and a model."""
    done = subprocess.run(
        [str(python), "-c", _PROGRAM, str(log), str(model)],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            found: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
            return found
    raise AssertionError(f"pm4py said: {done.stdout[-500:]}{done.stderr[-2000:]}")
