"""What a test needs and the machine lacks: said and skipped, but with CI=true a failure."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def absent(what: str) -> NoReturn:
    """End the test: `what` says what is not there and how to get it."""
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(what, pytrace=False)
    pytest.skip(what)
