"""Parcels of a case, and officers who lack a permission."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Complaint, Dispatch
from app.services.actor import Actor


def parcel_of(session: Session, case: Complaint) -> Dispatch:
    """The latest parcel of a case."""
    parcels = select(Dispatch).where(Dispatch.complaint_id == case.id)
    return session.scalars(parcels.order_by(Dispatch.id.desc()).limit(1)).one()


def without(actor: Actor, *permissions: str) -> Actor:
    """The same officer after an administrator took something from his role."""
    kept = frozenset(pair for pair in actor.permissions if pair[0] not in permissions)
    return Actor(actor.id, actor.name, kept)
