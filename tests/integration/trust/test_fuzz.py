"""Every form and every address with anything in it: never a failure, never a word of the inside.

ASVS 2.2.1, 2.2.2, 16.5.1, 16.5.3, b34, b37, b39. The forms are those that each role's pages really
hold. `FUZZ_EXAMPLES=2000 pytest tests/integration/trust/test_fuzz.py` looks longer and by chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.services.audit import broken_rows
from app.services.verifying import verify
from tests.conftest import new_app
from tests.integration.access_matrix import LETTERS, routes
from tests.support.busy_office import BusyOffice, Request, at_work
from tests.support.fuzzing import TYPED_SQL, faults, kept, parts, profile, queries, sendings
from tests.support.looking import statements_with
from tests.support.panel import engine_of
from tests.support.webforms import TYPED, WebForm, forms_of
from tests.support.world import World

everybody = pytest.mark.parametrize(
    "letter", LETTERS, ids=lambda letter: LETTERS[letter] or "nobody"
)


@pytest.fixture(scope="module")
def office(
    world: World, shared_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BusyOffice]:
    with at_work(new_app, world, shared_folder, tmp_path_factory.mktemp("fuzzed")) as made:
        with statements_with(engine_of(made.app), TYPED_SQL) as told:
            yield made
        # ASVS 1.2.4: what was typed is a parameter and never a part of a statement.
        assert told == []


@pytest.fixture(scope="module")
def found(office: BusyOffice) -> dict[str, list[WebForm]]:
    """The forms of each role, by its letter."""
    office.reset()
    return {letter: office.forms(letter) for letter in LETTERS}


@everybody
def test_asvs_16_5_3_any_content_of_any_form(
    office: BusyOffice, found: dict[str, list[WebForm]], letter: str
) -> None:
    """Taken or refused in words, what was typed kept, and nothing half done."""
    forms, who, wrong = found[letter], LETTERS[letter], list[str]()
    assert forms

    @profile(70)
    @given(data=st.data())
    def send(data: st.DataObject) -> None:
        office.reset()
        form = data.draw(st.sampled_from(forms))
        fields, files = data.draw(sendings(form))
        answer = office.send(Request(who, form.action, tuple(fields), tuple(files)))
        sent = " ".join(value for _name, value in fields)
        problems = faults(answer.status_code, text_of(answer), sent)
        if answer.status_code in (409, 422) and answer.mimetype == "text/html":
            problems += kept(form, fields, forms_of(form.page, answer.text))
        if answer.status_code in (200, 201, 303):
            problems += whole(office)
        if problems:
            wrong.append(
                f"{form.action}: {answer.status}: {problems} {fields!r:.900} {files!r:.200}"
            )

    send()
    assert not wrong, "\n".join(wrong)


def whole(office: BusyOffice) -> list[str]:
    """What `flask verify` and `flask audit verify` would say."""
    with Session(engine_of(office.app)) as session:
        store = office.app.extensions["store"]
        return [*map(str, verify(session, store)), *map(str, broken_rows(session))]


def text_of(answer: TestResponse) -> str:
    told = answer.mimetype.startswith("text/") or answer.mimetype == "application/json"
    return answer.text if told else ""


@everybody
def test_asvs_16_5_3_any_query_of_any_page(office: BusyOffice, letter: str) -> None:
    """Junk in every parameter that a page knows: a page, a refusal, or led elsewhere."""
    office.reset()
    client = office.client(LETTERS[letter])
    pages = [
        answered[letter].url(office.places)
        for (method, _rule), answered in routes().items()
        if method == "GET" and letter in answered
    ]
    known = {page: names_of(client.get(page)) for page in pages}
    wrong: list[str] = []

    @profile(80)
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        page = data.draw(st.sampled_from(pages))
        endpoint = endpoint_of(office, page)
        query = data.draw(queries(known[page] or ["q"], endpoint))
        answer = client.get(f"{page}{'&' if '?' in page else '?'}{query}")
        problems = faults(answer.status_code, text_of(answer), query)
        if problems:
            wrong.append(f"{page}?{query[:300]}: {answer.status}: {problems}")

    ask()
    assert not wrong, "\n".join(wrong)


def names_of(answer: TestResponse) -> list[str]:
    """The parameters of a page's own forms and links."""
    if answer.mimetype != "text/html":
        return []
    forms = [one.name for form in forms_of("/", answer.text) for one in form.fields]
    links = re.findall(r"[?&](?:amp;)?([\w.]+)=", answer.text)
    return sorted({*forms, *links} - {"csrf_token"})


def endpoint_of(office: BusyOffice, page: str) -> str:
    """The name of the view, in which its parameters end."""
    adapter = office.app.url_map.bind("localhost")
    endpoint, _values = adapter.match(page.partition("?")[0])
    return str(endpoint).partition(".")[0]


@everybody
def test_asvs_16_5_3_any_key_in_any_address(office: BusyOffice, letter: str) -> None:
    """Whatever stands where a key belongs, by GET and by POST: there is nothing there."""
    office.reset()
    client = office.client(LETTERS[letter])
    rules = [(method, rule) for method, rule in routes() if "<" in rule]
    wrong: list[str] = []

    @profile(80)
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        method, rule = data.draw(st.sampled_from(rules))
        url = re.sub(r"<[^>]+>", lambda _part: data.draw(parts()), rule)
        if method == "GET":
            answer = client.get(url)
        else:
            answer = office.send(Request(LETTERS[letter], url, ()), client)
        problems = faults(answer.status_code, text_of(answer), url)
        if problems:
            wrong.append(f"{method} {url[:300]}: {answer.status}: {problems}")

    ask()
    assert not wrong, "\n".join(wrong)
    assert whole(office) == []


def test_the_forms_are_all_there(found: dict[str, list[WebForm]]) -> None:
    """What is drawn from: every route that a page has a form for, and fields of every kind."""
    forms = [form for of_role in found.values() for form in of_role]
    assert len(forms) > 150
    kinds = {one.kind for form in forms for one in form.fields}
    assert {*TYPED} - kinds <= {"search", "url", "month"}
    assert {"file", "radio", "checkbox", "select", "hidden", "password"} <= kinds
