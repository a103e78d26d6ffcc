"""Every role against every route and every transition: the table says who is answered.

A route that the table does not name fails the first test: decide there who it is for.
"""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.models import Account, Complaint, User
from tests.integration.access_matrix import LETTERS, Line, routes
from tests.support.looking import besides_the_log, changes, dump, page_faults
from tests.support.panel import OFFICERS, cookie_values, engine_of, post
from tests.support.world import APPLICANT, World

everybody = pytest.mark.parametrize(
    "letter", LETTERS, ids=lambda letter: LETTERS[letter] or "nobody"
)
#: Roles that see no personal data on any page.
WITHOUT_PERSONAL_DATA = "BA-"
ACTORS = {
    "petugas": {"verify_file", "request_completion", "send", "resubmit", "withdraw"},
    "operator": {"siak_match", "siak_mismatch", "resolve_without_document", "confirm_printed"},
    "subkoordinator": {
        "submit_certification",
        "submit_ktp_print",
        "send_back_to_check",
        "reopen",
    },
    "kepala": {"sign", "refuse_signature"},
}


def client_of(app: Flask, key: str) -> FlaskClient:
    """A client signed in as an officer; of nobody without a key."""
    client = app.test_client()
    if key:
        with Session(engine_of(app)) as session:
            user = session.query(User).filter_by(username=key).one()
            values = cookie_values(app, user, session.get(Account, user.id))
        with client.session_transaction() as kept:
            kept.update(values)
    return client


def test_every_route_has_its_expectation(app: Flask) -> None:
    there = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    table = set(routes())
    assert there - table == set(), "routes that nobody has decided on"
    assert table - there == set(), "lines about routes that are gone"


def refused(letter: str, answer: TestResponse) -> bool:
    if letter == "-":
        location = answer.location or ""
        return answer.status_code in (302, 303) and location.startswith("/login/")
    return answer.status_code == 403


def ask(client: FlaskClient, line_url: str, method: str) -> TestResponse:
    return client.get(line_url) if method == "GET" else post(client, line_url)


@everybody
def test_who_is_refused_changes_nothing(world_app: Flask, world: World, letter: str) -> None:
    client, engine = client_of(world_app, LETTERS[letter]), engine_of(world_app)
    wrong = []
    before = dump(engine)
    for (method, _rule), answered in routes().items():
        if letter in answered:
            continue
        url = next(iter(answered.values())).url(world.places)
        answer = ask(client, url, method)
        if not refused(letter, answer):
            wrong.append(f"{method} {url}: {answer.status} {answer.location or ''}")
        if method != "GET" and (different := besides_the_log(before, dump(engine))):
            wrong.append(f"{method} {url} changed {different}")
            before = dump(engine)
    assert wrong == []


@everybody
def test_who_is_named_is_answered(world_app: Flask, world: World, letter: str) -> None:
    client, engine = client_of(world_app, LETTERS[letter]), engine_of(world_app)
    wrong = []
    mine = [answered[letter] for answered in routes().values() if letter in answered]
    # Pages first, then forms; what takes something away comes last.
    mine.sort(key=lambda line: (line.method, "/logout/" in line.rule, "/delete/" in line.rule))
    before = dump(engine)
    for line in mine:
        url = line.url(world.places)
        answer = ask(client, url, line.method)
        if answer.status_code != line.status:
            wrong.append(f"{line.method} {url}: {answer.status} {answer.location or ''}")
        if answer.status_code == 200 and answer.mimetype == "text/html":
            wrong += [f"{line.method} {url}: {fault}" for fault in page_faults(answer.text)]
        if letter in WITHOUT_PERSONAL_DATA:
            shown = [value for value in APPLICANT.values() if value.encode() in answer.data]
            wrong += [f"{line.method} {url} shows {value}" for value in shown]
        if line.method == "GET":
            # All that a GET ever writes is that somebody looked (ASVS part B 26).
            after = dump(engine)
            different = besides_the_log(before, after)
            if different:
                wrong.append(f"GET {url} changed {different}")
            before = after
    assert wrong == []


@pytest.mark.parametrize("key", ["petugas", "operator", "kepala", "admin"])
def test_no_form_is_taken_without_its_token(world_app: Flask, world: World, key: str) -> None:
    client, engine = client_of(world_app, key), engine_of(world_app)
    before = dump(engine)
    wrong = []
    for (method, _rule), answered in routes().items():
        if method == "POST":
            url = next(iter(answered.values())).url(world.places)
            answer = client.post(url)
            if answer.status_code != 400:
                wrong.append(f"{url}: {answer.status}")
    assert wrong == []
    assert changes(before, dump(engine)) == []


@pytest.mark.parametrize("key", ["petugas", "admin"])
def test_nothing_happens_on_a_get(world_app: Flask, world: World, key: str) -> None:
    client, engine = client_of(world_app, key), engine_of(world_app)
    before = dump(engine)
    wrong = []
    for (method, rule), answered in routes().items():
        if method == "POST" and ("GET", rule) not in routes():
            url = next(iter(answered.values())).url(world.places)
            answer = client.get(url)
            # /uploads/<token>/delete and the like: no such address to look at.
            if answer.status_code not in (404, 405):
                wrong.append(f"GET {url}: {answer.status}")
    assert wrong == []
    assert changes(before, dump(engine)) == []


# --- transitions ---------------------------------------------------------------------------------


def moves_of(app: Flask) -> list[tuple[str, str, bool]]:
    return [(m.source, m.key, m.batch) for m in app.extensions["sop"].transitions]


def step_of(app: Flask, pk: str) -> str:
    with Session(engine_of(app)) as session:
        return session.get_one(Complaint, int(pk)).step_key


def test_the_actors_are_those_of_the_sop(app: Flask) -> None:
    assert set().union(*ACTORS.values()) == set(app.extensions["sop"].permissions)


@pytest.mark.parametrize("key", OFFICERS)
def test_an_officer_makes_his_transitions_and_no_other(
    world_app: Flask, world: World, key: str
) -> None:
    """Through the button of the page, the action on the list, and the work form."""
    client, engine = client_of(world_app, key), engine_of(world_app)
    his = ACTORS.get(key.rstrip("2"), set())
    wrong = []
    before = dump(engine)
    for source, move, batch in moves_of(world_app):
        pk = world.places[f"{source} {move}"]
        answers = {}
        if move in his:
            continue
        answers["button"] = post(client, f"/complaints/action/{move}/{pk}").status_code
        listed = {"action": move, "rowid": pk}
        answers["list"] = post(client, "/complaints/action_post", listed).status_code
        answers["batch"] = post(client, "/complaints/batch", listed).status_code
        form = {"transition": move, "step": source, "reason": "Karena", "shown": "1"}
        answers["form"] = post(client, f"/complaints/work/{pk}", form).status_code
        expected = {"button": 403, "list": 403 if batch else 404, "batch": 403, "form": 403}
        if answers != expected:
            wrong.append(f"{move}: {answers}")
    assert besides_the_log(before, dump(engine)) == []
    for source, move, batch in moves_of(world_app):
        if move not in his:
            continue
        pk = world.places[f"{source} {move}"]
        if batch:
            listed = post(client, "/complaints/action_post", {"action": move, "rowid": pk})
            if (listed.status_code, page_faults(listed.text)) != (200, []):
                wrong.append(f"{move} on the list: {listed.status} {page_faults(listed.text)}")
        button = post(client, f"/complaints/action/{move}/{pk}")
        moved = step_of(world_app, pk) != source
        opened = f"/complaints/work/{pk}" in (button.location or "")
        if button.status_code != 303 or not (moved or opened):
            wrong.append(f"{move}: {button.status} {button.location}")
        if opened and (page := client.get(button.location)).status_code != 200:
            wrong.append(f"{move}: its work form answers {page.status}")
    assert wrong == []


@pytest.mark.parametrize("key", ["petugas", "operator", "subkoordinator", "kepala"])
def test_a_case_offers_its_officer_the_transitions_of_its_step(
    world_app: Flask, world: World, key: str
) -> None:
    """On its page what needs no form, in its work form every one; nothing to anybody else."""
    client = client_of(world_app, key)
    moves = moves_of(world_app)
    every = {move for _, move, _ in moves}
    for source, key_of_move, _ in moves:
        # Nothing is missing for this one; others of the step may not fit the case's category.
        his = {move for step, move, _ in moves if step == source} & ACTORS[key]
        pk = world.places[f"{source} {key_of_move}"]
        page = client.get(f"/complaints/show/{pk}").text
        assert {move for move in every if f"/complaints/action/{move}/" in page} <= his, source
        assert (f"/complaints/start/{pk}" in page or f"/complaints/work/{pk}" in page) == bool(his)
        form = client.get(f"/complaints/work/{pk}")
        assert form.status_code == (200 if his else 403), source
        buttons = set(re.findall(r'name="transition"[^>]*? value="(\w+)"', form.text))
        assert {key_of_move} & his <= buttons <= his, source


def test_a_line_without_a_place_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="nothing to put into"):
        Line("GET", "/nowhere/<key>", "A", 200).url({"public_id": "x"})
