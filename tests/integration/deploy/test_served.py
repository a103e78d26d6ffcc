"""The shipped panel behind the shipped nginx: the unit's own command, its socket, TLS and limits."""

from __future__ import annotations

import json
import re
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, select

from app.models import AuditEvent
from tests.support.deployed import DEPLOY, HOST, Front, nginx, start_unit, wait_for
from tests.support.panel import copy_sqlite
from tests.support.testkeys import keys_file

UNIT = DEPLOY / "systemd" / "aduan@.service"


class Office:
    """One office as the files in `deploy/` run it; the test holds the socket as systemd would."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder, self.database = folder, database
        self.path = folder / "batang.sock"
        self.door = socket.socket(socket.AF_UNIX)
        self.door.bind(str(self.path))
        self.door.listen(512)
        self.ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ready.bind(str(folder / "notify"))
        self.log = folder / "panel.log"
        self.running = self.start()

    def start(self):
        """The unit's command, ready."""
        environment = {
            "INSTANCE_PATH": str(self.folder / "office"),
            "DATABASE_URL": self.database,
            "DATA_KEYS": str(keys_file()),
            "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
            "ALLOWED_HOSTS": HOST,
            "TRUSTED_PROXIES": "1",
            "LOG_FORMAT": "json",
            "METRICS_TOKEN": "a token of sixteen",
            "NOTIFY_SOCKET": str(self.folder / "notify"),
        }
        running = start_unit(UNIT, "batang", environment, self.door, self.log)
        self.ready.settimeout(60)
        try:
            assert self.ready.recv(64) == b"READY=1", self.log.read_text()
        except TimeoutError:
            running.kill()
            raise AssertionError(self.log.read_text()) from None
        return running

    def stop(self) -> None:
        """What `systemctl stop` does, and its patience."""
        self.running.send_signal(signal.SIGTERM)
        self.running.wait(90)
        assert self.ready.recv(64) == b"STOPPING=1"


@pytest.fixture(scope="module")
def office(tmp_path_factory, sqlite_template: Path) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("d")
    (folder / "office").mkdir()
    found = Office(folder, copy_sqlite(sqlite_template, folder / "office" / "aduan.sqlite"))
    try:
        yield found
    finally:
        found.running.kill()
        found.running.wait(10)
        found.door.close()
        found.ready.close()


@pytest.fixture(scope="module")
def front(office: Office, tmp_path_factory) -> Iterator[Front]:
    with nginx(tmp_path_factory.mktemp("n"), office.path) as found:
        yield found


@pytest.fixture
def browser(front: Front) -> Iterator[httpx.Client]:
    with front.client() as found:
        yield found


def test_plain_http_leads_to_https(front: Front) -> None:
    found = httpx.get(f"http://127.0.0.1:{front.http}/login/?next=/", headers={"Host": HOST})
    assert found.status_code == 301
    assert found.headers["location"] == f"https://{HOST}/login/?next=/"


@pytest.mark.parametrize(
    ("version", "taken"),
    [
        pytest.param(ssl.TLSVersion.TLSv1, False, id="TLS 1.0 is refused"),
        pytest.param(ssl.TLSVersion.TLSv1_1, False, id="TLS 1.1 is refused"),
        pytest.param(ssl.TLSVersion.TLSv1_2, True, id="TLS 1.2"),
        pytest.param(ssl.TLSVersion.TLSv1_3, True, id="TLS 1.3"),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_asvs_12_2_1_only_present_tls_is_spoken(
    front: Front, version: ssl.TLSVersion, taken: bool
) -> None:
    context = ssl.create_default_context(cafile=str(front.folder / "tls" / "fullchain.pem"))
    context.set_ciphers("ALL:@SECLEVEL=0")  # else our own side would not even offer the old ones
    context.minimum_version = context.maximum_version = version
    line = socket.create_connection(("127.0.0.1", front.https), 10)
    with line:
        if taken:
            with context.wrap_socket(line, server_hostname=HOST) as talk:
                assert talk.version() == version.name.replace("_", ".")
            return
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            context.wrap_socket(line, server_hostname=HOST)


def test_a_name_of_no_office_gets_no_answer(front: Front) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://127.0.0.1:{front.http}/", headers={"Host": "elsewhere.example"})
    context = httpx.create_ssl_context(verify=False)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"https://localhost:{front.https}/", verify=context)


def test_the_sign_in_page_comes_through_with_its_locks(browser: httpx.Client) -> None:
    found = browser.get("/login/")
    assert found.status_code == 200
    assert found.headers["server"] == "nginx"
    assert found.headers["strict-transport-security"].startswith("max-age=")
    assert found.headers["x-content-type-options"] == "nosniff"
    assert found.headers["cache-control"] == "no-store"
    assert "__Host-aduan=" in found.headers["set-cookie"]
    assert "secure" in found.headers["set-cookie"].lower()


def test_the_panels_own_files_are_cached_in_front_for_a_year(
    browser: httpx.Client, front: Front
) -> None:
    page = browser.get("/login/").text
    [address] = set(re.findall(r"/assets/app\.[0-9a-f]{16}\.css", page))
    first, second = browser.get(address), browser.get(address)
    for found in (first, second):
        assert found.status_code == 200
        assert "immutable" in found.headers["cache-control"]
        assert "max-age=31536000" in found.headers["cache-control"]
    assert first.content == second.content
    # The upstream was asked once: the second line has nothing in that place.
    times = [line.split()[7] for line in settled(front, 2, " GET 200 ")[-2:]]
    assert times[0] != "-"
    assert times[1] == "-"


def settled(front: Front, least: int, word: str = "") -> list[str]:
    found: list[str] = []

    def enough() -> bool:
        found[:] = [line for line in front.lines() if word in line]
        return len(found) >= least

    wait_for(enough, 10)
    return found


def test_one_number_stands_in_both_logs_and_no_address(
    browser: httpx.Client, front: Front, office: Office
) -> None:
    found = browser.get(
        "/login/?next=/find/?q=3325010101010001", headers={"X-Request-Id": "made-up-by-a-client"}
    )
    number = found.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", number)
    [line] = settled(front, 1, number)
    assert "3325" not in line
    assert "/login" not in line
    ours = [json.loads(line) for line in office.log.read_text().splitlines() if number in line]
    assert [line["message"] for line in ours] == ["GET /login/ 200"]


def test_nobody_says_himself_where_he_comes_from(browser: httpx.Client, office: Office) -> None:
    page = browser.get("/login/").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token is not None
    said = {
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
        "Referer": f"https://{HOST}/login/",
    }
    form = {"csrf_token": token[1], "username": "nobody-here", "password": "wrong password"}
    found = browser.post("/login/", data=form, headers=said)
    assert found.status_code == 401
    engine = create_engine(office.database)
    with engine.connect() as connection:
        addresses = set(
            connection.scalars(select(AuditEvent.address).where(AuditEvent.address != ""))
        )
    engine.dispose()
    assert addresses == {"127.0.0.1"}


def test_the_limit_in_front_is_the_panels_own(browser: httpx.Client, app) -> None:
    most = app.config["MAX_CONTENT_LENGTH"]
    over = browser.post("/uploads/", content=b"x" * (most + 1))
    assert over.status_code == 413
    assert "Berkas terlalu besar" in over.text
    assert "nginx" not in over.text
    within = browser.post("/uploads/", content=b"x" * most)
    assert within.status_code == 400  # the panel's own answer: no token


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_the_public_may_not_ask_the_probes(browser: httpx.Client, path: str) -> None:
    assert browser.get(path).status_code == 403


def test_a_watcher_may_ask_them(front: Front) -> None:
    context = httpx.create_ssl_context(verify=False)
    transport = httpx.HTTPTransport(verify=context, local_address="127.0.0.2")
    with front.client() as named:
        named._transport = transport
        asked = {
            "headers": {"Host": HOST, "Authorization": "Bearer a token of sixteen"},
            "extensions": {"sni_hostname": HOST},
        }
        assert named.get("/readyz", **asked).text == "ready\n"
        assert "aduan_open_cases" in named.get("/metrics", **asked).text


def test_a_restart_refuses_nobody(office: Office, front: Front) -> None:
    """Requests without a pause while the service stops, and again starts, on the same socket."""
    stop, found = threading.Event(), []

    def ask() -> None:
        with front.client() as browser:
            while not stop.is_set():
                found.append(browser.get("/login/").status_code)

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    before = office.running.pid
    office.stop()
    office.running = office.start()
    wait_for(lambda: len(found) > 30)
    stop.set()
    for asker in askers:
        asker.join(60)
    assert office.running.pid != before
    assert set(found) == {200}


def test_while_the_panel_is_away_there_is_a_page_and_its_styles_stay(
    office: Office, front: Front
) -> None:
    with front.client() as browser:
        page = browser.get("/login/").text
        [address] = set(re.findall(r"/assets/app\.[0-9a-f]{16}\.css", page))
        browser.get(address)
        office.stop()
        office.door.close()  # as `systemctl stop aduan@batang.socket`
        away = browser.post("/login/", data={"username": "x"})
        assert away.status_code == 503
        assert "sedang tidak dapat dihubungi" in away.text
        assert away.headers["retry-after"] == "10"
        assert away.headers["cache-control"] == "no-store"
        assert browser.get("/_aduan/page.css").status_code == 200
        assert browser.get(address).status_code == 200
        office.path.unlink()
        office.door = socket.socket(socket.AF_UNIX)
        office.door.bind(str(office.path))
        office.door.listen(512)
        office.running = office.start()
        assert browser.get("/login/").status_code == 200
