"""ASVS 1.2.2, 1.2.3, 1.3.7: what somebody typed is text on every page of every role, and no more.

The whole office is poisoned, past all forms; every page is read as a browser reads it, with the
poison in its address too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape

from tests.integration.access_matrix import LETTERS, routes
from tests.integration.test_access_matrix import client_of
from tests.support.forms import largest_form
from tests.support.panel import engine_of, post
from tests.support.poison import POISON, SCHEMES, Page, does_something, poison, poisoned_columns
from tests.support.world import World

#: What any page may read from its address.
PARAMETERS = (
    "q", "_flt_0_number", "_flt_0_step", "_oc_ComplaintView", "page_ComplaintView", "period",
    "from", "to", "step", "channel", "category", "kecamatan", "of", "item", "over", "next", "back",
    "kind", "who", "subject", "after", "table", "format", "stage", "courier", "day",
)  # fmt: skip


@pytest.fixture(scope="module")
def poisoned(
    world: World, shared_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Flask]:
    """`poisoned(scheme)`: the office with its texts all of that scheme; made once."""
    from tests.conftest import new_app
    from tests.support.panel import settings_for

    made: dict[str, Flask] = {}

    def make(scheme: str) -> Flask:
        if scheme not in made:
            copied = world.copied(tmp_path_factory.mktemp(f"poison-{scheme}"))
            url = copied.pop("url")
            made[scheme] = new_app(shared_folder, settings_for(shared_folder, url, **copied))
            poison(engine_of(made[scheme]), scheme)
        return made[scheme]

    return make


def pages_of(letter: str, world: World) -> list[str]:
    return [
        answered[letter].url(world.places)
        for (method, rule), answered in routes().items()
        if method == "GET" and letter in answered and answered[letter].status == 200
        if "/file/" not in rule and "/preview/" not in rule and not rule.startswith("/papers/")
    ]


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: LETTERS[letter] or "nobody")
def test_asvs_1_2_2_1_2_3_1_3_7_no_page_does_what_somebody_typed(
    poisoned: Callable[[str], Flask], world: World, letter: str
) -> None:
    app = poisoned("javascript")
    client = client_of(app, LETTERS[letter])
    query = urlencode(dict.fromkeys(PARAMETERS, POISON.format(scheme="javascript")))
    wrong, poisonous, data = [], 0, 0
    for url in pages_of(letter, world):
        for address in (url, f"{url}{'&' if '?' in url else '?'}{query}"):
            answer = client.get(address)
            if answer.status_code >= 500:
                wrong.append(f"{address[:60]}: {answer.status}")
            if answer.mimetype != "text/html":
                continue
            page = Page(answer.text)
            wrong += [f"{address[:60]}: {fault}" for fault in page.faults]
            poisonous += "alert(1)" in answer.text
            data += sum("alert(1)" in text for text in page.data)
    assert wrong == []
    # The poison was there to be seen.
    assert poisonous >= (0 if letter == "-" else 5)
    if letter in "SKB":
        assert data >= 1, "no chart was drawn of it"


def test_asvs_1_2_2_nor_with_another_scheme(poisoned: Callable[[str], Flask], world: World) -> None:
    app = poisoned("data")
    wrong = []
    for letter in "PA":
        client = client_of(app, LETTERS[letter])
        for url in pages_of(letter, world):
            answer = client.get(url)
            if answer.mimetype == "text/html":
                wrong += [f"{url}: {fault}" for fault in Page(answer.text).faults]
    assert wrong == []


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)",
        "java\tscript:alert(1)", "javascript://a.id/%0aalert(1)", "x y:z",
        "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd",
        "//a.id/x", "https:javascript:alert(1)", "https://", "http://a@b.id/", "x",
    ],
)  # fmt: skip
def test_asvs_1_2_2_an_address_that_does_something_is_not_taken(
    poisoned: Callable[[str], Flask], world: World, address: str
) -> None:
    """The one field that becomes a link, in both of its forms; what was typed stays there."""
    client: FlaskClient = client_of(poisoned("javascript"), "admin")
    for url in ("/reference/couriers/add", "/reference/couriers/edit/1"):
        form = largest_form(client.get(url).text)
        answer = post(client, url, {**form, "name": "Kurir", "tracking_page": address})
        assert answer.status_code == 422, address
        assert 'aria-invalid="true"' in answer.text
        assert escape(" ".join(address.split())) in " ".join(answer.text.split())
        assert Page(answer.text).faults == []


def test_the_poison_is_everywhere_and_the_reader_would_see_it() -> None:
    """The tests above would fail on a page that believes it."""
    named = {f"{column.table.name}.{column.name}" for column in poisoned_columns()}
    assert {
        "complaint.applicant_name", "complaint.text", "complaint.address", "complaint.nik",
        "courier.tracking_page", "category.label_id", "sop_step.label_id", "office.website",
        "message.body", "message_text.subject", "document.original_name", "ab_user.first_name",
        "dispatch.tracking_number", "case_event.reason", "region.name", "holiday.name",
    } <= named  # fmt: skip
    for scheme in SCHEMES:
        text = POISON.format(scheme=scheme)
        for page in (
            f'<a href="{text}">',
            f"<a href=' {text}'>",
            f"<p>{text}</p>",
            f'<script type="application/json">{json.dumps([text])}</script>',
            f"<p data-x='{json.dumps([text])}'>",
            "<p>p1337p</p>",
        ):
            assert Page(page).faults, page
    assert does_something("java\nscript:x")
    assert not does_something("https://javascript:1/")
