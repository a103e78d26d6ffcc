"""What charts show of made-up cases, by loops in plain Python: every number with its cases.

It shares nothing with the panel but the cases themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from app.services.chart_cases import Question
from tests.support.chart_office import FIRST, LAST, STEPS, WIB
from tests.support.made_cases import KINDS, MOVES

TODAY = date(2026, 6, 20)

#: Which steps two lanes of the sheet work on.
LANES = {
    "petugas_pengaduan": {"intake", "dispatch", "returned"},
    "operator": {"siak_check", "printing"},
}

Hits = list[tuple[int, bool]]


def in_june(instant: datetime | None) -> bool:
    return instant is not None and FIRST <= (instant + WIB).date() <= LAST


def slow(office: list[dict[str, Any]], parts: str, good: Callable[..., bool]) -> Hits:
    """The cases (by number, with whether they are confidential) of every part that fits."""
    return [
        (number, case["confidential"])
        for number, case in enumerate(office, start=101)
        for part in (case[parts] if parts else [case])
        if good(part)
    ]


def rank(values: list[int], numerator: int, denominator: int) -> int:
    """The nearest rank, by counting."""
    return sorted(values)[math.ceil(len(values) * numerator / denominator) - 1] if values else 0


def tenth(seconds: int) -> int:
    """Rounded up as the numbers are kept: six seconds to 20 minutes, half a minute to the hour."""
    for most, step in ((1_200, 6), (3_600, 30), (7_200, 60), (36_000, 300), (180_000, 1_800)):
        if seconds <= most:
            return math.ceil(seconds / step) * step
    raise AssertionError(seconds)


def questions(office: list[dict[str, Any]]) -> Iterator[tuple[Question, Hits]]:
    """Every number that charts show of an office, with its cases."""
    for step in ["", *STEPS[:2]]:
        mine = lambda run, step=step: in_june(run["finished_at"]) and step in ("", run["step_key"])  # noqa: E731
        runs = [run for case in office for run in case["runs"] if mine(run)]
        yield Question("run", step), slow(office, "runs", mine)
        yield Question("run", step, over="standard"), slow(
            office, "runs",
            lambda r, mine=mine: mine(r) and r["standard_minutes"] is not None
            and r["work_seconds"] > r["standard_minutes"] * 60,
        )  # fmt: skip
        yield (
            Question("run", step, over="12"),
            slow(office, "runs", lambda r, mine=mine: mine(r) and r["work_seconds"] > 12 * 60),
        )
        for by, clock in (("", "work_seconds"), ("wait", "wait_seconds")):
            edge = rank([tenth(run[clock]) for run in runs], 9, 10)
            yield (
                Question("run", step, over="p90", by=by),
                slow(
                    office,
                    "runs",
                    lambda r, mine=mine, clock=clock, edge=edge: mine(r) and r[clock] > edge,
                ),
            )
    for lane, steps in LANES.items():
        done = lambda r, steps=steps: in_june(r["finished_at"]) and r["step_key"] in steps  # noqa: E731
        yield Question("run", lane=lane), slow(office, "runs", done)
        yield Question("run", lane=lane, over="standard"), slow(
            office, "runs",
            lambda r, done=done: done(r) and r["standard_minutes"] is not None
            and r["work_seconds"] > r["standard_minutes"] * 60,
        )  # fmt: skip
    for person in (1, 2, 3):
        for step in ("", STEPS[0]):
            yield Question("run", step, person=person), slow(
                office, "runs",
                lambda r, person=person, step=step: in_june(r["finished_at"])
                and step in ("", r["step_key"]) and r["finished_by_id"] == person,
            )  # fmt: skip
    for hour, weekday in ((None, None), (0, None), (None, 0), (23, 6), (0, 0)):
        yield Question("arrival", hour=hour, weekday=weekday), slow(
            office, "",
            lambda c, hour=hour, weekday=weekday: in_june(c["received_at"])
            and hour in (None, (c["received_at"] + WIB).hour)
            and weekday in (None, (c["received_at"] + WIB).weekday()),
        )  # fmt: skip
    for end, round_ in (("", None), ("done", None), ("withdrawn", None), ("done", 2)):
        yield Question("ended", end, round=round_), slow(
            office, "",
            lambda c, end=end, round_=round_: in_june(c["closed_at"])
            and end in ("", c["step_key"]) and round_ in (None, c["round"]),
        )  # fmt: skip
    for kind in ("completeness", "decision", "class"):
        for state in ("", "met", "late", "missed", "ahead"):
            yield Question("due", kind, state=state), slow(
                office, "", lambda c, kind=kind, state=state: due(c, kind) in ([state] if state else
                ["met", "late", "missed", "ahead"]),
            )  # fmt: skip
    for move in ("", *MOVES):
        sent = lambda e, move=move: in_june(e["at"]) and move in ("", e["transition"])  # noqa: E731
        yield Question("return", move), slow(office, "returns", sent)
        for code in KINDS:
            for state in ("", "missing", "unreadable"):
                yield Question("return", move, paper=code, state=state), slow(
                    office, "returns",
                    lambda e, sent=sent, code=code, state=state: sent(e) and any(
                        c == code and state in ("", s)
                        for c, s in e["details"]["returned"]["failed"]
                    ),
                )  # fmt: skip
        for word, means in (("nama", {"nama"}), ("other", {"%"})):
            yield Question("return", move, differs=word), slow(
                office, "returns",
                lambda e, sent=sent, means=means: sent(e)
                and bool(means & set(e["details"]["returned"]["differences"])),
            )  # fmt: skip
    for courier in ("", "1", "2"):
        mine = lambda p, courier=courier: courier in ("", str(p["courier_id"]))  # noqa: E731
        yield (
            Question("parcel", courier),
            slow(office, "parcels", lambda p, mine=mine: mine(p) and in_june(p["sent_at"])),
        )
        yield Question("parcel", courier, state="returned"), slow(
            office, "parcels",
            lambda p, mine=mine: mine(p) and in_june(p["sent_at"]) and p["status"] == "returned",
        )  # fmt: skip
        yield (
            Question("delivery", courier),
            slow(office, "parcels", lambda p, mine=mine: mine(p) and in_june(p["delivered_at"])),
        )
    yield from open_questions(office)


def due(case: dict[str, Any], kind: str) -> str:
    """How a legal date of June ended; "" when it lies elsewhere."""
    day, closed = case[f"{kind}_due"], case["closed_at"]
    if not FIRST <= day <= LAST:
        return ""
    done = (case["told_at"] or closed) if kind == "completeness" else closed
    if done is not None:
        return "met" if (done + WIB).date() <= day else "late"
    return "missed" if day < TODAY else "ahead"


def open_questions(office: list[dict[str, Any]]) -> Iterator[tuple[Question, Hits]]:
    states: dict[str, Callable[[dict[str, Any]], bool]] = {
        "": lambda c: True,
        "waiting": lambda c: c["step_key"] in STEPS and not c["started"],
        "working": lambda c: c["step_key"] in STEPS and c["started"],
        "office": lambda c: c["step_key"] != "returned",
        "applicant": lambda c: c["step_key"] == "returned",
        "past_class": lambda c: c["class_due"] < TODAY,
        "past_decision": lambda c: c["decision_due"] < TODAY,
    }
    for step in ("", "intake", "returned"):
        for state, fits in states.items():
            yield Question("open", step, state=state), slow(
                office, "",
                lambda c, step=step, fits=fits: c["closed_at"] is None
                and step in ("", c["step_key"]) and fits(c),
            )  # fmt: skip
    for lane, steps in LANES.items():
        for state in ("", "waiting", "working"):
            yield Question("open", lane=lane, state=state), slow(
                office, "",
                lambda c, steps=steps, fits=states[state]: c["closed_at"] is None
                and c["step_key"] in steps and fits(c),
            )  # fmt: skip
    for age, low, high in (("0-5", -99, 5), ("6-14", 6, 14), ("15", 15, 999)):
        yield Question("open", age=age), slow(
            office, "",
            lambda c, low=low, high=high: c["closed_at"] is None
            and low <= (TODAY - (c["received_at"] + WIB).date()).days <= high,
        )  # fmt: skip
