"""A case for who only looks at it: the same rows as in `casefile`, without objects of the session.

A page shows what thirty rows of ten tables hold. As objects that remember what was changed about
them they cost a third of the page; here each is a plain object with the columns of its table. What
is not read here is not there: asking for it is an error, never another statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, Connection, Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from app.models import (
    BlankWait,
    CaseEvent,
    CaseOutput,
    Category,
    Channel,
    Complaint,
    Courier,
    Dispatch,
    Document,
    DocumentKind,
    DocumentSignature,
    Message,
    Pause,
    PrintRun,
    Region,
    RequirementCheck,
    SiakCheck,
    StepRun,
    User,
)
from app.services.actor import Actor
from app.services.archive import in_archived_year
from app.services.casefile import CaseFile, Shelf
from app.services.numbers import year_of
from app.services.signatories import in_office, office_day
from app.services.visibility import visible_cases

_PK: Final[BindParameter[int]] = bindparam("pk")
#: Officers for whom the first statement is kept; it carries the row rule of who looks.
_MOST_ACTORS: Final = 200


class Record:
    """One row: its columns, and the rows that were hung on it."""

    _related: frozenset[str] = frozenset()

    def __getattr__(self, name: str) -> Any:
        # A template would show nothing for an attribute that is not there.
        if name in type(self)._related:
            raise LookupError(f"{type(self).__name__}.{name} was not read")
        raise AttributeError(name)


class _Officer(NamedTuple):
    first_name: str
    last_name: str

    def get_full_name(self) -> str:
        """As FAB writes it."""
        return f"{self.first_name} {self.last_name}"


class _Part(NamedTuple):
    """The columns of one table within the rows of a statement."""

    kind: type[Record]
    names: tuple[str, ...]
    columns: tuple[Any, ...]

    def cut(self, row: Sequence[Any], start: int) -> Any:
        """The record that begins at this place of a row; None where nothing was joined."""
        if row[start] is None:
            return None
        made = self.kind.__new__(self.kind)
        made.__dict__.update(zip(self.names, row[start : start + len(self.names)], strict=True))
        return made


@cache
def _part(model: Any) -> _Part:
    mapper = model.__mapper__
    columns = {attribute.key: attribute.columns[0] for attribute in mapper.column_attrs}
    key = mapper.primary_key[0].key
    names = (key, *(name for name in columns if name != key))  # a row that is there has a key
    # What a row is called, and what it works out from its own columns.
    own = {
        name: value
        for base in reversed(model.__mro__[:-1])
        for name, value in vars(base).items()
        if name == "__str__" or type(value) is property
    }
    related = frozenset(mapper.relationships.keys())
    kind = type(f"{model.__name__}Record", (Record,), {**own, "_related": related})
    return _Part(kind, names, tuple(columns[name] for name in names))


class _Cutter:
    """Cuts rows into records: tables one after the other, then what else was selected."""

    def __init__(self, *models: type[Any]) -> None:
        self.parts = [_part(model) for model in models]  # type: ignore[arg-type]
        self.columns = [column for part in self.parts for column in part.columns]

    def cut(self, row: Sequence[Any]) -> tuple[list[Any], Sequence[Any]]:
        """The records of a row and its further values."""
        found, start = [], 0
        for part in self.parts:
            found.append(part.cut(row, start))
            start += len(part.names)
        return found, row[start:]


def load_case_records(
    session: Session, actor: Actor, pk: int, *, now: datetime, shelf: Shelf
) -> CaseFile | None:
    """The case behind a key with all its rows, None when the actor may not know of it.

    Args:
        shelf: the rows of small reference tables by key, which are hung on those of the case.
    """
    connection = session.connection()
    file = _head(connection, actor, pk, now)
    if file is None:
        return None
    _runs(connection, file)
    _events(connection, file)
    _documents(connection, file)
    _outputs(connection, file)
    _hang(file, shelf)
    return file


def _rows(connection: Connection, statement: Select[Any], **values: Any) -> Sequence[Any]:
    return connection.execute(statement, values).all()


def _unique(records: Iterable[Any]) -> list[Any]:
    """Each record once, where a join has repeated it."""
    return list({record.id: record for record in records if record is not None}.values())


# --- the case with its list and its checks -------------------------------------------------------


def _head(connection: Connection, actor: Actor, pk: int, now: datetime) -> CaseFile | None:
    values = {"pk": pk, "actor": actor.id or 0, "day": office_day(now)}
    rows = _rows(connection, _head_statement(actor), **values)
    if not rows:
        return None
    cut = [_HEAD.cut(row) for row in rows]
    whole = next(one for one in cut if one[0][0] is not None)
    (case, channel, category, *_others), (in_office_now, in_archive, *names) = whole
    case.channel, case.category = channel, category
    file = CaseFile(
        complaint=case,
        checks=_unique(records[3] for records, _more in cut),
        siak_checks=_unique(records[4] for records, _more in cut),
        signatory_in_office=bool(in_office_now),
        year_archived=bool(in_archive),
    )
    _name(file, case.assignee_id, *names[:2])
    _name(file, case.registered_by_id, *names[2:])
    return file


def _name(file: CaseFile, user_id: int | None, first: str | None, last: str | None) -> None:
    if user_id is not None:
        file.officers[user_id] = f"{first} {last}"


_HEAD: Final = _Cutter(Complaint, Channel, Category, RequirementCheck, SiakCheck)
#: Stands beside one row of the list alone: a case is wide, and its personal data are unsealed.
_WHOLE: Final = Complaint.__table__.alias("whole")


@lru_cache(maxsize=_MOST_ACTORS)
def _head_statement(actor: Actor) -> Select[Any]:
    # Of each round the latest check at SIAK.
    latest = (
        select(func.max(SiakCheck.id))
        .where(SiakCheck.complaint_id == _PK)
        .group_by(SiakCheck.round)
    )
    first = select(func.min(RequirementCheck.id)).where(RequirementCheck.complaint_id == _PK)
    beside = or_(RequirementCheck.id.is_(None), RequirementCheck.id == first.scalar_subquery())
    holder, registrar = User.__table__.alias("holder"), User.__table__.alias("registrar")
    return (
        select(
            *[_WHOLE.c[column.name] for column in _HEAD.parts[0].columns],
            *_HEAD.columns[len(_HEAD.parts[0].columns) :],
            exists().where(in_office(bindparam("actor"), bindparam("day"))),
            in_archived_year(Complaint.number),
            holder.c.first_name,
            holder.c.last_name,
            registrar.c.first_name,
            registrar.c.last_name,
        )
        .select_from(Complaint.__table__)
        .outerjoin(RequirementCheck.__table__, RequirementCheck.complaint_id == Complaint.id)
        .outerjoin(_WHOLE, and_(_WHOLE.c.id == Complaint.id, beside))
        .outerjoin(Channel.__table__, Channel.id == _WHOLE.c.channel_id)
        .outerjoin(Category.__table__, Category.id == _WHOLE.c.category_id)
        .outerjoin(
            SiakCheck.__table__,
            and_(SiakCheck.complaint_id == Complaint.id, SiakCheck.id.in_(latest)),
        )
        .outerjoin(holder, holder.c.id == Complaint.assignee_id)
        .outerjoin(registrar, registrar.c.id == Complaint.registered_by_id)
        .where(Complaint.id == _PK, visible_cases(actor))
        .order_by(RequirementCheck.position, RequirementCheck.id, SiakCheck.id)
    )


# --- its stays and what happened -----------------------------------------------------------------


def _runs(connection: Connection, file: CaseFile) -> None:
    """The stays of the case, and the pauses that touch the open one."""
    case = file.complaint
    rows = _rows(connection, _runs_statement(), pk=case.id, year=year_of(case.number))
    cut = [_RUNS.cut(row)[0] for row in rows]
    file.runs = _unique(records[0] for records in cut)
    file.pauses = [records[1] for records in cut if records[1] is not None]


_RUNS: Final = _Cutter(StepRun, Pause)


@cache
def _runs_statement() -> Select[Any]:
    touches = or_(
        Pause.step_run_id == StepRun.id,
        and_(
            Pause.step_key == StepRun.step_key,
            or_(Pause.to_at.is_(None), Pause.to_at > StepRun.entered_at),
        ),
    )
    return (
        select(*_RUNS.columns)
        .select_from(StepRun.__table__)
        .outerjoin(Pause.__table__, and_(StepRun.finished_at.is_(None), touches))
        .where(StepRun.complaint_id == _PK, StepRun.case_year == bindparam("year"))
        .order_by(StepRun.id, Pause.from_at)
    )


def _events(connection: Connection, file: CaseFile) -> None:
    """What happened, and beside the first event of the case what its applicant was told."""
    cut = [_EVENTS.cut(row) for row in _rows(connection, _events_statement(), pk=file.complaint.id)]
    file.events = _unique(records[0] for records, _more in cut)
    for (_event, message), (first, last) in cut:
        if message is not None:
            message.sent_by = _Officer(first, last) if message.sent_by_id is not None else None
            file.messages.append(message)


_EVENTS: Final = _Cutter(CaseEvent, Message)


@cache
def _events_statement() -> Select[Any]:
    first = select(func.min(CaseEvent.id)).where(CaseEvent.complaint_id == _PK).scalar_subquery()
    return (
        select(*_EVENTS.columns, User.first_name, User.last_name)
        .select_from(CaseEvent.__table__)
        .outerjoin(
            Message.__table__,
            and_(Message.complaint_id == CaseEvent.complaint_id, CaseEvent.id == first),
        )
        .outerjoin(User.__table__, User.id == Message.sent_by_id)
        .where(CaseEvent.complaint_id == _PK)
        .order_by(CaseEvent.id, Message.id)
    )


# --- its files, parcels and papers ---------------------------------------------------------------


def _documents(connection: Connection, file: CaseFile) -> None:
    """The files with their signatures, and the parcels through their proofs: none is without."""
    cut = [_FILES.cut(row) for row in _rows(connection, _files_statement(), pk=file.complaint.id)]
    by_key: dict[int, Any] = {}
    for (document, _parcel, signature), (first, last) in cut:
        kept = by_key.setdefault(document.id, document)
        if kept is document:
            document.signatures = []
            _name(file, document.uploaded_by_id, first, last)
        if signature is not None and all(one.id != signature.id for one in kept.signatures):
            kept.signatures.append(signature)
    file.documents = list(by_key.values())
    parcels = _unique(records[1] for records, _more in cut)
    file.dispatches = sorted(parcels, key=lambda parcel: int(parcel.id))


_FILES: Final = _Cutter(Document, Dispatch, DocumentSignature)


@cache
def _files_statement() -> Select[Any]:
    return (
        select(*_FILES.columns, User.first_name, User.last_name)
        .select_from(Document.__table__)
        .outerjoin(Dispatch.__table__, Dispatch.proof_id == Document.id)
        .outerjoin(DocumentSignature.__table__, DocumentSignature.document_id == Document.id)
        .outerjoin(User.__table__, User.id == Document.uploaded_by_id)
        .where(Document.complaint_id == _PK)
        .order_by(Document.id, Dispatch.id, *_order_of_signatures())
    )


def _order_of_signatures() -> Sequence[Any]:
    ordered = Document.__mapper__.relationships["signatures"].order_by
    return ordered or (DocumentSignature.id,)


def _outputs(connection: Connection, file: CaseFile) -> None:
    """The papers of every round with their prints; their files are at hand already."""
    found: dict[int, Any] = {}
    for row in _rows(connection, _outputs_statement(), pk=file.complaint.id):
        (output, run, wait), (first, last) = _OUTPUTS.cut(row)
        kept = found.setdefault(output.id, output)
        if kept is output:
            output.prints = []
            output.documents = [one for one in file.documents if one.output_id == output.id]
        if run is not None and all(one.id != run.id for one in kept.prints):
            kept.prints.append(run)
            _name(file, run.printed_by_id, first, last)
        if wait is not None:
            file.waits[output.id] = wait
    file.outputs = list(found.values())


_OUTPUTS: Final = _Cutter(CaseOutput, PrintRun, BlankWait)


@cache
def _outputs_statement() -> Select[Any]:
    waits = and_(BlankWait.output_id == CaseOutput.id, BlankWait.ended_at.is_(None))
    return (
        select(*_OUTPUTS.columns, User.first_name, User.last_name)
        .select_from(CaseOutput.__table__)
        .outerjoin(PrintRun.__table__, PrintRun.output_id == CaseOutput.id)
        .outerjoin(BlankWait.__table__, waits)
        .outerjoin(User.__table__, User.id == PrintRun.printed_by_id)
        .where(CaseOutput.complaint_id == _PK)
        .order_by(CaseOutput.id, PrintRun.number)
    )


def _hang(file: CaseFile, shelf: Shelf) -> None:
    """Hang the rows of the reference tables on those of the case."""
    case: Any = file.complaint
    kinds, regions = shelf(DocumentKind), shelf(Region)
    case.kecamatan, case.region = regions.get(case.kecamatan_code), regions.get(case.region_code)
    rows: list[Any] = [*file.checks, *file.documents, *file.outputs]
    for item in rows:
        item.kind = kinds.get(item.kind_id)
    parcels: list[Any] = file.dispatches
    for parcel in parcels:
        parcel.courier = shelf(Courier).get(parcel.courier_id)
