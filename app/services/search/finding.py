"""Cases in order of likelihood: exact before beginning before part before like; newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    Select,
    String,
    and_,
    bindparam,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from app.datakeys import ring
from app.models import Category, Complaint, Dispatch, SopStep
from app.models.sealed import Digest
from app.services.actor import Actor
from app.services.calendar import OFFICE_ZONE
from app.services.search.asked import REASONS, Asked, Reason, next_after, understand
from app.services.search.matching import Fit, Piece, fit_name, mark_all, mark_start
from app.services.search.naming import ROWS, newest_of
from app.services.search.vocabulary import Word, beginning_with, holding, like
from app.services.visibility import visible_cases
from app.sop.identity import mask
from app.sop.text import Text

_EMPTY: Final[Any] = literal_column("''")
# Ranks of a hit.
_EXACT, _OTHER_YEAR, _BEGINS, _NAME = range(4)
COLUMNS: Final[dict[Reason, Any]] = {
    "number": Complaint.number,
    "nik": Complaint.nik_digest,
    "kk": Complaint.kk_digest,
    "phone": Complaint.phone_digest,
    "ticket": Complaint.external_ticket,
    "handle": Complaint.handle_digest,
}


@dataclass(frozen=True)
class Hit:
    """One case that fits, and why."""

    id: int
    number: str
    #: Masked without `see_personal`.
    name: str
    nik: str
    category: Text
    step: Text
    received_at: datetime
    closed_at: datetime | None
    reason: Reason
    #: Whether the whole of what was typed is this number, NIK, telephone …
    exact: bool
    #: What fitted, in pieces: the number or name in full, a NIK or a telephone masked.
    matched: tuple[Piece, ...]


@dataclass(frozen=True)
class Found:
    """The likeliest cases, and whether there are more."""

    hits: tuple[Hit, ...]
    more: bool
    asked: Asked


#: Why, how well, and by how many values.
_Way = tuple[Reason, int, int]


@dataclass(frozen=True)
class _Candidate:
    id: int
    order: tuple[Any, ...]
    reason: Reason
    exact: bool
    value: str
    fit: Fit | None = None
    #: What the box shows of it, where it came along.
    shown: Any = None


def find_cases(
    session: Session, actor: Actor, words: str, *, now: datetime, limit: int = 8
) -> Found:
    """The cases that fit what was typed, the likeliest first, and only those the actor may see.

    Raises:
        NotAllowedError: the actor may not list complaints.
    """
    actor.require("can_list")
    year = now.astimezone(OFFICE_ZONE).year
    asked = understand(words, year=year, personal=actor.can("see_personal"))
    candidates = _by_identifier(session, asked, actor)
    if asked.name:
        candidates += _by_name(session, asked.name, actor, limit)
    best: dict[int, _Candidate] = {}
    for candidate in sorted(candidates, key=lambda one: one.order):
        best.setdefault(candidate.id, candidate)
    chosen = list(best.values())[: limit + 1]
    hits = _hits(session, actor, asked, chosen[:limit])
    return Found(hits, len(chosen) > limit, asked)


def _order(rank: int, place: float, row: Any) -> tuple[Any, ...]:
    """Rank, then open before finished, then newest first."""
    return (rank, place, row.closed_at is not None, -row.received_at.timestamp(), -row.id)


def sought_of(reason: Reason, values: Sequence[str]) -> Sequence[Any]:
    """What stands in the column of a reason for some values."""
    kind = None if reason == "tracking" else COLUMNS[reason].type
    return ring().digests(kind.purpose, values) if isinstance(kind, Digest) else values


def _row(reason: Reason, rank: int, value: Any) -> tuple[Any, ...]:
    return (
        literal_column(str(REASONS.index(reason))).label("reason"),
        literal_column(str(rank)).label("rank"),
        Complaint.id.label("case_id"),
        value.label("value"),
    )


def _by_identifier(session: Session, asked: Asked, actor: Actor) -> list[_Candidate]:
    """Numbers of all sorts, by one statement."""
    ways: list[_Way] = []
    values: dict[str, Any] = {}

    def add(reason: Reason, rank: int, sought: Sequence[Any], typed: str) -> None:
        ways.append((reason, rank, len(sought)))
        values.update({f"{reason}_{rank}_{n}": value for n, value in enumerate(sought)})
        values[f"{reason}_{rank}_typed"] = typed

    for reason, texts in asked.exact.items():
        add(reason, _EXACT, sought_of(reason, texts), texts[0])
    if asked.other_years:
        add("number", _OTHER_YEAR, asked.other_years, "")
    for reason, start in asked.begins.items():
        end = next_after(start)
        add(reason, _BEGINS, (start,) if end is None else (start, end), "")
    if not ways:
        return []
    return [
        _Candidate(
            row.id,
            _order(row.rank, row.reason if row.rank == _EXACT else 0, row),
            REASONS[row.reason],
            row.rank == _EXACT,
            row.value,
            shown=row,
        )
        for row in session.connection().execute(_identified(tuple(ways), actor), values)
    ]


@lru_cache(maxsize=500)
def _identified(ways: tuple[_Way, ...], actor: Actor) -> Any:
    """The statement of these ways, for the cases this actor may see; composed once.

    It brings what the box shows along: there are few, and another statement would take longer.
    """
    visible = visible_cases(actor)
    parts: list[Select[Any]] = []
    for reason, rank, count in ways:
        parcel = reason == "tracking"
        column: Any = Dispatch.tracking_number if parcel else COLUMNS[reason]
        binds = [bindparam(f"{reason}_{rank}_{n}", type_=column.type) for n in range(count)]
        value, order = column, (Dispatch.complaint_id if parcel else Complaint.id).desc()
        if isinstance(column.type, Digest):  # it fits exactly, so it is what was typed
            value = bindparam(f"{reason}_{rank}_typed", type_=String)
        if rank == _BEGINS:
            fits = column >= binds[0] if count == 1 else between(column, *binds)
            # Numbers count up: the newest last. Of the others no end is nearer than the other.
            order = column.desc() if reason == "number" else column
        else:
            fits = fits_one(column, binds)
        found = select(*_row(reason, rank, value))
        if parcel:
            found = found.join_from(Dispatch, Complaint, Complaint.id == Dispatch.complaint_id)
        found = found.where(fits, visible)
        if reason != "number" or rank == _BEGINS:  # else the key gives one for each value
            found = select(found.order_by(order).limit(ROWS).subquery())
        parts.append(found)
    all_ways = union_all(*parts).subquery()
    columns = (all_ways.c.reason, all_ways.c.rank, all_ways.c.value, *_SHOWN)
    statement: Any = select(*columns)
    return _joined(statement.join_from(all_ways, Complaint, Complaint.id == all_ways.c.case_id))


#: What the box shows of a case.
_SHOWN: Final[tuple[Any, ...]] = (
    Complaint.id,
    Complaint.number,
    Complaint.applicant_name,
    Complaint.nik,
    Complaint.received_at,
    Complaint.closed_at,
    Category.label_id.label("category_id"),
    Category.label_en.label("category_en"),
    SopStep.label_id.label("step_id"),
    SopStep.label_en.label("step_en"),
)


def _joined(statement: Any) -> Any:
    """A statement over cases with what they are about and where they stand."""
    statement = statement.join(Category, Category.id == Complaint.category_id)
    return statement.join(SopStep, SopStep.key == Complaint.step_key)


def fits_one(column: Any, values: Sequence[Any]) -> Any:
    """That a column is one of some values, none of which is empty.

    PostgreSQL plans a statement anew each time if the values could be the one that most cases have:
    where no ticket is the usual thing, it must be said that none is meant.
    """
    fits = column == values[0] if len(values) == 1 else column.in_(values)
    return and_(fits, column != _EMPTY) if column is COLUMNS["ticket"] else fits


def between(column: Any, start: Any, end: Any) -> Any:
    """That a column begins so, as a range that a plain index answers under every collation."""
    return and_(column >= start, column < end)


def _by_name(
    session: Session, typed: tuple[str, ...], actor: Actor, limit: int
) -> list[_Candidate]:
    """Cases in whose name each typed word stands; better words first, until there are enough."""
    words = beginning_with(session, typed)
    found: dict[int, _Candidate] = {}
    asked_before: list[list[str]] | None = None
    for level in range(4):
        if level >= 2:
            more = holding(session, typed) if level == 2 else like(session, typed)
            words = [_with(a, b) for a, b in zip(words, more, strict=True)]
        allowed = [[word for word in group if word.level <= level] for group in words]
        names = [[word.word for word in group] for group in allowed]
        if not all(allowed) or names == asked_before:
            continue
        asked_before = names
        for row in newest_of(session, allowed, actor):
            fit = fit_name(typed, row.applicant_name)
            if fit is not None and row.id not in found:
                order = _order(_NAME + fit.level, -fit.alike, row)
                # The whole name comes before a longer one that holds it.
                order = (order[0], (order[1], not fit.whole), *order[2:])
                reason: Reason = "similar_name" if fit.level == 3 else "name"
                found[row.id] = _Candidate(row.id, order, reason, False, row.applicant_name, fit)
        if len(found) > limit:
            break
    return list(found.values())


def _with(words: list[Word], more: list[Word]) -> list[Word]:
    """Words with those of some more that are not among them, in the order of all."""
    known = {word.word for word in words}
    return [*words, *(word for word in more if word.word not in known)]


def _hits(
    session: Session, actor: Actor, asked: Asked, chosen: Iterable[_Candidate]
) -> tuple[Hit, ...]:
    """What the box shows of the chosen cases."""
    wanted = {candidate.id: candidate for candidate in chosen}
    rows = [one.shown for one in wanted.values() if one.shown is not None]
    others = [key for key, one in wanted.items() if one.shown is None]
    if others:
        values = {f"id_{n}": key for n, key in enumerate(others)}
        rows += session.connection().execute(_shown(len(others), actor), values)
    personal = actor.can("see_personal")
    shown = {
        row.id: Hit(
            id=row.id,
            number=row.number,
            name=row.applicant_name if personal else mask(row.applicant_name, first=1, last=0),
            nik=mask(row.nik) if personal else "",
            category=Text(id=row.category_id, en=row.category_en or row.category_id),
            step=Text(id=row.step_id, en=row.step_en or row.step_id),
            received_at=row.received_at,
            closed_at=row.closed_at,
            reason=wanted[row.id].reason,
            exact=wanted[row.id].exact,
            matched=_matched(asked, wanted[row.id]),
        )
        for row in rows
    }
    return tuple(shown[key] for key in wanted if key in shown)


@lru_cache(maxsize=500)
def _shown(count: int, actor: Actor) -> Any:
    """What the box shows of so many cases, those that this actor may see; composed once."""
    binds = [bindparam(f"id_{n}", type_=Complaint.id.type) for n in range(count)]
    found = select(*_SHOWN).select_from(Complaint)
    return _joined(found).where(Complaint.id.in_(binds), visible_cases(actor))


def _matched(asked: Asked, candidate: _Candidate) -> tuple[Piece, ...]:
    """What fitted with the fitting part marked; what identifies a person is masked."""
    if candidate.fit is not None:
        return candidate.fit.pieces
    value, start = candidate.value, asked.begins.get(candidate.reason, "")
    if candidate.reason in ("nik", "kk"):
        return mark_all(mask(value))
    if candidate.reason == "phone":
        return mark_all(mask(value, first=4, last=3))
    if candidate.exact or not value.startswith(start):
        return mark_all(value)
    return mark_start(value, len(start))
