"""All there is to know of one case, read for its page in five statements whatever its length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import BindParameter, Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, contains_eager, joinedload, lazyload
from sqlalchemy.orm.attributes import set_committed_value

from app.models import (
    BlankWait,
    CaseEvent,
    CaseOutput,
    Complaint,
    Dispatch,
    Document,
    Message,
    Pause,
    PrintRun,
    RequirementCheck,
    SiakCheck,
    StepRun,
    User,
)
from app.services.actor import Actor
from app.services.archive import in_archived_year
from app.services.clocks import Clocks, Span, read_clocks
from app.services.facts import facts_from
from app.services.numbers import year_of
from app.services.signatories import in_office, office_day
from app.services.visibility import visible_cases
from app.sop.clock import Calendar
from app.sop.definition import Transition
from app.sop.guards import CaseFacts, Problem, problems_of

T = TypeVar("T")
#: Gives the rows of a reference table by their keys.
Shelf = Callable[[type[Any]], Mapping[Any, Any]]
_PK: Final[BindParameter[int]] = bindparam("pk")


@dataclass
class CaseFile:
    """A case with everything that hangs on it, in the order in which it happened."""

    complaint: Complaint
    checks: list[RequirementCheck]
    siak_checks: list[SiakCheck]
    runs: list[StepRun] = field(default_factory=list)
    #: Pauses that touch the open run: its own and those of its whole step.
    pauses: list[Pause] = field(default_factory=list)
    events: list[CaseEvent] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    outputs: list[CaseOutput] = field(default_factory=list)
    dispatches: list[Dispatch] = field(default_factory=list)
    #: What the applicant was told.
    messages: list[Message] = field(default_factory=list)
    #: The papers that wait for a blank card, by the paper's id.
    waits: dict[int, BlankWait] = field(default_factory=dict)
    #: Whether who looks may sign for the office today.
    signatory_in_office: bool = False
    #: Whether it is of a year that is in an archive, with or without stays of its own there.
    year_archived: bool = False
    #: The names of the officers who stand on the page, by their ids.
    officers: dict[int, str] = field(default_factory=dict)

    def officer(self, user_id: int | None) -> str:
        """An officer's name, nothing for nobody."""
        return self.officers.get(user_id, "") if user_id is not None else ""

    @property
    def open_run(self) -> StepRun | None:
        """The run whose clock may be ticking."""
        return next((run for run in self.runs if run.finished_at is None), None)

    @property
    def archived(self) -> bool:
        """Whether its stays lie in an archive: it was moved, and no stay of it is left."""
        return not self.runs and any(event.kind == "moved" for event in self.events)

    @property
    def current_outputs(self) -> list[CaseOutput]:
        """The papers the present round ends with."""
        this_round = self.complaint.round
        return [o for o in self.outputs if o.round == this_round and o.dropped_at is None]

    @property
    def standing_pause(self) -> Pause | None:
        """The pause in which the case stands still now, its own before that of the step."""
        standing = [pause for pause in self.pauses if pause.to_at is None]
        return min(standing, key=lambda pause: pause.step_run_id is None, default=None)

    def facts(self) -> CaseFacts:
        """What the guards look at."""
        this_round = self.complaint.round
        return facts_from(
            self.complaint,
            checks=self.checks,
            siak=_last(check for check in self.siak_checks if check.round == this_round),
            outputs=self.current_outputs,
            dispatch=_last(parcel for parcel in self.dispatches if parcel.round == this_round),
            signatory_in_office=self.signatory_in_office,
        )

    def problems(self, move: Transition) -> tuple[Problem, ...]:
        """What a transition still lacks; what its own effect brings about is not lacking."""
        facts = self.facts()
        if move.effect == "record_printed":
            outputs = zip(facts.outputs, self.current_outputs, strict=True)
            printed = tuple(
                replace(fact, printed=fact.printed or not output.prints) for fact, output in outputs
            )
            facts = replace(facts, outputs=printed)
        return problems_of(move.guards, facts)

    def clocks(self, calendar: Calendar, now: datetime) -> Clocks | None:
        """Both clocks of the open run until now; None while no clock runs."""
        if self.open_run is None:
            return None
        spans: list[Span] = [(pause.from_at, pause.to_at) for pause in self.pauses]
        return read_clocks(calendar, self.open_run, spans, now)

    def run_closed_by(self) -> dict[int, StepRun]:
        """The closed run behind each move of the history, by the event's id.

        Every move out of a step with a clock closed exactly one run, in the same order.
        """
        closed = [run for run in self.runs if run.finished_at is not None]
        found: dict[int, StepRun] = {}
        for event in self.events:
            if event.kind == "moved" and closed and closed[0].step_key == event.from_step:
                found[event.id] = closed.pop(0)
        return found


def load_case_file(
    session: Session, actor: Actor, pk: int, *, now: datetime | None = None
) -> CaseFile | None:
    """The case behind a key with all its rows, None when the actor may not know of it."""
    file = _head(session, actor, pk, now or datetime.now(UTC))
    if file is None:
        return None
    _runs(session, file)
    _events(session, file)
    _documents(session, file)
    _outputs(session, file)
    return file


def _head(session: Session, actor: Actor, pk: int, now: datetime) -> CaseFile | None:
    """The case with its list and, of each round, the latest SIAK check, in one statement.

    So is whether the actor may sign today.
    """
    rows = session.execute(
        _head_statement().where(visible_cases(actor)),
        {"pk": pk, "actor": actor.id or 0, "day": office_day(now)},
    ).all()
    if not rows:
        return None
    file = CaseFile(
        complaint=rows[0][0],
        checks=list(dict.fromkeys(row[1] for row in rows if row[1] is not None)),
        siak_checks=list(dict.fromkeys(row[2] for row in rows if row[2] is not None)),
        signatory_in_office=bool(rows[0][3]),
        year_archived=bool(rows[0][4]),
    )
    _name(file, file.complaint.assignee_id, *rows[0][5:7])
    _name(file, file.complaint.registered_by_id, *rows[0][7:9])
    return file


def _name(file: CaseFile, user_id: int | None, first: str | None, last: str | None) -> None:
    if user_id is not None:
        file.officers[user_id] = f"{first} {last}"


@cache
def _head_statement() -> Select[Any]:
    # Statements are made once: composing them costs as much as running them.
    latest = (
        select(func.max(SiakCheck.id))
        .where(SiakCheck.complaint_id == _PK)
        .group_by(SiakCheck.round)
    )
    holder, registrar = aliased(User), aliased(User)
    relations = (Complaint.channel, Complaint.category, Complaint.kecamatan, Complaint.region)
    return (
        select(
            Complaint,
            RequirementCheck,
            SiakCheck,
            exists().where(in_office(bindparam("actor"), bindparam("day"))),
            in_archived_year(Complaint.number),
            *(name for who in (holder, registrar) for name in (who.first_name, who.last_name)),
        )
        .outerjoin(RequirementCheck, RequirementCheck.complaint_id == Complaint.id)
        .outerjoin(
            SiakCheck, and_(SiakCheck.complaint_id == Complaint.id, SiakCheck.id.in_(latest))
        )
        .outerjoin(holder, holder.id == Complaint.assignee_id)
        .outerjoin(registrar, registrar.id == Complaint.registered_by_id)
        .where(Complaint.id == _PK)
        .options(
            *(joinedload(relation) for relation in relations),
            # Not an inner join: a case that was taken over from elsewhere has no list.
            joinedload(RequirementCheck.kind, innerjoin=False),
        )
        .order_by(RequirementCheck.position, RequirementCheck.id, SiakCheck.id)
    )


def _runs(session: Session, file: CaseFile) -> None:
    """The stays of the case, and the pauses that touch the open one."""
    case = file.complaint
    of_case = {"pk": case.id, "year": year_of(case.number)}
    rows = session.execute(_runs_statement(), of_case).all()
    file.runs = list(dict.fromkeys(row[0] for row in rows))
    file.pauses = [row[1] for row in rows if row[1] is not None]


@cache
def _runs_statement() -> Select[StepRun, Pause]:
    touches = or_(
        Pause.step_run_id == StepRun.id,
        and_(
            Pause.step_key == StepRun.step_key,
            or_(Pause.to_at.is_(None), Pause.to_at > StepRun.entered_at),
        ),
    )
    return (
        select(StepRun, Pause)
        .outerjoin(Pause, and_(StepRun.finished_at.is_(None), touches))
        .where(StepRun.complaint_id == _PK, StepRun.case_year == bindparam("year"))
        .options(lazyload(StepRun.step))
        .order_by(StepRun.id, Pause.from_at)
    )


def _events(session: Session, file: CaseFile) -> None:
    """What happened, and beside the first event of the case what its applicant was told."""
    rows = session.execute(_events_statement(), {"pk": file.complaint.id}).all()
    file.events = list(dict.fromkeys(row[0] for row in rows))
    file.messages = [row[1] for row in rows if row[1] is not None]


@cache
def _events_statement() -> Select[CaseEvent, Message]:
    first = select(func.min(CaseEvent.id)).where(CaseEvent.complaint_id == _PK).scalar_subquery()
    return (
        select(CaseEvent, Message)
        .outerjoin(
            Message, and_(Message.complaint_id == CaseEvent.complaint_id, CaseEvent.id == first)
        )
        .where(CaseEvent.complaint_id == _PK)
        .options(joinedload(Message.sent_by))
        .order_by(CaseEvent.id, Message.id)
    )


def _documents(session: Session, file: CaseFile) -> None:
    """The files, and the parcels through their proofs: no parcel is without one."""
    rows = session.execute(_documents_statement(), {"pk": file.complaint.id}).unique().all()
    file.documents = list(dict.fromkeys(row[0] for row in rows))
    for document, _parcel, first, last in rows:
        _name(file, document.uploaded_by_id, first, last)
    file.dispatches = sorted(
        (row[1] for row in rows if row[1] is not None), key=lambda parcel: parcel.id
    )


@cache
def _documents_statement() -> Select[Any]:
    return (
        select(Document, Dispatch, User.first_name, User.last_name)
        .outerjoin(Dispatch, Dispatch.proof_id == Document.id)
        .outerjoin(User, User.id == Document.uploaded_by_id)
        .where(Document.complaint_id == _PK)
        .options(
            joinedload(Document.signatures),
            joinedload(Document.kind),
            joinedload(Dispatch.courier),
        )
        .order_by(Document.id, Dispatch.id)
    )


def _outputs(session: Session, file: CaseFile) -> None:
    """The papers of every round with their prints; their files are at hand already."""
    rows = session.execute(_outputs_statement(), {"pk": file.complaint.id}).unique()
    for output, wait, printer, first, last in rows:
        if output not in file.outputs:
            file.outputs.append(output)
        _name(file, printer, first, last)
        if wait is not None:
            file.waits[output.id] = wait
    for output in file.outputs:
        mine = [document for document in file.documents if document.output_id == output.id]
        set_committed_value(output, "documents", mine)


@cache
def _outputs_statement() -> Select[Any]:
    waits = and_(BlankWait.output_id == CaseOutput.id, BlankWait.ended_at.is_(None))
    return (
        select(CaseOutput, BlankWait, PrintRun.printed_by_id, User.first_name, User.last_name)
        .outerjoin(PrintRun, PrintRun.output_id == CaseOutput.id)
        .outerjoin(BlankWait, waits)
        .outerjoin(User, User.id == PrintRun.printed_by_id)
        .where(CaseOutput.complaint_id == _PK)
        .options(contains_eager(CaseOutput.prints))
        .order_by(CaseOutput.id, PrintRun.number)
    )


def _last(rows: Iterable[T]) -> T | None:
    found = list(rows)
    return found[-1] if found else None
