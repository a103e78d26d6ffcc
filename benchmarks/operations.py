"""What is timed: the pages an office opens all day, asked for through the whole application."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median, quantiles
from typing import Any, Final

from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.models import CaseOutput, Category, Complaint
from benchmarks.load import PASSWORD, Loaded

WARM_UP: Final = 2
_TOKEN: Final = re.compile(r'name="csrf-token" content="([^"]+)"')
_FORM_KEY: Final = re.compile(r'name="form_key" value="([^"]+)"')

#: A request that was made: its answer is what counts.
Call = Callable[[], TestResponse]


@dataclass(frozen=True)
class Operation:
    """One thing an officer does; `ready` prepares a call that is then timed alone."""

    name: str
    user: str
    ready: Callable[[FlaskClient, int], Call]
    #: The most SQL statements it may take, where the issue sets a limit.
    limit: int | None = None


@dataclass
class Timed:
    """What several calls of one operation took."""

    operation: Operation
    milliseconds: list[float] = field(default_factory=list)
    statements: list[int] = field(default_factory=list)
    size: int = 0
    #: The SQL of the last call, for its plans.
    sql: list[tuple[str, Any]] = field(default_factory=list)
    status: int = 0

    @property
    def median(self) -> float:
        """The middle call, in milliseconds."""
        return median(self.milliseconds)

    @property
    def p95(self) -> float:
        """Nineteen of twenty calls were faster."""
        if len(self.milliseconds) < 2:
            return self.milliseconds[0]
        return quantiles(self.milliseconds, n=20, method="inclusive")[-1]


class Recorder:
    """The SQL statements that an engine runs; transaction control does not count."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.seen: list[tuple[str, Any]] = []

    @contextmanager
    def recording(self) -> Iterator[list[tuple[str, Any]]]:
        """Collect what runs meanwhile."""
        self.seen = []
        event.listen(self.engine, "before_cursor_execute", self._note)
        try:
            yield self.seen
        finally:
            event.remove(self.engine, "before_cursor_execute", self._note)

    def _note(
        self, connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any
    ) -> None:
        word = statement.lstrip().split(None, 1)[0].upper()
        if word not in ("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT"):
            self.seen.append((statement, parameters))


def measure(office: Loaded, operations: Sequence[Operation], repeats: int) -> Iterator[Timed]:
    """Time each operation several times after a warm-up.

    Raises:
        RuntimeError: an answer is not what a browser would be content with.
    """
    recorder = Recorder(office.engine)
    clients: dict[str, FlaskClient] = {}
    for operation in operations:
        if operation.user and operation.user not in clients:
            client = office.app.test_client()
            sign_in(client, operation.user)
            clients[operation.user] = client
        timed = Timed(operation)
        for number in range(-WARM_UP, repeats):
            client = clients.get(operation.user) or office.app.test_client()
            call = operation.ready(client, number + WARM_UP)
            with recorder.recording() as seen:
                begun = time.perf_counter()
                answer = call()
                took = time.perf_counter() - begun
            if answer.status_code >= 400:
                raise RuntimeError(f"{operation.name}: {answer.status}")
            if number >= 0:
                timed.milliseconds.append(took * 1000)
                timed.statements.append(len(seen))
                if answer.mimetype == "text/html":  # the limit is one of pages, not of PDFs
                    timed.size = max(timed.size, len(answer.data))
                timed.sql, timed.status = list(seen), answer.status_code
        yield timed


def token(client: FlaskClient, page: str = "/login/") -> str:
    """The CSRF token of a page.

    Raises:
        RuntimeError: the page has none.
    """
    found = _TOKEN.search(client.get(page, buffered=True).text)
    if found is None:
        raise RuntimeError(f"no token on {page}")
    return found[1]


def sign_in(client: FlaskClient, username: str) -> TestResponse:
    """Sign a client in through the form."""
    data = {"username": username, "password": PASSWORD, "csrf_token": token(client)}
    return client.post("/login/", data=data, buffered=True)


def operations_for(office: Loaded) -> list[Operation]:
    """The operations of the issue's section on speed, over the cases that are there."""
    with Session(office.engine) as session:
        facts = _facts(session, office.cases)
    # A page number counts from 0 and a page holds 25: this one begins in the middle of the list.
    deep = office.cases // 50
    today = datetime.now(UTC).date()
    year = f"from={today - timedelta(days=365)}&to={today}"

    def get(name: str, user: str, *urls: str, limit: int | None = None) -> Operation:
        def ready(client: FlaskClient, number: int) -> Call:
            return partial(client.get, urls[number % len(urls)], buffered=True)

        return Operation(name, user, ready, limit)

    complaints = "/complaints/list/"
    petugas, head = "petugas", "kepalabidang"
    return [
        Operation("login", "", _ready_login),
        get("list, first page", petugas, complaints, limit=10),
        get("list, deep page", petugas, f"{complaints}?page_ComplaintView={deep}", limit=10),
        get(
            "list by number",
            petugas,
            f"{complaints}?_oc_ComplaintView=number&_od_ComplaintView=asc",
            limit=10,
        ),
        get(
            "search a number", petugas, *(f"{complaints}?q={number}" for number in facts.numbers),
            limit=10,
        ),
        get("search a serial", petugas, f"{complaints}?q={office.cases // 3}", limit=10),
        get("search a NIK", petugas, *(f"{complaints}?q={nik}" for nik in facts.niks), limit=10),
        get(
            "search part of a name", petugas,
            *(f"{complaints}?q={part}" for part in ("ngroho", "wulan", "bamb", "saput")), limit=10,
        ),
        get("search a rare name", petugas, f"{complaints}?q=yuni+bamb", limit=10),
        get("filter a step", petugas, f"{complaints}?_flt_0_step=signing", limit=10),
        get("filter the ended", petugas, f"{complaints}?_flt_0_step=done", limit=10),
        get("filter a category", petugas, f"{complaints}?_flt_0_category={facts.category}", limit=10),
        get("show a finished case", petugas, *(f"/complaints/show/{pk}" for pk in facts.done), limit=10),
        get("show an open case", "operator", *(f"/complaints/show/{pk}" for pk in facts.open), limit=10),
        Operation("one transition", "subkoordinator", partial(_ready_move, iter(facts.certification))),
        get("queue of the operator", "operator", "/queue/"),
        get("queue of the counter", petugas, "/queue/"),
        get("SOP sheet", petugas, "/sop/"),
        get("documents", petugas, "/documents/list/", limit=10),
        get("dispatches", petugas, "/dispatches/list/", limit=10),
        get("registration form", petugas, "/complaints/add"),
        get("a receipt", petugas, *(f"/papers/receipt/{pk}" for pk in facts.done), limit=10),
        get(
            "100 shipping labels", petugas,
            "/papers/labels?ids=" + ",".join(map(str, facts.parcels)), limit=10,
        ),
        get("chart, 30 days", head, "/charts/steps/?period=30d"),
        get("chart, a year", head, f"/charts/steps/?{year}"),
        get("chart, a year, one category", head, f"/charts/steps/?{year}&category={facts.category}"),
    ]  # fmt: skip


@dataclass(frozen=True)
class _Facts:
    numbers: list[str]
    niks: list[str]
    done: list[int]
    open: list[int]
    #: As many as one batch of labels holds.
    parcels: list[int]
    certification: list[int]
    category: int


def _facts(session: Session, cases: int) -> _Facts:
    def ids(*conditions: Any) -> list[int]:
        query = select(Complaint.id).where(*conditions, Complaint.confidential.is_(False))
        return list(session.scalars(query.order_by(Complaint.id).limit(500)))

    some = [max(1, cases * part // 7) for part in range(1, 7)]
    rows = session.execute(select(Complaint.number, Complaint.nik).where(Complaint.id.in_(some)))
    found = rows.all()
    named = (
        select(CaseOutput.id)
        .where(CaseOutput.complaint_id == Complaint.id, CaseOutput.round == Complaint.round)
        .exists()
    )
    category = select(Category.id).where(Category.code == "KK")
    return _Facts(
        numbers=[row[0] for row in found],
        niks=[row[1] for row in found],
        done=ids(Complaint.step_key == "done")[:20],
        parcels=ids(Complaint.step_key == "done")[:100],
        open=ids(Complaint.step_key == "siak_check")[:20],
        certification=ids(Complaint.step_key == "certification", named),
        category=session.scalars(category).one(),
    )


def _ready_login(client: FlaskClient, number: int) -> Call:
    data = {"username": "operator2", "password": PASSWORD, "csrf_token": token(client)}
    return partial(client.post, "/login/", data=data, buffered=True)


def _ready_move(cases: Iterator[int], client: FlaskClient, number: int) -> Call:
    pk = next(cases)
    page = client.get(f"/complaints/show/{pk}", buffered=True).text
    found, key = _TOKEN.search(page), _FORM_KEY.search(page)
    assert found is not None, "no token on the case page"
    data = {"csrf_token": found[1], "form_key": key[1] if key else ""}
    return partial(
        client.post, f"/complaints/action/submit_certification/{pk}", data=data, buffered=True
    )
