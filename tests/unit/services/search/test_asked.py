"""What may have been meant by what was typed."""

from __future__ import annotations

from typing import Any

import pytest

from app.services.search.asked import (
    Asked,
    clean_words,
    names_a_case,
    next_after,
    understand,
)

YEAR = 2026


def meant(text: str, *, personal: bool = True) -> Asked:
    return understand(text, year=YEAR, personal=personal)


@pytest.mark.parametrize(
    ("text", "exact", "begins"),
    [
        pytest.param("PGD-2025-000123", {"number": ("PGD-2025-000123",)}, {}, id="a number"),
        pytest.param("pgd 2025 123", {"number": ("PGD-2025-000123",)}, None, id="with blanks"),
        pytest.param("pgd2025000123", {"number": ("PGD-2025-000123",)}, None, id="joined"),
        pytest.param("2025/123", {"number": ("PGD-2025-000123",)}, None, id="year and serial"),
        pytest.param(
            "PGD-2025-0001",
            {"number": ("PGD-2025-000001",)},
            {"number": "PGD-2025-0001"},
            id="not typed to the end",
        ),
        pytest.param("PGD-2025", {}, {"number": "PGD-2025-"}, id="a year"),
        pytest.param("pgd", {}, {"number": "PGD-"}, id="its letters"),
        pytest.param("123", {"number": ("PGD-2026-000123",)}, {}, id="a serial is this year's"),
        pytest.param("000123", {"number": ("PGD-2026-000123",)}, None, id="with its noughts"),
        pytest.param("0", {}, {}, id="there is no serial nought"),
        pytest.param(
            "3325014107900007",
            {"nik": ("3325014107900007",), "kk": ("3325014107900007",)},
            None,
            id="sixteen digits",
        ),
        pytest.param(
            "3325 0141 0790 0007", {"nik": ("3325014107900007",)}, None, id="in groups of four"
        ),
        pytest.param("+62 812-9876-5432", {"phone": None}, {}, id="phone"),
        pytest.param("812 9876 5432", {"phone": None}, {}, id="without its nought"),
        pytest.param(
            "jx 1234 5678", {"tracking": ("JX12345678",)}, {"tracking": "JX12345678"}, id="a parcel"
        ),
        pytest.param("LAPOR-77", {"ticket": None}, None, id="a ticket of elsewhere"),
        pytest.param("@kartini", {"handle": None}, {}, id="an account"),
    ],
)
def test_numbers(text: str, exact: dict[str, Any], begins: dict[str, str] | None) -> None:
    asked = meant(text)
    for reason, values in exact.items():
        assert reason in asked.exact
        if values is not None:
            assert asked.exact[reason] == values  # type: ignore[index]
    if not exact:
        assert not {"number", "nik", "kk"} & set(asked.exact)
    for reason, start in (begins or {}).items():
        assert asked.begins[reason] == start  # type: ignore[index]
    if begins == {}:
        assert "number" not in asked.begins


def test_a_serial_alone_means_other_years_too_the_latest_first() -> None:
    assert meant("123").other_years[:2] == ("PGD-2025-000123", "PGD-2024-000123")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("33250141", id="of a NIK"),
        pytest.param("332501410790000", id="of a NIK, but for one digit"),
        pytest.param("0812 98", id="of a telephone number"),
    ],
)
def test_the_beginning_of_what_is_sealed_means_nobody(text: str) -> None:
    """Found by a digest, which only the whole number has (ADR 0019, 0029)."""
    asked = meant(text)
    assert not {"nik", "kk", "phone"} & set(asked.begins)
    assert not {"nik", "kk"} & set(asked.exact)


def test_a_phone_number_in_any_spelling_is_one() -> None:
    spellings = ["081298765432", "+6281298765432", "62 812 9876 5432", "0812-9876-5432"]
    assert {meant(text).exact["phone"][0] for text in spellings} == {"081298765432"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("Siti Rahma", ("siti", "rahma"), id="words of a name"),
        pytest.param("siti siti", ("siti",), id="a word twice is one"),
        pytest.param("a b c d e f g", ("a", "b", "c", "d", "e"), id="as many as one types"),
        pytest.param("siti 2", (), id="no name has a digit"),
        pytest.param("@siti", (), id="an account is no name"),
        pytest.param('"*^-()', (), id="signs are no name"),
    ],
)
def test_names(text: str, name: tuple[str, ...]) -> None:
    assert meant(text).name == name


@pytest.mark.parametrize(
    "text", ["3325014107900007", "081298765432", "33250141", "siti", "@kartini", "0812"]
)
def test_without_the_right_nothing_personal_is_meant(text: str) -> None:
    asked = meant(text, personal=False)
    assert not {"nik", "kk", "phone", "handle"} & {*asked.exact, *asked.begins}
    assert asked.name == ()


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("PGD-2026-000123", True),
        ("123", True),
        ("2026-12", True),
        ("3325014107900007", False),
        ("081298765432", False),
        ("siti", False),
        ("pgd", False),
    ],
)
def test_what_can_be_nothing_but_a_number(text: str, readable: bool) -> None:
    assert readable or not names_a_case(text)
    assert meant(text).only_number is readable


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        pytest.param("  a  b ", "a b", id="blanks"),
        pytest.param("a\x00b\nc\u202e", "a b c", id="control characters"),
        pytest.param("x" * 10_000, "x" * 100, id="far too much"),
        pytest.param(" \t ", "", id="nothing"),
    ],
)
def test_cleaning(text: str, clean: str) -> None:
    assert clean_words(text) == clean


@pytest.mark.parametrize(
    ("start", "after"),
    [("3325", "3326"), ("3329", "332A"), ("PGD-2026-", None), ("P0Z", "P1"), ("ZZ", None)],
)
def test_the_end_of_a_range(start: str, after: str | None) -> None:
    found = next_after(start)
    assert found == after if after else found is None or found > start


@pytest.mark.parametrize(("text", "may_begin"), [
    ("PGD-2026-000934", False), ("pgd2026000934", False), ("PGD-2026-0009", True), ("2026000934", True),
    ("JX0000934", True), ("3325014107900007", False), ("3325 0141 0790 0007", False),
    ("332501410790000", True), ("33250141079000071", True), ("JX12345678901234", True),
])  # fmt: skip
def test_what_is_whole_already_is_no_beginning_of_a_parcels(text: str, may_begin: bool) -> None:
    asked = understand(text, year=2026, personal=True)
    assert ("tracking" in asked.begins) is may_begin
    assert "tracking" in asked.exact
