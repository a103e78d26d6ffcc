"""What an administrator needs to know at a glance: numbers, and what would stop the work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from app.models import (
    Account,
    Category,
    Channel,
    Courier,
    DocumentKind,
    Group,
    Holiday,
    Permission,
    PermissionView,
    Role,
    SeedRun,
    Signatory,
    SopRelease,
    User,
    ViewMenu,
    WorkingHours,
)
from app.services.actor import CASE_VIEW
from app.services.signatories import exception_on
from app.sop.definition import Sop, Step


@dataclass(frozen=True)
class Overview:
    """The numbers of the administration page."""

    users_active: int
    users_inactive: int
    users_without_role: int
    users_new: int
    roles: int
    sop_sha256: str
    synced_at: datetime | None
    demo: bool


@dataclass(frozen=True)
class Gap:
    """Something that is missing and what it is about; `code` is turned into a sentence."""

    code: str
    params: dict[str, Any]


def load_overview(session: Session) -> Overview:
    """Users, roles and the SOP in one look."""
    active = _count(session, select(User.id).where(User.active.is_(True)))
    release = session.get(SopRelease, 1)
    return Overview(
        users_active=active,
        users_inactive=_count(session, select(User.id).where(User.active.is_not(True))),
        users_without_role=_count(
            session,
            select(User.id).where(
                User.active.is_(True), ~User.roles.any(), ~User.groups.any(Group.roles.any())
            ),
        ),
        users_new=_count(
            session,
            select(Account.user_id)
            .join(User, User.id == Account.user_id)
            .where(User.active.is_(True), Account.must_change_password.is_(True)),
        ),
        roles=_count(session, select(Role.id).where(Role.permissions.any())),
        sop_sha256=release.sha256 if release else "",
        synced_at=release.synced_at if release else None,
        demo=session.get(SeedRun, "demo") is not None,
    )


def find_gaps(session: Session, sop: Sop, *, today: date) -> list[Gap]:
    """What would stop the work or count it wrongly, the worst first."""
    gaps = [
        Gap("step_without_officer", {"step": step.label}) for step in unattended_steps(session, sop)
    ]
    if not _count(session, select(WorkingHours.id).where(WorkingHours.valid_from.is_(None))):
        gaps.append(Gap("no_working_hours", {}))
    # From October on next year's due dates are being worked out already.
    years = [today.year] + ([today.year + 1] if today.month >= 10 else [])
    for year in years:
        days = _holidays_of(year)
        if not _count(session, days):
            gaps.append(Gap("no_holidays", {"year": year}))
        expected = days.where(Holiday.certainty == "perkiraan", Holiday.day >= today)
        if count := _count(session, expected):
            gaps.append(Gap("holidays_expected", {"count": count, "year": year}))
    in_office = (
        Signatory.valid_from <= today,
        or_(Signatory.valid_to.is_(None), Signatory.valid_to >= today),
    )
    if not _count(session, select(Signatory.id).where(*in_office)):
        gaps.append(Gap("no_signatory", {}))
    if excepted := exception_on(session, today):
        gaps.append(Gap("same_person", {"reason": excepted[0], "day": excepted[1]}))
    for model, code in (
        (Channel, "no_channel"),
        (Category, "no_category"),
        (Courier, "no_courier"),
        (DocumentKind, "no_document_kind"),
    ):
        if not _count(session, select(model.id).where(model.active.is_(True))):
            gaps.append(Gap(code, {}))
    return gaps


def unattended_steps(session: Session, sop: Sop) -> list[Step]:
    """The steps with a clock in which no active user may make any transition."""
    pairs = (
        select(Permission.name)
        .select_from(PermissionView)
        .join(Permission, PermissionView.permission_id == Permission.id)
        .join(ViewMenu, PermissionView.view_menu_id == ViewMenu.id)
        .join(PermissionView.role)
        .where(ViewMenu.name == CASE_VIEW)
    )
    direct = pairs.join(Role.user).where(User.active.is_(True))
    grouped = pairs.join(Role.groups).join(Group.users).where(User.active.is_(True))
    held = set(session.scalars(direct.union(grouped)))
    return [
        step
        for step in sop.steps
        if step.kind != "end"
        and step.transitions
        and not any(move.permission in held for move in step.transitions)
    ]


def _holidays_of(year: int) -> Select[Any]:
    return select(Holiday.id).where(
        Holiday.day >= date(year, 1, 1), Holiday.day <= date(year, 12, 31)
    )


def _count(session: Session, statement: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(statement.subquery())) or 0
