"""A killed server has lost nothing that it acknowledged, and left nothing half done."""

from __future__ import annotations

import os
import random
import threading
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import extensions
from app.models import AuditEvent, CaseEvent, Complaint, StagedUpload
from app.services.storage import open_store
from app.services.verifying import verify
from tests.support import panel, samples, signed, testkeys
from tests.support.cases import CaseMaker
from tests.support.faults import Process, wait_for
from tests.support.forms import PageForm
from tests.support.panel import engine_of
from tests.support.visitor import Visitor

#: Transitions that must be acknowledged while the server is killed again and again.
MOVES = 500
KILLS = int(os.environ.get("KILLS", "4"))
THREADS = 4


# --- killed --------------------------------------------------------------------------------------


@dataclass
class Ledger:
    """What one case's officers were told: moves that were acknowledged, and those nobody knows of."""

    pk: int
    acknowledged: int = 0
    unknown: int = 0
    uploads: list[str] = field(default_factory=list)


@pytest.mark.both
@pytest.mark.slow
def test_a_killed_server_loses_nothing_it_acknowledged_and_leaves_nothing_half_done(
    app: Flask, session: Session, make_case: CaseMaker, database_url: str, tmp_path: Path
) -> None:
    ledgers = []
    for _number in range(THREADS):
        case = make_case("certification")
        make_case.record_facts(case, "submit_certification")
        ledgers.append(Ledger(case.id))
    session.commit()
    first = {ledger.pk: moves(session, ledger.pk) for ledger in ledgers}
    session.rollback()
    server = Process(
        {
            "INSTANCE_PATH": str(app.instance_path),
            "DATABASE_URL": database_url,
            "STORE_URL": str(tmp_path / "files"),
            "SECRET_KEY": panel.SECRET,
            "AUDIT_KEY": panel.AUDIT_KEY,
            "DATA_KEYS": str(testkeys.keys_file()),
            "DEMO": "0",
            "PASSWORD_COST": "8,1,1",
            "SIGNATURE_TRUST": str(signed.trust_folder()),
            "SIGNATURE_CERTS": str(signed.certificates_folder()),
        },
        tmp_path / "server.log",
    )
    server.start()
    faults: list[BaseException] = []
    stream = [Stream(app, server, ledger) for ledger in ledgers]

    def work(one: Stream) -> None:
        try:
            while sum(ledger.acknowledged for ledger in ledgers) < MOVES:
                one.go_on()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in stream]
    for thread in threads:
        thread.start()
    chance = random.Random(20261128)
    for kill in range(KILLS):
        mark = MOVES * (kill + chance.uniform(0.3, 0.9)) / KILLS
        wait_for(lambda mark=mark: bool(faults) or done(ledgers) >= mark, 120)
        server.kill()
        server.start()
    for thread in threads:
        thread.join()
    server.kill()
    assert not faults, faults
    assert done(ledgers) >= MOVES
    session.rollback()
    for ledger in ledgers:
        made = moves(session, ledger.pk) - first[ledger.pk]
        assert ledger.acknowledged <= made <= ledger.acknowledged + ledger.unknown
        number = session.get_one(Complaint, ledger.pk).number
        told = session.scalar(
            select(func.count(AuditEvent.id)).where(
                AuditEvent.kind == "case_moved", AuditEvent.subject == f"complaint:{number}"
            )
        )
        assert told == moves(session, ledger.pk)
    store = open_store(str(tmp_path / "files"))
    tokens = [token for ledger in ledgers for token in ledger.uploads]
    assert len(tokens) >= 10
    kept = {row.token: row for row in session.scalars(select(StagedUpload))}
    for token in tokens:
        assert store.get(kept[token].storage_key)
    assert list(verify(session, store)) == []


def done(ledgers: list[Ledger]) -> int:
    return sum(ledger.acknowledged for ledger in ledgers)


def moves(session: Session, pk: int) -> int:
    found = select(func.count(CaseEvent.id)).where(
        CaseEvent.complaint_id == pk, CaseEvent.kind == "moved"
    )
    return session.scalar(found) or 0


class Stream:
    """Two officers who send one case to and fro, and a third who uploads."""

    def __init__(self, app: Flask, server: Process, ledger: Ledger) -> None:
        self.app, self.server, self.ledger = app, server, ledger
        self.visitors = {
            key: Visitor(app, server.url, key) for key in ("subkoordinator", "kepala", "petugas")
        }
        self.turn = 0

    def go_on(self) -> None:
        """One transition, sometimes an upload; after a broken connection nobody knows."""
        self.turn += 1
        if self.turn % 12 == 0:
            self._upload()
        step = self._step()
        try:
            if step == "certification":
                answer = self.visitors["subkoordinator"].post(
                    f"/complaints/action/submit_certification/{self.ledger.pk}", {}
                )
            else:
                place = f"/complaints/work/{self.ledger.pk}"
                page = self.visitors["kepala"].get(place)
                if page.status != 200:
                    raise AssertionError(f"{place}: {page.status}")
                form = PageForm(page.text, "work-form")
                sent = form.sent(transition="refuse_signature", reason="Nama belum sesuai")
                sent.pop("csrf_token")
                answer = self.visitors["kepala"].post(place, sent)
        except (OSError, HTTPException):
            self.ledger.unknown += 1
            self.server.wait()
            return
        if answer.status != 303:
            raise AssertionError(f"{step}: {answer.status} {answer.text[:200]}")
        self.ledger.acknowledged += 1

    def _step(self) -> str:
        with Session(engine_of(self.app)) as session:
            extensions.may_write.set(False)
            return session.get_one(Complaint, self.ledger.pk).step_key

    def _upload(self) -> None:
        visitor = self.visitors["petugas"]
        try:
            answer = visitor.upload("/uploads/", "foto.png", samples.png())
        except (OSError, HTTPException):
            self.server.wait()
            return
        assert answer.status == 201, answer
        self.ledger.uploads.append(answer.json["token"])
