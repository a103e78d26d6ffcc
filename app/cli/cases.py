"""`flask case move`: the same service function as the pages, for the administrator's emergencies."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from app.errors import error_sentence
from app.extensions import db
from app.models import Complaint, User
from app.services.actor import load_actor
from app.services.calendar import load_calendar
from app.services.messages.compose import reach_of
from app.services.transitions import Office, apply_transition
from app.sop.errors import SopError

case_group = AppGroup("case", help="Complaints.")


@case_group.command("move")
@click.argument("number")
@click.argument("transition")
@click.option("--as", "username", required=True, help="The officer who makes this move.")
@click.option("--reason", default="", help="The reason, where the SOP wants one.")
@with_appcontext
def move(number: str, transition: str, username: str, reason: str) -> None:
    """Move case NUMBER along TRANSITION, with an officer's own permissions."""
    session = db.session()
    user = session.scalars(select(User).where(User.username == username)).one_or_none()
    case = session.scalars(select(Complaint).where(Complaint.number == number)).one_or_none()
    if user is None or not user.active or case is None:
        print("No such officer, or no such case.", file=sys.stderr)
        raise SystemExit(1)
    reach = reach_of(current_app.config)
    office = Office(current_app.extensions["sop"], load_calendar(session), reach)
    actor = load_actor(session, user)
    try:
        now = datetime.now(UTC)
        moved = apply_transition(session, office, case, transition, actor, now=now, reason=reason)
        session.commit()
    except SopError as error:
        session.rollback()
        print(error_sentence(error), file=sys.stderr)
        raise SystemExit(1) from None
    print(f"{number}: {moved.from_step} -> {moved.to_step}")
