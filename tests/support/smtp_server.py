"""A real SMTP server of this machine for tests: it keeps what it takes and refuses when told to."""

from __future__ import annotations

import contextlib
import email
import email.policy
import socket
import threading
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

USER, PASSWORD = "aduan", "rahasia-surel"


class MailServer:
    """What was taken so far, and what it answers; changed by a test while it runs.

    `on_rcpt` and `on_data` get the recipient and answer an SMTP line, or None to go on.
    """

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.on_rcpt: Callable[[str], str | None] = lambda address: None
        self.on_data: Callable[[str], str | None] = lambda address: None
        #: Close the connection without a word once the message is here whole.
        self.fall_silent = False
        self.slow = 0.0
        self._more = threading.Condition()
        self.host, self.port = "", 0

    def keys(self) -> list[str]:
        """The public ids of the messages that came, in their order."""
        return [str(mail["Message-ID"]).strip("<>").split("@")[0] for mail in self.received]

    def wait_for(self, count: int, seconds: float = 30) -> None:
        """Go on as soon as so many have come."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.received) >= count, seconds), (
                f"{len(self.received)} of {count} came"
            )

    # --- aiosmtpd calls these ---

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if answer := self.on_rcpt(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if answer := self.on_data(envelope.rcpt_tos[0]):
            return answer
        if self.slow:
            time.sleep(self.slow)
        with self._more:
            self.raw.append(envelope.content)
            self.received.append(
                email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
            )
            self._more.notify_all()
        if self.fall_silent:
            server.transport.abort()
        return "250 taken"


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=known, handled=False)


@contextlib.contextmanager
def mail_server(*, login: bool = False, host: str = "127.0.0.1") -> Iterator[MailServer]:
    """A running server; `login` asks for the user and password above."""
    server = MailServer()
    more: dict[str, Any] = {}
    if login:
        more = {"auth_required": True, "auth_require_tls": False, "authenticator": _authenticate}
    server.host = host
    with socket.socket() as free:  # aiosmtpd looks at its own port, so it has to know it
        free.bind((server.host, 0))
        server.port = free.getsockname()[1]
    controller = Controller(server, hostname=server.host, port=server.port, **more)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
