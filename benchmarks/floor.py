"""The floor: what the bare statement and the smallest page cost, served like the panel.

One Flask application without sessions, extensions or rules. It runs the statements that a
specification names through the bare driver, over one kept connection per thread, and renders their
rows with one small template. Nothing that does the same work can be faster by much.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, redirect, request
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import make_url

from app.services.numbers import year_of
from app.services.statistics import cells as kept
from app.services.statistics.facts import Dims, run_fact
from benchmarks.floor_charts import draw
from benchmarks.floor_pages import templates

PAGE: Final = """<!doctype html><html lang="id"><head><meta charset="utf-8"><title>{{ title }}</title></head><body>
{% for rows in tables %}<table>{% for row in rows %}<tr>{% for value in row %}<td>{{ value }}</td>{% endfor %}</tr>
{% endfor %}</table>{% endfor %}
{% if data %}<script type="application/json">{{ data|safe }}</script>{% endif %}</body></html>"""
_local = threading.local()


def make_floor() -> Flask:
    """The application of the specification in `FLOOR_SPEC`, over the database in `BENCH_URL`."""
    spec = json.loads(
        Path(os.environ["FLOOR_SPEC"]).read_text(encoding="utf-8"), object_hook=_bytes
    )
    app = Flask("floor")
    template = app.jinja_env.from_string(PAGE)  # compiled once, as a file's would be
    pages = templates(app)

    @app.get("/<name>")
    def page(name: str) -> str:
        variant = int(request.args.get("i", 0))
        tables = []
        for statement in spec[name]:
            parameters = statement["params"]
            chosen = parameters[variant % len(parameters)] if parameters else ()
            tables.append(query(statement["sql"], chosen))
        shape = spec[name][0].get("shape")
        if not shape:
            return pages[spec[name][0]["page"]].render(title=name, tables=tables)
        tables = draw(shape, tables)
        # Of a chart the page holds its numbers twice: in the table and for the drawing.
        return template.render(title=name, tables=tables, data=json.dumps(tables))

    @app.post("/move/<int:case>")
    def move(case: int) -> Response:
        write_move(case, request.form["user"])
        return redirect(f"/case?i={case}", 303)  # type: ignore[return-value]

    return app


def _bytes(value: dict[str, Any]) -> Any:
    """The digest of a number stands as hexadecimal digits in the specification."""
    return bytes.fromhex(value["hex"]) if set(value) == {"hex"} else value


def connection() -> Any:
    """The kept connection of this thread."""
    found = getattr(_local, "connection", None)
    if found is None:
        url = make_url(os.environ["BENCH_URL"])
        if url.drivername.startswith("sqlite"):
            found = sqlite3.connect(str(url.database), isolation_level=None)
            found.execute("PRAGMA synchronous=FULL")
            found.execute("PRAGMA foreign_keys=ON")
            found.execute("PRAGMA busy_timeout=15000")
        else:
            import psycopg

            plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
            found = psycopg.connect(plain, autocommit=True)
        _local.connection = found
    return found


def query(sql: str, parameters: Any) -> list[Any]:
    """The rows of one statement, written with `?` for its parameters."""
    found = connection()
    if not isinstance(found, sqlite3.Connection):
        sql = sql.replace("%", "%%").replace("?", "%s")
    return list(found.execute(sql, parameters).fetchall())


#: What a move must know before it writes, whoever makes it: who acts, whether he may, the case, what
#: the transition asks for (a named paper), and the open run with the pauses that touch it.
KNOWN: Final = {
    "user": "SELECT id, first_name, last_name FROM ab_user WHERE username = ? AND active",
    "right": "SELECT count(*) FROM ab_user_role u"
    " JOIN ab_permission_view_role r ON r.role_id = u.role_id"
    " JOIN ab_permission_view pv ON pv.id = r.permission_view_id"
    " JOIN ab_permission p ON p.id = pv.permission_id"
    " JOIN ab_view_menu v ON v.id = pv.view_menu_id"
    " WHERE u.user_id = ? AND p.name = 'submit_certification' AND v.name = 'Complaint'",
    "case": "SELECT channel_id, category_id, kecamatan_code, number, version, round, confidential"
    " FROM complaint WHERE id = ? AND step_key = 'certification'",
    "papers": "SELECT count(*) FROM case_output"
    " WHERE complaint_id = ? AND round = ? AND dropped_at IS NULL",
    "run": "SELECT r.id, r.entered_at, r.started_at, r.standard_minutes, p.from_at, p.to_at"
    " FROM step_run r LEFT JOIN pause p ON (p.step_run_id = r.id OR p.step_key = r.step_key)"
    " AND (p.to_at IS NULL OR p.to_at > r.entered_at)"
    " WHERE r.complaint_id = ? AND r.case_year = ? AND r.finished_at IS NULL",
}
#: What a move writes: the claim, the closed run, its history, the next run with its standard, and
#: the key of the form; then come the cells of the roll-up and the row of the audit log.
MOVE: Final = (
    "UPDATE complaint SET step_key = 'signing', step_since = ?, version = version + 1,"
    " assignee_id = NULL WHERE id = ? AND version = ? AND step_key = 'certification'",
    "UPDATE step_run SET started_at = coalesce(started_at, ?), started_by_id = ?, finished_at = ?,"
    " finished_by_id = ?, transition = 'submit_certification', work_seconds = 60,"
    " wait_seconds = 600 WHERE id = ? AND case_year = ? AND finished_at IS NULL",
    "INSERT INTO case_event (complaint_id, kind, at, by_id, by_name, transition, from_step, to_step,"
    " round, version, reason, details) VALUES (?, 'moved', ?, ?, ?, 'submit_certification',"
    " 'certification', 'signing', ?, ?, '', '{}')",
    "INSERT INTO step_run (complaint_id, case_year, step_key, round, entered_at, reason,"
    " standard_minutes, batch_size) VALUES (?, ?, 'signing', ?, ?, '',"
    " (SELECT standard_minutes FROM sop_step WHERE key = 'signing'), 1)",
    "INSERT INTO used_form_key (key, used_at, result) VALUES (?, ?, '')",
)
#: The last row of the log, held on PostgreSQL until the end, and the row that is sealed to it.
AUDIT_HEAD: Final = {
    True: "SELECT id, mac FROM audit_event ORDER BY id DESC LIMIT 1",
    False: "SELECT id, mac FROM audit_head()",
}
AUDIT_ROW: Final = (
    "INSERT INTO audit_event (id, at, kind, actor_id, subject, detail, address, request_id, mac)"
    " VALUES (?, ?, 'case_moved', ?, ?, ?, '127.0.0.1', '', ?)"
)


def write_move(case: int, username: str) -> None:
    """One move as its bare statements in one transaction."""
    now = datetime.now(UTC)
    at: Any = now
    found = connection()
    lite = isinstance(found, sqlite3.Connection)
    if lite:
        at = now.replace(tzinfo=None).isoformat(" ")
    found.execute("BEGIN IMMEDIATE" if lite else "BEGIN")
    ((user, first, last),) = query(KNOWN["user"], (username,))
    assert query(KNOWN["right"], (user,)) != [(0,)]
    ((*sort, number, version, round_, _confidential),) = query(KNOWN["case"], (case,))
    assert query(KNOWN["papers"], (case, round_)) != [(0,)]
    year = year_of(number)
    run, _entered, _started, standard = query(KNOWN["run"], (case, year))[0][:4]
    parameters = (
        (at, case, version),
        (at, user, at, user, run, year),
        (case, at, user, f"{first} {last}", round_, version + 1),
        (case, year, round_, at),
        (os.urandom(16).hex(), at),
    )
    for sql, values in zip(MOVE, parameters, strict=True):
        done = found.execute(sql if lite else sql.replace("?", "%s"), values)
        assert done.rowcount == 1
    fact = run_fact(Dims(*sort), "certification", now, 60, 600, standard, user)
    _write_cells(found, kept.collect([(fact, 1)]), lite=lite)
    (last, mac), *_none = query(AUDIT_HEAD[lite], ()) or [(0, "")]
    told = (last + 1, at, user, f"complaint:{number}", '{"transition":"submit_certification"}')
    sealed = hashlib.sha256(f"{mac}{told}".encode()).hexdigest()
    found.execute(AUDIT_ROW if lite else AUDIT_ROW.replace("?", "%s"), (*told, sealed))
    found.execute("COMMIT")


def _write_cells(found: Any, cells: Any, *, lite: bool) -> None:
    keys = sorted(cells)
    if lite:
        compiled = kept._SQLITE.compile(dialect=sqlite_dialect.dialect())
        rows = [
            [
                json.dumps(cells[key]) if name == "counts" else str(getattr(key, name))
                for name in compiled.positiontup or ()
            ]
            for key in keys
        ]
        found.executemany(str(compiled), rows)
        return
    sql = str(kept._POSTGRES).replace("\\:", ":").replace(":cells", "%(cells)s")
    found.execute(sql, {"cells": kept.cells_as_json(cells, keys)})
