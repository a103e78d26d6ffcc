"""What the officers of a busy office send in a day, from the forms as they really are."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin

from app.models import Model
from tests.integration.access_matrix import LETTERS
from tests.support import registers, samples, signed
from tests.support.busy_office import BusyOffice, Request
from tests.support.panel import PASSWORD
from tests.support.webforms import WebForm

# --- sending forms that mean something -----------------------------------------------------------

#: What a person changes even where something stands.
_CHANGES: Final = frozenset(
    {"first_name", "name", "label_id", "subject", "low_level", "standard_minutes", "postal_code"}
)
#: What a person writes into fields that a page leaves empty, by the field's name.
_WRITES: Final[dict[str, str]] = {
    "code": "baru", "name": "Nama Baru", "label_id": "Baru", "label_en": "New", "day": "2027-03-03",
    "reason": "Alasan yang ditulis", "note": "Catatan", "position": "7", "first_name": "Sri",
    "last_name": "Wahyuni", "username": "sri.wahyuni", "email": "sri@example.org",
    "applicant_name": "Budi Contoh", "nik": "3325014502909901", "kk_number": "3325010101100007",
    "phone": "081200000017", "text": "Nama di KK salah tulis.", "address": "Jl. Contoh 1",
    "confirm_secret": PASSWORD, "current": PASSWORD, "password": "kucing makan ikan asin",
    "conf_password": "kucing makan ikan asin", "quantity": "5", "news": "Masih di gudang",
    "opens": "07:00", "closes": "11:00", "valid_from": "2030-01-01", "number": "PGD-2026-000001",
    "pin": "123456", "q": "PGD", "kind": "received", "weekday": "6", "ask_again": "1",
    "receipt": "x", "tracking_number": "P2611280001234", "nip": "197001012000011001",
    "postal_code": "51211", "low_level": "3", "standard_minutes": "9", "rank": "Pembina",
    "handle": "@budi", "reason_other": "Alasan", "result": "good",
}  # fmt: skip

#: What differs from that on some pages.
_OF_ROUTES: Final[dict[str, dict[str, str]]] = {
    "/complaints/edit/<pk>": {"region": "", "applicant_name": "Kartini Pemohon"},
    "/dispatches/edit/<pk>": {
        "status": "returned", "return_reason": "Alamat tidak ditemukan", "returned_on": "{today}",
    },
    "/reference/document_kinds/add": {"is_output": "y"},
    "/reference/document_kinds/edit/<pk>": {"blank_id": ""},
    "/reference/message-texts/edit/<pk>": {"body": "Nomor {{nomor}}"},
    "/reference/regions/add": {"code": "33.25.02.2999", "parent_code": "33.25.02", "kind": "desa"},
    "/reference/signatories/add": {"user_id": "{kepala}", "valid_from": "2015-01-01", "valid_to": "2015-12-31"},
    "/reference/working_hours/add": {"valid_to": "2030-12-31"},
    "/reference/working_hours/edit/<pk>": {"valid_from": "", "valid_to": "", "closes": "15:30"},
    "/users/add": {"roles": "{role}"},
    "/users/edit/<pk>": {"last_name": "Lain"},
    "/sign-in-rules/save": {"role": "{role}"},
    "/reports/": {"report": "recap.pdf"},
    "/sop/hidup/publish": {"confirmed": "1", "old_intake": "10", "std_intake": "12"},
}  # fmt: skip
#: Buttons that do nothing another would not do.
_ONE_OF: Final = frozenset({"report", "reason"})


def pressed(office: BusyOffice, form: WebForm, who: str) -> list[Request]:
    """The form with what it lacks written in, once for each of its buttons."""
    data = form.sent()
    for one in form.fields:
        name = re.sub(r"_?\d+$", "", one.name)
        at = next((i for i, (key, _value) in enumerate(data) if key == one.name), None)
        if one.kind in ("select", "select-multiple") and one.options and at is not None:
            # What a work form does not choose is an empty line of its list.
            if not data[at][1] and "/complaints/work/" not in form.action:
                data[at] = (one.name, next((v for v in one.options if v), ""))
        elif (one.kind == "radio" and at is None) or (
            one.kind == "checkbox" and name in ("rowid", "case", "output", "ids") and at is None
        ):
            data.append((one.name, one.value))
        elif at is not None and name in _WRITES and (not data[at][1] or name in _CHANGES):
            data[at] = (one.name, _WRITES[name])
    for name, value in _OF_ROUTES.get(office.rule_of(form.action), {}).items():
        data = [(key, old) for key, old in data if key != name]
        data.append((name, value.format(**office.places)))
    files = tuple((name, "foto.jpg", samples.jpeg()) for name in form.files[:1])
    if "/complaints/work/" in form.action or "/dispatches/edit/" in form.action:
        files = ()  # what they need is there
    if form.action.startswith("/signing/bring/"):
        files = tuple((name, "surat-tte.pdf", signed.signed_pdf()) for name in form.files)
    if form.action.startswith("/import"):
        files = (("file", "r.xlsx", registers.xlsx([registers.row(7)])),)
    found = []
    buttons, named = form.buttons or [("", "", "")], set[str]()
    for name, value, other in dict.fromkeys(buttons):
        if name in named & _ONE_OF:
            continue
        named.add(name)
        button = ((name, value),) if name else ()
        url = urljoin(form.page, other) if other else form.action
        found.append(Request(who, url, (*data, *button), files))
    return found


#: Who makes a transition, by the lane of its step.
_LANES: Final = {
    "petugas_pengaduan": "petugas",
    "operator": "operator",
    "sub_koordinator": "subkoordinator",
    "kepala_dinas": "kepala",
}


def scripted(office: BusyOffice) -> list[Request]:
    """What the scripts of our pages send, and every transition by each of its ways."""
    places = office.places
    found = [
        Request("petugas", "/uploads/", (), (("file", "kk.pdf", samples.pdf()),), script=True),
        Request("petugas", f"/uploads/{places['upload']}/delete", (), script=True),
        Request("petugas", "/complaints/identity", (("nik", "3325014502909901"),), script=True),
        Request(
            "petugas", "/complaints/tracking", (("courier", "1"), ("value", "P1")), script=True
        ),
        Request("petugas", "/desk/check", (("courier", "1"), ("number", "P1")), script=True),
        Request("petugas", "/search/find", (("q", "Kartini"),), script=True),
        Request("kepala", f"/signing/batch/{places['signing']}/next", (), script=True),
        Request("petugas", "/sessions/stay", (), script=True),
        Request("petugas", f"/complaints/resume/{places['intake verify_file']}", ()),
        Request("operator", "/queue/resume_step/printing", ()),
        Request("petugas", f"/messages/again/{places['cancelled']}", ()),
        Request("admin", f"/user-sign-ins/{places['user']}/remove-factor", ()),
        Request("admin", f"/user-sign-ins/{places['user']}/let-in", ()),
    ]
    for move in office.app.extensions["sop"].transitions:
        who, pk = _LANES[move.actor], places[f"{move.source} {move.key}"]
        found.append(Request(who, f"/complaints/action/{move.key}/{pk}", ()))
        if move.batch:
            chosen = (("action", move.key), ("rowid", pk))
            found.append(Request(who, "/complaints/action_post", chosen))
            found.append(Request(who, "/complaints/batch", chosen))
    return found


# --- what was sent -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """A request that did what it was sent for."""

    letter: str
    request: Request
    rule: str
    status: int
    changed: frozenset[str]


#: Tables in which being there leaves its trace: who was refused has been there as well.
TRACES: Final = frozenset({"audit_event", "sign_in_session", "sign_in_throttle", "known_device"})


def fingerprint(office: BusyOffice) -> dict[str, int]:
    """Every table as a sum of its rows, besides the traces of being there."""
    found = {}
    with closing(sqlite3.connect(office.file)) as connection:
        for table in Model.metadata.tables:
            if table not in TRACES:
                rows = connection.execute(f"SELECT * FROM {table}").fetchall()
                found[table] = hash(tuple(rows))
    return found


def changed(before: dict[str, int], after: dict[str, int]) -> frozenset[str]:
    """The tables that are not as they were."""
    return frozenset(name for name in before if before[name] != after[name])


def a_day(office: BusyOffice) -> list[Sent]:
    """Everything every role can send from its pages, as far as it was taken; the office is put back.

    Of several ways to say the same to one route the first that changed something is kept.
    """
    letters = {key: letter for letter, key in LETTERS.items()}
    found: dict[Any, Sent] = {}
    before = fingerprint(office)
    for letter, who in LETTERS.items():
        asked = [one for form in office.forms(letter) for one in pressed(office, form, who)]
        for request in (*asked, *(one for one in scripted(office) if one.who == who)):
            office.reset()
            answer = office.send(request)
            if answer.status_code not in (200, 201, 204, 303):
                continue
            after = changed(before, fingerprint(office))
            rule = office.rule_of(request.url)
            what = dict(request.data)
            kind = (letters[who], request.url, what.get("transition"), what.get("action"))
            known = found.get(kind)
            if known is None or (after and not known.changed):
                found[kind] = Sent(letter, request, rule, answer.status_code, after)
    office.reset()
    return list(found.values())
