"""An office in the middle of its work: a case ready for every transition, and one of everything.

Made once per process, copied for each test that looks at it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import create_app
from app.models import (
    Breach,
    Complaint,
    Dispatch,
    Document,
    Holiday,
    Message,
    PermissionView,
    Role,
    Signatory,
    User,
    WorkingHours,
)
from app.models import Office as OfficeRow
from app.services.actor import load_actor
from app.services.calendar import load_calendar
from app.services.printing import start_batch
from app.services.transitions import Office
from tests.support import panel
from tests.support.cases import CaseMaker

#: What an applicant of this world is called and carries; no page may show it to everybody.
APPLICANT: Final[dict[str, Any]] = {
    "applicant_name": "Kartini Pemohonwati",
    "nik": "3325014107900007",
    "kk_number": "3325010101900009",
    "phone": "+6281298765432",
    "email": "kartini.pemohonwati@example.org",
    "address": "Jalan Rahasia Nomor Tujuh",
    "text": "Nama saya salah tulis di kartu keluarga.",
}


@dataclass(frozen=True)
class World:
    """Where the files lie, and the keys of what stands in URLs."""

    folder: Path
    places: dict[str, str]

    def copied(self, target: Path) -> dict[str, Any]:
        """Copy database and files; the settings that lead an application there."""
        target.mkdir(parents=True, exist_ok=True)
        url = panel.copy_sqlite(self.folder / "world.sqlite", target / "aduan.sqlite")
        shutil.copytree(self.folder / "files", target / "files")
        return {"url": url, "STORE_URL": str(target / "files")}


def make_world(shared: Path, template: Path, folder: Path) -> World:
    """Fill a copy of the template."""
    url = panel.copy_sqlite(template, folder / "world.sqlite")
    app = create_app(panel.settings_for(shared, url, STORE_URL=str(folder / "files")))
    engine = panel.engine_of(app)
    with Session(engine) as session:
        office = Office(app.extensions["sop"], load_calendar(session))
        users = {user.username: user for user in session.scalars(select(User))}
        make_case = CaseMaker(
            session, office, app.extensions["store"], lambda key: load_actor(session, users[key])
        )
        places: dict[str, str] = {}
        for move in office.sop.transitions:
            answered = "NIK_TIDAK_AKTIF" if move.key == "resolve_without_document" else None
            case = make_case(move.source, category=answered, **APPLICANT)
            make_case.record_facts(case, move.key)
            places[f"{move.source} {move.key}"] = str(case.id)
        places["withdrawn"] = str(make_case("withdrawn", **APPLICANT).id)
        places["case"] = str(make_case("intake", **APPLICANT).id)
        places["print_batch"] = _print_batch(make_case, places["printing confirm_printed"])
        places |= places_of(session)
        session.commit()
    engine.dispose()
    return World(folder, places)


def _print_batch(make_case: CaseMaker, case_id: str) -> str:
    """A batch of the operator that waits for its answer."""
    outputs = make_case.session.get_one(Complaint, int(case_id)).outputs
    now = datetime.now(UTC)
    started = start_batch(
        make_case.session,
        make_case.office.sop,
        make_case.store,
        [output.id for output in outputs],
        make_case.actor("operator"),
        now=now,
        opened_at=now,
    )
    assert started.batch is not None, started.refused
    return started.batch.public_id


def _breach(session: Session) -> int:
    """A failure that the office knows of since a moment ago."""
    now = datetime.now(UTC)
    breach = Breach(
        title="Daftar terkirim ke alamat yang salah",
        known_at=now,
        what="Sebuah daftar terkirim kepada penerima yang keliru.",
        data="Nama dan alamat",
        measures="Penerima diminta menghapusnya.",
        recorded_at=now,
    )
    session.add(breach)
    session.flush()
    return breach.id


def places_of(session: Session) -> dict[str, str]:
    """One key of everything that stands in a URL; there must be a case that was sent."""
    document = session.scalars(select(Document).order_by(Document.id)).first()
    assert document is not None

    def first(column: Any) -> str:
        return str(session.scalars(select(column).order_by(column).limit(1)).one())

    return {
        "breach": str(_breach(session)),
        "document": str(document.id),
        "public_id": document.public_id,
        "dispatch": first(Dispatch.id),
        "message": first(Message.id),
        "holiday": first(Holiday.id),
        "working_hours": first(WorkingHours.id),
        "office": first(OfficeRow.id),
        "signatory": first(Signatory.id),
        "role": str(session.scalars(select(Role.id).where(Role.name == "Operator")).one()),
        "permission": first(PermissionView.id),
        "user": str(session.scalars(select(User.id).where(User.username == "petugas2")).one()),
        "region": "33.25.01",
        "step": "siak_check",
        "one": "1",
    }
