"""Officers who work all the time, and write down what they were told."""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Complaint
from tests.support import samples
from tests.support.cluster.offices import Office
from tests.support.forms import PageForm
from tests.support.panel import engine_of
from tests.support.visitor import Answer, Visitor

#: What an answer says that promises that nothing was saved.
NOTHING_SAVED = "Tidak ada yang disimpan"
#: nginx has nobody to ask, or the panel says that something is away.
AWAY = (502, 503, 504)


class Caller(Visitor):
    """An officer behind nginx: TLS, the name of the office, one connection as long as it lasts."""

    def __init__(self, office: Office, key: str, place: tuple[str, int], tls: ssl.SSLContext):
        super().__init__(office.app, f"https://{place[0]}:{place[1]}", key)
        self.host, self.place, self.tls = office.host, place, tls
        self.line: http.client.HTTPSConnection | None = None

    def _ask(self, method, path, body, headers):  # type: ignore[no-untyped-def]
        if self.line is None:
            self.line = _Named(self.host, self.place, self.tls)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            given = {"Cookie": cookies, "Referer": f"https://{self.host}/", **headers}
            self.line.request(method, path, body, given)
            response = self.line.getresponse()
            text = response.read().decode("utf-8", "replace")
        except Exception:
            self.line.close()
            self.line = None
            raise
        for found in response.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(found).items():
                self.cookies[name] = morsel.value
        return Answer(response.status, response.headers.get("Location", ""), text)

    def close(self) -> None:
        """Let the line go."""
        if self.line is not None:
            self.line.close()


class _Named(http.client.HTTPSConnection):
    """To an address, under the name of the office."""

    def __init__(self, host: str, place: tuple[str, int], tls: ssl.SSLContext) -> None:
        super().__init__(host, 443, timeout=60, context=tls)
        self.place, self.tls = place, tls

    def connect(self) -> None:
        """TLS with the office's name."""
        line = socket.create_connection(self.place, 10)
        self.sock = self.tls.wrap_socket(line, server_hostname=self.host)
        self.sock.settimeout(self.timeout)


@dataclass
class Ledger:
    """What one case's officers were told."""

    pk: int
    acknowledged: int = 0
    #: Nobody knows: the line broke, or the page said so.
    unknown: int = 0
    uploads: list[str] = field(default_factory=list)


@dataclass
class Load:
    """All officers, and what they met."""

    office: Office
    caller: Callable[[str], Caller]
    ledgers: list[Ledger]
    stop: threading.Event = field(default_factory=threading.Event)
    #: Status codes by kind of request; "broken" where the line broke.
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    #: The longest that somebody waited for an answer, by kind.
    longest: dict[str, float] = field(default_factory=dict)
    officers: list[Caller] = field(default_factory=list)

    def start(self) -> None:
        """Two officers to a case, one who uploads, one who looks at charts."""
        jobs = [self._move_job(ledger) for ledger in self.ledgers]
        who = ("petugas", "petugas2")  # nobody may stage more than so many files a day
        jobs += [
            self._upload_job(ledger, key) for ledger, key in zip(self.ledgers, who, strict=False)
        ]
        jobs += [self._look_job(number) for number in range(2)]
        self.threads = [
            threading.Thread(target=self._work, args=(job,), daemon=True) for job in jobs
        ]
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        """Let everybody finish what he does."""
        self.stop.set()
        for thread in self.threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in self.threads)
        for officer in self.officers:
            officer.close()

    @property
    def moved(self) -> int:
        """Acknowledged transitions."""
        return sum(ledger.acknowledged for ledger in self.ledgers)

    @property
    def uploaded(self) -> int:
        """Acknowledged files."""
        return sum(len(ledger.uploads) for ledger in self.ledgers)

    @property
    def told_away(self) -> int:
        """Answers that say that something is away."""
        return sum(n for (_kind, status), n in self.met.items() if status == "503")

    @property
    def refused_uploads(self) -> int:
        """Files that were answered, and not stored."""
        found = ((status, n) for (kind, status), n in self.met.items() if kind == "upload")
        return sum(n for status, n in found if status not in ("201", "broken"))

    def _work(self, job: Callable[[], None]) -> None:
        while not self.stop.is_set():
            try:
                job()
            except Exception as error:
                self.faults.append(repr(error)[:600])
                return

    def _note(self, kind: str, send: Callable[[], Answer]) -> Answer | None:
        """Send; None when nobody answered."""
        began = time.monotonic()
        answer = None
        with suppress(OSError, http.client.HTTPException):
            answer = send()
        waited = time.monotonic() - began
        self.longest[kind] = max(self.longest.get(kind, 0), waited)
        self.met[kind, str(answer.status) if answer else "broken"] += 1
        if answer is None or answer.status in AWAY:
            self.stop.wait(0.2)
        if answer is not None and answer.status == 500:
            self.faults.append(f"{kind}: 500 {answer.text[-300:]}")
        return answer

    # --- jobs --------------------------------------------------------------------------------------

    def _move_job(self, ledger: Ledger) -> Callable[[], None]:
        sub, head = self._officer("subkoordinator"), self._officer("kepala")

        def move() -> None:
            step = self._step(ledger.pk)
            if step == "certification":
                path = f"/complaints/action/submit_certification/{ledger.pk}"
                answer = self._note("move", lambda: sub.post(path, {}))
            elif step == "signing":
                path = f"/complaints/work/{ledger.pk}"
                page = self._note("page", lambda: head.get(path))
                if page is None or page.status != 200:
                    return
                form = PageForm(page.text, "work-form")
                sent = form.sent(transition="refuse_signature", reason="Nama belum sesuai")
                sent.pop("csrf_token")
                answer = self._note("move", lambda: head.post(path, sent))
            else:
                return
            if answer is None or (answer.status in AWAY and NOTHING_SAVED not in answer.text):
                ledger.unknown += 1
            elif answer.status == 303:
                ledger.acknowledged += 1
            elif answer.status not in (*AWAY, 409, 422):
                self.faults.append(f"{step}: {answer.status} {answer.text[-300:]}")

        return move

    def _upload_job(self, ledger: Ledger, key: str) -> Callable[[], None]:
        officer, chance = self._officer(key), random.Random(ledger.pk)

        def upload() -> None:
            data = samples.png(8 + chance.randrange(200), 8 + chance.randrange(200))
            answer = self._note("upload", lambda: officer.upload("/uploads/", "foto.png", data))
            if answer is not None and answer.status == 201 and answer.text.startswith("{"):
                ledger.uploads.append(json.loads(answer.text)["token"])
            self.stop.wait(1.0)

        return upload

    def _look_job(self, number: int) -> Callable[[], None]:
        officer = self._officer("kabid")
        pages = ["/charts/steps/", "/sop/hidup/", "/charts/pauses/", "/charts/returns/"]
        turn = iter(range(number, 10**9))

        def look() -> None:
            path = pages[next(turn) % len(pages)]
            answer = self._note(path, lambda: officer.get(path))
            if answer is not None and answer.status not in (200, 302, 303, *AWAY):
                self.faults.append(f"{path}: {answer.status}")
            self.stop.wait(0.2)

        return look

    def _officer(self, key: str) -> Caller:
        self.officers.append(self.caller(key))
        return self.officers[-1]

    def _step(self, pk: int) -> str:
        with suppress(Exception), Session(engine_of(self.office.app)) as session:
            statement = select(Complaint.step_key).where(Complaint.id == pk)
            return str(session.scalar(statement))
        self.stop.wait(0.2)
        return ""


def rate(callers: list[Caller], path: str, seconds: float) -> float:
    """Pages a second that so many officers get who do not wait between them."""
    counts = [0] * len(callers)
    end = time.monotonic() + seconds

    def work(number: int) -> None:
        while time.monotonic() < end:
            answer = callers[number].get(path)
            assert answer.status == 200, answer
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(callers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(counts) > 0
    return sum(counts) / seconds


def write_ratio(alone: float, both: float) -> None:
    """Put the ratio into docs/performance.md."""
    path = Path(__file__).resolve().parents[3] / "docs" / "performance.md"
    head, mark, tail = path.read_text(encoding="utf-8").partition("<!-- cluster -->\n")
    _old, end, rest = tail.partition("<!-- /cluster -->\n")
    assert mark, "docs/performance.md has lost its place for this"
    assert end, "docs/performance.md has lost its place for this"
    row = f"| {os.cpu_count()} | {alone:.0f} | {both:.0f} | {both / alone:.2f} |\n"
    table = "| cores | one app server | two app servers | ratio |\n|---|---|---|---|\n" + row
    path.write_text(head + mark + table + end + rest, encoding="utf-8")
