"""Cases in order of likelihood: exact before beginning before part before like; newest first.

Every branch reads an index in its order and stops after a few rows, so that a name which a hundred
thousand cases share costs no more than a rare one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Select, String, and_, bindparam, exists, func, literal, select, union_all
from sqlalchemy.orm import Session

from app.datakeys import ring
from app.models import CaseWord, Category, Complaint, Dispatch, SopStep
from app.models.sealed import Digest
from app.services.actor import Actor
from app.services.calendar import OFFICE_ZONE
from app.services.search.asked import REASONS, Asked, Reason, next_after, understand
from app.services.search.matching import Fit, Piece, fit_name, mark_all, mark_start
from app.services.search.vocabulary import Word, beginning_with, holding
from app.services.visibility import visible_cases
from app.sop.identity import mask
from app.sop.text import Text

#: Rows that one branch reads at most; among them the open ones come first.
BRANCH: Final = 40
#: A word of more cases is read by itself, newest first; rarer ones are read together and sorted.
FREQUENT: Final = 100
MOST_FREQUENT: Final = 6
#: Of two frequent words of one name, so many cases of the rarer are looked at.
DEEPEST: Final = 10_000

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
        candidates += _by_name(session, asked.name, visible_cases(actor), limit)
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
        literal(REASONS.index(reason)).label("reason"),
        literal(rank).label("rank"),
        Complaint.id,
        value.label("value"),
        Complaint.received_at,
        Complaint.closed_at,
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
        )
        for row in session.connection().execute(_identified(tuple(ways), actor), values)
    ]


@lru_cache(maxsize=500)
def _identified(ways: tuple[_Way, ...], actor: Actor) -> Any:
    """The statement of these ways, for the cases this actor may see; composed once."""
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
            fits = column == binds[0] if count == 1 else column.in_(binds)
        found = select(*_row(reason, rank, value))
        if parcel:
            found = found.join_from(Dispatch, Complaint, Complaint.id == Dispatch.complaint_id)
        parts.append(found.where(fits, visible).order_by(order).limit(BRANCH))
    return union_all(*(select(part.subquery()) for part in parts))


def between(column: Any, start: Any, end: Any) -> Any:
    """That a column begins so, as a range that a plain index answers under every collation."""
    return and_(column >= start, column < end)


def _by_name(
    session: Session, typed: tuple[str, ...], visible: Any, limit: int
) -> list[_Candidate]:
    """Cases in whose name each typed word stands; better words first, until there are enough."""
    words = beginning_with(session, typed)
    found: dict[int, _Candidate] = {}
    asked_before: list[list[str]] | None = None
    for level in range(4):
        if level == 2:
            words = [[*a, *b] for a, b in zip(words, holding(session, typed), strict=True)]
        allowed = [[word for word in group if word.level <= level] for group in words]
        names = [[word.word for word in group] for group in allowed]
        if not all(allowed) or names == asked_before:
            continue
        asked_before = names
        for row in session.execute(_cases(allowed, visible)):
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


def _cases(allowed: list[list[Word]], visible: Any) -> Any:
    """The newest cases of the rarest typed word that have one of each other typed word, too."""
    at = min(range(len(allowed)), key=lambda one: sum(word.cases for word in allowed[one]))
    others = [[word.word for word in group] for n, group in enumerate(allowed) if n != at]
    frequent = [word.word for word in allowed[at] if word.cases > FREQUENT]
    rare = [word for word in allowed[at] if word.cases <= FREQUENT]
    if not others:  # each of them has more cases than are wanted
        frequent = frequent[:MOST_FREQUENT]
    deep = max(DEEPEST // max(len(frequent), 1), 1000)
    counts = {word.word: word.cases for word in allowed[at]}
    parts: list[Any] = []
    newest: Any
    for word in frequent:
        fits = CaseWord.word == word
        if others and counts[word] > deep:
            fits &= CaseWord.complaint_id > _floor(word, deep)
        newest = CaseWord.complaint_id
        parts.append(_among(CaseWord, newest, others, visible).where(fits).order_by(newest.desc()))
    if rare:
        few = _of_rare(rare)
        # An order that no index has: these are sorted, not looked for along all cases.
        newest = few.c.complaint_id + 0
        parts.append(_among(few, few.c.complaint_id, others, visible).order_by(newest.desc()))
    return union_all(*(select(part.limit(BRANCH).subquery()) for part in parts))


def _floor(word: str, deep: int) -> Any:
    """The case behind the newest so many of a word."""
    older = select(CaseWord.complaint_id).where(CaseWord.word == word)
    older = older.order_by(CaseWord.complaint_id.desc()).limit(1).offset(deep)
    return func.coalesce(older.correlate(None).scalar_subquery(), 0)


def _of_rare(words: list[Word]) -> Any:
    """The cases of some rare words, few enough to be sorted.

    By themselves, with a limit that is never reached (the hints only grow): else PostgreSQL takes
    them for more than they are and walks back through all cases to look for the words there.
    """
    found = select(CaseWord.complaint_id).where(CaseWord.word.in_([word.word for word in words]))
    return found.limit(sum(word.cases for word in words) + BRANCH).subquery()


def _among(source: Any, key: Any, others: list[list[str]], visible: Any) -> Any:
    """Cases among some that have one of each group of other words, too."""
    statement = (
        select(Complaint.id, Complaint.applicant_name, Complaint.received_at, Complaint.closed_at)
        .select_from(source)
        .join(Complaint, Complaint.id == key)
        .where(visible)
    )
    for number, group in enumerate(others):
        other = CaseWord.__table__.alias(f"other{number}")
        statement = statement.where(
            exists().where(other.c.complaint_id == key, other.c.word.in_(group))
        )
    return statement


def _hits(
    session: Session, actor: Actor, asked: Asked, chosen: Iterable[_Candidate]
) -> tuple[Hit, ...]:
    """What the box shows of the chosen cases."""
    wanted = {candidate.id: candidate for candidate in chosen}
    if not wanted:
        return ()
    rows = session.connection().execute(
        _shown(len(wanted), actor), {f"id_{n}": key for n, key in enumerate(wanted)}
    )
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
    return (
        select(
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
        .join(Category, Category.id == Complaint.category_id)
        .join(SopStep, SopStep.key == Complaint.step_key)
        .where(
            Complaint.id.in_([bindparam(f"id_{n}", type_=Complaint.id.type) for n in range(count)]),
            visible_cases(actor),
        )
    )


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
