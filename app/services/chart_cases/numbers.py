"""How many cases a question is about, read where its chart read it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Complaint
from app.services.chart_cases.question import STANDARD, Question
from app.services.chart_cases.sources import counted_runs, limit_seconds, source_of
from app.services.statistics import Counts, Scope, read, within


def number_of(session: Session, question: Question, scope: Scope, *, today: date) -> int:
    """The number that was clicked; confidential cases are in it."""
    if question.of == "open":
        source = source_of(session, question, scope, today)
        statement = select(func.count()).select_from(Complaint).where(*source.conditions)
        return session.scalar(statement) or 0
    if question.of == "run":
        return _runs(session, question, scope)
    if question.of == "due":
        return _dues(session, question, scope, today)
    found = read(session, question.of, scope)
    items = [found.get(question.item, {})] if question.item else list(found.values())
    return sum(_of_item(question, counts) for counts in items)


def _runs(session: Session, question: Question, scope: Scope) -> int:
    counts = counted_runs(session, question, scope)
    if question.person is not None:
        return counts.get(f"p{question.person}", 0)
    if question.over == STANDARD:
        return counts.get("judged", 0) - counts.get("within", 0)
    limit = limit_seconds(session, question, scope)
    if limit is None:
        return counts.get("n", 0)
    return counts.get("n", 0) - within(counts, "q" if question.by == "wait" else "w", limit)


def _dues(session: Session, question: Question, scope: Scope, today: date) -> int:
    item = question.item if question.item in ("completeness", "class") else "decision"
    counts = read(session, "due", scope).get(item, {})
    if not question.state:
        return counts.get("n", 0)
    if question.state in ("met", "late"):
        return counts.get(question.state, 0)
    ahead = 0
    if scope.last >= today:
        coming = scope.during(max(today, scope.first), scope.last)
        ahead = _undone(read(session, "due", coming).get(item, {}))
    return ahead if question.state == "ahead" else _undone(counts) - ahead


def _undone(counts: Counts) -> int:
    return counts.get("n", 0) - counts.get("met", 0) - counts.get("late", 0)


def _of_item(question: Question, counts: Counts) -> int:
    """What one item's counts say of the question."""
    if question.of == "arrival" and (question.hour is not None or question.weekday is not None):
        return sum(number for name, number in counts.items() if _at_hour(question, name))
    if question.round is not None:
        return counts.get(f"r{question.round}", 0)
    if question.paper:
        states = (question.state,) if question.state else ("missing", "unreadable")
        return sum(counts.get(f"i{question.paper}:{state}", 0) for state in states)
    if question.differs:
        return counts.get(f"d{question.differs}", 0)
    if question.of == "parcel" and question.state == "returned":
        return counts.get("returned", 0)
    return counts.get("n", 0)


def _at_hour(question: Question, name: str) -> bool:
    if not name.startswith("h"):
        return False
    weekday, _dash, hour = name[1:].partition("-")
    return question.weekday in (None, int(weekday)) and question.hour in (None, int(hour))
