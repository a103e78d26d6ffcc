"""A small office for tests of uploads: two officers, a case, and files for it."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from app.models import (
    Category,
    Channel,
    Complaint,
    Document,
    DocumentKind,
    Model,
    SopStep,
    StagedUpload,
    User,
)
from app.services.storage import Store
from app.services.uploads import Limits, attach_staged, stage_upload
from tests.support import samples

NOW = datetime(2026, 8, 3, 2, 0, tzinfo=UTC)
SITI, AGUS = 1, 2


def fill(url: str) -> None:
    """Make the tables and what a case leans on."""
    engine = create_engine(url)
    Model.metadata.create_all(engine)
    names = {"label_id": "x", "label_en": "x"}
    with Session(engine) as session, session.begin():
        for number, name in ((SITI, "siti"), (AGUS, "agus")):
            mail = f"{name}@example.org"
            session.add(User(id=number, first_name=name, last_name="C", username=name, email=mail))
        session.add(Channel(id=1, code="wa", **names))
        session.add(Category(id=1, code="KK", **names))
        session.add(DocumentKind(id=1, code="kk", **names))
        session.add(
            SopStep(key="intake", position=1, kind="activity", clock=True, actor="p", **names)
        )
    engine.dispose()


def make_case(session: Session, number: str = "PGD-2026-000001", *, round_: int = 1) -> Complaint:
    """A case at its first step."""
    case = Complaint(
        number=number,
        channel_id=1,
        category_id=1,
        received_at=NOW,
        registered_at=NOW,
        applicant_name="Budi Contoh",
        text="KK saya salah",
        step_key="intake",
        step_since=NOW,
        round=round_,
        completeness_due=date(2026, 8, 17),
        decision_due=date(2026, 10, 2),
        class_due=date(2026, 8, 17),
    )
    session.add(case)
    session.flush()
    return case


def stage(
    session: Session,
    store: Store,
    *,
    user_id: int = SITI,
    filename: str = "kk.pdf",
    data: bytes = b"",
    limits: Limits | None = None,
    now: datetime = NOW,
) -> StagedUpload:
    """Upload a file, as yet of no case."""
    return stage_upload(
        session,
        store,
        user_id=user_id,
        filename=filename,
        data=data or samples.pdf(),
        limits=limits or Limits(),
        now=now,
    )


def attach(session: Session, staged: StagedUpload, case: Complaint, **more: object) -> Document:
    """Make an upload a document of a case."""
    options: dict[str, object] = {"stage": "requirement", "user_id": SITI, "now": NOW, **more}
    return attach_staged(session, staged, complaint=case, **options)  # type: ignore[arg-type]


def count(session: Session, model: type[Model]) -> int:
    """How many rows of a table there are now."""
    return session.scalar(select(func.count()).select_from(model)) or 0
