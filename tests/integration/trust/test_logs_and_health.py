"""What the program says of itself, and what stands outside may ask: lines, probes, numbers."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app import errors
from app.logs import JsonFormatter, PlainFormatter, plain
from app.models import AuditEvent
from app.services.audit import Origin, origin
from config import ConfigError, load_settings
from tests.support import panel
from tests.support.cases import CaseMaker
from tests.support.visitor import at_once


def record_of(message: str, *args: Any, error: bool = False) -> logging.LogRecord:
    info = None
    if error:
        try:
            raise ValueError("for 3325010101900001\n2026-01-01T00:00:00 ERROR aduan made up")
        except ValueError:
            info = sys.exc_info()
    return logging.LogRecord("aduan", logging.ERROR, __file__, 1, message, args, info)


@pytest.mark.parametrize(("given", "written"), [
    pytest.param("a\nb\r\x1b[31mc\u2028d", "a\\nb\\r\\x1b[31mc\\u2028d", id="asvs 54: no line is made up"),
    pytest.param("NIK 3325010101900001 x", "NIK … x", id="asvs 55: no NIK"),
    pytest.param("tel 081234567890, +6281234567890", "tel …, …", id="asvs 55: no telephone"),
    pytest.param("password=hunter2 x", "password=… x", id="asvs 55: no password"),
    pytest.param("{'passphrase': 'a b c'}", "{'passphrase': …}", id="asvs 55: no passphrase"),
    pytest.param("Authorization: Bearer abc.def", "Authorization: …", id="asvs 55: no token"),
    pytest.param("Cookie: aduan=abc", "Cookie: …", id="asvs 55: no cookie"),
    pytest.param("postgresql://aduan:geheim@db/x", "postgresql://aduan:…@db/x", id="asvs 55: no password of the database"),
    pytest.param("case PGD-2026-000123 in 12 ms", "case PGD-2026-000123 in 12 ms", id="the rest stays"),
])  # fmt: skip
def test_what_a_line_never_holds(given: str, written: str) -> None:
    assert plain(given) == written


@pytest.mark.parametrize("formatter", [PlainFormatter(), JsonFormatter()], ids=["plain", "json"])
def test_asvs_54_a_trace_looks_like_no_other_line(formatter: logging.Formatter) -> None:
    mark = origin.set(Origin("", "req-12345678"))
    line = formatter.format(record_of("wrong: %s", "a\nb", error=True))
    origin.reset(mark)
    assert "req-12345678" in line
    assert "3325010101900001" not in line
    first, *rest = line.split("\n")
    assert "wrong: a" in first
    assert all(part.startswith("    | ") for part in rest)


def test_a_line_for_machines_is_one_object() -> None:
    record = record_of("answered %s", 200)
    record.ms = 12.5
    found = json.loads(JsonFormatter().format(record))
    assert (found["message"], found["level"], found["ms"]) == ("answered 200", "error", 12.5)


def test_a_request_is_told_by_its_route_and_not_by_its_address(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "aduan.request"):
        client.get("/login/?next=/complaints/list/%3Fq%3D3325010101900001")
    assert caplog.messages == ["GET /login/ 200"]


@pytest.mark.parametrize(("proxies", "given", "kept"), [
    pytest.param(0, "from-outside-1", False, id="without a proxy nobody names his request"),
    pytest.param(1, "from-the-proxy-1", True, id="a proxy in front may"),
    pytest.param(1, "x\ny", False, id="but not with other characters"),
    pytest.param(1, "short", False, id="nor shortly"),
    pytest.param(1, "a" * 65, False, id="nor without end"),
])  # fmt: skip
def test_the_number_of_a_request(
    make_app: Callable[..., Flask], proxies: int, given: str, kept: bool
) -> None:
    client = make_app(TRUSTED_PROXIES=proxies).test_client()
    headers = {} if "\n" in given else {"X-Request-Id": given}
    number = client.get("/login/", headers=headers).headers["X-Request-Id"]
    assert (number == given) is kept
    assert kept or re.fullmatch(r"[0-9a-f]{12}", number)


def test_asvs_56_an_unexpected_error_shows_the_number_that_log_and_header_have(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()

    def broken() -> str:
        raise RuntimeError("secret of the house")

    app.view_functions["AuthDBView.login"] = broken
    app.config["TESTING"] = app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = app.test_client().get("/login/")
    number = answer.headers["X-Request-Id"]
    assert answer.status_code == 500
    assert number in answer.get_data(as_text=True)
    assert "secret of the house" not in answer.get_data(as_text=True)
    assert f"unexpected error {number}" in caplog.messages


# --- probes --------------------------------------------------------------------------------------


@pytest.mark.both
def test_the_probes_answer_nobody_in_particular(
    client: FlaskClient, sql_count: Callable[[], Any]
) -> None:
    with sql_count() as statements:
        alive = client.get("/healthz")
    assert (alive.status_code, alive.text) == (200, "alive\n")
    assert statements == []
    ready = client.get("/readyz")
    assert (ready.status_code, ready.text) == (200, "ready\n")
    for answer in (alive, ready):
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
    assert client.head("/readyz").text == ""
    assert client.post("/healthz").status_code == 405


@pytest.mark.both
def test_not_ready_at_another_schema(session: Session, client: FlaskClient) -> None:
    session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    session.commit()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "migrations\n")
    assert client.get("/healthz").status_code == 200


def test_not_ready_without_a_database_or_a_store(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    app = make_app(url=f"sqlite:///{tmp_path}/nowhere/x.sqlite", STORE_URL=str(folder))
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
    folder.write_text("a file where the folder was")
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.text) == (503, "database\nstore\n")


# --- numbers -------------------------------------------------------------------------------------

TOKEN = "a token that is long enough"


@pytest.mark.parametrize(("settings", "headers", "status"), [
    pytest.param({}, {}, 404, id="nobody, unless the settings say so"),
    pytest.param({"METRICS_TOKEN": TOKEN}, {}, 404, id="not without the token"),
    pytest.param({"METRICS_TOKEN": TOKEN}, {"Authorization": "Bearer no"}, 404, id="not with another"),
    pytest.param({"METRICS_TOKEN": TOKEN}, {"Authorization": f"Bearer {TOKEN}"}, 200, id="with the token"),
    pytest.param({"METRICS_ADDRESSES": ("10.0.0.0/8",)}, {}, 404, id="not from elsewhere"),
    pytest.param({"METRICS_ADDRESSES": ("10.0.0.0/8", "127.0.0.1")}, {}, 200, id="from an address"),
])  # fmt: skip
def test_who_may_read_the_numbers(
    make_app: Callable[..., Flask], settings: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    answer = make_app(**settings).test_client().get("/metrics", headers=headers)
    assert answer.status_code == status
    assert answer.text == "" or status == 200


@pytest.mark.both
def test_the_numbers_tell_of_requests_and_of_the_office(
    make_app: Callable[..., Flask], make_case: CaseMaker
) -> None:
    make_case("signing")
    make_case("done")
    make_case.session.commit()
    app = make_app(METRICS_ADDRESSES=("127.0.0.1",))
    client = app.test_client()
    client.get("/login/")
    client.get("/does/not/exist/3325010101900001")
    found = client.get("/metrics").text
    assert (
        'aduan_requests_total{endpoint="AuthDBView.login",method="GET",status="200"} 1.0' in found
    )
    assert 'aduan_requests_total{endpoint="none",method="GET",status="404"} 1.0' in found
    assert 'aduan_request_statements_count{endpoint="AuthDBView.login",method="GET"} 1.0' in found
    assert 'aduan_open_cases{step="signing"} 1.0' in found
    assert 'aduan_step_work_seconds{step="intake"}' in found or "aduan_step_work_seconds" in found
    for name in ("aduan_outbox_waiting", "aduan_outbox_oldest_seconds", "aduan_reports_waiting"):
        assert f"\n{name} " in found
    assert "aduan_database_up 1.0" in found
    assert "3325010101900001" not in found
    with Session(panel.engine_of(app)) as session:
        rows = len(session.scalars(select(AuditEvent.id)).all())
    assert f"aduan_audit_rows {float(rows)}" in found


def test_the_numbers_say_that_the_database_is_away(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    app = make_app(url=f"sqlite:///{tmp_path}/nowhere/x.sqlite", METRICS_ADDRESSES=("127.0.0.1",))
    assert "aduan_database_up 0.0" in app.test_client().get("/metrics").text


@pytest.mark.parametrize(("variable", "value"), [
    ("METRICS_TOKEN", "short"), ("METRICS_ADDRESSES", "10.0.0.300"), ("LOG_FORMAT", "xml"),
    ("LOG_LEVEL", "loud"), ("AUDIT_KEY", "abc"), ("AUDIT_KEY", "zz" * 32), ("AUDIT_KEY", "ab" * 8),
])  # fmt: skip
def test_a_setting_that_cannot_work_is_refused(tmp_path: Path, variable: str, value: str) -> None:
    environment = {"INSTANCE_PATH": str(tmp_path), "SECRET_KEY": "x" * 40, variable: value}
    with pytest.raises(ConfigError, match=variable):
        load_settings(environment)


def test_the_key_of_the_log_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    environment = {"INSTANCE_PATH": str(tmp_path), "SECRET_KEY": "x" * 40}
    first, again = load_settings(environment), load_settings(environment)
    assert (tmp_path / "audit_key").stat().st_mode & 0o777 == 0o600
    keys = [made["SQLALCHEMY_ENGINE_OPTIONS"]["execution_options"] for made in (first, again)]
    assert keys[0] == keys[1]
    assert len(keys[0]["audit_key"]) == 32


def test_who_starts_at_the_same_time_gets_the_same_key(tmp_path: Path) -> None:
    environment = {"INSTANCE_PATH": str(tmp_path), "SECRET_KEY": "x" * 40}

    def key() -> Any:
        return load_settings(environment)["SQLALCHEMY_ENGINE_OPTIONS"]["execution_options"]

    assert at_once([key] * 8) == [key()] * 8
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_what_is_kept_in_a_page_to_be_sent_again_is_no_secret() -> None:
    assert {"password", "passphrase", "current"} <= errors.SECRETS
