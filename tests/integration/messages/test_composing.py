"""A message is written with what it tells about, once for an occasion, and holds what it should."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.models import Dispatch, Message, MessageText
from app.services.facts import current_checks
from app.services.messages.compose import (
    Reach,
    message_key,
    mobile_number,
    queue_messages,
)
from app.services.transitions import apply_transition
from app.sop.errors import SopError

MAIL = "sri@example.org"
PHONE = "081200000017"
REACH = Reach("https://aduan.example.go.id", email=True)


@pytest.mark.parametrize(
    ("phone", "number"),
    [
        pytest.param("0812-0000-0017", "6281200000017", id="as people write it"),
        pytest.param("+62 812 0000 0017", "6281200000017", id="with the country"),
        pytest.param("(0285) 391234", "", id="a fixed line has no WhatsApp"),
        pytest.param("+1 202 555 0100", "", id="another country's is not guessed at"),
        pytest.param("", "", id="none"),
        pytest.param("0812", "", id="too short"),
    ],
)
def test_only_a_mobile_number_gets_a_whatsapp_message(phone: str, number: str) -> None:
    assert mobile_number(phone) == number


@pytest.mark.parametrize(
    ("facts", "email", "ways"),
    [
        pytest.param({"email": MAIL, "phone": PHONE}, True, {"email", "whatsapp"}, id="both ways"),
        pytest.param({"email": MAIL, "phone": ""}, True, {"email"}, id="an address only"),
        pytest.param({"email": "", "phone": PHONE}, True, {"whatsapp"}, id="a mobile only"),
        pytest.param({"email": "", "phone": "0285391234"}, True, set(), id="a fixed line only"),
        pytest.param({"email": MAIL, "phone": ""}, False, set(), id="no mail server, no e-mail"),
    ],
)
def test_a_receipt_goes_the_ways_that_reach(
    tell_case: Any, messages: Any, facts: dict[str, str], email: bool, ways: set[str]
) -> None:
    tell_case.office = replace(tell_case.office, reach=Reach("", email=email))
    case = tell_case("intake", **facts)
    found = messages(case)
    assert {message.way for message in found} == ways
    assert {message.state for message in found} <= {"queued", "offered"}


@pytest.mark.both
def test_what_a_receipt_says(tell_case: Any, messages: Any) -> None:
    case = tell_case("intake", email=MAIL, phone=PHONE, applicant_name="Sri  Wahyuni")
    mail, chat = messages(case)
    assert mail.subject == f"Tanda terima pengaduan {case.number}"
    for text in (mail.body, chat.body):
        assert case.number in text
        assert case.check_pin in text
        assert "https://aduan.example.go.id/check/" in text
        assert "Yth. Sri Wahyuni," in text
        assert "{" not in text
    assert (mail.recipient, chat.recipient) == (MAIL, "6281200000017")


def test_without_a_public_address_no_line_speaks_of_it(tell_case: Any, messages: Any) -> None:
    tell_case.office = replace(tell_case.office, reach=Reach("", email=True))
    mail = messages(tell_case("intake", email=MAIL, phone=""))[0]
    assert "localhost" not in mail.body
    assert "dilihat di" not in mail.body


def test_a_returned_case_lists_what_is_wanted(
    tell_case: Any, messages: Any, session: Any, reaching: Any, actor: Any
) -> None:
    case = tell_case("intake", email=MAIL, phone=PHONE)
    first, second, *_rest = current_checks(session, case)
    first.state, second.state, second.note = "missing", "unreadable", "buram"
    session.flush()
    now = datetime.now(UTC)
    apply_transition(
        session,
        reaching,
        case,
        "request_completion",
        actor("petugas"),
        now=now,
        reason="Lengkapi {pin}",
    )
    session.commit()
    mail = messages(case, occasion="returned", way="email")[0]
    assert f"1. {first.kind.label_id}: belum ada\n" in mail.body
    assert f"2. {second.kind.label_id}: tidak terbaca (buram)" in mail.body
    assert "Keterangan petugas: Lengkapi {pin}" in mail.body
    assert case.check_pin not in mail.body


def test_differences_are_told_in_words_whatever_the_officers_language(
    tell_case: Any, messages: Any, session: Any, reaching: Any, actor: Any
) -> None:
    from app.services.casework import SiakResult, record_siak
    from app.sop.text import language

    case = tell_case("siak_check", email=MAIL, phone="")
    operator, now = actor("operator"), datetime.now(UTC)
    language.set("en")
    record_siak(
        session,
        reaching,
        case,
        SiakResult("mismatch", differences=("nama_ibu", "Tempat nikah")),
        operator,
        now=now,
    )
    apply_transition(session, reaching, case, "siak_mismatch", operator, now=now, reason="Beda ibu")
    session.commit()
    mail = messages(case, occasion="returned")[0]
    assert "1. Nama ibu: berbeda dengan data kependudukan" in mail.body
    assert "2. Tempat nikah: berbeda" in mail.body
    assert "Beda ibu" in mail.body


def test_a_finished_case_tells_the_tracking_number(
    tell_case: Any, messages: Any, session: Any
) -> None:
    case = tell_case("done", email=MAIL, phone=PHONE)
    parcel = session.scalars(select(Dispatch).where(Dispatch.complaint_id == case.id)).one()
    told = messages(case, occasion="finished")
    assert {message.way for message in told} == {"email", "whatsapp"}
    assert all(parcel.tracking_number in message.body for message in told)
    assert all(parcel.courier.name in message.body for message in told)


def test_an_answer_is_told(tell_case: Any, messages: Any) -> None:
    case = tell_case("resolved", email=MAIL, phone="")
    assert case.answer
    assert case.answer in messages(case, occasion="answered")[0].body


def test_a_refused_move_tells_nothing(
    tell_case: Any, messages: Any, session: Any, reaching: Any, actor: Any
) -> None:
    case = tell_case("intake", email=MAIL, phone=PHONE)
    before = len(messages(case))
    with pytest.raises(SopError):
        apply_transition(
            session, reaching, case, "request_completion", actor("petugas"), now=datetime.now(UTC)
        )
    session.rollback()
    assert len(messages(case)) == before


@pytest.mark.both
def test_nothing_is_said_twice_in_a_round(
    tell_case: Any, messages: Any, session: Any, actor: Any
) -> None:
    case = tell_case("intake", email=MAIL, phone=PHONE)
    officer, now = actor("petugas"), datetime.now(UTC)
    assert queue_messages(session, case, "receipt", officer, now, reach=REACH) == []
    assert len(messages(case)) == 2
    # A second parcel of the same round is something else to tell.
    made = queue_messages(session, case, "finished", officer, now, reach=REACH)
    again = queue_messages(session, case, "finished", officer, now, reach=REACH, again=2)
    assert len(made) == len(again) == 2
    # Two transactions at once are stopped by the database itself.
    session.add(
        Message(
            public_id=message_key(case, "receipt", "email"),
            complaint_id=case.id,
            occasion="receipt",
            way="email",
            recipient=MAIL,
            body="x",
            state="queued",
            created_at=now,
        )
    )
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


def test_a_text_that_is_switched_off_is_not_sent(
    tell_case: Any, messages: Any, session: Any
) -> None:
    for text in session.scalars(select(MessageText).where(MessageText.way == "email")):
        text.active = False
    session.commit()
    found = messages(tell_case("intake", email=MAIL, phone=PHONE))
    assert [message.way for message in found] == ["whatsapp"]


def test_an_address_makes_no_header(tell_case: Any, messages: Any, session: Any) -> None:
    text = session.scalars(
        select(MessageText).where(MessageText.occasion == "receipt", MessageText.way == "email")
    ).one()
    text.subject = "Untuk {nama}"
    session.commit()
    name = "Sri\r\nBcc: x@example.org"
    mail = messages(tell_case("intake", email=MAIL, phone="", applicant_name=name))[0]
    assert mail.subject == "Untuk Sri Bcc: x@example.org"


def test_a_message_costs_few_statements(
    tell_case: Any, session: Any, actor: Any, sql_count: Any
) -> None:
    case = tell_case("dispatch", email=MAIL, phone=PHONE)
    session.refresh(case)
    officer = actor("petugas")
    with sql_count() as statements:
        queue_messages(session, case, "finished", officer, datetime.now(UTC), reach=REACH)
    assert len(statements) <= 8, statements
    assert session.scalar(select(func.count()).select_from(Message)) == 4
