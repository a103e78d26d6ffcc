"""Registering and correcting a complaint: what is refused, what is kept, what is saved."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from app.models import (
    Category,
    CategoryRequirement,
    Channel,
    Complaint,
    Document,
    DocumentKind,
    Region,
    Role,
    StagedUpload,
    StepRun,
    UsedFormKey,
)
from tests.support import panel, samples

WIB = ZoneInfo("Asia/Jakarta")
NIK = "3325014502909901"
KK = "3325010101100007"
ADD = "/complaints/add"


# --- help ----------------------------------------------------------------------------------------


@pytest.fixture
def ids(session):
    """Keys of the rows that the form refers to, by their code."""

    def look_up(model, code):
        return str(session.scalars(select(model.id).where(model.code == code)).one())

    return look_up


@pytest.fixture
def filled(session, ids):
    """A registration that nothing is wrong with; changes by name."""

    def make(papers="present", **changes):
        category = changes.pop("category_code", "BEDA_DATA")
        values = {
            "channel": ids(Channel, changes.pop("channel_code", "whatsapp")),
            "handle": "0812-0000-0007",
            "received_at": f"{datetime.now(WIB) - timedelta(hours=3):%Y-%m-%dT%H:%M}",
            "applicant_name": "Budi Contoh",
            "nik": NIK,
            "kk_number": KK,
            "phone": "0812-0000-0007",
            "email": "",
            "address": "Jl. Contoh No. 1",
            "kecamatan": "33.25.01",
            "region": "33.25.01.2001",
            "category": ids(Category, category),
            "text": "Nama ibu saya salah di KK.",
            **changes,
        }
        if papers:
            for item in session.scalars(
                select(CategoryRequirement)
                .join(CategoryRequirement.category)
                .where(Category.code == category)
            ):
                values.setdefault(f"check_{item.kind_id}", papers)
        return MultiDict((name, value) for name, value in values.items() if value is not None)

    return make


@pytest.fixture
def sent(login, csrf):
    """Send the form as an officer; a dict of lists becomes repeated fields."""

    def send(values, *, who="petugas", url=ADD, then="save", client=None, files=()):
        client = client or login(who)
        data = MultiDict(values)
        data.setdefault("then", then)
        data.add("csrf_token", csrf(client))
        for name, content in files:
            data.add("files", (io.BytesIO(content), name))
        return client.post(url, data=data, content_type="multipart/form-data")

    return send


def count(session, model=Complaint):
    session.rollback()
    return session.scalar(select(func.count()).select_from(model))


def beside(page, field):
    """The messages that stand beside a field."""
    block = re.search(rf'<ul class="field-errors" id="{field}-errors">(.*?)</ul>', page, re.DOTALL)
    if block is None:
        return ""
    return unescape(re.sub(r"<[^>]+>", " ", block[1]))


def value_of(page, name):
    """What a text field of the page holds."""
    found = re.search(rf'<input[^>]* name="{re.escape(name)}"[^>]* value="([^"]*)"', page)
    if found is None:
        found = re.search(
            rf'<textarea[^>]* name="{re.escape(name)}"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL
        )
    return unescape(found[1]) if found else None


def form_key(page):
    return value_of(page, "form_key")


def the_case(session):
    session.rollback()
    return session.scalars(select(Complaint)).one()


# --- what is refused -----------------------------------------------------------------------------

LONG = "a" * 10_000
REFUSALS = [
    pytest.param({"channel": ""}, "channel", id="no channel"),
    pytest.param({"channel": "0"}, "channel", id="a channel that is not there"),
    pytest.param({"channel": "1e3"}, "channel", id="a channel that is no number"),
    pytest.param({"channel": "9" * 40}, "channel", id="a channel number beyond every integer"),
    pytest.param({"handle": LONG}, "handle", id="a handle of 10,000 characters"),
    pytest.param({"handle": "akun\0"}, "handle", id="a null byte in the handle"),
    pytest.param({"external_ticket": LONG}, "external_ticket", id="a ticket of 10,000 characters"),
    pytest.param({"received_at": "besok"}, "received_at", id="a time of receipt in words"),
    pytest.param({"received_at": "2026-02-31T10:00"}, "received_at", id="received on 31 February"),
    pytest.param(
        {"received_at": "9999-12-31T23:59"}, "received_at", id="received in the year 9999"
    ),
    pytest.param({"received_at": "0001-01-01T00:00"}, "received_at", id="received in the year 1"),
    pytest.param({"received_at": "1999-01-01T00:00"}, "received_at", id="received decades ago"),
    pytest.param({"received_at": LONG}, "received_at", id="a time of 10,000 characters"),
    pytest.param({"received_at": "\0"}, "received_at", id="a null byte as time"),
    pytest.param({"applicant_name": ""}, "applicant_name", id="no name"),
    pytest.param({"applicant_name": "   "}, "applicant_name", id="blanks as name"),
    pytest.param({"applicant_name": LONG}, "applicant_name", id="a name of 10,000 characters"),
    pytest.param({"applicant_name": "Bu\0di"}, "applicant_name", id="a null byte in the name"),
    pytest.param({"applicant_name": "Budi\x1b[31m"}, "applicant_name", id="an escape in the name"),
    pytest.param({"nik": "123"}, "nik", id="a NIK of three digits"),
    pytest.param({"nik": "3325013202909901"}, "nik", id="a NIK of the 32nd day"),
    pytest.param({"nik": "3325014502900000"}, "nik", id="a NIK with serial 0000"),
    pytest.param({"nik": "３３２５０１４５０２９０９９０１"}, "nik", id="a NIK in wide digits"),
    pytest.param({"nik": LONG}, "nik", id="a NIK of 10,000 characters"),
    pytest.param({"nik": NIK + "\0"}, "nik", id="a null byte in the NIK"),
    pytest.param({"nik": "🙂"}, "nik", id="an emoji as NIK"),
    pytest.param({"kk_number": "1"}, "kk_number", id="a KK number of one digit"),
    pytest.param({"kk_number": LONG}, "kk_number", id="a KK number of 10,000 characters"),
    pytest.param({"phone": "satu dua"}, "phone", id="a phone number in words"),
    pytest.param({"phone": "0812"}, "phone", id="a phone number of four digits"),
    pytest.param({"phone": LONG}, "phone", id="a phone number of 10,000 characters"),
    pytest.param({"phone": "\0"}, "phone", id="a null byte as phone number"),
    pytest.param({"email": "budi"}, "email", id="an email address without a domain"),
    pytest.param({"email": "a@b.c\0"}, "email", id="a null byte in the email address"),
    pytest.param({"email": f"{LONG}@example.org"}, "email", id="an email of 10,000 characters"),
    pytest.param({"address": LONG}, "address", id="an address of 10,000 characters"),
    pytest.param({"address": "Jl.\0"}, "address", id="a null byte in the address"),
    pytest.param({"kecamatan": "99.99.99"}, "kecamatan", id="a kecamatan that is not there"),
    pytest.param({"kecamatan": "33.25.01.2001"}, "kecamatan", id="a village as kecamatan"),
    pytest.param({"region": "33.25.01"}, "region", id="a kecamatan as village"),
    pytest.param({"region": "x" * 10_000}, "region", id="a village of 10,000 characters"),
    pytest.param({"kecamatan": "33.25.02"}, "region", id="a village of another kecamatan"),
    pytest.param({"birth_date": "31-31-1990"}, "birth_date", id="a birth in month 31"),
    pytest.param({"birth_date": "2199-01-01"}, "birth_date", id="a birth in the future"),
    pytest.param({"birth_date": "1850-01-01"}, "birth_date", id="a birth long ago"),
    pytest.param({"birth_date": "0001-01-01"}, "birth_date", id="a birth in the year 1"),
    pytest.param({"sex": "X"}, "sex", id="a sex that is not one of two"),
    pytest.param({"category": ""}, "category", id="no category"),
    pytest.param({"category": "99999"}, "category", id="a category that is not there"),
    pytest.param({"category": "\0"}, "category", id="a null byte as category"),
    pytest.param({"text": ""}, "text", id="no text"),
    pytest.param({"text": LONG}, "text", id="a text of 10,000 characters"),
    pytest.param({"text": "Nama\0saya"}, "text", id="a null byte in the text"),
]
#: A choice that does not exist cannot be shown again; control characters are taken out.
LOST_ON_PURPOSE = {"channel", "kecamatan", "region", "category", "sex"}


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


# --- what is saved -------------------------------------------------------------------------------


@pytest.mark.both
def test_a_registration_is_saved_with_its_ticks_and_files(session, login, sent, filled, ids):
    client = login("petugas")
    opened = form_key(client.get(ADD).text)
    kk = ids(DocumentKind, "kk_asli")
    token = staged(client, "kk.jpg", samples.jpeg())
    values = filled(form_key=opened, **{"upload_token[]": token, "upload_kind[]": kk})
    values[f"check_{kk}"], values[f"check_note_{kk}"] = "unreadable", "buram"
    answer = sent(values, client=client)
    case = the_case(session)
    assert answer.status_code == 303
    assert answer.location.endswith(f"/complaints/show/{case.id}")
    assert (case.step_key, case.registered_by.username) == ("intake", "petugas")
    states = {check.kind.code: (check.state, check.note) for check in case.checks}
    assert states["kk_asli"] == ("unreadable", "buram")
    assert states["ktp_asli"] == ("present", "")
    (document,) = case.documents
    assert (document.kind.code, document.stage, document.original_name) == (
        "kk_asli", "requirement", "kk.jpg",
    )  # fmt: skip
    assert count(session, StagedUpload) == 0
    assert case.number in client.get("/users/userinfo/").text  # said after the commit


def test_the_work_clock_runs_since_the_empty_form_was_opened(session, clock, login, sent, filled):
    opened = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    clock(opened)
    client = login("petugas")
    key = form_key(client.get(ADD).text)
    clock(opened + timedelta(minutes=7))
    values = filled(form_key=key, received_at="2026-11-23T08:00")
    assert sent(values, client=client).status_code == 303
    (run,) = session.scalars(select(StepRun)).all()
    assert abs(run.started_at - opened) < timedelta(seconds=5)
    assert the_case(session).received_at == datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def test_at_the_counter_the_time_of_receipt_is_now(session, sent, filled):
    answer = sent(filled(channel_code="tatap_muka", received_at="2026-01-01T08:00"))
    assert answer.status_code == 303, answer.text
    case = the_case(session)
    assert datetime.now(UTC) - case.received_at < timedelta(minutes=1)


def test_a_message_without_a_time_was_received_now(session, sent, filled):
    assert sent(filled(received_at="")).status_code == 303
    assert datetime.now(UTC) - the_case(session).received_at < timedelta(minutes=1)


@pytest.mark.both
def test_sent_twice_is_one_case(session, login, sent, filled):
    client = login("petugas")
    values = filled(form_key=form_key(client.get(ADD).text))
    first = sent(values, client=client, files=[("kk.jpg", samples.jpeg())])
    again = sent(values, client=client, files=[("kk.jpg", samples.jpeg())])
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.location == again.location
    assert count(session) == 1
    assert count(session, Document) == 1
    assert count(session, StagedUpload) == 0


@pytest.mark.both
def test_sent_six_times_at_once_is_one_case(session, login, filled):
    client = login("petugas")
    token = staged(client, "kk.jpg", samples.jpeg())
    values = filled(form_key=form_key(client.get(ADD).text), **{"upload_token[]": token})
    values.add("csrf_token", panel.csrf(client))
    cookie = client.get_cookie("aduan")
    session.commit()

    def press(_number):
        other = client.application.test_client()
        other.set_cookie("aduan", cookie.value)
        return other.post(ADD, data=values)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(press, range(6)))
    assert [answer.status_code for answer in answers] == [303] * 6
    assert len({answer.location for answer in answers}) == 1
    assert count(session) == 1
    assert count(session, Document) == 1


def test_warnings_do_not_block_and_are_told(session, login, sent, filled):
    client = login("petugas")
    sent(filled(), client=client)
    answer = sent(filled(applicant_name="Siti", nik=NIK, sex="L"), client=client)
    assert answer.status_code == 303
    page = unescape(client.get(ADD).text)
    first = session.scalars(select(Complaint.number).order_by(Complaint.id)).first()
    assert "sex" in page.lower() or "kelamin" in page.lower()
    assert page.count("notice-warn") >= 3  # one word, the sex, and the other case
    assert first in page


# --- saving and passing on -----------------------------------------------------------------------


@pytest.mark.both
def test_a_complete_file_is_saved_and_passed_on_at_once(session, login, sent, filled):
    answer = sent(filled(), then="forward")
    assert answer.status_code == 303, answer.text
    case = the_case(session)
    assert case.step_key == "siak_check"
    assert [event.transition for event in case.events if event.transition] == ["verify_file"]


@pytest.mark.parametrize(
    ("changes", "anchor"),
    [
        pytest.param({"papers": "unreadable"}, "check-{kk}", id="an unreadable paper"),
        pytest.param({"papers": "missing"}, "check-{kk}", id="a missing paper"),
        pytest.param({"papers": None}, "check-{kk}", id="a paper nobody looked at"),
        pytest.param({"address": ""}, "address", id="no address"),
        pytest.param({"phone": ""}, "phone", id="neither phone nor email"),
    ],
)
def test_an_incomplete_file_is_not_passed_on_and_not_lost(
    session, login, sent, filled, ids, changes, anchor
):
    client = login("petugas")
    kk = ids(DocumentKind, "kk_asli")
    token = staged(client, "kk.pdf", samples.pdf())
    values = filled(**{"upload_token[]": token, "upload_kind[]": kk, **changes})
    answer = sent(values, client=client, then="forward")
    assert answer.status_code == 422
    assert beside(answer.text, anchor.format(kk=kk))
    assert count(session) == 0
    assert count(session, StagedUpload) == 1
    assert token in answer.text
    assert "kk.pdf" in answer.text
    assert re.search(rf'<option value="{kk}" selected', answer.text)
    assert value_of(answer.text, "text") == values["text"]
    # The same page, mended, goes through: the key was not spent by the refusal.
    mended = filled(
        form_key=form_key(answer.text), **{"upload_token[]": token, "upload_kind[]": kk}
    )
    assert sent(mended, client=client, then="forward").status_code == 303
    assert the_case(session).step_key == "siak_check"


def test_a_ticked_state_that_does_not_exist_is_refused(session, sent, filled, ids):
    kk = ids(DocumentKind, "kk_asli")
    answer = sent(filled(**{f"check_{kk}": "<b>maybe"}))
    assert answer.status_code == 422
    assert beside(answer.text, f"check-{kk}")
    assert count(session) == 0


@pytest.mark.parametrize("note", ["n" * 10_000, "buram\0"])
def test_a_bad_note_is_refused_beside_its_paper(session, sent, filled, ids, note):
    kk = ids(DocumentKind, "kk_asli")
    answer = sent(filled(**{f"check_{kk}": "unreadable", f"check_note_{kk}": note}))
    assert answer.status_code == 422
    assert beside(answer.text, f"check-{kk}")
    assert value_of(answer.text, f"check_note_{kk}") == note.replace("\0", "")
    assert count(session) == 0


def test_ticks_of_another_category_are_left_out(session, sent, filled, ids):
    letter = ids(DocumentKind, "surat_kematian")
    answer = sent(filled(**{f"check_{letter}": "present", "check_999999": "present"}))
    assert answer.status_code == 303
    assert "surat_kematian" not in {check.kind.code for check in the_case(session).checks}


# --- files ---------------------------------------------------------------------------------------


def staged(client, name, data):
    """Upload a file as the page's script does; its token."""
    answer = client.post(
        "/uploads/", data={"file": (io.BytesIO(data), name), "csrf_token": panel.csrf(client)}
    )
    assert answer.status_code == 201, answer.text
    return answer.json["token"]


def test_without_scripts_files_come_with_the_form(session, sent, filled):
    files = [("kk.jpg", samples.jpeg()), ("ktp.pdf", samples.pdf())]
    assert sent(filled(), files=files).status_code == 303
    assert [d.original_name for d in the_case(session).documents] == ["kk.jpg", "ktp.pdf"]


def test_files_of_a_refused_form_are_there_again(session, login, sent, filled):
    client = login("petugas")
    answer = sent(filled(applicant_name=""), client=client, files=[("kk.jpg", samples.jpeg())])
    assert answer.status_code == 422
    token = session.scalars(select(StagedUpload.token)).one()
    assert token in answer.text
    values = filled(form_key=form_key(answer.text), **{"upload_token[]": token})
    assert sent(values, client=client).status_code == 303
    assert len(the_case(session).documents) == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("kk.pdf", samples.EXE, id="a program that says PDF"),
        pytest.param("kk.html", samples.HTML, id="a web page"),
        pytest.param("kk.jpg", b"", id="an empty file"),
        pytest.param("kk.jpg", b"\xff\xd8\xff" + bytes(10 * 1024 * 1024), id="too large a file"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_the_good_one_kept(session, sent, filled, name, data):
    answer = sent(filled(), files=[(name, data), ("ktp.png", samples.png())])
    assert answer.status_code == 422
    assert name in beside(answer.text, "files")
    assert "ktp.png" in answer.text
    assert count(session) == 0
    assert count(session, StagedUpload) == 1


def test_an_upload_of_somebody_else_is_not_taken(session, login, sent, filled):
    token = staged(login("petugas2"), "kk.jpg", samples.jpeg())
    answer = sent(filled(**{"upload_token[]": token}))
    assert answer.status_code == 422
    assert beside(answer.text, "files")
    assert token not in answer.text
    assert count(session) == 0


@pytest.mark.parametrize("token", ["x", "../../etc/passwd", "\0", "t" * 10_000, "🙂"])
def test_a_made_up_token_is_refused(session, sent, filled, token):
    answer = sent(filled(**{"upload_token[]": token}))
    assert answer.status_code == 422
    assert beside(answer.text, "files")


def test_a_file_cannot_be_said_to_be_what_the_office_does_not_know(session, login, sent, filled):
    client = login("petugas")
    token = staged(client, "kk.jpg", samples.jpeg())
    values = filled(**{"upload_token[]": token, "upload_kind[]": "999999"})
    answer = sent(values, client=client)
    assert answer.status_code == 422
    assert beside(answer.text, "files")
    assert token in answer.text


def test_more_files_than_a_case_holds_are_refused_and_kept(session, login, sent, filled, user):
    client = login("petugas")
    officer = user("petugas").id
    for number in range(41):
        session.add(
            StagedUpload(
                token=f"token{number}", user_id=officer, uploaded_at=datetime.now(UTC),
                storage_key=f"{number:032x}", original_name="a.jpg", media_type="image/jpeg",
                size=1, sha256="0" * 64,
            )
        )  # fmt: skip
    values = filled()
    for number in range(41):
        values.add("upload_token[]", f"token{number}")
    answer = sent(values, client=client)
    assert answer.status_code == 422
    assert beside(answer.text, "files")
    assert count(session) == 0
    assert count(session, StagedUpload) == 41


# --- without scripts -----------------------------------------------------------------------------


def test_the_papers_of_a_category_can_be_asked_for_without_scripts(session, sent, filled, ids):
    answer = sent(filled(category_code="KIA", papers=None, applicant_name=""), then="refresh")
    assert answer.status_code == 200
    assert f'name="check_{ids(DocumentKind, "akta_kelahiran")}"' in answer.text
    assert not beside(answer.text, "applicant_name")
    assert count(session) == 0


# --- who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "status"),
    [("petugas", 200), ("operator", 403), ("kepala", 403), ("kabid", 403), ("admin", 403)],
)
def test_only_who_may_add_sees_the_form(login, who, status):
    assert login(who).get(ADD).status_code == status


@pytest.fixture
def without(session):
    """Take a permission away from the complaints officers, as the role screen does."""

    def take(permission, view="Complaint"):
        role = session.scalars(select(Role).where(Role.name == "Petugas Pengaduan")).one()
        role.permissions = [
            pair
            for pair in role.permissions
            if (pair.permission.name, pair.view_menu.name) != (permission, view)
        ]
        session.commit()

    return take


def test_who_may_not_pass_on_sees_no_such_button_and_only_saves(
    session, login, sent, filled, without
):
    without("verify_file")
    assert 'value="forward"' not in login("petugas").get(ADD).text
    assert sent(filled(), then="forward").status_code == 303
    assert the_case(session).step_key == "intake"


def test_a_confidential_case_is_saved_by_who_may_not_see_it(session, login, sent, filled, without):
    without("see_confidential")
    client = login("petugas")
    values = filled(category_code="PUNGLI")
    answer = sent(values, client=client, then="forward")
    assert answer.status_code == 422
    assert count(session) == 0
    answer = sent(values, client=client)
    assert (answer.status_code, answer.location) == (303, "/complaints/list/")
    assert the_case(session).confidential


def test_who_may_not_upload_has_no_place_for_files(session, login, sent, filled, without):
    without("can_add", "Upload")
    assert "data-dropzone" not in login("petugas").get(ADD).text
    assert sent(filled(), files=[("kk.jpg", samples.jpeg())]).status_code == 303
    assert the_case(session).documents == []


def test_who_may_not_read_personal_data_does_not_correct_it(login, case, without):
    without("see_personal")
    assert login("petugas").get(edit_url(case)).status_code == 403


def test_a_form_beyond_every_limit_is_answered_in_words(session, sent, filled):
    answer = sent(filled(), files=[("kk.jpg", bytes(43 * 1024 * 1024))])
    assert answer.status_code == 413
    assert "<h1>" in answer.text
    assert count(session) == 0


def test_opening_the_form_takes_few_statements(login, sql_count):
    client = login("petugas")
    with sql_count() as statements:
        answer = client.get(ADD)
    assert answer.status_code == 200
    assert len(statements) <= 10, statements
    assert len(answer.data) < 150_000


# --- checks while typing -------------------------------------------------------------------------


def ask(client, csrf, **values):
    return client.post("/complaints/identity", json=values, headers={"X-CSRFToken": csrf(client)})


@pytest.mark.parametrize(
    ("values", "field", "levels"),
    [
        pytest.param({"nik": "123"}, "nik", ["error"], id="too short a NIK"),
        pytest.param({"nik": NIK, "sex": "L"}, "nik", ["warning"], id="another sex"),
        pytest.param({"nik": NIK, "birth_date": "1990-02-05"}, "nik", [], id="all agrees"),
        pytest.param({"nik": "9999994502909901"}, "nik", ["warning"], id="an unknown region"),
        pytest.param({"kk_number": "12"}, "kk_number", ["error"], id="too short a KK number"),
        pytest.param({"phone": "12"}, "phone", ["error"], id="no phone number"),
        pytest.param({"email": "x"}, "email", ["error"], id="no email address"),
        pytest.param({"applicant_name": "Siti"}, "applicant_name", ["warning"], id="one word"),
        pytest.param({"nik": ["a"], "phone": {"b": 1}}, "nik", [], id="values that are no text"),
        pytest.param({"nik": "\0", "id": "\0"}, "nik", ["error"], id="a null byte"),
    ],
)
def test_numbers_are_checked_while_typing(login, csrf, values, field, levels):
    answer = ask(login("petugas"), csrf, **values)
    assert answer.status_code == 200
    assert [one["level"] for one in answer.json[field]] == levels
    assert answer.json["duplicates"] == []


def test_an_open_case_of_the_same_nik_is_named(session, login, csrf, sent, filled):
    sent(filled())
    case = the_case(session)
    client = login("petugas")
    (other,) = ask(client, csrf, nik=NIK).json["duplicates"]
    assert other["number"] == case.number
    assert other["url"] == f"/complaints/show/{case.id}"
    assert ask(client, csrf, nik=NIK, id=str(case.id)).json["duplicates"] == []


@pytest.mark.parametrize("body", ["", "[]", "null", '"x"', "{", "\0"])
def test_a_malformed_question_is_refused_in_words(login, csrf, body):
    client = login("petugas")
    answer = client.post(
        "/complaints/identity",
        data=body,
        content_type="application/json",
        headers={"X-CSRFToken": csrf(client)},
    )
    assert answer.status_code == 422
    assert answer.json["message"]


def test_a_question_is_never_asked_by_url(login):
    assert login("petugas").get(f"/complaints/identity?nik={NIK}").status_code == 405


def test_too_long_a_question_is_not_read(login, csrf):
    assert ask(login("petugas"), csrf, nik="1" * 20_000).status_code == 413


# --- correcting ----------------------------------------------------------------------------------


@pytest.fixture
def case(session, sent, filled):
    """A case that was registered through the form."""
    assert sent(filled()).status_code == 303
    return the_case(session)


def edit_url(case):
    return f"/complaints/edit/{case.id}"


def test_a_correction_is_prefilled_and_saved(session, login, sent, filled, case):
    client = login("petugas")
    page = client.get(edit_url(case)).text
    assert value_of(page, "nik") == NIK
    assert value_of(page, "text") == case.text
    before = case.received_at
    values = filled(papers=None, version=str(case.version), shown="1", applicant_name="Budi Betul")
    values["received_at"] = value_of(page, "received_at")
    assert sent(values, client=client, url=edit_url(case)).status_code == 303
    session.expire_all()
    changed = the_case(session)
    assert changed.applicant_name == "Budi Betul"
    assert changed.received_at == before
    assert changed.version == 2
    assert len(changed.checks) == 8


def test_what_a_correction_leaves_out_stays(session, sent, case):
    answer = sent({"version": str(case.version), "address": "Jl. Baru"}, url=edit_url(case))
    assert answer.status_code == 303, answer.text
    session.expire_all()
    changed = the_case(session)
    assert (changed.address, changed.nik, changed.region_code) == (
        "Jl. Baru", NIK, "33.25.01.2001",
    )  # fmt: skip


@pytest.mark.parametrize(("changes", "field"), REFUSALS)
def test_a_bad_correction_is_refused_beside_its_field(session, sent, filled, case, changes, field):
    values = filled(papers=None, version=str(case.version), shown="1", **changes)
    answer = sent(values, url=edit_url(case))
    assert answer.status_code == 422
    assert beside(answer.text, field)
    session.expire_all()
    assert the_case(session).version == 1


def test_of_two_editors_the_later_is_told_and_loses_nothing(session, login, sent, filled, case):
    seen = str(case.version)
    mine = filled(papers=None, version=seen, shown="1", address="Jl. Saya", phone="081200000008")
    theirs = filled(papers=None, version=seen, shown="1", address="Jl. Mereka")
    assert sent(theirs, who="petugas2", url=edit_url(case)).status_code == 303
    client = login("petugas")
    answer = sent(mine, client=client, url=edit_url(case))
    assert answer.status_code == 409
    assert value_of(answer.text, "address") == "Jl. Saya"
    assert "Dewi Lestari" in answer.text
    assert "Jl. Mereka" in answer.text  # what is stored now
    session.expire_all()
    assert the_case(session).address == "Jl. Mereka"
    mine["version"] = value_of(answer.text, "version")
    assert sent(mine, client=client, url=edit_url(case)).status_code == 303
    session.expire_all()
    assert the_case(session).address == "Jl. Saya"


@pytest.mark.parametrize("version", ["", "-1", "x", "9" * 30, "\0", "²"])
def test_a_version_that_never_was_changes_nothing(session, sent, filled, case, version):
    values = filled(papers=None, version=version, shown="1", address="Jl. Lain")
    assert sent(values, url=edit_url(case)).status_code == 409
    session.expire_all()
    assert the_case(session).address == "Jl. Contoh No. 1"


@pytest.mark.parametrize("step", ["done", "resolved", "withdrawn"])
def test_a_finished_case_is_not_corrected(session, login, sent, filled, make_case, step):
    case = make_case(step)
    client = login("petugas")
    assert client.get(edit_url(case)).status_code == 303
    name = case.applicant_name
    values = filled(papers=None, version=str(case.version), shown="1")
    assert sent(values, client=client, url=edit_url(case)).status_code == 303
    session.expire_all()
    assert case.applicant_name == name


def test_a_category_switched_off_since_may_stay_but_not_be_chosen(session, sent, filled, case, ids):
    category = session.get_one(Category, case.category_id)
    category.active = False
    values = filled(papers=None, version="1", shown="1", address="Jl. Baru")
    assert sent(values, url=edit_url(case)).status_code == 303
    assert sent(filled()).status_code == 422


@pytest.mark.parametrize(
    ("who", "status"), [("petugas", 200), ("operator", 403), ("kabid", 403), ("admin", 403)]
)
def test_only_who_may_edit_corrects(login, case, who, status):
    assert login(who).get(edit_url(case)).status_code == status


@pytest.mark.parametrize("pk", ["0", "999999", "x", "9" * 30, "%00"])
def test_a_case_that_is_not_there_is_not_corrected(login, pk):
    assert login("petugas").get(f"/complaints/edit/{pk}").status_code == 404


def test_regions_in_the_form_are_those_of_the_table(session, login):
    page = login("petugas").get(ADD).text
    villages = session.scalar(
        select(func.count()).select_from(Region).where(Region.kind != "kecamatan")
    )
    assert page.count("data-parent=") == villages
