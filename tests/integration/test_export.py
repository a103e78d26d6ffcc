"""The cells of an export: no formula, in the words and figures of the reader's spreadsheet."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from app.models import Dispatch
from app.views.export import csv_response, safe_cell


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+62812", "'+62812"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1", "'＝1"),
        ("Siti, a-b=c", "Siti, a-b=c"),
        (None, ""),
        (-3, "-3"),
        (2.5, "2,5"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 1, 18, 30, tzinfo=UTC), "2026-01-02 01:30"),
    ],
)
def test_no_cell_is_a_formula(value: Any, text: str) -> None:
    assert safe_cell(value, ",") == text


@pytest.mark.parametrize(("locale", "line"), [("id", "a;2,5\r\n"), ("en", "a,2.5\r\n")])
def test_csv_speaks_the_spreadsheet_s_language(app: Any, locale: str, line: str) -> None:
    with app.test_request_context() as context:
        context.session["locale"] = locale
        app.preprocess_request()
        answer = csv_response('é;"x.csv', ["h", "i"], [["a", 2.5]] * 1200)
        text = answer.get_data(as_text=True)
    assert text.count(line) == 1200
    assert "filename*=UTF-8''%C3%A9%3B%22x.csv" in answer.headers["Content-Disposition"]


@pytest.mark.both
@pytest.mark.parametrize("what", ["number", "phone", "name", "tracking"])
def test_an_export_holds_what_was_searched_for(login: Any, make_case: Any, what: str) -> None:
    """The list and its export ask the same, by numbers and by names, in both their pages."""
    case = make_case("done", applicant_name="Wagiman Satu", phone="081298765001")
    other = make_case("intake", applicant_name="Lestari Dua", phone="081298765002")
    parcel = make_case.session.scalars(select(Dispatch.tracking_number)).one()
    asked = {"number": case.number, "phone": case.phone, "name": "Wagiman", "tracking": parcel}
    number, others = case.number, other.number
    make_case.session.commit()
    officer = login("petugas")
    for page in ("list/", "export"):
        text = officer.get(f"/complaints/{page}", query_string={"q": asked[what]}).text
        assert number in text, page
        assert others not in text, page
