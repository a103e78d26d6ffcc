"""What one case adds to the numbers: pure rules, the same for keeping and for counting again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from app.services.calendar import OFFICE_ZONE
from app.services.statistics.classes import class_bound, hours_bound
from app.services.statistics.scope import office_day

if TYPE_CHECKING:
    from app.models import Complaint

Counts = dict[str, int]

#: The words that the form of the SIAK check offers for what differs.
SIAK_DATA: Final = frozenset(
    {
        "nama", "nik", "nomor_kk", "tempat_lahir", "tanggal_lahir", "jenis_kelamin", "alamat",
        "nama_ayah", "nama_ibu", "status_kawin", "agama", "pekerjaan", "golongan_darah",
    }
)  # fmt: skip
#: Where a difference in SIAK was written freely: what people type is not a statistic.
UNKNOWN_DIFFERENCE: Final = "other"


class Dims(NamedTuple):
    """The sort of a case, as it stands in the complaint now."""

    channel: int
    category: int
    kecamatan: str | None

    def value(self, dim: str) -> str:
        """The value of a dimension as cells name it; empty for an unknown kecamatan."""
        found = getattr(self, dim)
        return "" if found is None else str(found)


def dims_of(complaint: Complaint) -> Dims:
    """The sort of a case at hand."""
    return Dims(complaint.channel_id, complaint.category_id, complaint.kecamatan_code)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened on one office day, and the numbers that it adds."""

    series: str
    day: date
    item: str
    dims: Dims
    counts: Mapping[str, int]


def run_fact(
    dims: Dims,
    step_key: str,
    finished_at: datetime,
    work_seconds: int,
    wait_seconds: int,
    standard_minutes: int | None,
    finished_by_id: int | None,
) -> Fact:
    """A step was finished: its two clocks, its frozen standard, who finished it."""
    counts = {
        "n": 1,
        "work": work_seconds,
        "wait": wait_seconds,
        f"w{class_bound(work_seconds)}": 1,
        f"q{class_bound(wait_seconds)}": 1,
    }
    if standard_minutes is not None:
        counts["judged"] = 1
        counts[f"s{standard_minutes}"] = 1
        if work_seconds <= standard_minutes * 60:
            counts["within"] = 1
    if finished_by_id is not None:
        counts[f"p{finished_by_id}"] = 1
        counts[f"m{finished_by_id}"] = work_seconds
    return Fact("run", office_day(finished_at), step_key, dims, counts)


def arrival_fact(dims: Dims, received_at: datetime) -> Fact:
    """A complaint came in, at an hour of the office's clock on a weekday (Monday is 0)."""
    local = received_at.astimezone(OFFICE_ZONE)
    hour = f"h{local.weekday()}-{local.hour}"
    return Fact("arrival", local.date(), "", dims, {"n": 1, hour: 1})


def ended_fact(dims: Dims, step_key: str, closed_at: datetime, round_: int) -> Fact:
    """A case reached an end, in its so-and-so-many-th round."""
    return Fact("ended", office_day(closed_at), step_key, dims, {"n": 1, f"r{round_}": 1})


def due_facts(
    dims: Dims,
    completeness_due: date,
    decision_due: date,
    class_due: date,
    told_at: datetime | None,
    closed_at: datetime | None,
) -> Iterator[Fact]:
    """The three legal dates of a case, kept or not; neither where it is still open.

    UU 25/2009 and Perpres 76/2013: told within 14 days whether the file is complete, decided in
    60; Permenpan-RB 62/2018: working days by class.
    """
    for item, due, done in (
        ("completeness", completeness_due, told_at or closed_at),
        ("decision", decision_due, closed_at),
        ("class", class_due, closed_at),
    ):
        counts = {"n": 1}
        if done is not None:
            counts["met" if office_day(done) <= due else "late"] = 1
        yield Fact("due", due, item, dims, counts)


def due_facts_of(complaint: Complaint) -> list[Fact]:
    """The same of a case at hand."""
    return list(
        due_facts(
            dims_of(complaint),
            complaint.completeness_due,
            complaint.decision_due,
            complaint.class_due,
            complaint.told_at,
            complaint.closed_at,
        )
    )


def return_fact(
    dims: Dims,
    transition: str,
    at: datetime,
    failed: Iterable[Sequence[str]],
    differences: Iterable[str],
) -> Fact:
    """A case went back to the applicant: which papers failed, which data differ in SIAK.

    `failed` holds pairs of the code of a kind of paper and what was wrong with it.
    """
    counts = {"n": 1}
    for code, state in failed:
        counts[f"i{code}:{state}"] = 1
    for word in differences:
        counts[f"d{word if word in SIAK_DATA else UNKNOWN_DIFFERENCE}"] = 1
    return Fact("return", office_day(at), transition, dims, counts)


def parcel_facts(
    dims: Dims, courier_id: int, sent_at: datetime, status: str, delivered_at: datetime | None
) -> Iterator[Fact]:
    """A parcel was sent and, once it was delivered, how many hours that took (wall time)."""
    item = str(courier_id)
    counts = {"n": 1, "returned": 1} if status == "returned" else {"n": 1}
    yield Fact("parcel", office_day(sent_at), item, dims, counts)
    if delivered_at is not None:
        seconds = max(0, int((delivered_at - sent_at).total_seconds()))
        bound = hours_bound(seconds)
        took = {"n": 1, "hours": -(-seconds // 3600), f"c{bound}": 1}
        yield Fact("delivery", office_day(delivered_at), item, dims, took)
