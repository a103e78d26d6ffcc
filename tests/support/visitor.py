"""A browser's requests without a browser: over the network, from any thread, cookies kept."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from threading import Barrier, Thread
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.orm import Session

from app.models import Account, User
from tests.support.panel import cookie_values, engine_of

_RAW_TOKEN = "0" * 40
Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    location: str
    text: str

    @property
    def json(self) -> Any:
        """The body of an answer to a script."""
        return json.loads(self.text)


class Visitor:
    """An officer at a server; each request is a connection of its own."""

    def __init__(self, app: Flask, url: str, key: str) -> None:
        with Session(engine_of(app)) as session:
            user = session.query(User).filter_by(username=key).one()
            values = cookie_values(app, user, session.get(Account, user.id))
        signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        cookie = signer.dumps({**values, "csrf_token": _RAW_TOKEN})
        self.cookies = {str(app.config["SESSION_COOKIE_NAME"]): str(cookie)}
        tokens = URLSafeTimedSerializer(str(app.secret_key), salt="wtf-csrf-token")
        self.token = str(tokens.dumps(_RAW_TOKEN))
        self.address = urlsplit(url)

    def get(self, path: str, **headers: str) -> Answer:
        """A page; redirects are not followed."""
        return self._ask("GET", path, None, headers)

    def post(self, path: str, data: Mapping[str, str | Sequence[str]], **headers: str) -> Answer:
        """A form with its token."""
        body = urlencode({**data, "csrf_token": self.token}, doseq=True)
        headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return self._ask("POST", path, body, headers)

    def upload(self, path: str, name: str, data: bytes, kind: str = "") -> Answer:
        """One file, as the script of a page sends it."""
        border = "aduan-border"
        kind = kind or ("application/pdf" if name.endswith(".pdf") else "image/png")
        head = (
            f'--{border}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n'
            f"{self.token}\r\n--{border}\r\nContent-Disposition: form-data;"
            f' name="file"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
        ).encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={border}",
            "Accept": "application/json",
        }
        return self._ask("POST", path, head + data + f"\r\n--{border}--\r\n".encode(), headers)

    def _ask(
        self, method: str, path: str, body: str | bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        assert self.address.hostname is not None
        connection = http.client.HTTPConnection(
            self.address.hostname, self.address.port, timeout=60
        )
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body, {"Cookie": cookies, **headers})
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            for line in response.headers.get_all("Set-Cookie") or ():
                for name, morsel in SimpleCookie(line).items():
                    self.cookies[name] = morsel.value
            return Answer(response.status, response.headers.get("Location", ""), text)
        finally:
            connection.close()


def at_once(jobs: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run all jobs in threads that start together; their results in the order of the jobs.

    Raises:
        ExceptionGroup: with every exception of a job.
    """
    barrier = Barrier(len(jobs))
    results: dict[int, Result] = {}
    errors: list[Exception] = []

    def run(number: int, job: Callable[[], Result]) -> None:
        barrier.wait(30)
        try:
            results[number] = job()
        except Exception as error:
            errors.append(error)

    threads = [Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if errors:
        raise ExceptionGroup("jobs at once", errors)
    return [results[number] for number in range(len(jobs))]
