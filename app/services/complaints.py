"""Registering a complaint and keeping what is known of it (SOP step 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.datakeys import ring
from app.models import (
    CaseEvent,
    Category,
    CategoryRequirement,
    Complaint,
    RequirementCheck,
    SopStep,
    StepRun,
)
from app.services import name_index  # noqa: F401  its import keeps the words of names
from app.services.actor import Actor
from app.services.audit import record
from app.services.calendar import OFFICE_ZONE
from app.services.ended import require_going_on
from app.services.facts import current_checks
from app.services.guarding import claim_version
from app.services.messages.compose import queue_messages
from app.services.numbers import next_number, year_of
from app.services.statistics import note
from app.services.statistics.counting import facts_of_case
from app.services.statistics.facts import arrival_fact, dims_of, due_facts_of
from app.services.transitions import Office, standard_of
from app.services.visibility import ensure_visible, visible_cases
from app.sop.clock import add_working_days
from app.sop.errors import RefusedError, WrongStepError

NUMBER_PREFIX: Final = "PGD"
#: UU 25/2009, Perpres 76/2013: told within 14 days whether the file is complete, decided in 60.
COMPLETENESS_DAYS: Final = timedelta(days=14)
DECISION_DAYS: Final = timedelta(days=60)
#: Working days by class, Permenpan-RB 62/2018 as practised.
CLASS_WORKING_DAYS: Final[Mapping[str, int]] = {"information": 5, "complaint": 14, "oversight": 60}


@dataclass(frozen=True)
class ComplaintData:
    """What an officer writes down of a complaint; the step is not among it."""

    channel_id: int
    category_id: int
    received_at: datetime
    applicant_name: str
    text: str
    handle: str = ""
    external_ticket: str = ""
    nik: str = ""
    kk_number: str = ""
    birth_date: date | None = None
    sex: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""
    kecamatan_code: str | None = None
    region_code: str | None = None
    hide_identity: bool = False
    needs_first_ktp: bool = False


@dataclass(frozen=True)
class CheckInput:
    """What the officer saw of one paper: present, unreadable, missing, or not looked at yet."""

    kind_id: int
    state: str
    note: str = ""


@dataclass(frozen=True)
class Registration:
    """Everything that one submit of the registration form brings."""

    data: ComplaintData
    opened_at: datetime
    checks: Sequence[CheckInput] = field(default_factory=tuple)


def register_complaint(
    session: Session, office: Office, registration: Registration, actor: Actor, *, now: datetime
) -> Complaint:
    """Write down a new complaint in the SOP's first step, its work clock running since the form
    was opened (design, "The two clocks").

    Raises:
        NotAllowedError: the actor may not add complaints.
        RefusedError: it was received in the future.
    """
    actor.require("can_add")
    data = registration.data
    if data.received_at > now:
        raise RefusedError("received_in_future")
    category = session.get_one(Category, data.category_id)
    entry = office.sop.step(office.sop.entry)
    opened = min(registration.opened_at, now)
    complaint = write_down(
        office,
        data,
        category,
        number=next_number(session, NUMBER_PREFIX, now),
        actor=actor,
        now=now,
        step_key=entry.key,
        since=opened,
    )
    complaint.assignee_id = actor.id
    session.add(complaint)
    session.flush()
    session.add(
        StepRun(
            complaint_id=complaint.id,
            case_year=year_of(complaint.number),
            step_key=entry.key,
            entered_at=opened,
            started_at=opened,
            started_by_id=actor.id,
            standard_minutes=standard_of(session, entry.key),
        )
    )
    _align_checks(session, complaint, category)
    _apply_checks(session, complaint, registration.checks)
    log_event(session, complaint, "registered", actor, now)
    session.flush()
    note(session, [arrival_fact(dims_of(complaint), data.received_at), *due_facts_of(complaint)])
    queue_messages(session, complaint, "receipt", actor, now, reach=office.reach)
    return complaint


def write_down(
    office: Office,
    data: ComplaintData,
    category: Category,
    *,
    number: str,
    actor: Actor,
    now: datetime,
    step_key: str,
    since: datetime,
) -> Complaint:
    """The row of a new complaint, its legal dates counted from the day of receipt; not yet added."""
    return Complaint(
        **_columns(data),
        **_due_dates(office, category, data.received_at),
        number=number,
        registered_at=now,
        registered_by_id=actor.id,
        confidential=category.legal_class == "oversight" or data.hide_identity,
        step_key=step_key,
        step_since=since,
    )


def edit_complaint(
    session: Session,
    office: Office,
    complaint: Complaint,
    data: ComplaintData,
    actor: Actor,
    *,
    now: datetime,
    expected_version: int,
) -> list[str]:
    """Correct what is known of a complaint; answers which fields changed.

    The version the form was opened with is claimed, so of two editors the later is told.

    Raises:
        NotAllowedError, NotFoundError: not his to edit, or not his to know of.
        RefusedError: the case is finished, or it was received in the future.
        WrongStepError: somebody changed or moved it since the form was opened.
    """
    actor.require("can_edit")
    ensure_visible(actor, complaint)
    require_going_on(session, office.sop, complaint)
    if data.received_at > now:
        raise RefusedError("received_in_future")
    claim(session, office, complaint, expected_version)
    category = session.get_one(Category, data.category_id)
    before = {name: getattr(complaint, name) for name in _columns(data)}
    counted = facts_of_case(session, complaint.id) if _sort_changes(before, data) else []
    for name, value in _columns(data).items():
        setattr(complaint, name, value)
    changed = [name for name, value in before.items() if getattr(complaint, name) != value]
    if {"category_id", "received_at"} & set(changed):
        for name, value in _due_dates(office, category, data.received_at).items():
            setattr(complaint, name, value)
        _align_checks(session, complaint, category)
    complaint.confidential = category.legal_class == "oversight" or data.hide_identity
    if changed:
        log_event(session, complaint, "edited", actor, now, details={"fields": changed})
    session.flush()
    if counted:
        # The past of a case belongs to the sort that it turns out to be of.
        note(session, counted, -1)
        note(session, facts_of_case(session, complaint.id))
    return changed


def save_checks(
    session: Session,
    office: Office,
    complaint: Complaint,
    checks: Sequence[CheckInput],
    actor: Actor,
    *,
    now: datetime,
    expected_version: int | None = None,
) -> None:
    """Keep what the officer saw of each paper; in a later round only the failed items are open.

    Raises:
        WrongStepError: somebody changed or moved the case meanwhile.
        RefusedError: an item that is not open in this round would change.
    """
    ensure_visible(actor, complaint)
    claim(session, office, complaint, expected_version)
    _apply_checks(session, complaint, checks)
    session.flush()


def claim(
    session: Session, office: Office, complaint: Complaint, expected_version: int | None
) -> None:
    """Take the next version of a case for a change of its facts.

    Raises:
        WrongStepError: it is not the version the officer looked at any more.
    """
    if not claim_version(session, complaint, expected_version):
        last = session.execute(
            select(CaseEvent)
            .where(CaseEvent.complaint_id == complaint.id)
            .order_by(CaseEvent.id.desc())
            .limit(1)
        ).scalar_one_or_none()
        error = WrongStepError(
            who=last.by_name if last else "",
            at=last.at if last else complaint.step_since,
            step=office.sop.step(complaint.step_key).label,
        )
        error.code = "changed_by_other"
        raise error


def open_cases_of(
    session: Session, actor: Actor, nik: str, *, but_not: int | None = None
) -> list[Complaint]:
    """Cases of the same NIK that are not finished: a warning while registering, never a block."""
    if not nik:
        return []
    statement = (
        select(Complaint)
        .join(SopStep, SopStep.key == Complaint.step_key)
        .where(
            Complaint.nik_digest.in_(ring().digests("nik", [nik])),
            SopStep.kind != "end",
            visible_cases(actor),
        )
        .order_by(Complaint.received_at.desc())
        .limit(5)
    )
    if but_not is not None:
        statement = statement.where(Complaint.id != but_not)
    return list(session.scalars(statement))


def log_event(
    session: Session,
    complaint: Complaint,
    kind: str,
    actor: Actor,
    now: datetime,
    *,
    reason: str = "",
    details: Mapping[str, object] | None = None,
) -> CaseEvent:
    """Write one line of the case's history."""
    event = CaseEvent(
        complaint_id=complaint.id,
        kind=kind,
        at=now,
        by_id=actor.id,
        by_name=actor.name,
        round=complaint.round,
        version=complaint.version,
        reason=reason,
        details=dict(details or {}),
    )
    session.add(event)
    record(
        session,
        "case_registered" if kind == "registered" else "case_changed",
        actor_id=actor.id,
        subject=f"complaint:{complaint.number}",
        detail={"what": kind, "version": complaint.version},
        at=now,
    )
    return event


def _sort_changes(before: Mapping[str, Any], data: ComplaintData) -> bool:
    """Whether a correction moves a case to other numbers of the charts."""
    named = ("channel_id", "category_id", "kecamatan_code", "received_at")
    return any(before[name] != getattr(data, name) for name in named)


def _columns(data: ComplaintData) -> dict[str, Any]:
    return {item.name: getattr(data, item.name) for item in fields(data)}


def _due_dates(office: Office, category: Category, received_at: datetime) -> dict[str, date]:
    """Legal due dates from the day of receipt in the office's zone."""
    received = received_at.astimezone(OFFICE_ZONE).date()
    days = CLASS_WORKING_DAYS[category.legal_class]
    return {
        "completeness_due": received + COMPLETENESS_DAYS,
        "decision_due": received + DECISION_DAYS,
        "class_due": add_working_days(office.calendar, received, days),
    }


def _align_checks(session: Session, complaint: Complaint, category: Category) -> None:
    """Bring the completeness list in line with the category; what was seen already is kept."""
    wanted = list(
        session.scalars(
            select(CategoryRequirement)
            .where(CategoryRequirement.category_id == category.id)
            .order_by(CategoryRequirement.position, CategoryRequirement.id)
        )
    )
    existing = {check.kind_id: check for check in current_checks(session, complaint)}
    for item in wanted:
        check = existing.pop(item.kind_id, None)
        if check is None:
            check = RequirementCheck(complaint_id=complaint.id, kind_id=item.kind_id)
            session.add(check)
        check.required, check.position = item.required, item.position
    for check in existing.values():
        if check.state == "unchecked":
            session.delete(check)
        else:
            check.required = False  # seen already: stays as supporting data
    session.flush()


def _apply_checks(session: Session, complaint: Complaint, inputs: Sequence[CheckInput]) -> None:
    existing = {check.kind_id: check for check in current_checks(session, complaint)}
    for item in inputs:
        check = existing.get(item.kind_id)
        if check is None:
            raise RefusedError("requirement_unknown", kind=item.kind_id)
        note = item.note.strip()
        if (check.state, check.note) == (item.state, note):
            continue
        if complaint.round > 1 and not check.reopened:
            raise RefusedError("requirement_closed", label=str(check.kind))
        if item.state not in ("present", "unreadable", "missing", "unchecked"):
            raise RefusedError("requirement_state_unknown", state=item.state)
        check.state, check.note = item.state, note
    session.flush()
