"""Which cases a chart counts, as conditions; and when there was something last."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import false, func, select
from sqlalchemy.orm import Session

from app.models import Complaint, StatCell
from app.services.statistics import Scope


def of_cases(statement: Any, scope: Scope) -> Any:
    """Cut a statement over complaints to the chosen channel, category and kecamatan."""
    wanted: tuple[tuple[Any, object], ...] = (
        (Complaint.channel_id, scope.channel_id),
        (Complaint.category_id, scope.category_id),
        (Complaint.kecamatan_code, scope.kecamatan_code),
    )
    for column, value in wanted:
        if value is not None:
            statement = statement.where(column == value)
    # The cases of a merged office are elsewhere.
    return statement if scope.office is None else statement.where(false())


def last_day(session: Session, series: str, scope: Scope, today: date) -> date | None:
    """The last day until today on which a series counted anything; for an empty chart.

    None where nothing was counted, and for two sorts of cases at once, of which no cell is kept.
    """
    chosen = scope.dims
    if len(chosen) > 1:
        return None
    statement = select(func.max(StatCell.start)).where(
        StatCell.series == series,
        StatCell.dim == next(iter(chosen), ""),
        StatCell.value == next(iter(chosen.values()), ""),
        StatCell.grain == "day",
        StatCell.start <= today,
    )
    if series == "run" and scope.step_key is not None:
        statement = statement.where(StatCell.item == scope.step_key)
    found: date | None = session.scalar(statement)
    return found
