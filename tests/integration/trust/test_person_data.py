"""One person's data on request: found by whole numbers, handed out, erased; refused first, all told."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AuditEvent, CaseWord, Complaint
from app.stepup import PROVED
from tests.support.documents import take_away
from tests.support.panel import engine_of
from tests.support.personal import PERSON

PAGE = "/personal-data/"
WHO = "subkoordinator"
NAME = "Wagimin Pemohonjati"
TEXT = "Nama ayah saya Sastrowiguno salah tulis."
REASON = "Surat permohonan 14/PDP tanggal 20 November"
NOW = datetime.now(UTC)


@pytest.fixture
def old(make_case: Any, session: Session) -> Complaint:
    """A finished case of the person."""
    case = make_case("done", at=NOW - timedelta(days=90), applicant_name=NAME, text=TEXT, **PERSON)
    session.commit()
    found: Complaint = case
    return found


def searched(client: Any, post: Any, number: str) -> tuple[str, str]:
    """The page of what was found, and the sealed number in it."""
    answer = post(client, PAGE + "find", {"number": number})
    assert answer.status_code == 200
    sealed = re.search(r'name="person" value="([^"]+)"', answer.text)
    return answer.text, unescape(sealed[1]) if sealed else ""


def kinds(session: Session) -> list[tuple[str, str]]:
    session.commit()
    rows = session.scalars(
        select(AuditEvent).where(AuditEvent.kind.like("personal_data_%")).order_by(AuditEvent.id)
    )
    return [(row.kind.removeprefix("personal_data_"), row.subject) for row in rows]


# --- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["petugas", "operator", "kepala", "kabid", "admin"])
def test_asvs_b51_who_has_no_part_in_it_is_refused(
    login: Any, post: Any, session: Session, old: Complaint, who: str
) -> None:
    client = login(who)
    assert client.get(PAGE).status_code == 403
    for what in ("find", "export", "erase"):
        assert post(client, PAGE + what, {"number": PERSON["nik"]}).status_code == 403
    assert kinds(session) == []


@pytest.mark.parametrize(
    ("permission", "view", "what"),
    [
        ("can_export", "PersonData", "export"),
        ("can_erase", "PersonData", "erase"),
        ("can_reveal", "Complaint", "find"),
        ("see_personal", "Complaint", "find"),
    ],
)
def test_each_right_is_one_of_its_own(
    login: Any, post: Any, session: Session, old: Complaint, permission: str, view: str, what: str
) -> None:
    client = login(WHO)
    _page, person = searched(client, post, PERSON["nik"])
    take_away(session, "Sub Koordinator", permission, view)
    sent = {"number": PERSON["nik"], "person": person, "rowid": str(old.id), "reason": REASON}
    assert post(client, PAGE + what, {**sent, "sure": "1"}).status_code == 403
    session.expire_all()
    assert old.erased_at is None


@pytest.mark.parametrize(
    "number",
    ["", "333", "3325011203907", "33250112039077771", "abc", "Wagimin", "\x00", "%", "1" * 400],
)
def test_only_whole_numbers_are_looked_for(
    login: Any, post: Any, session: Session, old: Complaint, number: str
) -> None:
    answer = post(login(WHO), PAGE + "find", {"number": number})
    assert answer.status_code == 422
    assert 'id="number-errors"' in answer.text
    assert old.number not in answer.text
    assert kinds(session) == []


@pytest.mark.parametrize("what", ["", "find", "export", "erase"])
def test_it_asks_again_who_it_is(login: Any, post: Any, old: Complaint, what: str) -> None:
    client = login(WHO)
    with client.session_transaction() as kept:
        kept[PROVED] = int((datetime.now(UTC) - timedelta(minutes=11)).timestamp())
    answer = post(client, PAGE + what, {"number": "1"}) if what else client.get(PAGE)
    assert answer.status_code == (401 if what else 303)
    assert old.number not in answer.text


def test_a_hidden_case_is_not_there(
    login: Any, post: Any, session: Session, make_case: Any, old: Complaint
) -> None:
    secret = make_case("done", hide_identity=True, applicant_name=NAME, **PERSON)
    session.commit()
    take_away(session, "Sub Koordinator", "see_confidential", "Complaint")
    client = login(WHO)
    page, person = searched(client, post, PERSON["nik"])
    assert old.number in page
    assert secret.number not in page
    sent = {"person": person, "rowid": str(secret.id), "reason": REASON, "sure": "1"}
    for what in ("export", "erase"):
        answer = post(client, PAGE + what, sent)
        assert answer.status_code == 422
        assert secret.number not in answer.text
    session.expire_all()
    assert secret.erased_at is None


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param({"reason": ""}, 422, id="no reason"),
        pytest.param({"reason": " ok. "}, 422, id="no words"),
        pytest.param({"rowid": ""}, 422, id="nothing chosen"),
        pytest.param({"rowid": "999999"}, 422, id="a case that is not among them"),
        pytest.param({"person": "3325011203907777"}, 422, id="a number in clear"),
        pytest.param({"person": "~AAAA"}, 422, id="a made-up seal"),
        pytest.param({}, 200, id="not confirmed: asked first"),
        pytest.param({"asked": "1"}, 422, id="asked, and not confirmed"),
        pytest.param({"sure": "yes"}, 200, id="not that word"),
    ],
)
def test_nothing_is_erased(
    login: Any, post: Any, session: Session, old: Complaint, sent: dict[str, str], code: int
) -> None:
    client = login(WHO)
    _page, person = searched(client, post, PERSON["nik"])
    whole = {"person": person, "rowid": str(old.id), "reason": REASON, **sent}
    assert post(client, PAGE + "erase", whole).status_code == code
    session.expire_all()
    assert (old.erased_at, old.applicant_name) == (None, NAME)
    assert [kind for kind, _subject in kinds(session)] == ["searched"]


# --- found ---------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_nik_is_one_person_s_and_a_family_card_is_not(
    login: Any, post: Any, session: Session, make_case: Any, old: Complaint
) -> None:
    other = make_case("intake", applicant_name="Ibu Lain", **{**PERSON, "nik": "3325015203907778"})
    session.commit()
    client = login(WHO)
    page, person = searched(client, post, PERSON["nik"])
    assert old.number in page
    assert other.number not in page
    assert f'value="{old.id}" checked' in page
    assert PERSON["nik"] not in page  # masked, and sealed in the form
    assert PERSON["nik"] not in person
    for number in (PERSON["kk_number"], PERSON["phone"], "+62 812-6666-7777"):
        page, _person = searched(client, post, number)
        assert old.number in page
        assert other.number in page
        assert "checked" not in page.split("<tbody>")[1].split("</tbody>")[0]
    rows = kinds(session)
    assert rows == [("searched", "")] * 4
    logged = " ".join(session.scalars(select(AuditEvent.detail)))
    assert PERSON["nik"] not in logged
    assert PERSON["phone"] not in logged


# --- handed out ----------------------------------------------------------------------------------


def test_the_file_holds_what_is_kept_and_the_log_says_why(
    login: Any, post: Any, session: Session, old: Complaint
) -> None:
    client = login(WHO)
    _page, person = searched(client, post, PERSON["nik"])
    sent = {"person": person, "rowid": str(old.id), "reason": REASON}
    answer = post(client, PAGE + "export", sent)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert re.fullmatch(
        r'attachment; filename="data-pribadi-[0-9-]+\.json".*',
        answer.headers["Content-Disposition"],
    )
    (case,) = json.loads(answer.data)["cases"]
    assert (case["number"], case["nik"], case["applicant_name"]) == (
        old.number,
        PERSON["nik"],
        NAME,
    )
    assert case["files"]
    assert kinds(session)[1:] == [("exported", f"complaint:{old.number}")]
    row = session.scalars(
        select(AuditEvent).where(AuditEvent.kind == "personal_data_exported")
    ).one()
    assert row.details == {"reason": REASON}


# --- erased --------------------------------------------------------------------------------------


@pytest.mark.both
def test_the_question_says_what_goes_then_it_goes_and_leaves_no_trace(
    app: Any, login: Any, post: Any, session: Session, store: Any, user: Any, make_case: Any,
    old: Complaint, backend: str,
) -> None:  # fmt: skip
    still = make_case("intake", applicant_name=NAME, **PERSON)
    session.commit()
    files = [document.storage_key for document in old.documents]
    client = login(WHO)
    _page, person = searched(client, post, PERSON["nik"])
    sent = {"person": person, "rowid": [str(old.id), str(still.id)], "reason": REASON}
    asked = post(client, PAGE + "erase", sent)
    going, staying = asked.text.split('id="going"')[1].split('id="staying"')
    assert old.number in going
    assert still.number not in going
    assert f"{len(files)} berkas" in going
    assert still.number in staying
    assert "Catatan audit" in staying
    assert [kind for kind, _subject in kinds(session)] == ["searched"]
    answer = post(client, PAGE + "erase", {**sent, "sure": "1"})
    assert (answer.status_code, answer.location) == (303, PAGE)
    session.expire_all()
    assert (old.applicant_name, old.nik, old.text) == ("", "", "")
    assert (still.applicant_name, still.nik) == (NAME, PERSON["nik"])
    assert [key for key in files if store.exists(key)] == []
    assert session.scalars(select(CaseWord.word).where(CaseWord.complaint_id == old.id)).all() == []
    row = session.scalars(select(AuditEvent).where(AuditEvent.kind == "personal_data_erased")).one()
    assert (row.actor_id, row.subject) == (user(WHO).id, f"complaint:{old.number}")
    assert row.details == {"why": "request", "reason": REASON}
    if backend == "sqlite":  # nor in the pages that were freed, nor in the log of writes
        session.close()
        path = Path(str(engine_of(app).url.database))
        engine_of(app).dispose()
        found = b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))
        assert b"Sastrowiguno" not in found


def test_a_case_that_is_open_or_erased_stays(
    login: Any, post: Any, session: Session, make_case: Any
) -> None:
    still = make_case("intake", applicant_name=NAME, **PERSON)
    session.commit()
    client = login(WHO)
    _page, person = searched(client, post, PERSON["nik"])
    sent = {"person": person, "rowid": str(still.id), "reason": REASON, "sure": "1"}
    answer = post(client, PAGE + "erase", sent)
    assert answer.status_code == 422
    session.expire_all()
    assert still.applicant_name == NAME
