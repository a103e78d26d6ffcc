"""What is an error and what only a warning in a NIK, a KK number, a phone, a name."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sop import identity
from app.sop.identity import check_kk, check_name, check_nik, check_phone, mask, normalise_phone

BATANG = frozenset({"33.25.01", "332511"})


def codes(findings: list[identity.Finding]) -> list[str]:
    """Level and code of each finding, as one word."""
    for finding in findings:
        assert str(finding), "every code has a sentence that its parameters fill"
    return [f"{finding.level}:{finding.code}" for finding in findings]


@pytest.mark.parametrize(
    ("nik", "expected"),
    [
        pytest.param("3325011708459901", [], id="a man born 17 August 1945"),
        pytest.param("3325015708459901", [], id="a woman adds 40 to the day"),
        pytest.param(" 3325011708459901 ", [], id="blanks around it do not matter"),
        pytest.param("", ["error:nik_not_16_digits"], id="nothing"),
        pytest.param("332501170845990", ["error:nik_not_16_digits"], id="fifteen digits"),
        pytest.param("33250117084599011", ["error:nik_not_16_digits"], id="seventeen digits"),
        pytest.param("3325O11708459901", ["error:nik_not_16_digits"], id="a letter O"),
        pytest.param("٣٣٢٥٠١١٧٠٨٤٥٩٩٠١", ["error:nik_not_16_digits"], id="Arabic digits"),
        pytest.param("3325010008459901", ["error:nik_day_impossible"], id="day 00"),
        pytest.param("3325013208459901", ["error:nik_day_impossible"], id="day 32"),
        pytest.param("3325014008459901", ["error:nik_day_impossible"], id="day 40"),
        pytest.param("3325014108459901", [], id="day 41 is the first for women"),
        pytest.param("3325017108459901", [], id="day 71 is the last for women"),
        pytest.param("3325018108459901", ["error:nik_day_impossible"], id="day 81"),
        pytest.param("3325011700459901", ["error:nik_date_impossible"], id="month 00"),
        pytest.param("3325011713459901", ["error:nik_date_impossible"], id="month 13"),
        pytest.param("3325013104459901", ["error:nik_date_impossible"], id="31 April"),
        pytest.param("3325012902009901", [], id="29 February 2000 exists, 1900 does not"),
        pytest.param("3325012902019901", ["error:nik_date_impossible"], id="29 February of no 01"),
        pytest.param("3325016902019901", ["error:nik_date_impossible"], id="nor for a woman"),
        pytest.param("3325011708450000", ["error:nik_serial_zero"], id="serial 0000"),
        pytest.param(
            "3325019913450000",
            ["error:nik_day_impossible", "error:nik_date_impossible", "error:nik_serial_zero"],
            id="everything at once",
        ),
    ],
)
def test_nik_errors(nik: str, expected: list[str]) -> None:
    assert codes(check_nik(nik)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"known_regions": BATANG}, [], id="a known kecamatan"),
        pytest.param(
            {"known_regions": {"33.26.01"}}, ["warning:nik_region_unknown"], id="an unknown one"
        ),
        pytest.param({"region_code": "33.25.01"}, [], id="the region of the address"),
        pytest.param({"region_code": "33.25.01.2001"}, [], id="a desa of that kecamatan"),
        pytest.param(
            {"region_code": "33.25.02"}, ["warning:nik_region_differs"], id="another kecamatan"
        ),
        pytest.param({"birth_date": date(1945, 8, 17)}, [], id="the birth date agrees"),
        pytest.param({"birth_date": date(2045, 8, 17)}, [], id="the century is not in a NIK"),
        pytest.param(
            {"birth_date": date(1945, 8, 18)},
            ["warning:nik_birth_date_differs"],
            id="a corrected birth date only warns",
        ),
        pytest.param({"sex": "P"}, [], id="the sex agrees"),
        pytest.param({"sex": "L"}, ["warning:nik_sex_differs"], id="the sex differs"),
        pytest.param({"sex": "male"}, ["warning:nik_sex_differs"], id="in English too"),
        pytest.param({"sex": ""}, [], id="no sex stated"),
    ],
)
def test_nik_warnings(given: dict[str, Any], expected: list[str]) -> None:
    assert codes(check_nik("3325015708459901", **given)) == expected


@given(st.text(max_size=30))
def test_any_text_gets_an_answer(text: str) -> None:
    for check in (check_nik, check_kk, check_phone, check_name):
        codes(check(text))  # type: ignore[operator]
    assert len(mask(text)) == len(text)


@given(st.dates(date(1930, 1, 1), date(2029, 12, 31)), st.sampled_from("LP"), st.integers(1, 9999))
def test_a_nik_made_by_the_rule_is_fine(born: date, sex: str, serial: int) -> None:
    day = born.day + (40 if sex == "P" else 0)
    nik = f"332501{day:02}{born:%m%y}{serial:04}"
    found = check_nik(
        nik, birth_date=born, sex=sex, region_code="33.25.01.2001", known_regions=BATANG
    )
    assert found == []


@pytest.mark.parametrize(
    ("kk", "expected"),
    [
        pytest.param("3325010102109901", [], id="a KK number"),
        pytest.param("33250101021099", ["error:kk_not_16_digits"], id="fourteen digits"),
        pytest.param("3325014102109901", ["warning:kk_date_impossible"], id="day 41 is no day"),
        pytest.param("3325010102100000", ["warning:kk_serial_zero"], id="serial 0000"),
        pytest.param("3399010102109901", ["warning:kk_region_unknown"], id="an unknown region"),
    ],
)
def test_kk(kk: str, expected: list[str]) -> None:
    assert codes(check_kk(kk, known_regions=BATANG)) == expected


def test_kk_of_another_address_warns() -> None:
    found = check_kk("3325010102109901", region_code="33.25.02.2003")
    assert codes(found) == ["warning:kk_region_differs"]


@pytest.mark.parametrize(
    ("typed", "normal", "expected"),
    [
        pytest.param("0812-0000-0001", "081200000001", [], id="with dashes"),
        pytest.param("+62 812 0000 0001", "081200000001", [], id="as WhatsApp shows it"),
        pytest.param("6281200000001", "081200000001", [], id="country code without plus"),
        pytest.param("+62 (0)812 0000 0001", "081200000001", [], id="with the zero in brackets"),
        pytest.param("006281200000001", "081200000001", [], id="with the international 00"),
        pytest.param("81200000001", "081200000001", [], id="the zero forgotten"),
        pytest.param("\u202a+62 812\u20110000\u20110001\u202c", "081200000001", [], id="pasted"),
        pytest.param("(0285) 391234", "0285391234", [], id="a fixed line in Batang"),
        pytest.param("", "", [], id="none is fine"),
        pytest.param("0800", "0800", ["error:phone_impossible"], id="too short"),
        pytest.param("08120000000123", "08120000000123", ["error:phone_impossible"], id="too long"),
        pytest.param("0112345678", "0112345678", ["error:phone_impossible"], id="no such area"),
        pytest.param("tidak ada", "tidakada", ["error:phone_impossible"], id="words"),
        pytest.param("-", "", ["error:phone_impossible"], id="only a dash"),
        pytest.param("+65 9123 4567", "+6591234567", ["warning:phone_foreign"], id="from abroad"),
        pytest.param("+62 1", "01", ["error:phone_impossible"], id="no foreign number hides here"),
    ],
)
def test_phone(typed: str, normal: str, expected: list[str]) -> None:
    assert normalise_phone(typed) == normal
    assert codes(check_phone(typed)) == expected


@given(st.from_regex(r"08[1-9][0-9]{7,10}", fullmatch=True))
def test_every_way_of_writing_a_mobile_number_is_one_number(number: str) -> None:
    if not number.isascii():
        return
    for typed in (number, "+62" + number[1:], "62" + number[1:], f"{number[:4]}-{number[4:]}"):
        assert normalise_phone(typed) == number
        assert check_phone(typed) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("Siti Aminah", [], id="two words"),
        pytest.param("  Siti   Aminah ", [], id="extra blanks"),
        pytest.param("Sukarno", ["warning:name_one_word"], id="one word only warns"),
        pytest.param("A" * 30 + " " + "B" * 29, [], id="sixty letters"),
        pytest.param("A" * 30 + " " + "B" * 30, ["warning:name_too_long"], id="sixty-one letters"),
        pytest.param("", [], id="an empty name is another rule's business"),
    ],
)
def test_name(name: str, expected: list[str]) -> None:
    assert codes(check_name(name)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("3325011708459901", "3325••••••••9901", id="a NIK"),
        pytest.param("081200000001", "0812••••0001", id="a phone number"),
        pytest.param("12345678", "••••••••", id="too short to show anything"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_mask(value: str, expected: str) -> None:
    assert mask(value) == expected
