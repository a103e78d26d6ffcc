"""The reference screens: who may change what, what is refused, and that bad input saves nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import (
    Category,
    Channel,
    Courier,
    DocumentKind,
    Holiday,
    Office,
    Region,
    SopStep,
    WorkingHours,
)
from app.views.validators import repeats_within_repeats, unprintable
from tests.support.cases import CaseMaker
from tests.support.panel import OFFICERS

Login = Callable[[str], FlaskClient]
Data = dict[str, Any]

MODELS: dict[str, type[Any]] = {
    "document_kinds": DocumentKind,
    "categories": Category,
    "channels": Channel,
    "couriers": Courier,
    "regions": Region,
    "holidays": Holiday,
    "working_hours": WorkingHours,
}
#: A right entry of each screen.
RIGHT: dict[str, Data] = {
    "document_kinds": {
        "code": "surat_uji",
        "label_id": "Surat uji",
        "is_requirement": "y",
        "position": "5",
        "active": "y",
    },
    "categories": {
        "code": "UJI",
        "label_id": "Pengaduan uji",
        "legal_class": "complaint",
        "position": "5",
        "active": "y",
    },
    "channels": {"code": "radio", "label_id": "Radio", "position": "5", "active": "y"},
    "couriers": {
        "code": "antar",
        "name": "Antar Cepat",
        "hint_regex": r"^AC\d{8}$",
        "tracking_page": "https://antar.example/lacak",
        "position": "5",
        "active": "y",
    },
    "regions": {
        "code": "33.25.01.2099",
        "name": "Desa Uji",
        "kind": "desa",
        "parent_code": "33.25.01",
        "postal_code": "51253",
        "active": "y",
    },
    "holidays": {
        "day": "2026-08-18",
        "name": "Libur uji",
        "kind": "libur_daerah",
        "certainty": "tetap",
    },
    "working_hours": {
        "weekday": "5",
        "opens": "08:00",
        "closes": "12:00",
        "break_from": "",
        "break_to": "",
        "valid_from": "",
        "valid_to": "",
    },
}
#: What every text field of every screen refuses, and a word of the message.
BAD_TEXTS = (
    ("", ""),
    ("   ", ""),
    ("x" * 10_000, "Paling banyak"),
    ("a\x00b", "kendali"),
    ("surat \U0001f600", "Gambar"),
    ("a\u202eb", "kendali"),
)
#: The text that each screen cannot do without.
NEEDED = {
    "document_kinds": "label_id",
    "categories": "label_id",
    "channels": "label_id",
    "couriers": "name",
    "regions": "name",
    "holidays": "name",
}


def count(session: Session, model: type[Any]) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(model)) or 0


def errors(page: str, field: str) -> str:
    """The messages beside a field."""
    found = re.search(rf'<ul class="field-errors" id="{field}-errors">(.*?)</ul>', page, re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", found[1])).strip() if found else ""


def add(post: Any, client: FlaskClient, screen: str, **changes: Any) -> Any:
    data = {**RIGHT[screen], "shown": "1", **changes}
    sent = {name: value for name, value in data.items() if value is not None}
    return post(client, f"/reference/{screen}/add", sent)


def edit(post: Any, client: FlaskClient, screen: str, pk: Any, data: Data) -> Any:
    return post(client, f"/reference/{screen}/edit/{pk}", {"shown": "1", **data})


@pytest.fixture
def admin(login: Login) -> FlaskClient:
    return login("admin")


# --- who may ---


@pytest.mark.parametrize("key", [key for key in OFFICERS if key != "admin"])
def test_only_the_administrator_changes_reference_data(
    login: Login, post: Any, session: Session, key: str
) -> None:
    client = login(key)
    for screen in (*MODELS, "office", "standard_minutes"):
        assert client.get(f"/reference/{screen}/list/").status_code == 403
    for screen, model in MODELS.items():
        before = count(session, model)
        assert add(post, client, screen).status_code == 403
        assert count(session, model) == before


@pytest.mark.parametrize("screen", MODELS)
def test_a_screen_lists_adds_shows_and_edits(
    admin: FlaskClient, post: Any, session: Session, screen: str
) -> None:
    before = count(session, MODELS[screen])
    assert admin.get(f"/reference/{screen}/list/").status_code == 200
    assert admin.get(f"/reference/{screen}/add").status_code == 200
    answer = add(post, admin, screen)
    assert answer.status_code == 303, answer.text[:2000]
    assert count(session, MODELS[screen]) == before + 1
    page = admin.get(answer.location)
    assert page.status_code == 200
    assert "None" not in page.text
    assert admin.get(answer.location.replace("show", "edit")).status_code == 200


@pytest.mark.parametrize("screen", [s for s in MODELS if s not in ("holidays", "working_hours")])
def test_what_cases_may_name_is_never_deleted(
    admin: FlaskClient, post: Any, session: Session, screen: str
) -> None:
    before = count(session, MODELS[screen])
    key = session.scalars(select(MODELS[screen].__mapper__.primary_key[0])).first()
    assert post(admin, f"/reference/{screen}/delete/{key}").status_code in (404, 405)
    assert count(session, MODELS[screen]) == before


@pytest.mark.parametrize("screen", MODELS)
def test_a_list_is_searched_filtered_and_sorted(admin: FlaskClient, screen: str) -> None:
    for query in (
        "q=a",
        "q=%25",
        "q=2026",
        "q=0000",
        "_flt_0_active=1",
        "_flt_0_kind=desa",
        "_flt_0_parent_code=33.25.01",
        "_flt_0_weekday=1",
        "_flt_0_legal_class=complaint",
        "_flt_0_certainty=perkiraan",
        "_flt_0_nothing=1",
        "_flt_9_active=1",
        "_flt_0_weekday=x",
    ):
        assert admin.get(f"/reference/{screen}/list/?{query}").status_code == 200, query


# --- bad input ---


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


# --- codes, papers, uses ---


@pytest.mark.parametrize("screen", ["document_kinds", "categories", "channels", "couriers"])
def test_a_code_is_not_changed_afterwards(
    admin: FlaskClient, post: Any, session: Session, screen: str
) -> None:
    row = session.scalars(select(MODELS[screen]).order_by(MODELS[screen].id)).first()
    assert row is not None
    code, pk = row.code, row.id
    assert 'name="code"' not in admin.get(f"/reference/{screen}/edit/{pk}").text
    edit(post, admin, screen, pk, {**RIGHT[screen], "code": "anders"})
    session.expire_all()
    assert session.get_one(MODELS[screen], pk).code == code


def ids(session: Session, *found: str) -> list[str]:
    rows = {kind.code: str(kind.id) for kind in session.scalars(select(DocumentKind))}
    return [rows[code] for code in found]


@pytest.mark.both
def test_a_category_keeps_its_papers_in_rows(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    answer = add(
        post,
        admin,
        "categories",
        required_kinds=ids(session, "kk_asli", "ktp_asli"),
        supporting_kinds=ids(session, "ijazah"),
        output_kinds=ids(session, "kk_baru"),
    )
    assert answer.status_code == 303
    category = session.scalars(select(Category).where(Category.code == "UJI")).one()
    assert [(row.kind.code, row.required) for row in category.requirements] == [
        ("kk_asli", True),
        ("ktp_asli", True),
        ("ijazah", False),
    ]
    assert [row.kind.code for row in category.outputs] == ["kk_baru"]
    kept = {row.kind.code: (row.id, row.position) for row in category.requirements}

    answer = edit(
        post,
        admin,
        "categories",
        category.id,
        {
            **RIGHT["categories"],
            "required_kinds": ids(session, "ktp_asli", "ijazah"),
            "output_kinds": ids(session, "kk_baru", "ktp_el"),
        },
    )
    assert answer.status_code == 303
    session.expire_all()
    now = {row.kind.code: row for row in category.requirements}
    assert set(now) == {"ktp_asli", "ijazah"}
    assert now["ijazah"].required, "the same row, now needed"
    assert {code: (row.id, row.position) for code, row in now.items()} == {
        code: kept[code] for code in now
    }
    assert {row.kind.code for row in category.outputs} == {"kk_baru", "ktp_el"}
    page = admin.get(f"/reference/categories/show/{category.id}").text
    assert "Foto ijazah" in page


def test_a_paper_is_needed_or_welcome_not_both(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    twice = ids(session, "kk_asli")
    answer = add(post, admin, "categories", required_kinds=twice, supporting_kinds=twice)
    assert answer.status_code == 422
    assert "Foto KK asli" in errors(answer.text, "supporting_kinds")


def test_a_short_post_leaves_the_papers_alone(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    category = session.scalars(select(Category).where(Category.code == "BEDA_DATA")).one()
    before = [(row.kind_id, row.required) for row in category.requirements]
    assert before
    url = f"/reference/categories/edit/{category.id}"
    assert post(admin, url, {"label_en": "Another name"}).status_code == 303
    session.expire_all()
    assert [(row.kind_id, row.required) for row in category.requirements] == before
    assert category.label_en == "Another name"
    assert category.label_id


def test_a_paper_keeps_the_use_that_categories_name_it_for(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    (pk,) = ids(session, "kk_asli")
    data = {"label_id": "Foto KK asli", "is_output": "y", "position": "10", "active": "y"}
    answer = edit(post, admin, "document_kinds", pk, data)
    assert answer.status_code == 422
    assert errors(answer.text, "is_requirement")
    session.expire_all()
    assert session.get_one(DocumentKind, int(pk)).is_requirement


@pytest.mark.parametrize(
    ("ticks", "field"),
    [
        pytest.param({}, "is_output", id="neither brought nor issued"),
        pytest.param(
            {"is_requirement": "y", "needs_signature": "y"}, "needs_signature", id="signed"
        ),
    ],
)
def test_a_paper_has_a_use(admin: FlaskClient, post: Any, ticks: Data, field: str) -> None:
    answer = add(post, admin, "document_kinds", **{"is_requirement": None, **ticks})
    assert answer.status_code == 422
    assert errors(answer.text, field)


def test_an_entry_not_in_use_stays_with_old_cases(
    admin: FlaskClient, login: Login, post: Any, session: Session, make_case: CaseMaker
) -> None:
    case = make_case()
    row = session.get_one(Channel, case.channel_id)
    data = {"label_id": row.label_id, "position": "20"}
    assert edit(post, admin, "channels", row.id, data).status_code == 303
    session.expire_all()
    assert not row.active
    page = login("petugas").get(f"/complaints/show/{case.id}")
    assert page.status_code == 200
    assert str(row) in page.text


# --- calendar ---


def test_a_holiday_is_shown_as_people_write_it_and_may_go(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    holiday = session.scalars(select(Holiday).where(Holiday.day == date(2026, 8, 17))).one()
    page = admin.get(f"/reference/holidays/show/{holiday.id}").text
    assert "Senin, 17 Agustus 2026" in page
    assert f"/reference/holidays/delete/{holiday.id}" in page
    before = count(session, Holiday)
    assert admin.get(f"/reference/holidays/delete/{holiday.id}").status_code == 405
    assert post(admin, f"/reference/holidays/delete/{holiday.id}").status_code == 303
    assert count(session, Holiday) == before - 1


def test_a_holiday_keeps_its_own_day_when_edited(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    holiday = session.scalars(select(Holiday).where(Holiday.day == date(2026, 8, 17))).one()
    data = {"day": "2026-08-17", "name": "HUT RI", "kind": "libur_nasional", "certainty": "tetap"}
    assert edit(post, admin, "holidays", holiday.id, data).status_code == 303
    session.expire_all()
    assert holiday.name == "HUT RI"


def test_holidays_are_found_by_year(admin: FlaskClient) -> None:
    page = admin.get("/reference/holidays/list/?q=2025").text
    assert "2025" in page
    assert "Desember 2027" not in page


def test_ramadan_has_hours_of_its_own(admin: FlaskClient, post: Any, session: Session) -> None:
    answer = add(
        post, admin, "working_hours", weekday="0", valid_from="2027-02-08", valid_to="2027-03-09"
    )
    assert answer.status_code == 303
    row = session.scalars(select(WorkingHours).where(WorkingHours.valid_from.is_not(None))).one()
    assert (row.weekday, row.opens, row.valid_to) == (0, time(8), date(2027, 3, 9))
    page = admin.get("/reference/working_hours/list/").text
    assert "8 Feb 2027 – 9 Mar 2027" in page
    assert "08.00" in page


def test_the_last_day_of_the_week_stays(admin: FlaskClient, post: Any, session: Session) -> None:
    rows = list(session.scalars(select(WorkingHours).order_by(WorkingHours.weekday)))
    keys = [row.id for row in rows]
    for pk in keys:
        assert post(admin, f"/reference/working_hours/delete/{pk}").status_code == 303
    assert count(session, WorkingHours) == 1
    last = session.scalars(select(WorkingHours)).one()
    data = {
        "weekday": str(last.weekday),
        "opens": "08:00",
        "closes": "12:00",
        "valid_from": "2027-02-08",
        "valid_to": "2027-03-09",
    }
    assert edit(post, admin, "working_hours", last.id, data).status_code == 422
    session.expire_all()
    assert session.scalars(select(WorkingHours)).one().valid_from is None


# --- the office and its standard ---


def test_there_is_one_office(admin: FlaskClient, post: Any, session: Session) -> None:
    row = session.scalars(select(Office)).one()
    answer = admin.get("/reference/office/list/")
    assert (answer.status_code, answer.location) == (302, f"/reference/office/show/{row.id}")
    assert admin.get("/reference/office/add").status_code == 404
    assert post(admin, f"/reference/office/delete/{row.id}").status_code == 404


OFFICE = {"government": "Pemerintah Kabupaten Batang", "name": "Dinas", "region_code": "33.25"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("name", "", id="no name"),
        pytest.param("region_code", "Batang", id="no code"),
        pytest.param("email", "kantor", id="no address"),
        pytest.param("email", "a@b.id, c@d.id", id="two addresses"),
        pytest.param("website", "ftp://kantor.example", id="another scheme"),
        pytest.param("phone", "call me", id="words"),
        pytest.param("sop_warning", "x" * 10_000, id="10,000 characters"),
        pytest.param("sop_legal_basis", "UU\x00 24/2013", id="null byte"),
        pytest.param("sop_revised", "2025-01-01", id="revised before it was made"),
    ],
)
def test_the_office_is_checked(
    admin: FlaskClient, post: Any, session: Session, field: str, value: str
) -> None:
    row = session.scalars(select(Office)).one()
    before = row.name
    data = {**OFFICE, "sop_created": "2026-01-01", field: value}
    answer = edit(post, admin, "office", row.id, data)
    assert answer.status_code == 422
    assert errors(answer.text, field)
    session.expire_all()
    assert row.name == before


def test_lists_of_the_sheet_keep_their_lines(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    row = session.scalars(select(Office)).one()
    data = {**OFFICE, "sop_legal_basis": "UU 24/2013\r\nPerpres 96/2018\n"}
    assert edit(post, admin, "office", row.id, data).status_code == 303
    session.expire_all()
    assert row.sop_legal_basis == "UU 24/2013\nPerpres 96/2018"


@pytest.mark.parametrize(
    ("minutes", "status"),
    [("1", 303), ("480", 303), ("0", 422), ("481", 422), ("-5", 422), ("2.5", 422), ("", 422)],
)
def test_standard_minutes_lie_between_one_and_a_day(
    admin: FlaskClient, post: Any, session: Session, minutes: str, status: int
) -> None:
    answer = edit(post, admin, "standard_minutes", "intake", {"standard_minutes": minutes})
    assert answer.status_code == status
    session.expire_all()
    now = session.get_one(SopStep, "intake").standard_minutes
    assert now == (int(minutes) if status == 303 else 10)


def test_only_the_minutes_of_a_step_are_the_offices(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    data = {"standard_minutes": "12", "label_id": "Lain", "position": "99", "actor": "operator"}
    assert edit(post, admin, "standard_minutes", "intake", data).status_code == 303
    session.expire_all()
    step = session.get_one(SopStep, "intake")
    assert (step.standard_minutes, step.position, step.actor) == (12, 1, "petugas_pengaduan")
    assert step.label_id != "Lain"


@pytest.mark.parametrize("key", ["returned", "done", "nothing", "%00"])
def test_a_step_without_a_clock_has_no_standard(admin: FlaskClient, key: str) -> None:
    for route in ("show", "edit"):
        assert admin.get(f"/reference/standard_minutes/{route}/{key}").status_code == 404


@pytest.mark.both
@pytest.mark.parametrize("screen", [*MODELS, "standard_minutes"])
def test_a_list_takes_at_most_ten_statements(
    admin: FlaskClient, sql_count: Any, screen: str
) -> None:
    with sql_count() as statements:
        assert admin.get(f"/reference/{screen}/list/").status_code == 200
    assert len(statements) <= 10


# --- the rules themselves ---


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
