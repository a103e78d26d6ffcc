"""The operator at the printing page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from app.services.actor import Actor
from app.services.storage import Store
from app.services.transitions import Office
from tests.support.printing import Printer


@pytest.fixture
def printer(
    session: Session, office: Office, store: Store, actor: Callable[[str], Actor]
) -> Printer:
    return Printer(session, office, store, actor)
