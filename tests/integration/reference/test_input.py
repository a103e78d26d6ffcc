"""What the reference screens refuse: it is told beside its field, and nothing is saved."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.models import WorkingHours
from app.views.validators import repeats_within_repeats, unprintable
from tests.support.reference import BAD_TEXTS, MODELS, NEEDED, RIGHT, Data, add, count, errors


@pytest.mark.both
@pytest.mark.parametrize("screen", NEEDED)
def test_bad_text_is_told_beside_its_field_and_nothing_is_saved(
    admin: FlaskClient, post: Any, session: Session, screen: str
) -> None:
    before, field = count(session, MODELS[screen]), NEEDED[screen]
    for text, message in BAD_TEXTS:
        answer = add(post, admin, screen, **{field: text})
        assert answer.status_code == 422, text[:20]
        assert errors(answer.text, field)
        assert message in errors(answer.text, field)
        typed = RIGHT[screen].get("code") or RIGHT[screen]["day"]
        assert f'value="{typed}"' in answer.text, "what was right is still there"
    assert count(session, MODELS[screen]) == before


@pytest.mark.both
@pytest.mark.parametrize("screen", RIGHT)
def test_a_form_full_of_nonsense_is_refused(
    admin: FlaskClient, post: Any, session: Session, screen: str
) -> None:
    before = count(session, MODELS[screen])
    for text, _message in BAD_TEXTS:
        data = {name: text for name in RIGHT[screen] if name != "active"}
        answer = post(admin, f"/reference/{screen}/add", {**data, "shown": "1"})
        assert answer.status_code == 422, text[:20]
        assert "field-errors" in answer.text
    assert count(session, MODELS[screen]) == before


@pytest.mark.parametrize(
    ("screen", "field", "value", "message"),
    [
        pytest.param("document_kinds", "code", "surat uji", "huruf", id="a code with a blank"),
        pytest.param("document_kinds", "code", "kk_asli", "Sudah ada", id="a code twice"),
        pytest.param("document_kinds", "position", "-1", "0", id="a place below zero"),
        pytest.param("document_kinds", "position", "1e3", "angka", id="a number in letters"),
        pytest.param("document_kinds", "position", "9" * 5000, "angka", id="a huge number"),
        pytest.param("categories", "legal_class", "urgent", "daftar", id="a made-up class"),
        pytest.param("categories", "required_kinds", "999999", "daftar", id="a made-up paper"),
        pytest.param("couriers", "hint_regex", "(", "", id="a pattern that does not compile"),
        pytest.param("couriers", "hint_regex", "(a+)+$", "", id="a pattern that runs away"),
        pytest.param("couriers", "hint_regex", "a{99999999999}", "", id="a pattern too large"),
        pytest.param("couriers", "tracking_page", "javascript:alert(1)", "", id="a script"),
        pytest.param("couriers", "tracking_page", "//evil.example", "", id="no scheme"),
        pytest.param("couriers", "tracking_page", "https://a@evil.example/", "", id="a user name"),
        pytest.param("couriers", "tracking_page", "https://[::1", "", id="a broken address"),
        pytest.param("couriers", "tracking_page", "https://x.example/ <b>", "", id="a tag"),
        pytest.param("regions", "code", "33.25", "", id="a regency's code"),
        pytest.param("regions", "code", "33.25.01.2001", "Sudah ada", id="a code twice again"),
        pytest.param("regions", "parent_code", "33.25.02", "33.25.01", id="another kecamatan"),
        pytest.param("regions", "parent_code", "99.99.99", "daftar", id="no kecamatan"),
        pytest.param("regions", "postal_code", "5125", "", id="four digits"),
        pytest.param("regions", "kind", "kota", "daftar", id="no such kind"),
        pytest.param("holidays", "day", "2026-02-30", "", id="no such day"),
        pytest.param("holidays", "day", "1999-12-31", "2000", id="too early"),
        pytest.param("holidays", "day", "2101-01-01", "2100", id="too late"),
        pytest.param("holidays", "day", "2026-08-17", "sudah", id="a holiday already"),
        pytest.param("holidays", "kind", "sendiri", "daftar", id="a made-up kind"),
        pytest.param("working_hours", "opens", "25:00", "", id="no such time"),
        pytest.param("working_hours", "weekday", "7", "daftar", id="an eighth day"),
        pytest.param("working_hours", "weekday", "0", "", id="a weekday twice"),
        pytest.param("working_hours", "closes", "07:00", "", id="closes before it opens"),
        pytest.param("working_hours", "break_from", "09:00", "", id="half a break"),
        pytest.param("working_hours", "valid_from", "2027-02-08", "", id="half a span"),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    admin: FlaskClient,
    post: Any,
    session: Session,
    screen: str,
    field: str,
    value: str,
    message: str,
) -> None:
    before = count(session, MODELS[screen])
    answer = add(post, admin, screen, **{field: value})
    assert answer.status_code == 422
    # Half a pair is told beside the empty half.
    beside = {"break_from": "break_to", "valid_from": "valid_to"}.get(field, field)
    assert errors(answer.text, beside), answer.text[:3000]
    assert message in errors(answer.text, beside)
    assert count(session, MODELS[screen]) == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"break_from": "13:00", "break_to": "12:00"}, "break_to", id="turned round"),
        pytest.param(
            {"break_from": "07:00", "break_to": "09:00"}, "break_from", id="before opening"
        ),
        pytest.param({"break_from": "11:00", "break_to": "12:30"}, "break_to", id="after closing"),
        pytest.param({"valid_from": "2027-03-09", "valid_to": "2027-02-08"}, "valid_to", id="span"),
        pytest.param({"break_to": "11:00"}, "break_from", id="only its end"),
        pytest.param({"valid_to": "2027-03-09"}, "valid_from", id="only the last day"),
    ],
)
def test_hours_follow_each_other(
    admin: FlaskClient, post: Any, session: Session, changes: Data, field: str
) -> None:
    before = count(session, WorkingHours)
    answer = add(post, admin, "working_hours", **changes)
    assert answer.status_code == 422
    assert errors(answer.text, field)
    assert count(session, WorkingHours) == before


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Akta kelahiran No. 12/2026 – 50 °C, § 3", ""),
        ("Ñame Ωmega 漢字 عربى", ""),
        ("a\tb", "\t"),
        ("a\u200bb", "\u200b"),
        ("\u2764\ufe0f", "\u2764"),
        ("\U0001f1ee\U0001f1e9", "\U0001f1ee"),
        ("\ue000", "\ue000"),
    ],
)
def test_what_prints(text: str, found: str) -> None:
    assert unprintable(text) == found


@pytest.mark.parametrize(
    ("pattern", "runs_away"),
    [
        (r"(a+)+", True),
        (r"((ab)*c)*", True),
        (r"(a{1,9}){2,}", True),
        (r"^([A-Z]{2}\d{9}ID|P\d{13}|\d{11,13})$", False),
        (r"^(TSA[A-Z0-9]{7,12}|1\d{10,14})$", False),
        (r"^(?:ab)+$", False),
        (r"^[+*(]+$", False),
        (r"\(a+\)+", False),
    ],
)
def test_patterns_that_could_run_for_hours(pattern: str, runs_away: bool) -> None:
    assert repeats_within_repeats(pattern) is runs_away
