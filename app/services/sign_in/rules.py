"""What the office demands at sign-in: of which roles a second factor."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Role, RoleRule, SecondFactor, User


@dataclass(frozen=True)
class RoleLine:
    """A role, what is demanded of it, and how many of its users have a second factor."""

    id: int
    name: str
    demanded: bool
    users: int
    protected: int


def role_lines(session: Session) -> list[RoleLine]:
    """Every role with users or permissions, by name."""
    rows = session.execute(
        select(
            Role.id,
            Role.name,
            RoleRule.second_factor,
            func.count(User.id.distinct()),
            func.count(SecondFactor.user_id.distinct()),
        )
        .outerjoin(RoleRule, RoleRule.role_id == Role.id)
        .outerjoin(Role.user.and_(User.active.is_(True)))
        .outerjoin(
            SecondFactor,
            (SecondFactor.user_id == User.id) & SecondFactor.confirmed_at.is_not(None),
        )
        .where(Role.permissions.any())
        .group_by(Role.id, Role.name, RoleRule.second_factor)
        .order_by(Role.name)
    )
    return [RoleLine(row[0], row[1], bool(row[2]), row[3], row[4]) for row in rows]


def set_demands(session: Session, demanded: Collection[int]) -> list[tuple[str, bool]]:
    """Demand a second factor of these roles and of no other; what changed, by name. Flushes."""
    changed = []
    for line in role_lines(session):
        wanted = line.id in demanded
        if wanted == line.demanded:
            continue
        session.merge(RoleRule(role_id=line.id, second_factor=wanted))
        changed.append((line.name, wanted))
    session.flush()
    return changed
