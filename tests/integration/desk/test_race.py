"""Two officers write the same tracking number at the same moment: one parcel, one refusal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.extensions import may_write
from app.models import Complaint, Dispatch, Document
from app.services import dispatching
from app.services.dispatching import create_dispatch
from app.services.transitions import Office
from app.sop.errors import RefusedError
from tests.support.panel import engine_of


@pytest.mark.both
def test_one_number_is_one_parcel(
    app: Flask, backend: str, session: Session, office: Office, make_case: Any, actor: Any,
    written: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    cases = [make_case("dispatch"), make_case("dispatch")]
    work = [
        (case.id, make_case.attach(case, "proof", who).id, actor(who))
        for case, who in zip(cases, ("petugas", "petugas2"), strict=True)
    ]
    session.commit()
    both_looked, look = Barrier(2, timeout=30), dispatching._check

    def look_together(*given: Any) -> Any:
        found = look(*given)
        if backend == "postgres":  # SQLite lets one writer in at a time: they cannot meet here
            both_looked.wait()
        return found

    monkeypatch.setattr(dispatching, "_check", look_together)

    def send(case_id: int, proof_id: int, who: Any) -> str:
        may_write.set(True)
        with Session(engine_of(app)) as own:
            case, proof = own.get_one(Complaint, case_id), own.get_one(Document, proof_id)
            now = datetime.now(UTC)
            try:
                create_dispatch(own, office, case, written("P9900000000077"), proof, who, now=now)
            except RefusedError as error:
                return error.code
            own.commit()
            return "sent"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(lambda one: send(*one), work))
    assert answers == ["sent", "tracking_number_taken"]
    session.commit()
    assert session.scalar(select(func.count()).select_from(Dispatch)) == 1
