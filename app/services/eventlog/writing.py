"""The log as IEEE 1849 XES and as rows of a table; both in pieces, as the cases come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from xml.sax.saxutils import quoteattr

from app.services.calendar import OFFICE_ZONE
from app.services.eventlog.reading import LogEvent, Trace

CSV_COLUMNS: Final = (
    "case", "channel", "category", "kecamatan", "received", "activity", "from", "to", "round",
    "role", "officer", "entered", "started", "finished", "wait_seconds", "work_seconds",
    "standard_minutes",
)  # fmt: skip
_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
  <extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
  <global scope="trace"><string key="concept:name" value="name"/></global>
  <global scope="event"><string key="concept:name" value="name"/><date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/><string key="lifecycle:transition" value="complete"/><int key="round" value="1"/></global>
  <classifier name="Move" keys="concept:name"/>
  <classifier name="Move and round" keys="concept:name round"/>
"""


def xes_pieces(traces: Iterable[Trace], *, persons: bool) -> Iterator[str]:
    """A whole XES file, a trace at a time. `persons`: with the officers' numbers."""
    yield _HEAD
    for trace in traces:
        lines = ["  <trace>"]
        lines += [
            _string("concept:name", trace.number),
            _string("channel", trace.channel),
            _string("category", trace.category),
            _string("kecamatan", trace.kecamatan),
            _date("received", trace.received_at),
        ]
        for event in trace.events:
            lines.append("    <event>" + "".join(_event(event, persons=persons)) + "</event>")
        lines.append("  </trace>")
        yield "\n".join(lines) + "\n"
    yield "</log>\n"


def _event(event: LogEvent, *, persons: bool) -> Iterator[str]:
    yield _string("concept:name", event.key)
    yield _string("lifecycle:transition", "complete")
    yield _date("time:timestamp", event.at)
    yield _string("org:role", event.lane)
    if persons and event.officer is not None:
        yield _string("org:resource", officer(event))
    yield _string("from", event.source)
    yield _string("to", event.target)
    yield _int("round", event.round)
    if event.started_at is not None and event.entered_at is not None:
        yield _date("entered", event.entered_at)
        # The name under which process-mining programs look for the beginning of an activity.
        yield _date("start_timestamp", event.started_at)
    for key, value in (
        ("wait_seconds", event.wait_seconds),
        ("work_seconds", event.work_seconds),
        ("standard_minutes", event.standard_minutes),
    ):
        if value is not None:
            yield _int(key, value)


def csv_rows(traces: Iterable[Trace], *, persons: bool) -> Iterator[list[str | int | None]]:
    """A row for each move, in the order of `CSV_COLUMNS`."""
    for trace in traces:
        for event in trace.events:
            yield [
                trace.number,
                trace.channel,
                trace.category,
                trace.kecamatan,
                _moment(trace.received_at),
                event.key,
                event.source,
                event.target,
                event.round,
                event.lane,
                officer(event) if persons and event.officer is not None else "",
                _moment(event.entered_at) if event.entered_at else "",
                _moment(event.started_at) if event.started_at else "",
                _moment(event.at),
                event.wait_seconds,
                event.work_seconds,
                event.standard_minutes,
            ]


def officer(event: LogEvent) -> str:
    """An officer's number in the log: of this office, and no name."""
    return f"officer-{event.officer}"


def _moment(moment: datetime) -> str:
    """With the office's own offset from UTC, to the millisecond."""
    return moment.astimezone(OFFICE_ZONE).isoformat(timespec="milliseconds")


def _string(key: str, value: str) -> str:
    return f"<string key={quoteattr(key)} value={quoteattr(value)}/>"


def _int(key: str, value: int) -> str:
    return f'<int key={quoteattr(key)} value="{value}"/>'


def _date(key: str, value: datetime) -> str:
    return f'<date key={quoteattr(key)} value="{_moment(value)}"/>'
