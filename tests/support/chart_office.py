"""A small office of charts, on SQLite and on PostgreSQL: the SOP's steps, two channels, six cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from app.models import Category, Channel, Complaint, Model, Region, SopStep
from app.services.statistics import Scope
from app.sop.definition import Sop, load_sop
from tests.support.postgres import postgres_or_skip

SOP: Sop = load_sop(Path(__file__).parents[2] / "seed_data" / "sop.toml")
STEPS = [step.key for step in SOP.clock_steps]
FIRST, LAST = date(2026, 6, 1), date(2026, 6, 30)
JUNE = Scope(FIRST, LAST)
WIB = timedelta(hours=7)
NOON = datetime(2026, 6, 15, 5, 0, tzinfo=UTC)
#: Each complaint's channel, category and kecamatan.
CASES: dict[int, dict[str, Any]] = {
    number: {
        "channel_id": 1 + number % 2,
        "category_id": 1 + number % 3,
        "kecamatan_code": [None, "33.25.01", "33.25.02"][number % 3],
    }
    for number in range(1, 7)
}


def build(url: str) -> Engine:
    engine = create_engine(url)
    Model.metadata.create_all(engine)
    names = {"label_id": "x", "label_en": "x"}
    with Session(engine) as session, session.begin():
        for step in SOP.steps:
            session.add(
                SopStep(
                    key=step.key,
                    position=step.position,
                    kind=step.kind,
                    clock=step.clock,
                    actor=step.actor,
                    standard_minutes=step.standard_minutes,
                    **names,
                )
            )
        session.add_all(Channel(id=number, code=str(number), **names) for number in (1, 2))
        session.add_all(Category(id=number, code=str(number), **names) for number in (1, 2, 3))
        session.add_all(
            Region(code=code, name=code, kind="kecamatan") for code in ("33.25.01", "33.25.02")
        )
        session.flush()
        for number, facts in CASES.items():
            session.add(
                Complaint(
                    id=number,
                    number=f"PGD-2026-{number:06d}",
                    received_at=NOON,
                    text="x",
                    registered_at=NOON,
                    applicant_name="x",
                    step_key="done",
                    step_since=NOON,
                    completeness_due=FIRST,
                    decision_due=FIRST,
                    class_due=FIRST,
                    **facts,
                )
            )
    return engine


@contextmanager
def built(backend: str, folder: Path, make: Callable[[str], Engine] = build) -> Iterator[Engine]:
    """What `make` puts into a fresh database of that kind; it is gone afterwards."""
    if backend == "sqlite":
        made = make(f"sqlite:///{(folder / 'charts.sqlite').as_posix()}")
        yield made
        made.dispose()
        return
    with postgres_or_skip() as server:
        name = server.create_database()
        made = make(server.url(name))
        yield made
        made.dispose()
        server.drop_database(name)
