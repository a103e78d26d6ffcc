"""The administrator at the reference screens."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.support.reference import Login


@pytest.fixture
def admin(login: Login) -> FlaskClient:
    return login("admin")
