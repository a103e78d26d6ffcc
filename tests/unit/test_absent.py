"""What a machine lacks may be skipped by hand, never in CI."""

from __future__ import annotations

import pytest

from tests.support.absent import absent


@pytest.mark.parametrize("value", ["true", "True", "1"])
def test_in_ci_it_fails(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CI", value)
    with pytest.raises(pytest.fail.Exception, match="no poppler"):
        absent("no poppler")


@pytest.mark.parametrize("value", ["", "false"])
def test_elsewhere_it_is_skipped_and_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CI", value)
    with pytest.raises(pytest.skip.Exception, match="no poppler"):
        absent("no poppler")
