"""An office in the middle of its day that can be put back to that moment, and what is sent in it.

The world of `world.py`, and what officers have begun in it: uploads that belong to no case yet, a
register that waits to be taken over, reports, a batch of signatures, several sign-ins. Every form
of every page that a role can come to is found by following links, as they really are.
"""

from __future__ import annotations

import io
import itertools
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from app.models import Account, Message, SecondFactor, User
from app.services.calendar import OFFICE_ZONE
from app.views.reports import ReportView
from tests.integration.access_matrix import LETTERS, routes
from tests.support import registers, samples
from tests.support.panel import cookie_values, csrf, engine_of, settings_for
from tests.support.webforms import WebForm, forms_of
from tests.support.world import World

File = tuple[str, str, bytes]
#: Pages of one kind that a role looks at while it looks for forms.
_PAGES_OF_A_KIND: Final = 3
_NUMBERS: Final = itertools.count(1)
_LINK: Final = re.compile(r'<a [^>]*href="([^"#]+)"')


@dataclass(frozen=True)
class Request:
    """A form that somebody sent."""

    who: str
    url: str
    data: tuple[tuple[str, str], ...]
    files: tuple[File, ...] = ()
    #: From the page's script, which asks for JSON.
    script: bool = False

    def replaced(self, **changes: Any) -> Request:
        """The same with other content."""
        return Request(**{**self.__dict__, **changes})


@dataclass
class BusyOffice:
    """An application over its own database and files, which `reset` puts back."""

    app: Flask
    folder: Path
    places: dict[str, str]
    cookies: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: The database's file of the moment: a connection that is still open somewhere keeps its own.
    file: Path = Path()

    def __post_init__(self) -> None:
        self.file = self.folder / "aduan.sqlite"

        @event.listens_for(engine_of(self.app), "do_connect")
        def connect(_dialect: Any, _record: Any, cargs: list[Any], _cparams: Any) -> None:
            cargs[0] = str(self.file)

    # --- being somebody ---

    def sign_in(self, who: str) -> None:
        """A session of that officer that is there after every `reset`."""
        with Session(engine_of(self.app)) as session:
            user = session.scalars(select(User).where(User.username == who)).one()
            values = cookie_values(self.app, user, session.get(Account, user.id))
        self.cookies[who] = values

    def client(self, who: str) -> FlaskClient:
        """A browser of an officer, of nobody without a name."""
        client = self.app.test_client()
        if who:
            with client.session_transaction() as kept:
                kept.update(self.cookies[who])
        return client

    def send(self, request: Request, client: FlaskClient | None = None) -> TestResponse:
        """Send a form under its sender's session, with that session's token."""
        client = client or self.client(request.who)
        pairs = [pair for pair in request.data if pair[0] != "csrf_token"]
        pairs.append(("csrf_token", csrf(client)))
        headers = {"Accept": "application/json"} if request.script else {}
        if not request.files:
            # Half a character, too, as a script may send it.
            sure = [(k, v.encode("utf-8", "surrogatepass")) for k, v in pairs]
            body, kind = urlencode(sure), "application/x-www-form-urlencoded"
            return client.post(request.url, data=body, content_type=kind, headers=headers)
        data: MultiDict[str, Any] = MultiDict(
            (name, value.encode("utf-8", "replace").decode()) for name, value in pairs
        )
        for name, filename, content in request.files:
            data.add(name, (io.BytesIO(content), filename.encode("utf-8", "replace").decode()))
        return client.post(request.url, data=data, headers=headers)

    def rule_of(self, url: str, method: str = "POST") -> str:
        """The route behind an address, "" when there is none."""
        path = urlsplit(urljoin("http://localhost/", url)).path
        adapter = self.app.url_map.bind("localhost")
        try:
            rule, _values = adapter.match(path, method, return_rule=True)
        except HTTPException:
            return ""
        return str(rule.rule)

    # --- putting it back ---

    def keep(self) -> None:
        """From now on this moment is the one that `reset` leads to."""
        engine_of(self.app).dispose()
        with closing(sqlite3.connect(self.file)) as now, closing(self._kept()) as kept:
            now.backup(kept)
        shutil.rmtree(self.folder / "kept-files", ignore_errors=True)
        shutil.copytree(self.folder / "files", self.folder / "kept-files")

    def _kept(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "kept.sqlite")

    def reset(self) -> None:
        """As if nothing had happened since."""
        engine_of(self.app).dispose()
        for ending in ("", "-wal", "-shm"):
            self.file.with_name(self.file.name + ending).unlink(missing_ok=True)
        self.file = self.folder / f"aduan-{next(_NUMBERS)}.sqlite"
        shutil.copyfile(self.folder / "kept.sqlite", self.file)
        there = {path.name for path in (self.folder / "files").rglob("*") if path.is_file()}
        kept = {path.name for path in (self.folder / "kept-files").rglob("*") if path.is_file()}
        if there != kept:
            shutil.rmtree(self.folder / "files")
            shutil.copytree(self.folder / "kept-files", self.folder / "files")

    # --- looking for forms ---

    def pages(self, letter: str) -> Iterator[tuple[str, str]]:
        """Every kind of page that a role can come to: its address and its HTML."""
        client = self.client(LETTERS[letter])
        waiting = [
            answered[letter].url(self.places)
            for (method, _rule), answered in routes().items()
            if method == "GET" and letter in answered
        ]
        for place, pk in self.places.items():
            if " " in place and letter not in "BA-":
                waiting += [f"/complaints/show/{pk}", f"/complaints/work/{pk}"]
        seen: set[str] = set()
        kinds: Counter[str] = Counter()
        given = len(waiting)
        for number, url in enumerate(waiting):
            rule = self.rule_of(url, "GET")
            own = number < given  # those that were named are all looked at
            if url in seen or not rule or (not own and kinds[rule] >= _PAGES_OF_A_KIND):
                continue
            seen.add(url)
            kinds[rule] += 1
            answer = client.get(url)
            if answer.status_code != 200 or answer.mimetype != "text/html":
                continue
            yield url, answer.text
            for link in _LINK.findall(answer.text):
                address = urljoin(url, link.replace("&amp;", "&"))
                sorted_only = "_oc_" in address or "_od_" in address
                if address.startswith("/") and address not in seen and not sorted_only:
                    waiting.append(address)

    def forms(self, letter: str) -> list[WebForm]:
        """Every form of them that is sent by POST: one for each route and set of fields."""
        found: dict[Any, WebForm] = {}
        for url, html in self.pages(letter):
            for form in forms_of(url, html):
                if form.method == "POST":
                    names = frozenset(re.sub(r"\d+", "N", one.name) for one in form.fields)
                    kind = (self.rule_of(form.action), names, frozenset(form.buttons))
                    if "/action/" in form.action:
                        kind = (form.action.rpartition("/")[0], *kind[1:])
                    if "/complaints/work/" in form.action:  # each case is ready for another move
                        kind = (form.action, *kind[1:])
                    found.setdefault(kind, form)
        return list(found.values())


# --- what has been begun -------------------------------------------------------------------------


@contextmanager
def at_work(
    new_app: Callable[[Path, dict[str, Any]], Flask],
    world: World,
    shared_folder: Path,
    folder: Path,
) -> Iterator[BusyOffice]:
    """An office over a copy of the world, with what officers have begun in it."""
    copied = world.copied(folder)
    copied |= {"SIGNATURE_WAY": "pkcs12", "AUDIT_HEAD": folder / "head"}
    settings = settings_for(shared_folder, copied.pop("url"), **copied)
    made = BusyOffice(new_app(shared_folder, settings), folder, dict(world.places))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ReportView, "patience", 0)  # no worker makes them here
        begin_work(made)
        yield made


def begin_work(office: BusyOffice) -> None:
    """What officers have in their hands at this moment; its addresses come to the places."""
    for who in (
        "petugas",
        "operator",
        "petugas",
        "petugas2",
        "operator",
        "subkoordinator",
        "kepala",
        "kabid",
        "admin",
    ):
        office.sign_in(who)
    for place, filename, content in (
        ("upload", "ktp.jpg", samples.jpeg()),
        ("pdf", "surat.pdf", samples.pdf()),
    ):
        upload = Request("petugas", "/uploads/", (), (("file", filename, content),), script=True)
        office.places[place] = _ok(office.send(upload), 201).get_json()["token"]
    rows = [registers.row(number) for number in (1, 2)]
    register = Request("petugas", "/import/", (), (("file", "r.xlsx", registers.xlsx(rows)),))
    office.places["import"] = _last(_ok(office.send(register), 303))
    report = Request("petugas", "/reports/", (("report", "recap.pdf"),))
    office.places["report"] = _last(_ok(office.send(report), 303))
    choice = ("case", office.places["signing sign"])
    version = (f"version_{choice[1]}", _version(office, choice[1]))
    start = Request("kepala", "/signing/start", (choice, version))
    office.places["signing"] = _last(_ok(office.send(start), 303))
    paused = Request(
        "petugas",
        f"/complaints/pause/{office.places['intake verify_file']}",
        (("reason", "other"), ("note", "Listrik padam")),
    )
    _ok(office.send(paused), 303)
    with Session(engine_of(office.app)) as session:
        ids = {user.username: user.id for user in session.scalars(select(User))}
        now = datetime.now(UTC)
        session.add(
            SecondFactor(user_id=ids["petugas2"], secret="A" * 32, created_at=now, confirmed_at=now)
        )
        waiting = select(Message.id).where(Message.way == "whatsapp").order_by(Message.id)
        message = session.scalars(waiting).first()
        session.execute(update(Message).where(Message.id == message).values(state="cancelled"))
        session.commit()
    today = f"{now.astimezone(OFFICE_ZONE):%Y-%m-%d}"
    office.places |= {"today": today, "kepala": str(ids["kepala"]), "cancelled": str(message)}
    stopped = Request(
        "operator", "/queue/pause_step/printing", (("reason", "other"), ("note", "x"))
    )
    _ok(office.send(stopped), 303)
    office.keep()


def _version(office: BusyOffice, pk: str) -> str:
    page = office.client("kepala").get("/signing/").text
    found = re.search(rf'name="version_{pk}" value="(\d+)"', page)
    assert found is not None, "the case does not wait for a signature"
    return found[1]


def _ok(answer: TestResponse, status: int) -> TestResponse:
    assert answer.status_code == status, f"{answer.status} {answer.text[:2000]}"
    return answer


def _last(answer: TestResponse) -> str:
    assert answer.location is not None
    return answer.location.rstrip("/").rpartition("/")[2]
