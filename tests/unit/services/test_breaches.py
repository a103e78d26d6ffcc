"""Three times 24 hours by the wall clock: the last second is in time, nights and holidays count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.models import Breach
from app.services.breaches import LIMIT, mistakes_of, notice_of

# A Friday evening before a long weekend.
KNOWN = datetime(2026, 11, 27, 17, 30, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def breach(**more: Any) -> Breach:
    return Breach(**{"title": "x", "known_at": KNOWN, "persons": None, **more})


@pytest.mark.parametrize(
    ("after", "state", "span"),
    [
        pytest.param(timedelta(), "running", LIMIT, id="just known: all of it is left"),
        pytest.param(64 * HOUR, "running", 8 * HOUR, id="Sunday counts"),
        pytest.param(72 * HOUR - SECOND, "running", SECOND, id="a second is left"),
        pytest.param(72 * HOUR, "running", timedelta(), id="72 hours exactly are in time"),
        pytest.param(72 * HOUR + SECOND, "overdue", SECOND, id="a second too late"),
        pytest.param(24 * 30 * HOUR, "overdue", 648 * HOUR, id="forgotten"),
    ],
)
@pytest.mark.parametrize("whom", ["authority", "persons"])
def test_what_is_left(whom: Any, after: timedelta, state: str, span: timedelta) -> None:
    notice = notice_of(breach(), whom, KNOWN + after)
    assert (notice.state, notice.span, notice.open) == (state, span, True)
    assert notice.deadline == datetime(2026, 11, 30, 17, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "state"),
    [
        pytest.param(timedelta(), "told", id="at once"),
        pytest.param(72 * HOUR, "told", id="in the last second"),
        pytest.param(72 * HOUR + SECOND, "told_late", id="a second too late"),
    ],
)
def test_who_was_told_stays_told(after: timedelta, state: str) -> None:
    told = breach(authority_told_at=KNOWN + after)
    for now in (KNOWN + after, KNOWN + 1000 * HOUR):
        notice = notice_of(told, "authority", now)
        assert (notice.state, notice.open) == (state, False)
        assert notice_of(told, "persons", now).open


@pytest.mark.parametrize(
    ("persons", "open_"),
    [
        pytest.param(0, False, id="nobody's data: nobody to tell"),
        pytest.param(1, True, id="one person"),
        pytest.param(None, True, id="not known yet is not nobody"),
    ],
)
def test_nobody_concerned(persons: int | None, open_: bool) -> None:
    found = breach(persons=persons)
    assert notice_of(found, "persons", KNOWN + 100 * HOUR).open is open_
    assert notice_of(found, "authority", KNOWN + 100 * HOUR).state == "overdue"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        pytest.param({}, {}, id="what is known fits"),
        pytest.param({"known_at": KNOWN + 99 * HOUR}, {"known_at": "not_yet"}, id="known tomorrow"),
        pytest.param(
            {"happened_at": KNOWN + SECOND}, {"happened_at": "after_known"}, id="known before"
        ),
        pytest.param({"happened_at": KNOWN}, {}, id="known as it happened"),
        pytest.param(
            {"happened_at": KNOWN + 99 * HOUR}, {"happened_at": "not_yet"}, id="not happened yet"
        ),
        pytest.param(
            {"authority_told_at": KNOWN - SECOND, "authority_how": "surat"},
            {"authority_told_at": "before_known"},
            id="told before it was known",
        ),
        pytest.param(
            {"persons_told_at": KNOWN + 99 * HOUR, "persons_how": "surat"},
            {"persons_told_at": "not_yet"},
            id="told tomorrow",
        ),
        pytest.param(
            {"persons_told_at": KNOWN, "persons_how": " "},
            {"persons_how": "how_missing"},
            id="told, nobody knows how",
        ),
        pytest.param(
            {"authority_how": "surat 1"},
            {"authority_told_at": "when_missing"},
            id="told, but when?",
        ),
    ],
)
def test_what_does_not_fit_together(said: dict[str, Any], found: dict[str, str]) -> None:
    assert mistakes_of({"known_at": KNOWN, **said}, KNOWN + 48 * HOUR) == found
