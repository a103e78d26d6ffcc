"""These tests have no event loop around them, whatever ran before.

Playwright leaves its loop running in the thread of the tests; pyHanko's plain functions, with which
the tests make their PDFs, refuse to work beside one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Any:
    """Run the test in a thread of its own; pytest goes on with what it raises."""
    names = pyfuncitem._fixtureinfo.argnames
    given = {name: pyfuncitem.funcargs[name] for name in names}
    with ThreadPoolExecutor(1) as thread:
        thread.submit(pyfuncitem.obj, **given).result()
    return True
