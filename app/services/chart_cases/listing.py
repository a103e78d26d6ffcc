"""The cases behind a number, page by page: those that the asker may know of, slowest first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint, DocumentKind
from app.models.base import UTCDateTime
from app.services.actor import Actor
from app.services.archive import touches_archive
from app.services.chart_cases.numbers import number_of
from app.services.chart_cases.question import Question
from app.services.chart_cases.sources import Source, source_of
from app.services.statistics import Scope, day_bounds
from app.services.statistics.counting import returned
from app.services.statistics.facts import SIAK_DATA, UNKNOWN_DIFFERENCE
from app.services.visibility import visible_cases

PAGE_ROWS: Final = 50
_CHUNK: Final = 500


@dataclass(frozen=True)
class CaseRow:
    """One case, or one stay of it in a step, without anything that says whose it is."""

    complaint_id: int
    number: str
    category_id: int
    channel_id: int
    kecamatan_code: str | None
    received_at: datetime
    closed_at: datetime | None
    #: Where the case is now.
    step_key: str
    #: Stands in the link to what comes after this row.
    mark: str
    #: The moment that is counted; the run's step, clocks and outcome; a legal date; a parcel.
    at: datetime | None = None
    run_step: str | None = None
    entered_at: datetime | None = None
    wait: int | None = None
    work: int | None = None
    standard: int | None = None
    round: int | None = None
    outcome: str | None = None
    since: datetime | None = None
    due: date | None = None
    courier_id: int | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    status: str | None = None

    @property
    def share(self) -> float | None:
        """The work as a share of the standard that the run entered its step with."""
        if self.work is None or not self.standard:
            return None
        return self.work / (self.standard * 60)


@dataclass(frozen=True)
class Page:
    """One page; `hidden` cases are counted in `total` but not listed for the asker."""

    total: int
    hidden: int
    rows: tuple[CaseRow, ...]
    #: What the link to the next page carries; "" on the last one.
    after: str = ""
    #: Whether stays of the period lie in an archive: counted in `total`, not listed.
    archived: bool = False


def load_page(
    session: Session,
    question: Question,
    scope: Scope,
    actor: Actor,
    *,
    today: date,
    after: str = "",
    limit: int = PAGE_ROWS,
) -> Page:
    """The number and one page of its cases; `after` is the mark of the last row seen."""
    total = number_of(session, question, scope, today=today)
    source = source_of(session, question, scope, today)
    rows = tuple(islice(_rows(session, question, source, actor, after, limit + 1), limit + 1))
    more = len(rows) > limit
    rows = rows[:limit]
    hidden = 0
    if total and not actor.can("see_confidential"):
        hidden = _hidden(session, question, source)
    archived = question.of == "run" and touches_archive(
        session, *day_bounds(scope.first, scope.last)
    )
    return Page(total, hidden, rows, rows[-1].mark if more else "", archived)


def export_rows(
    session: Session, question: Question, scope: Scope, actor: Actor, *, today: date, limit: int
) -> Iterator[CaseRow]:
    """The same cases in the same order, at most `limit` of them."""
    source = source_of(session, question, scope, today)
    return islice(_rows(session, question, source, actor, "", limit), limit)


def statement_for(source: Source, actor: Actor, after: str = "") -> Select[Any]:
    """The rows of a question that an actor may know of, in order, behind a mark."""
    columns = {
        "complaint_id": Complaint.id,
        "number": Complaint.number,
        "category_id": Complaint.category_id,
        "channel_id": Complaint.channel_id,
        "kecamatan_code": Complaint.kecamatan_code,
        "received_at": Complaint.received_at,
        "closed_at": Complaint.closed_at,
        "step_key": Complaint.step_key,
        "case_round": Complaint.round,
        "order_value": source.order,
        "order_key": source.key,
        **source.columns,
    }
    statement = select(*(column.label(name) for name, column in columns.items()))
    statement = _from(statement, source).where(*source.conditions, visible_cases(actor))
    if (mark := _read_mark(source, after)) is not None:
        statement = statement.where(_behind(source, *mark))
    if source.ascending:
        return statement.order_by(source.order, source.key)
    return statement.order_by(source.order.desc(), source.key.desc())


def _from(statement: Select[Any], source: Source) -> Select[Any]:
    if source.entity is None:
        return statement.select_from(Complaint)
    return statement.select_from(source.entity).join(
        Complaint, Complaint.id == source.entity.complaint_id
    )


def _rows(
    session: Session, question: Question, source: Source, actor: Actor, after: str, limit: int
) -> Iterator[CaseRow]:
    statement = statement_for(source, actor, after)
    if not (question.paper or question.differs):
        for row in session.execute(statement.limit(limit)):
            yield _case(row._mapping)
        return
    for row in _failing(session, question, statement):
        yield _case(row._mapping)


def _failing(session: Session, question: Question, statement: Select[Any]) -> Iterator[Any]:
    """The returns for one kind of paper or one datum: what an event says is read row by row."""
    found = session.execute(select(DocumentKind.label_id, DocumentKind.code)).all()
    codes = {row[0]: row[1] for row in found}
    words = _words(question, codes)
    if words:
        text = cast(CaseEvent.details, String)
        statement = statement.where(or_(*(text.contains(w, autoescape=True) for w in words)))
    for row in session.execute(statement.execution_options(yield_per=_CHUNK)):
        failed, differences = returned(row.details, codes)
        states = {state for code, state in failed if code == question.paper}
        if question.paper and (not states or (question.state and question.state not in states)):
            continue
        if question.differs and question.differs not in _as_counted(differences):
            continue
        yield row


def _words(question: Question, codes: Mapping[str, str]) -> list[str]:
    """Texts of which one stands in every event that may fit, so that few need to be read."""
    if question.paper:
        labels = [label for label, code in codes.items() if code == question.paper]
        return [question.paper, *(json.dumps(label)[1:-1] for label in labels)]
    return [question.differs] if question.differs in SIAK_DATA else []


def _as_counted(differences: list[str]) -> set[str]:
    return {word if word in SIAK_DATA else UNKNOWN_DIFFERENCE for word in differences}


def _hidden(session: Session, question: Question, source: Source) -> int:
    """How many of the cases are confidential; what is shown of them is this number alone."""
    confidential: ColumnElement[bool] = Complaint.confidential.is_(True)
    if question.paper or question.differs:
        columns = (source.columns["details"].label("details"),)
        statement = _from(select(*columns), source).where(*source.conditions, confidential)
        return sum(1 for _row in _failing(session, question, statement))
    counted = _from(select(func.count()), source).where(*source.conditions, confidential)
    return session.scalar(counted) or 0


# --- marks: where a page ends ---


def _mark(order: Any, key: int) -> str:
    if isinstance(order, datetime):
        order = order.astimezone(UTC).replace(tzinfo=None)
    text = order.isoformat() if isinstance(order, date) else str(order)
    return f"{text}_{key}"


def _read_mark(source: Source, text: str) -> tuple[Any, int] | None:
    """The mark of an address as values of its columns; None for anything that cannot be one."""
    order, _sign, key = text.rpartition("_")
    if not (key.isascii() and key.isdigit() and len(key) <= 10 and order.isascii()):
        return None
    kind = source.order.type.python_type
    try:
        if kind is int:
            value: Any = int(order) if len(order) <= 10 else None
        elif isinstance(source.order.type, UTCDateTime):
            value = datetime.fromisoformat(order).replace(tzinfo=UTC)
        else:
            value = date.fromisoformat(order)
    except ValueError:
        return None
    return None if value is None or int(key) > 2**31 - 1 else (value, int(key))


def _behind(source: Source, order: Any, key: int) -> Any:
    if source.ascending:
        return or_(source.order > order, and_(source.order == order, source.key > key))
    return or_(source.order < order, and_(source.order == order, source.key < key))


def _case(row: Mapping[Any, Any]) -> CaseRow:
    values = {name: value for name, value in row.items() if name in _FIELDS}
    values.setdefault("round", row["case_round"])
    return CaseRow(**values, mark=_mark(row["order_value"], row["order_key"]))


_FIELDS: Final = frozenset(CaseRow.__dataclass_fields__)
