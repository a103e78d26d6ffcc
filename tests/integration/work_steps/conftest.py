"""An officer before the work form of a case."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.workbench import WHO, Bench


@pytest.fixture
def bench(session, store, make_case, login, user, post):
    """`bench("siak_check")`: a case in a step and the officer of its lane before its form."""

    def make(step: str, *, who: str | None = None, case: Any = None, **facts: Any) -> Bench:
        key = who or WHO[step]
        made = case or make_case(step, **facts)
        return Bench(session, store, login(key), user(key), post, made.id)

    return make
