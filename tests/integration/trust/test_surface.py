"""What every answer carries, and what is turned away before a page is asked."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest

from app.surface import COUNTED
from config import ConfigError, load_settings
from tests.integration.access_matrix import routes
from tests.integration.test_access_matrix import client_of
from tests.support.looking import besides_the_log, dump
from tests.support.panel import PASSWORD, csrf, engine_of, post

STRONG = "4f1d0c9a8b7e6f5d4c3b2a19080706f5"


def words_of(policy):
    """A content security policy as its directives."""
    parts = [part.split() for part in policy.split(";") if part.strip()]
    return {name: values for name, *values in parts}


# --- headers -------------------------------------------------------------------------------------


@pytest.fixture
def answers(world_app, world):
    """One answer of every kind: pages, files, static files, refusals, failures."""

    @world_app.get("/burst")
    def burst():
        raise RuntimeError("SELECT secret FROM somewhere")

    try:
        officer, nobody = client_of(world_app, "petugas"), world_app.test_client()
        assets = world_app.extensions["assets"]
        found = {
            "a page": officer.get("/complaints/list/"),
            "the sign-in page": nobody.get("/login/"),
            "the public page": nobody.get("/check/"),
            "a redirect": nobody.get("/complaints/list/"),
            "a file": officer.get(f"/documents/file/{world.places['public_id']}"),
            "an export": officer.get("/complaints/export"),
            "a stylesheet": nobody.get(assets["app.css"]),
            "a script": nobody.get(assets["app.js"]),
            "a picture": nobody.get(assets["icons.svg"]),
            "no stylesheet": nobody.get("/assets/none.css"),
            "a folder of files": nobody.get("/assets/"),
            "not found": officer.get("/nowhere"),
            "forbidden": officer.get("/users/list/"),
            "a lost token": officer.post("/complaints/batch"),
            "a wrong method": officer.put("/complaints/list/"),
            "an unknown method": officer.open("/complaints/list/", method="TRACE"),
            "too large": post(officer, "/uploads/", {"file": "x" * 2_000_000}),
            "an unknown host": nobody.get("/login/", headers={"Host": "evil.example"}),
            "from another site": post(
                officer, "/complaints/batch", headers={"Origin": "https://evil.example"}
            ),
        }
        world_app.config["PROPAGATE_EXCEPTIONS"] = False
        world_app.testing = False
        found["a failure"] = officer.get("/burst")
    finally:
        world_app.testing = True
    assert found["a failure"].status_code == 500
    return found


@pytest.fixture
def world_app(world_app):
    """An application of its own routes: one more is added to it."""
    return world_app


def test_asvs_3_4_4_every_answer_carries_the_headers(answers):
    wrong = []
    for kind, answer in answers.items():
        headers = answer.headers
        for name, value in {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }.items():
            if headers.getlist(name) != [value]:
                wrong.append(f"{kind}: {name} {headers.getlist(name)}")
        if not headers.get("Permissions-Policy"):
            wrong.append(f"{kind}: no Permissions-Policy")
        if headers.get("X-Frame-Options") not in ("DENY", "SAMEORIGIN"):
            wrong.append(f"{kind}: {headers.get('X-Frame-Options')}")
        policies = headers.getlist("Content-Security-Policy")
        if len(policies) != 1:
            wrong.append(f"{kind}: {policies}")
        elif "frame-ancestors" not in policies[0]:
            wrong.append(f"{kind}: may be framed: {policies[0]}")
        telling = ("Server", "X-Powered-By", "Access-Control-Allow-Origin", "SourceMap")
        wrong += [f"{kind}: {name} {headers[name]}" for name in telling if name in headers]
        is_static = kind in ("a stylesheet", "a script", "a picture")
        stored = "immutable" if is_static else "no-store"
        if stored not in headers.get("Cache-Control", ""):
            wrong.append(f"{kind}: {headers.get('Cache-Control')}")
        if answer.mimetype.startswith(
            "text/"
        ) and "charset=utf-8" not in answer.content_type.replace('"', ""):
            wrong.append(f"{kind}: {answer.content_type}")
    assert wrong == []


def test_asvs_3_4_3_a_page_runs_its_own_scripts_alone(answers):
    pages = {kind: a for kind, a in answers.items() if a.mimetype == "text/html"}
    assert {"a page", "the sign-in page", "not found", "forbidden", "a failure"} <= set(pages)
    nonces = set()
    for kind, answer in pages.items():
        policy = words_of(answer.headers["Content-Security-Policy"])
        if answer.status_code in (302, 303) and policy["default-src"] == ["'none'"]:
            continue
        assert policy["default-src"] == ["'self'"], kind
        assert policy["object-src"] == ["'none'"]
        assert policy["base-uri"] == ["'none'"]
        assert policy["form-action"] == ["'self'"]
        assert policy["frame-ancestors"] == ["'none'"]
        assert policy["style-src"] == ["'self'"]
        scripts = policy["script-src"]
        assert scripts[0] == "'self'"
        assert not [word for word in scripts if "unsafe" in word or "*" in word], kind
        nonces.update(word for word in scripts if word.startswith("'nonce-"))
        assert answer.headers["X-Frame-Options"] == "DENY"
    assert len(nonces) >= 2, "each page has a word of its own"


def test_asvs_16_5_1_a_failure_shows_a_number_and_nothing_else(answers):
    text = answers["a failure"].text
    assert re.search(r"\b[0-9a-f]{12}\b", text)
    for word in ("Traceback", "RuntimeError", "SELECT", "somewhere", "werkzeug", "/work/", ".py"):
        assert word not in text, word


def test_asvs_3_4_1_https_is_kept_for_a_year(make_app):
    app = make_app(HTTPS=True)
    for path in ("/login/", "/nowhere", app.extensions["assets"]["app.css"]):
        header = app.test_client().get(path).headers["Strict-Transport-Security"]
        age = re.search(r"max-age=(\d+)", header)
        assert age is not None
        assert int(age[1]) >= 365 * 24 * 3600
        assert "includeSubDomains" in header
    plain = make_app().test_client().get("/login/")
    assert "Strict-Transport-Security" not in plain.headers


def test_asvs_3_3_1_the_cookie_is_the_host_s_alone_under_https():
    settings = load_settings({"SECRET_KEY": STRONG, "HTTPS": "1"})
    assert settings["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["SESSION_COOKIE_HTTPONLY"]
    assert settings["SESSION_COOKIE_SAMESITE"] in ("Lax", "Strict")
    assert not settings.get("SESSION_COOKIE_DOMAIN")


def test_asvs_3_3_2_every_cookie_says_which_sites_send_it(client, post):
    answer = post(client, "/login/", {"username": "petugas", "password": PASSWORD})
    cookies = answer.headers.getlist("Set-Cookie")
    assert cookies
    for cookie in cookies:
        assert "SameSite=Lax" in cookie
        assert "HttpOnly" in cookie
        assert "Path=/" in cookie
        assert "Domain=" not in cookie
    script = Path("app/static/js/base.js").read_text(encoding="utf-8")
    for line in re.findall(r"document\.cookie = .*", script):
        assert "SameSite=Lax" in line


# --- hosts, methods, sites -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "evil.example:80", "[::1", "127.0.0.1.evil.example",
     "localhost@evil.example", "%00", "panel..evil", "1"],
)  # fmt: skip
def test_asvs_b30_an_unknown_host_is_refused(app, host):
    answer = app.test_client().get("/login/", headers={"Host": host})
    assert answer.status_code == 400
    assert "<" not in answer.text


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8080", "127.0.0.1:8080", "10.0.0.7", "[::1]:8080", "LOCALHOST",
     socket.gethostname(), f"{socket.gethostname().partition('.')[0]}.dukcapil.example"],
)  # fmt: skip
def test_asvs_b30_this_machine_s_own_names_are_answered(app, host):
    assert app.test_client().get("/login/", headers={"Host": host}).status_code == 200


def test_asvs_b30_the_public_address_is_ours(make_app):
    client = make_app(PUBLIC_URL="https://aduan.example.go.id").test_client()
    assert client.get("/login/", headers={"Host": "aduan.example.go.id"}).status_code == 200
    assert client.get("/login/", headers={"Host": "example.go.id"}).status_code == 400


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Forwarded-For", "Forwarded", "X-Host"])
def test_asvs_4_1_3_a_client_s_word_about_itself_changes_nothing(app, header):
    client = app.test_client()
    plain = client.get("/complaints/list/")
    claimed = client.get("/complaints/list/", headers={header: "evil.example"})
    assert (claimed.status_code, claimed.location) == (plain.status_code, plain.location)
    assert "evil" not in claimed.text


@pytest.mark.parametrize(
    "method", ["TRACE", "TRACK", "CONNECT", "DEBUG", "PROPFIND", "GETX", "get"]
)
def test_asvs_13_4_4_an_unknown_method_is_not_allowed(world_app, world, method):
    client = client_of(world_app, "petugas")
    before = dump(engine_of(world_app))
    for path in ("/complaints/list/", "/login/", "/assets/app.css", "/nowhere"):
        answer = client.open(path, method=method, headers={"X-Custom": "echoed"})
        assert answer.status_code == 405
        assert "echoed" not in answer.text
    assert besides_the_log(before, dump(engine_of(world_app))) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:9999"},
        {"Origin": "http://evil.localhost"},
    ],
    ids=lambda headers: " ".join(*headers.items()),
)
def test_asvs_3_5_1_a_form_from_another_site_changes_nothing(world_app, world, headers):
    """Even with a right token: a stolen one is no use to another page."""
    client = client_of(world_app, "petugas")
    before = dump(engine_of(world_app))
    url = f"/complaints/start/{world.places['case']}"
    answer = post(client, url, headers=headers)
    assert answer.status_code == 403
    assert "situs lain" in answer.text
    assert besides_the_log(before, dump(engine_of(world_app))) == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
    ],
    ids=str,
)
def test_asvs_3_5_1_a_form_of_our_own_goes_through(world_app, world, headers):
    client = client_of(world_app, "petugas")
    url = f"/complaints/start/{world.places['case']}"
    assert post(client, url, headers=headers).status_code == 303


# --- what has no address -------------------------------------------------------------------------


def test_asvs_13_4_5_no_screen_of_flask_appbuilder_is_there_by_accident(app):
    """Every route is one of the matrix; of FAB's own pages only what the panel redraws is left."""
    there = {rule.rule for rule in app.url_map.iter_rules()}
    assert there == {rule for _method, rule in routes()}
    for word in ("/api/", "/swagger", "/static", "/back", "/groups", "/registeruser",
                 "/permissions", "/viewmenus", "/userstatschart", "/download/"):  # fmt: skip
        assert not [rule for rule in there if rule.startswith(word)], word


@pytest.mark.parametrize(
    "path",
    ["/static/appbuilder/css/bootstrap.min.css", "/api/v1/_openapi", "/swagger/v1", "/console",
     "/api/v1/security/login", "/api/v1/menu/", "/.git/config", "/.env", "/config.py", "/assets",
     "/instance/", "/server-status", "/debug", "/back", "/users/download/x", "/static/",
     "/assets/app.js.map", "/?__debugger__=yes&cmd=resource&f=style.css"],
)  # fmt: skip
@pytest.mark.parametrize("key", ["", "admin"])
def test_asvs_13_4_3_nothing_else_is_reachable(world_app, path, key):
    answer = client_of(world_app, key).get(path)
    if path.startswith("/?"):
        assert "debugger" not in answer.text.lower().replace(path, "")
        return
    assert answer.status_code == 404


def test_asvs_13_4_5_no_asset_leads_to_its_source(app):
    for url in app.extensions["assets"].values():
        answer = app.test_client().get(url)
        assert answer.status_code == 200
        assert b"sourceMappingURL=" not in answer.data, url


# --- rates ---------------------------------------------------------------------------------------


def test_asvs_2_4_1_so_many_lists_a_minute_are_no_person_s(make_app, session, user):
    app = make_app(RATELIMIT_ENABLED=True, REQUEST_RATE="5 per minute")
    client, other = client_of(app, "petugas"), client_of(app, "petugas2")
    before = dump(engine_of(app))
    for path in ("/complaints/list/", "/complaints/export", "/documents/list/", "/queue/",
                 "/complaints/add"):  # fmt: skip
        assert client.get(path).status_code == 200, path
    late = client.get("/complaints/list/")
    assert late.status_code == 429
    assert "Tunggu" in late.text
    assert post(client, "/complaints/add").status_code == 429
    assert client.get("/users/userinfo/").status_code == 200, "other pages go on"
    assert other.get("/complaints/list/").status_code == 200, "and so do colleagues"
    assert besides_the_log(before, dump(engine_of(app))) == []


def test_asvs_2_4_1_the_limit_is_on_by_default_and_counts_what_reads_much(app):
    settings = load_settings({"SECRET_KEY": "x"})
    assert settings["RATELIMIT_ENABLED"]
    assert settings["REQUEST_RATE"] == "200 per minute"
    parts = {rule.endpoint.rpartition(".")[2] for rule in app.url_map.iter_rules()}
    assert parts >= COUNTED
    with pytest.raises(ConfigError, match="REQUEST_RATE"):
        load_settings({"SECRET_KEY": "x", "REQUEST_RATE": "many"})


# --- starting ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({}, "SECRET_KEY", id="no key"),
        pytest.param({"SECRET_KEY": "dev"}, "SECRET_KEY", id="a short key"),
        pytest.param({"SECRET_KEY": "a" * 64}, "SECRET_KEY", id="one letter"),
        pytest.param({"SECRET_KEY": "change-me" * 2}, "SECRET_KEY", id="a known word"),
        pytest.param({"SECRET_KEY": STRONG, "FLASK_DEBUG": "1"}, "FLASK_DEBUG", id="debug"),
        pytest.param({"SECRET_KEY": STRONG, "DEMO": "1"}, "DEMO", id="the demo"),
    ],
)
def test_asvs_b64_production_does_not_start_with(tmp_path, settings, words):
    environment = {"ADUAN_ENV": "production", "INSTANCE_PATH": str(tmp_path), **settings}
    with pytest.raises(ConfigError, match=words):
        load_settings(environment)
    assert not list(tmp_path.iterdir())


def test_asvs_b64_production_starts_with_a_strong_key(tmp_path):
    environment = {"ADUAN_ENV": "production", "INSTANCE_PATH": str(tmp_path)}
    assert load_settings({**environment, "SECRET_KEY": STRONG})["SECRET_KEY"] == STRONG
    (tmp_path / "secret_key").write_text(STRONG * 2)
    assert load_settings(environment)["SECRET_KEY"] == STRONG * 2
    (tmp_path / "secret_key").write_text("x")
    with pytest.raises(ConfigError, match="SECRET_KEY"):
        load_settings(environment)


def test_the_question_of_another_site_reads_as_json_for_a_script(app, login):
    client = login("petugas")
    answer = client.post(
        "/complaints/identity",
        headers={
            "X-CSRFToken": csrf(client),
            "Origin": "https://evil.example",
            "Accept": "application/json",
        },
    )
    assert answer.status_code == 403
    assert json.loads(answer.text)["message"]
