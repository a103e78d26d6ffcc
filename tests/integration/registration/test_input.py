"""What is typed into the registration form: what is refused, and what is stored."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from app.models import UsedFormKey
from tests.support.registration import NIK, REFUSALS, beside, count, the_case, value_of


@pytest.mark.parametrize(("changes", "field"), REFUSALS)
def test_bad_input_is_refused_beside_its_field_and_nothing_is_lost(
    session, sent, filled, changes, field
):
    values = filled(**changes)
    answer = sent(values)
    assert answer.status_code == 422
    assert beside(answer.text, field), "no message beside the field"
    assert count(session) == 0
    assert count(session, UsedFormKey) == 0
    for name in ("handle", "applicant_name", "nik", "kk_number", "phone", "address", "text"):
        expected = "".join(c for c in values[name] if c.isprintable()).strip()
        shown = value_of(answer.text, name)
        assert shown is not None
        if name in changes:
            assert shown == expected
        else:
            assert re.sub(r"\W", "", shown) == re.sub(r"\W", "", expected)
    ticked = re.findall(r'name="check_(\d+)" value="present" checked', answer.text)
    if field != "category":
        assert len(ticked) == 8


def test_an_empty_form_names_everything_that_is_needed(session, sent):
    answer = sent({"then": "save"})
    assert answer.status_code == 422
    for field in ("channel", "applicant_name", "category", "text"):
        assert beside(answer.text, field)
    assert count(session) == 0


@pytest.mark.parametrize(
    ("changes", "stored"),
    [
        pytest.param({"applicant_name": "Siti 🙂"}, {"applicant_name": "Siti 🙂"}, id="an emoji"),
        pytest.param({"applicant_name": "Siti"}, {"applicant_name": "Siti"}, id="one word"),
        pytest.param({"nik": ""}, {"nik": ""}, id="no NIK"),
        pytest.param({"nik": " 3325 0145.0290-9901 "}, {"nik": NIK}, id="a NIK in groups"),
        pytest.param({"nik": "9901014502909901"}, {"nik": "9901014502909901"}, id="a far region"),
        pytest.param({"phone": "+62 812-0000-0007"}, {"phone": "081200000007"}, id="+62"),
        pytest.param({"email": "budi@EXAMPLE.org"}, {"email": "budi@example.org"}, id="an email"),
        pytest.param({"text": "a\r\nb\tc"}, {"text": "a\nb\tc"}, id="line breaks and tabs"),
        pytest.param({"text": "é" * 8000}, {"text": "é" * 8000}, id="8,000 characters"),
        pytest.param({"kecamatan": ""}, {"kecamatan_code": "33.25.01"}, id="a village alone"),
        pytest.param({"region": ""}, {"region_code": None}, id="a kecamatan alone"),
        pytest.param(
            {"birth_date": "05-02-1990"},
            {"birth_date": datetime(1990, 2, 5, tzinfo=UTC).date()},
            id="a date as people write it",
        ),
        pytest.param(
            {"hide_identity": "y"},
            {"hide_identity": True, "confidential": True},
            id="hidden identity",
        ),
    ],
)
def test_good_input_is_stored_as_the_office_writes_it(session, sent, filled, changes, stored):
    answer = sent(filled(**changes))
    assert answer.status_code == 303, answer.text
    case = the_case(session)
    assert {name: getattr(case, name) for name in stored} == stored
