"""Fixtures of the signing desk: cases with drafts that wait, and who signs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.models import Complaint
from app.services.facts import current_outputs
from tests.support.cases import CaseMaker
from tests.support.signing import Desk, add_drafts


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """An office that signs here, with its own certificate file."""
    return make_app(SIGNATURE_WAY="pkcs12")


@pytest.fixture
def waiting(make_case: CaseMaker, session: Session) -> Callable[..., list[Complaint]]:
    """`waiting(3)`: cases at the signing step, each paper with its draft."""

    def make(count: int = 1, **facts: Any) -> list[Complaint]:
        cases = [make_case("signing", **facts) for _ in range(count)]
        for case in cases:
            add_drafts(make_case, case)
        session.commit()
        return cases

    return make


@pytest.fixture
def desk(
    session: Session, login: Callable[[str], Any], post: Callable[..., Any], store: Any
) -> Desk:
    """The head of the office at the desk."""
    return Desk(session, store, login("kepala"), post)


@pytest.fixture
def papers(session: Session) -> Callable[[Complaint], list[Any]]:
    """The papers of a case that bear a signature, as they are now."""

    def read(case: Complaint) -> list[Any]:
        session.expire_all()
        return [one for one in current_outputs(session, case) if one.kind.needs_signature]

    return read
