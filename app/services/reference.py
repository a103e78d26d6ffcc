"""Rules of the reference data that no single row can keep alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import (
    Category,
    CategoryOutput,
    CategoryRequirement,
    DocumentKind,
    WorkingHours,
)
from app.sop.errors import RefusedError

#: New papers of a category stand ten apart, as in the seed file, so that one fits between two.
_STEP = 10


def set_papers(
    session: Session,
    category: Category,
    *,
    required: Sequence[DocumentKind],
    supporting: Sequence[DocumentKind],
    outputs: Sequence[DocumentKind],
) -> None:
    """Make a category ask for these papers and usually end with those; flushes.

    Rows that stay keep their place in the list; cases already registered keep their own list.

    Raises:
        RefusedError: a paper is both needed and merely welcome, or of the wrong sort.
    """
    wanted = {kind.id: (kind, True) for kind in required}
    for kind in supporting:
        if kind.id in wanted:
            raise RefusedError("paper_needed_and_welcome", label=str(kind))
        wanted[kind.id] = (kind, False)
    for kind, fits in [(kind, kind.is_requirement) for kind, _ in wanted.values()] + [
        (kind, kind.is_output) for kind in outputs
    ]:
        if not fits:
            raise RefusedError("paper_of_wrong_sort", label=str(kind))

    for row in list(category.requirements):
        if row.kind_id not in wanted:
            category.requirements.remove(row)
    present = {row.kind_id: row for row in category.requirements}
    last = max((row.position for row in category.requirements), default=0)
    for kind_id, (kind, needed) in wanted.items():
        if kind_id in present:
            present[kind_id].required = needed
            continue
        last += _STEP
        category.requirements.append(
            CategoryRequirement(kind_id=kind_id, kind=kind, required=needed, position=last)
        )
    ends = {kind.id: kind for kind in outputs}
    for output in list(category.outputs):
        if ends.pop(output.kind_id, None) is None:
            category.outputs.remove(output)
    category.outputs.extend(CategoryOutput(kind_id=kind.id, kind=kind) for kind in ends.values())
    session.flush()


def categories_asking_for(session: Session, kind_id: int) -> list[Category]:
    """The categories that ask applicants for a kind of paper."""
    return _categories(
        session,
        select(CategoryRequirement.category_id).where(CategoryRequirement.kind_id == kind_id),
    )


def categories_ending_with(session: Session, kind_id: int) -> list[Category]:
    """The categories that usually end with a kind of paper."""
    return _categories(
        session, select(CategoryOutput.category_id).where(CategoryOutput.kind_id == kind_id)
    )


def _categories(session: Session, ids: object) -> list[Category]:
    statement = select(Category).where(Category.id.in_(ids)).order_by(Category.position)  # type: ignore[arg-type]
    return list(session.scalars(statement))


def require_usual_hours(session: Session, but_not: Iterable[int]) -> None:
    """Go on only while the ordinary week keeps at least one working day without these rows.

    An office that is never open would have a clock that never runs.

    Raises:
        RefusedError: none would be left.
    """
    left = session.scalar(
        select(func.count())
        .select_from(WorkingHours)
        .where(WorkingHours.valid_from.is_(None), WorkingHours.id.not_in(list(but_not)))
    )
    if not left:
        raise RefusedError("last_working_day")


def hours_of(session: Session, weekday: int, first: date | None) -> WorkingHours | None:
    """The hours of a weekday (0 Monday) in the span that begins on `first`; None: the usual ones."""
    span = WorkingHours.valid_from.is_(None) if first is None else WorkingHours.valid_from == first
    return session.scalars(
        select(WorkingHours).where(WorkingHours.weekday == weekday, span)
    ).first()
