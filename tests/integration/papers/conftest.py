"""Papers as the panel hands them out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.papers import PrintedPaper


@pytest.fixture
def printed(login) -> Callable[..., PrintedPaper]:
    """`printed("/papers/receipt/1")`: the PDF that an officer gets there."""

    def fetch(url: str, who: str = "petugas") -> PrintedPaper:
        answer = login(who).get(url)
        assert answer.status_code == 200, (answer.status, answer.location, answer.text[:500])
        assert answer.mimetype == "application/pdf"
        return PrintedPaper(answer.data)

    return fetch
