"""Both languages are complete, and what is written in them comes out of the application."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder.forms import DynamicForm
from flask_babel import force_locale, gettext, ngettext
from werkzeug.datastructures import MultiDict
from wtforms import IntegerField, RadioField, StringField
from wtforms.validators import Email, InputRequired, Length

from app import formats
from tools import i18n

AFTERNOON = datetime(2026, 11, 23, 7, 5, tzinfo=UTC)  # 14.05 in Batang


@pytest.fixture(scope="module")
def template() -> Any:
    return i18n.extract()


# --- the catalogues ------------------------------------------------------------------------------


def test_both_catalogues_are_complete(template: Any) -> None:
    """Nothing untranslated, fuzzy, forgotten or out of date; placeholders and tags the same."""
    assert not list(i18n.gaps(template))


def test_the_libraries_strings_are_in_the_catalogue(template: Any) -> None:
    for text in (
        "No records found",
        "Add Filter",
        "Not a valid choice.",
        "This field is required.",
    ):
        assert template.get(text) is not None, text


@pytest.mark.parametrize(("language", "forms"), [("id", 1), ("en", 2)])
def test_a_language_has_its_own_number_of_plurals(language: str, forms: int) -> None:
    with i18n.catalogue(language).open("rb") as handle:
        messages = read_po(handle, locale=language)
    assert messages.num_plurals == forms
    for message in messages:
        if message.pluralizable and message.id:
            assert len(message.string) == forms, message.id


def test_indonesian_says_something_else_than_english() -> None:
    """What reads the same in both is a name, a number or a word of both languages."""
    with i18n.catalogue("id").open("rb") as handle:
        messages = read_po(handle, locale="id")
    same = {message.id for message in messages if message.id and message.id == message.string}
    allowed = {
        "Data",
        "Desa",
        "Kecamatan",
        "Kelurahan",
        "Median",
        "Volume",
        "kecamatan",
        "Menu",
        "NIK",
        "No.",
        "Output",
        "Status",
    }
    allowed |= {
        "Checksum (sha256)",
        "Model (BPMN)",
        "register",
        "NIP",
        "WhatsApp",
        "%(day)s: %(news)s",
    }
    assert same <= allowed


def test_the_term_list_at_the_head_is_kept(template: Any) -> None:
    with i18n.catalogue("id").open("rb") as handle:
        old = read_po(handle, locale="id")
    assert "one word for one thing" in i18n._merged(template, old, "id").header_comment.lower()


# --- through the application ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("english", "indonesian"),
    [
        ("No records found", "Tidak ada data"),
        ("Add Filter", "Tambah Saringan"),
        ("Are you sure you want to delete this item?", "Yakin akan menghapus data ini?"),
        ("Access is Denied", "Akses ditolak"),
        ("Select Value", "Pilih"),
        ("Added Row", "Data ditambahkan"),
    ],
)
def test_flask_appbuilder_speaks_indonesian(app: Flask, english: str, indonesian: str) -> None:
    with app.test_request_context("/"):
        assert gettext(english) == indonesian
        with force_locale("en"):
            assert gettext(english) == english


def test_plurals_follow_the_language(app: Flask) -> None:
    def words(count: int) -> str:
        return ngettext("%(num)d case", "%(num)d cases", count)

    with app.test_request_context("/"):
        assert [words(1), words(3)] == ["1 pengaduan", "3 pengaduan"]
        with force_locale("en"):
            assert [words(1), words(3)] == ["1 case", "3 cases"]


class _Form(DynamicForm):
    name = StringField(validators=[InputRequired()])
    email = StringField(validators=[Email()])
    code = StringField(validators=[Length(max=3)])
    count = IntegerField()
    sort = RadioField(choices=["a"])


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("id", ["Wajib diisi.", "Alamat surel tidak benar.", "Paling banyak 3 karakter.",
                "Bilangan bulat tidak benar.", "Pilihan tidak berlaku."]),
        ("en", ["This field is required.", "Invalid email address.",
                "Field cannot be longer than 3 characters.", "Not a valid integer value.",
                "Not a valid choice."]),
    ],
)  # fmt: skip
def test_wtforms_refusals_come_from_the_catalogue(
    app: Flask, locale: str, words: list[str]
) -> None:
    posted = MultiDict({"name": "", "email": "x", "code": "1234", "count": "two", "sort": "z"})
    with app.test_request_context("/"), force_locale(locale):
        form = _Form(posted, meta={"csrf": False})
        assert not form.validate()
        assert [str(field.errors[0]) for field in form] == words


@pytest.mark.parametrize(
    ("locale", "shown"),
    [
        (
            "id",
            [
                "23 Nov 2026 14.05",
                "14.05",
                "23 November 2026",
                "12.345,5",
                "2,4 MB",
                "3 jam 5 menit",
            ],
        ),
        (
            "en",
            ["23 Nov 2026, 14:05", "14:05", "23 November 2026", "12,345.5", "2.4 MB", "3 h 5 min"],
        ),
    ],
)
def test_dates_and_numbers_are_written_as_people_write_them(
    app: Flask, locale: str, shown: list[str]
) -> None:
    with app.test_request_context("/"), force_locale(locale):
        assert [
            formats.local_datetime(AFTERNOON),
            formats.local_time(AFTERNOON),
            formats.local_date(AFTERNOON),
            formats.decimal(12345.5),
            formats.file_size(2_400_000),
            formats.duration(3 * 3600 + 5 * 60),
        ] == shown


def test_a_day_is_the_offices_day(app: Flask) -> None:
    """17:30 UTC is already tomorrow in Batang."""
    with app.test_request_context("/"):
        assert formats.short_date(datetime(2026, 4, 30, 17, 30, tzinfo=UTC)) == "1 Mei 2026"
        assert formats.days_left(date(2026, 5, 3), date(2026, 5, 1)) == "2 hari lagi"


# --- choosing a language -------------------------------------------------------------------------


def test_a_first_visit_is_indonesian_whatever_the_browser_prefers(client: FlaskClient) -> None:
    page = client.get("/login/", headers={"Accept-Language": "en-GB,en;q=0.9"}).text
    assert '<html lang="id"' in page
    assert "Kata sandi" in page


def test_the_switch_changes_the_language_of_the_session(
    client: FlaskClient, post: Callable[..., Any]
) -> None:
    answer = post(client, "/lang/en", headers={"Referer": "http://localhost/login/"})
    assert (answer.status_code, answer.location) == (303, "/login/")
    page = client.get("/login/").text
    assert '<html lang="en"' in page
    assert "Password" in page
    post(client, "/lang/id")
    assert '<html lang="id"' in client.get("/login/").text


@pytest.mark.parametrize("locale", ["xx", "../id", "EN", "id_ID", "%00"])
def test_a_language_that_we_do_not_have_is_not_found(
    client: FlaskClient, post: Callable[..., Any], locale: str
) -> None:
    assert post(client, f"/lang/{locale}").status_code == 404
    assert '<html lang="id"' in client.get("/login/").text


def test_the_switch_is_no_link(client: FlaskClient) -> None:
    """A GET changes nothing."""
    assert client.get("/lang/en").status_code == 405
    assert '<html lang="id"' in client.get("/login/").text


@pytest.mark.parametrize("kept", ["xx", "", "id-ID", "../../etc", 7, None])
def test_an_unknown_language_in_a_cookie_is_forgotten(client: FlaskClient, kept: Any) -> None:
    with client.session_transaction() as cookie:
        cookie["locale"] = kept
    answer = client.get("/login/")
    assert answer.status_code == 200
    assert '<html lang="id"' in answer.text
    with client.session_transaction() as cookie:
        assert cookie["locale"] == "id"
