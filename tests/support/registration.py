"""The form that registers a complaint: what it refuses, and reading its page."""

from __future__ import annotations

import io
import re
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Complaint
from tests.support import panel

WIB = ZoneInfo("Asia/Jakarta")
NIK = "3325014502909901"
KK = "3325010101100007"
ADD = "/complaints/add"


def count(session: Session, model: type[Any] = Complaint) -> int:
    """How many rows of a table there are now."""
    session.rollback()
    return session.scalar(select(func.count()).select_from(model)) or 0


def beside(page: str, field: str) -> str:
    """The messages that stand beside a field."""
    block = re.search(rf'<ul class="field-errors" id="{field}-errors">(.*?)</ul>', page, re.DOTALL)
    if block is None:
        return ""
    return unescape(re.sub(r"<[^>]+>", " ", block[1]))


def value_of(page: str, name: str) -> str | None:
    """What a text field of the page holds."""
    found = re.search(rf'<input[^>]* name="{re.escape(name)}"[^>]* value="([^"]*)"', page)
    if found is None:
        found = re.search(
            rf'<textarea[^>]* name="{re.escape(name)}"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL
        )
    return unescape(found[1]) if found else None


def form_key(page: str) -> str | None:
    """The key that makes a form that is sent twice one case."""
    return value_of(page, "form_key")


def the_case(session: Session) -> Complaint:
    """The only case there is."""
    session.rollback()
    return session.scalars(select(Complaint)).one()


def staged(client: FlaskClient, name: str, data: bytes) -> str:
    """Upload a file as the page's script does; its token."""
    answer = client.post(
        "/uploads/", data={"file": (io.BytesIO(data), name), "csrf_token": panel.csrf(client)}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["token"])


def edit_url(case: Complaint) -> str:
    """Where a case is corrected."""
    return f"/complaints/edit/{case.id}"


LONG = "a" * 10_000
#: What the form refuses, in a registration and in a correction: changes, and the field named.
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
