"""The numbers of every chart by loops in plain Python over made-up cases.

Written from what the charts promise, not from how they are counted: no code of theirs is used.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from app.services.statistics import Scope
from tests.support.chart_office import STEPS, WIB
from tests.support.slow_cases import rank, tenth

Rows = list[dict[str, Any]]
#: The lane of each step that made-up cases pass.
LANES = {
    "petugas_pengaduan": {"intake", "dispatch"},
    "operator": {"siak_check", "printing"},
    "sub_koordinator": {"certification"},
    "kepala_dinas": {"signing"},
}
DUES = ("completeness", "class", "decision")
AGES = (("0-5", -9_999, 5), ("6-14", 6, 14), ("15-30", 15, 30), ("31-60", 31, 60))


def day(moment: datetime) -> date:
    """The office's day of an instant."""
    return (moment + WIB).date()


class Loops:
    """What the charts have to show of these cases, in this scope, on this day."""

    def __init__(self, office: Rows, scope: Scope, today: date) -> None:
        self.scope, self.today = scope, today
        self.cases = [
            case
            for case in office
            if scope.channel_id in (None, case["channel_id"])
            and scope.category_id in (None, case["category_id"])
            and scope.kecamatan_code in (None, case["kecamatan_code"])
        ]

    def inside(self, moment: datetime | None) -> bool:
        """Whether an instant lies in the period."""
        return moment is not None and self.scope.first <= day(moment) <= self.scope.last

    def of_step(self, step: str) -> bool:
        """Whether the chosen step, if any, is this one."""
        return self.scope.step_key in (None, step)

    def runs(self) -> Rows:
        """The runs finished in the period."""
        return [
            run
            for case in self.cases
            for run in case["runs"]
            if self.inside(run["finished_at"]) and self.of_step(run["step_key"])
        ]

    def standing(self) -> Iterator[tuple[str, bool]]:
        """The step of each case that is open and stands in one with a clock; whether it is begun."""
        for case in self.cases:
            if case["closed_at"] is None and case["step_key"] in STEPS:
                yield case["step_key"], case["started"]

    def steps(self) -> dict[str, Any]:
        """Count, percentiles, kept standards and sums of each step, and what stands there now."""
        runs, now = self.runs(), [*self.standing()]
        found = {}
        for step in filter(self.of_step, STEPS):
            mine = [run for run in runs if run["step_key"] == step]
            judged = [run for run in mine if run["standard_minutes"] is not None]
            spans = []
            for clock in ("work_seconds", "wait_seconds"):
                values = [tenth(run[clock]) for run in mine]
                spans += [rank(values, *at) if values else None for at in ((1, 2), (9, 10))]
            found[step] = (
                len(mine),
                *spans,
                sum(run["work_seconds"] <= run["standard_minutes"] * 60 for run in judged),
                len(judged),
                sum(run["work_seconds"] for run in mine),
                sum(run["wait_seconds"] for run in mine),
                sum(here == step for here, _started in now),
                sum(here == step and not started for here, started in now),
            )
        return found

    def trend(self) -> list[Any]:
        """Each week, or month where there are more than 54 weeks, cut to the period."""
        first, last = self.scope.first, self.scope.last
        monthly = (last - first).days + 1 > 54 * 7
        points, begin = [], first
        while begin <= last:
            end = begin
            while end < last and not _new(end + timedelta(days=1), monthly):
                end += timedelta(days=1)
            points.append(self._point(begin, end))
            begin = end + timedelta(days=1)
        return points

    def _point(self, first: date, last: date) -> tuple[Any, ...]:
        here = lambda moment: moment is not None and first <= day(moment) <= last  # noqa: E731
        runs = [run for run in self.runs() if here(run["finished_at"])]
        medians, standards = [], []
        for step in STEPS:
            mine = [run for run in runs if run["step_key"] == step]
            if mine:
                medians.append(rank([tenth(run["work_seconds"]) for run in mine], 1, 2))
            held = Counter(r["standard_minutes"] for r in mine if r["standard_minutes"] is not None)
            if held:
                most = max(held.values())
                standards.append(min(minutes for minutes, n in held.items() if n == most))
        judged = [run for run in runs if run["standard_minutes"] is not None]
        return (
            first,
            last,
            sum(here(case["received_at"]) for case in self.cases),
            sum(here(case["closed_at"]) for case in self.cases),
            len(runs),
            sum(run["work_seconds"] <= run["standard_minutes"] * 60 for run in judged),
            len(judged),
            sum(medians) if medians else None,
            sum(standards) if standards else None,
        )

    def arrivals(self) -> Any:
        """Receipts by weekday and hour."""
        came = [
            case["received_at"] + WIB for case in self.cases if self.inside(case["received_at"])
        ]
        return len(came), dict(Counter((moment.weekday(), moment.hour) for moment in came))

    def rounds(self) -> Any:
        """Ends by round; a case that was withdrawn was not accepted."""
        ended = [case for case in self.cases if self.inside(case["closed_at"])]
        found: dict[int, dict[str, int]] = {}
        for case in ended:
            ends = found.setdefault(case["round"], {})
            ends[case["step_key"]] = ends.get(case["step_key"], 0) + 1
        return found, len(ended), sum(case["step_key"] != "withdrawn" for case in ended)

    def returns(self) -> Any:
        """Returns by move, by requirement that failed, by datum that differs."""
        sent = [e for case in self.cases for e in case["returns"] if self.inside(e["at"])]
        failed: Counter[tuple[str, str]] = Counter()
        differs: Counter[str] = Counter()
        for event in sent:
            said = event["details"]["returned"]
            failed.update((code, state) for code, state in said["failed"])
            differs.update({"other" if word == "%" else word for word in said["differences"]})
        items = {
            code: (failed[code, "missing"], failed[code, "unreadable"]) for code, _state in failed
        }
        return len(sent), dict(Counter(e["transition"] for e in sent)), items, dict(differs)

    def sorts(self, column: str) -> dict[str, Any]:
        """Received, finished, open, judged and on time of each value of a column."""
        found: dict[str, list[int]] = {}
        for case in self.cases:
            row = found.setdefault("" if case[column] is None else str(case[column]), [0] * 5)
            row[0] += self.inside(case["received_at"])
            row[1] += self.inside(case["closed_at"])
            row[2] += case["closed_at"] is None
            state = self._due(case, "class")
            row[3] += state in ("met", "late", "missed")
            row[4] += state == "met"
        return {value: tuple(row) for value, row in found.items() if any(row)}

    def dues(self) -> dict[str, Any]:
        """The legal dates of the period: how many, met, late, missed, still to come."""
        found = {}
        for kind in DUES:
            states = Counter(filter(None, (self._due(case, kind) for case in self.cases)))
            each = [states[state] for state in ("met", "late", "missed", "ahead")]
            found[kind] = (sum(each), *each)
        return found

    def _due(self, case: dict[str, Any], kind: str) -> str:
        due, closed = case[f"{kind}_due"], case["closed_at"]
        if not self.scope.first <= due <= self.scope.last:
            return ""
        done = (case["told_at"] or closed) if kind == "completeness" else closed
        if done is not None:
            return "met" if day(done) <= due else "late"
        return "missed" if due < self.today else "ahead"

    def ages(self) -> dict[str, Any]:
        """Open cases by days since receipt: with the office, with the applicant, past their dates."""
        found = {}
        for key, low, high in (*AGES, ("61", 61, 99_999)):
            mine = [
                case
                for case in self.cases
                if case["closed_at"] is None
                and self.of_step(case["step_key"])
                and low <= (self.today - day(case["received_at"])).days <= high
            ]
            held = sum(case["step_key"] == "returned" for case in mine)
            found[key] = (
                len(mine) - held,
                held,
                sum(case["class_due"] < self.today for case in mine),
                sum(case["decision_due"] < self.today for case in mine),
            )
        return found

    def couriers(self) -> dict[int, Any]:
        """Sent and come back; delivered, with the hours that took: whole ones, days beyond ten."""
        parcels = [parcel for case in self.cases for parcel in case["parcels"]]
        found = {}
        for courier in (1, 2):
            mine = [parcel for parcel in parcels if parcel["courier_id"] == courier]
            sent = [parcel for parcel in mine if self.inside(parcel["sent_at"])]
            hours = [
                math.ceil(max(timedelta(), p["delivered_at"] - p["sent_at"]) / timedelta(hours=1))
                for p in mine
                if self.inside(p["delivered_at"])
            ]
            shown = [n if n <= 240 else math.ceil(n / 24) * 24 for n in hours]
            if sent or hours:
                found[courier] = (
                    len(sent),
                    sum(parcel["status"] == "returned" for parcel in sent),
                    len(hours),
                    *(rank(shown, *at) if shown else None for at in ((1, 2), (9, 10))),
                    sum(hours),
                )
        return found

    def lanes(self) -> dict[str, Any]:
        """Runs, work and wait of each lane, and what stands in it now."""
        runs, found = self.runs(), {}
        now = [(step, started) for step, started in self.standing() if self.of_step(step)]
        for lane, steps in LANES.items():
            mine = [run for run in runs if run["step_key"] in steps]
            found[lane] = (
                len(mine),
                sum(run["work_seconds"] for run in mine),
                sum(run["wait_seconds"] for run in mine),
                sum(step in steps for step, _started in now),
                sum(step in steps and not started for step, started in now),
            )
        return found

    def people(self) -> dict[int, Any]:
        """Runs and work of each person, and the runs by step."""
        found: dict[int, Any] = {}
        for person in (1, 2):
            mine = [run for run in self.runs() if run["finished_by_id"] == person]
            if mine:
                steps = tuple(sorted(Counter(run["step_key"] for run in mine).items()))
                found[person] = (len(mine), sum(run["work_seconds"] for run in mine), steps)
        return found


def _new(begin: date, monthly: bool) -> bool:
    return begin.day == 1 if monthly else begin.weekday() == 0
