"""Trap 23: nothing a browser, a script or a bored person sends makes the panel answer 5xx.

On PostgreSQL too, which refuses what SQLite takes: null bytes, long texts, numbers out of range.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import cycle, islice
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.integration.access_matrix import LETTERS, PLACES, Line, routes
from tests.integration.test_access_matrix import client_of
from tests.support.cases import CaseMaker
from tests.support.forms import largest_form
from tests.support.looking import statements_with
from tests.support.panel import engine_of, post
from tests.support.world import places_of

LISTS = {
    "/complaints/list/": ("petugas", "ComplaintView"),
    "/documents/list/": ("operator", "DocumentView"),
    "/dispatches/list/": ("petugas", "DispatchView"),
    "/users/list/": ("admin", "UserDBModelView"),
    "/roles/list/": ("admin", "RoleModelView"),
    "/reference/categories/list/": ("admin", "CategoryView"),
    "/reference/regions/list/": ("admin", "RegionView"),
    "/reference/holidays/list/": ("admin", "HolidayView"),
    "/reference/standard_minutes/list/": ("admin", "SopStepView"),
    "/charts/steps/": ("kabid", "StepChartView"),
    "/charts/cases/": ("kabid", "ChartCaseView"),
    "/queue/": ("kepala", "QueueView"),
}
LONG = "a" * 10_000
HOSTILE = [
    "abc", "-1", "0", "1e3", "1.5", "９", "٣", "NaN", "9" * 30, "2147483648", "", " ",
    "null", "\x00", "a\x00b", "😀", "'; DROP TABLE complaint; --", "%", "_", "\\", '"<script>',
    "../../etc/passwd", "2026-02-30", "0000-00-00", "99999-01-01", "é" * 300, LONG,
]  # fmt: skip
COLUMNS = [
    "number", "step", "category", "channel", "kecamatan", "username", "active", "roles", "stage",
    "kind", "courier", "status", "password", "nothing", "id", "complaint", "__class__",
]  # fmt: skip
calm = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
pytestmark = pytest.mark.both


@pytest.fixture
def places(make_case: CaseMaker, session: Session) -> dict[str, str]:
    case = make_case("intake")
    sent = make_case("done")
    usual = dict.fromkeys(PLACES.values(), str(case.id))
    places = {**usual, **places_of(session), "case": str(case.id), "sent": str(sent.id)}
    session.commit()
    return places


@pytest.fixture
def as_officer(app: Flask) -> Callable[[str], FlaskClient]:
    known: dict[str, FlaskClient] = {}
    return lambda key: known.setdefault(key, client_of(app, key))


def queries(view: str) -> Iterator[str]:
    """The parameters of a list, each with each hostile value."""
    names = [f"page_{view}", f"psize_{view}", f"_oc_{view}", f"_od_{view}", "q"]
    names += [f"_flt_{n}_{column}" for n in (0, 9) for column in COLUMNS]
    names += ["_flt_0_", "_flt_x_number", "_flt_-1_number", "from", "to", "period", "format"]
    if view == "ChartCaseView":
        names += [
            "of",
            "item",
            "over",
            "hour",
            "weekday",
            "age",
            "state",
            "round",
            "paper",
            "after",
        ]
    # Names and values meet by turns, from another place in each list: not the whole product.
    values = cycle(HOSTILE[len(view) % len(HOSTILE) :] + HOSTILE[: len(view) % len(HOSTILE)])
    for name in names:
        yield urlencode({name: next(values)})
    for value in HOSTILE:
        yield urlencode({"q": value, f"page_{view}": value, f"_oc_{view}": value})
    yield urlencode([("q", "x"), ("q", "y"), ("_flt_0_step", "a"), ("_flt_0_step", "b")])


@pytest.mark.parametrize("url", LISTS)
def test_trap_23_malformed_parameters_of_a_list(
    places: dict[str, str], as_officer: Callable[[str], FlaskClient], url: str, backend: str
) -> None:
    key, view = LISTS[url]
    client = as_officer(key)
    wrong = []
    # SQLite refuses little besides numbers out of range; PostgreSQL gets every line.
    for query in list(queries(view))[:: 1 if backend == "postgres" else 3]:
        answer = client.get(f"{url}?{query}")
        if answer.status_code not in (200, 302, 303):
            wrong.append(f"{url}?{query[:80]}: {answer.status}")
    assert wrong == []


@pytest.mark.parametrize("url", LISTS)
def test_asvs_1_2_4_nothing_typed_becomes_part_of_a_statement(
    app: Flask, places: dict[str, str], as_officer: Callable[[str], FlaskClient], url: str
) -> None:
    """Quotes, pairs that are always true, sleeps: parameters; and they find no more rows."""
    key, view = LISTS[url]
    client = as_officer(key)
    names = ["q", f"_oc_{view}", f"_od_{view}", f"page_{view}", f"psize_{view}", "period", "from"]
    names += [f"_flt_0_{column}" for column in ("number", "step", "name", "active", "status")]
    injected = ["zqxq' OR '1'='1", "zqxq') OR 1=1 --", "1;zqxq SELECT pg_sleep(9)", 'zqxq" DESC']
    nothing = rows_of(client.get(f"{url}?q=zqxqnothing").text)
    usual = rows_of(client.get(url).text)
    with statements_with(engine_of(app), "zqxq") as told:
        for name, value in [*(("q", one) for one in injected), *zip(names, cycle(injected))]:
            found = rows_of(client.get(f"{url}?{urlencode({name: value})}").text)
            assert found <= (nothing if name == "q" else usual), (name, value)
    assert told == []


def rows_of(page: str) -> set[str]:
    return set(re.findall(r"/show/([\w.-]+)", page))


def test_trap_23_malformed_keys(
    places: dict[str, str], as_officer: Callable[[str], FlaskClient]
) -> None:
    """Whatever stands where a key belongs: there is nothing there."""
    wrong = []
    keys = cycle(key for key in HOSTILE if key.strip() and "/" not in key and key != "\\")
    for (method, rule), answered in routes().items():
        part = next((p for p in ("<pk>", "<public_id>", "<key>", "<token>") if p in rule), None)
        if part is None:
            continue
        letter, line = next(iter(answered.items()))
        client = as_officer(LETTERS[letter])
        for key in islice(keys, 7):  # by turns: each kind of row meets most of them
            url = Line(method, rule.replace(part, quote(key)), "", 0, line.extra).url(places)
            answer = client.get(url) if method == "GET" else post(client, url)
            if answer.status_code not in (404, 403, 302, 303):
                wrong.append(f"{method} {url[:80]}: {answer.status}")
    assert wrong == []


FORMS = [
    ("petugas", "/complaints/add"),
    ("petugas", "/complaints/edit/{case}"),
    ("petugas", "/complaints/work/{case}"),
    ("petugas", "/dispatches/edit/{dispatch}"),
    ("petugas", "/documents/attach/{case}"),
    ("petugas", "/userinfoeditview/form"),
    ("petugas", "/resetmypassword/form"),
    ("admin", "/resetpassword/form?pk={user}"),
    ("admin", "/users/add"),
    ("admin", "/users/edit/{user}"),
    ("admin", "/roles/add"),
    ("admin", "/roles/edit/{role}"),
    ("admin", "/reference/categories/add"),
    ("admin", "/reference/categories/edit/1"),
    ("admin", "/reference/channels/add"),
    ("admin", "/reference/couriers/add"),
    ("admin", "/reference/couriers/edit/1"),
    ("admin", "/reference/document_kinds/add"),
    ("admin", "/reference/holidays/add"),
    ("admin", "/reference/office/edit/{office}"),
    ("admin", "/reference/regions/add"),
    ("admin", "/reference/standard_minutes/edit/intake"),
    ("admin", "/reference/working_hours/add"),
]
TYPED = ["", "a\x00b", "😀" * 80, "9" * 30, "-1", "2026-02-30", "'; --", "<b>", LONG]


@pytest.mark.parametrize(("key", "url"), FORMS, ids=[url for _, url in FORMS])
def test_trap_23_hostile_text_in_every_field(
    places: dict[str, str], as_officer: Callable[[str], FlaskClient], key: str, url: str
) -> None:
    """Each field in its turn and all at once: a message beside it, or it is saved; never 5xx."""
    client, url = as_officer(key), url.format(**places)
    form = largest_form(client.get(url).text)
    names = [name for name in form if name not in ("form_key", "shown")]
    wrong = []
    for number, name in enumerate(names):
        for value in TYPED[number % 3 :: 3]:
            answer = post(client, url, {**form, name: value, "then": "save"})
            if answer.status_code not in (200, 303, 400, 403, 404, 409, 422):
                wrong.append(f"{name}={value[:20]!r}: {answer.status}")
    for value in TYPED:
        answer = post(client, url, dict.fromkeys(names, value))
        if answer.status_code not in (200, 303, 400, 403, 404, 409, 413, 422):
            wrong.append(f"everything {value[:20]!r}: {answer.status}")
    if "case" in url:
        assert client.get(url).status_code == 200
    assert wrong == []


# --- anything at all -----------------------------------------------------------------------------

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
numbers = st.integers().map(str)
values = st.one_of(words, numbers, st.sampled_from(HOSTILE))


@calm
@given(data=st.data())
def test_trap_23_any_query_of_any_list(
    places: dict[str, str], as_officer: Callable[[str], FlaskClient], data: st.DataObject
) -> None:
    url = data.draw(st.sampled_from(sorted(LISTS)))
    key, view = LISTS[url]
    known = [f"page_{view}", f"psize_{view}", f"_oc_{view}", f"_od_{view}", "q", "from", "to"]
    known += [f"_flt_{n}_{column}" for n in range(3) for column in COLUMNS]
    names = st.one_of(st.sampled_from(known), words)
    query = data.draw(st.lists(st.tuples(names, values), max_size=5))
    answer = as_officer(key).get(f"{url}?{urlencode(query)}")
    assert answer.status_code in (200, 302, 303), answer.status


@calm
@given(data=st.data())
def test_trap_23_any_post_to_any_action(
    places: dict[str, str], as_officer: Callable[[str], FlaskClient], data: st.DataObject
) -> None:
    moves = ["verify_file", "request_completion", "send", "resubmit", "withdraw", "sign"]
    case = places["case"]
    url = data.draw(
        st.sampled_from(
            [
                *(f"/complaints/action/{move}/{case}" for move in moves),
                f"/complaints/work/{case}",
                f"/complaints/start/{case}",
                f"/complaints/pause/{case}",
                f"/complaints/resume/{case}",
                "/complaints/action_post",
                "/complaints/batch",
                "/complaints/tracking",
                "/queue/pause_step/intake",
                "/queue/resume_step/intake",
                f"/documents/attach/{case}",
                "/uploads/",
            ]
        )
    )
    known = ["version", "form_key", "reason", "note", "action", "rowid", "transition", "step"]
    known += ["shown", f"version_{case}", "take_over", "value", "courier", "stage", "from", "next"]
    names = st.one_of(st.sampled_from(known), words)
    form = data.draw(st.dictionaries(names, st.one_of(values, st.sampled_from(moves)), max_size=6))
    answer = post(as_officer("petugas"), url, form)
    assert answer.status_code < 500, answer.status


@calm
@given(path=words, method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]))
def test_trap_23_any_address(
    places: dict[str, str], as_officer: Callable[[str], FlaskClient], path: str, method: str
) -> None:
    client = as_officer("petugas")
    answer = client.open(f"/{quote(path)}", method=method)
    assert answer.status_code < 500, answer.status


@pytest.mark.parametrize(
    ("key", "url", "field"),
    [
        ("", "/login/", "code"),
        ("", "/login/", "username"),
        ("admin", "/users/add", "username"),
        ("admin", "/reference/couriers/add", "name"),
        ("petugas", "/confirm/", "confirm_secret"),
    ],
)
def test_trap_23_a_file_in_the_place_of_a_text_is_nothing(
    places: dict[str, str],
    as_officer: Callable[[str], FlaskClient],
    csrf: Callable[[FlaskClient], str],
    key: str,
    url: str,
    field: str,
) -> None:
    """Nor is what a script calls a form: a field reads the texts of a form and nothing else."""
    client = as_officer(key)
    form = {"username": "x", "password": "y", field: (BytesIO(b"x"), "x.txt")}
    answer = post(client, url, form)
    assert answer.status_code in (200, 401, 422), answer.status
    token = {"X-CSRFToken": csrf(client)}
    for body in ([1], {field: 1}, {field: {"a": 1}, "username": 1, "password": None}, None):
        assert client.post(url, json=body, headers=token).status_code in (200, 401, 422), body


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", "application/json"),
        ("{", "application/json"),
        ("[]", "application/json"),
        ('"x"', "application/json"),
        ("null", "application/json"),
        ('{"nik": {"a": 1}, "phone": ["x"], "id": {}}', "application/json"),
        ('{"nik": "\\u0000", "id": "9999999999999999999999"}', "application/json"),
        ("nik=1", "application/x-www-form-urlencoded"),
        ("x", "multipart/form-data; boundary=x"),
        ("x", "text/plain"),
        ("\xff\xfe", "application/json"),
    ],
)
def test_trap_23_a_script_that_sends_nonsense(
    places: dict[str, str],
    as_officer: Callable[[str], FlaskClient],
    csrf: Callable[[FlaskClient], str],
    body: str,
    kind: str,
) -> None:
    client = as_officer("petugas")
    for url in ("/complaints/identity", "/uploads/", "/complaints/add", "/complaints/batch"):
        answer = client.post(
            url, data=body, content_type=kind, headers={"X-CSRFToken": csrf(client)}
        )
        assert answer.status_code < 500, url
