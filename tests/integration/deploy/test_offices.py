"""Several offices on one server: made, listed and upgraded by one command, and strangers to each other."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from app.offices.names import OfficeError, Places, checked_host, checked_name, owner_of, role_of
from app.offices.nginx import site
from app.offices.running import settings_of
from tests.support.postgres import Server

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("batang", "kota-lama")


@pytest.mark.parametrize(
    "name",
    ["", "Batang", "1batang", "a_b", "a--b", "-a", "a-", "a/../b", "a b", "b" * 21, "a;b", "é"],
)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(OfficeError):
        checked_name(name)


@pytest.mark.parametrize("host", ["", "localhost", "a_b.example", "x.example;", "a..b", "-a.b"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(OfficeError):
        checked_host(host)


@pytest.mark.parametrize(
    "values",
    [
        {"upstreams": ["unix:/x; return 200"]},
        {"upstreams": ["http://10.0.0.1"]},
        {"watchers": ["everybody"]},
        {"host": "a.example; include /etc/passwd"},
        {"name": "../x"},
    ],
)
def test_nothing_but_values_gets_into_nginx(values: dict) -> None:
    given = {
        "name": "batang",
        "host": "a.example",
        "places": Places(),
        "max_upload_mb": 10,
        **values,
    }
    with pytest.raises(OfficeError):
        site(given.pop("name"), given.pop("host"), **given)


# --- two offices with equal numbers and equal users ------------------------------------------------


class Ground:
    """A server of several offices, below one folder."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.places = Places(settings=folder / "etc", data=folder / "lib")
        self.places.settings.mkdir()
        self.places.data.mkdir()
        self.admin = server.url("postgres")

    def say(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "app.offices", "--settings-root", str(self.places.settings),
             "--data-root", str(self.places.data), *words],
            check=False,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "ADMIN_DATABASE_URL": self.admin, "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
        )  # fmt: skip

    def make(self, name: str) -> subprocess.CompletedProcess[str]:
        return self.say("make", name, "--host", f"{name}.example", "--no-system-user")

    def url(self, name: str, *, owner: bool = False) -> str:
        return settings_of(name, self.places, owner=owner)["DATABASE_URL"]


@pytest.fixture(scope="module")
def ground(tmp_path_factory, postgres: Server) -> Iterator[Ground]:
    found = Ground(tmp_path_factory.mktemp("ground"), postgres)
    for name in NAMES:
        made = found.make(name)
        assert made.returncode == 0, made.stderr
        assert "First administrator" in made.stdout
    yield found
    for name in NAMES:
        postgres.drop_database(role_of(name))
        for role in (role_of(name), owner_of(name)):
            postgres.execute(f"DROP ROLE {role}")


def test_settings_are_secret_and_different(ground: Ground) -> None:
    one, two = (settings_of(name, ground.places) for name in NAMES)
    for key in ("SECRET_KEY", "AUDIT_KEY", "METRICS_TOKEN", "DATABASE_URL", "ALLOWED_HOSTS"):
        assert one[key] != two[key]
    for path in ground.places.settings.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for name in NAMES:
        assert stat.S_IMODE(ground.places.folder(name).stat().st_mode) == 0o700
    keys = [(ground.places.folder(name) / "data_keys").read_text() for name in NAMES]
    assert keys[0] != keys[1]


def test_no_office_opens_the_database_of_another(ground: Ground) -> None:
    for owner in (False, True):
        url = make_url(ground.url("batang", owner=owner)).set(database=role_of("kota-lama"))
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(url.render_as_string(hide_password=False))


def test_the_panel_adds_to_the_audit_log_and_cannot_change_it(ground: Ground) -> None:
    with psycopg.connect(ground.url("batang")) as panel:
        panel.execute("SELECT count(*) FROM audit_event")
        for statement in (
            "DELETE FROM audit_event",
            "UPDATE audit_event SET kind = 'x'",
            "TRUNCATE audit_event",
            "DROP TABLE audit_event",
            "CREATE TABLE own (a int)",
            "DELETE FROM alembic_version",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                panel.execute(statement)
            panel.rollback()


def test_an_office_is_made_once(ground: Ground) -> None:
    before = ground.places.env_file("batang").read_text()
    again = ground.make("batang")
    assert again.returncode == 1
    assert "made before" in again.stderr
    assert ground.places.env_file("batang").read_text() == before


def test_what_fails_halfway_leaves_nothing(ground: Ground, postgres: Server) -> None:
    postgres.execute("CREATE ROLE aduan_pekalongan")  # in the way of the second role
    failed = ground.make("pekalongan")
    assert failed.returncode == 1
    assert "already exists" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert ground.places.names() == list(NAMES)
    assert not ground.places.folder("pekalongan").exists()
    postgres.execute("DROP ROLE aduan_pekalongan")
    with pytest.raises(psycopg.errors.UndefinedObject):
        postgres.execute(f"DROP ROLE {owner_of('pekalongan')}")


def test_the_list_tells_where_each_stands(ground: Ground) -> None:
    lines = ground.say("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(NAMES)
    assert all(line.split()[1].startswith("00") for line in lines)


def test_one_office_that_fails_keeps_no_other_waiting(ground: Ground) -> None:
    path = ground.places.release_file("batang")
    kept = path.read_text()
    path.write_text(kept.replace(role_of("batang"), "aduan_nowhere"))
    try:
        done = ground.say("upgrade", "all")
    finally:
        path.write_text(kept)
    assert done.returncode == 1
    assert "batang: FAILED" in done.stderr
    assert "not upgraded: batang" in done.stderr
    assert "kota-lama: Database is up to date." in done.stdout
    assert "offices upgraded: 1 of 2" in done.stdout


def test_a_command_runs_for_one_office(ground: Ground) -> None:
    done = ground.say("run", "kota-lama", "verify")
    assert done.returncode == 0, done.stderr
    assert ground.say("run", "nowhere", "verify").stderr == (
        f"aduan: there is no office nowhere ({ground.places.env_file('nowhere')})\n"
    )
