"""The servers that other tests stand on do what their helpers say."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests.support.browser import axe_violations, overflow, watch
from tests.support.postgres import Server, postgres_or_skip, postgres_server

POLICY = "default-src 'none'; style-src 'self'; require-trusted-types-for 'script'"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_or_skip() as started:
        yield started


@pytest.fixture(scope="module")
def page(browser):
    context = browser.new_context()
    # The whole site is played by the test: no server, and a foreign host that must not be met.
    context.route("**/*", _answer)
    yield context.new_page()
    context.close()


def _answer(route) -> None:
    pages = {
        "/good": "<main><h1>Antrean</h1><p>Kosong.</p></main>",
        "/bad": "<main><h1>Antrean</h1><img src='/x.png'><p style='color:red'>x</p>"
        "<script>1</script></main>",
        "/wide": "<link rel='stylesheet' href='/wide.css'><main><h1 id='w'>x</h1></main>",
        "/wide.css": "#w { width: 3000px }",
        "/foreign": "<main><h1>x</h1></main><link rel='preload' as='style' href='http://a.test/'>",
    }
    path = "/" + route.request.url.split("/", 3)[3]
    body = pages.get(path)
    if path.endswith(".css"):
        route.fulfill(body=body, content_type="text/css")
    elif body is None:
        route.fulfill(status=404, body="")
    else:
        head = "<!doctype html><html lang='id'><title>Aduan</title>"
        headers = {"Content-Security-Policy": POLICY} if path != "/foreign" else {}
        route.fulfill(body=head + body, content_type="text/html", headers=headers)


@pytest.mark.postgres
def test_a_database_is_copied_from_a_template_and_dropped(server: Server) -> None:
    def build(url: str) -> None:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE note (words text)"))
        engine.dispose()

    template = server.template("support_notes", build)
    assert server.template("support_notes", lambda _url: pytest.fail("made twice")) == template
    copy = server.create_database(template=template)
    server.execute("INSERT INTO note VALUES ('x')", copy)
    server.drop_database(copy)
    with pytest.raises(psycopg.OperationalError):
        server.execute("SELECT 1", copy)


@pytest.mark.postgres
def test_everybody_in_a_run_shares_one_server(server: Server) -> None:
    with postgres_server() as other:
        assert other == server


@pytest.mark.postgres
def test_a_database_needs_a_plain_name(server: Server) -> None:
    with pytest.raises(ValueError, match="not a plain"):
        server.create_database('x" TEMPLATE "y')


@pytest.mark.browser
def test_a_clean_page_has_no_problems(page) -> None:
    seen = watch(page)
    page.goto("http://127.0.0.1:1/good")
    assert axe_violations(page) == []
    assert overflow(page) == []
    assert seen.problems == []


@pytest.mark.browser
def test_problems_are_seen_under_a_strict_policy(page) -> None:
    seen = watch(page)
    page.goto("http://127.0.0.1:1/bad")
    assert any(line.startswith("image-alt") for line in axe_violations(page))
    policy = [line for line in seen.problems if "Content Security Policy" in line]
    assert len(policy) >= 3


@pytest.mark.browser
def test_what_overflows_is_named(page) -> None:
    page.goto("http://127.0.0.1:1/wide")
    assert overflow(page)[0].startswith("h1#w ends at")


@pytest.mark.browser
def test_another_host_is_noticed(page) -> None:
    seen = watch(page)
    with page.expect_request("http://a.test/**"):
        page.goto("http://127.0.0.1:1/foreign")
    assert any(line.startswith("another host: http://a.test/") for line in seen.problems)
