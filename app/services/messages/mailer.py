"""Handing an e-mail to the mail server, and telling apart what an answer, or none, means.

A message is refused (for now or for good), the server is of no use (nobody's message is to
blame), or it is doubtful whether the message arrived: only when the server fell silent after the
last byte. In every other case it is certain that nothing was delivered.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any, Final

from app.models import Message
from app.sop.errors import SopError
from app.sop.text import N_

#: Seconds to wait for one answer of the mail server; several together stay below a lease.
TIMEOUT: Final = 30
_SAID: Final = 200
MESSAGES: Final[Mapping[str, str]] = {
    "mail_server_away": N_("The mail server %(host)s cannot be reached: %(said)s"),
    "mail_login_refused": N_("The mail server refuses our user name or password: %(said)s"),
    "mail_sender_missing": N_("Nobody is named as sender: set MAIL_FROM or the office's e-mail."),
    "mail_sender_refused": N_("The mail server does not accept our sender address: %(said)s"),
    "mail_refused": N_("The mail server refuses the message: %(said)s"),
    "mail_later": N_("The mail server wants it later: %(said)s"),
    "mail_unwritable": N_("The address or the subject has characters that no e-mail can carry."),
    "mail_doubtful": N_("The mail server fell silent just when it had the message: %(said)s"),
    "worker_died": N_("The program ended just while the message was handed over."),
}


class MailServerError(SopError):
    """No message can be sent now, whichever it is."""


class DeliveryRefusedError(SopError):
    """This message was not taken; `for_good` when trying again is no use."""

    def __init__(self, code: str, *, for_good: bool, **params: Any) -> None:
        super().__init__(code, **params)
        self.for_good = for_good


class DeliveryDoubtfulError(SopError):
    """The message was handed over whole, and no answer came."""


@dataclass(frozen=True)
class MailSettings:
    """Where mail goes out; the password is never shown."""

    host: str
    port: int = 587
    user: str = ""
    password: str = field(default="", repr=False)
    security: str = "starttls"
    #: `Name <address>` or an address.
    sender: str = ""
    office: str = ""


def mail_settings(
    settings: Mapping[str, Any], *, office_name: str = "", office_email: str = ""
) -> MailSettings:
    """The mail server of the settings; the office itself is the sender unless another is named."""
    return MailSettings(
        host=settings["SMTP_HOST"],
        port=settings["SMTP_PORT"],
        user=settings["SMTP_USER"],
        password=settings["SMTP_PASSWORD"],
        security=settings["SMTP_SECURITY"],
        sender=settings["MAIL_FROM"] or office_email,
        office=office_name,
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Mailer:
    """The way to one mail server."""

    settings: MailSettings
    clock: Callable[[], datetime] = _utc_now
    timeout: float = TIMEOUT

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A signed-in connection, closed politely at the end.

        Raises:
            MailServerError: there is no sender, no server, or it does not let us in.
        """
        sender = self._sender()
        server = self._open()
        try:
            yield Connection(server, self.settings.host, sender, self.clock)
        finally:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()

    def _sender(self) -> Address:
        name, address = parseaddr(self.settings.sender)
        try:
            return Address(display_name=name or self.settings.office, addr_spec=_plain(address))
        except (ValueError, MessageError, IndexError):
            raise MailServerError("mail_sender_missing") from None

    def _open(self) -> smtplib.SMTP:
        settings = self.settings
        server: smtplib.SMTP | None = None
        try:
            if settings.security == "tls":
                server = smtplib.SMTP_SSL(
                    settings.host,
                    settings.port,
                    timeout=self.timeout,
                    context=ssl.create_default_context(),
                )
            else:
                server = smtplib.SMTP(settings.host, settings.port, timeout=self.timeout)
                if settings.security == "starttls":
                    server.starttls(context=ssl.create_default_context())
            server.ehlo_or_helo_if_needed()
            if settings.user:
                server.login(settings.user, settings.password)
        except smtplib.SMTPAuthenticationError as error:
            _close(server)
            raise MailServerError("mail_login_refused", said=_said(error.smtp_error)) from None
        except (smtplib.SMTPException, OSError) as error:
            _close(server)
            raise MailServerError(
                "mail_server_away", host=settings.host, said=_said(error)
            ) from None
        return server


class Connection:
    """One conversation with the mail server, in which any number of messages is handed over."""

    def __init__(
        self, server: smtplib.SMTP, host: str, sender: Address, clock: Callable[[], datetime]
    ) -> None:
        self.server, self.host, self.sender, self.clock = server, host, sender, clock

    def send(self, message: Message) -> None:
        """Hand one message over.

        Raises:
            DeliveryRefusedError: the server did not take it.
            DeliveryDoubtfulError: it may have taken it.
            MailServerError: it takes nothing any more; this message is untouched.
        """
        content, recipient = write_mail(message, self.sender, self.clock())
        try:
            self._envelope(recipient)
            self._expect(*self.server.docmd("DATA"), good=354)
            self.server.send(_dotted(content))
        except (smtplib.SMTPException, OSError) as error:
            raise MailServerError("mail_server_away", host=self.host, said=_said(error)) from None
        # Only from here on can the message have arrived without our knowing.
        try:
            self.server.send(b".\r\n")
            code, said = self.server.getreply()
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryDoubtfulError("mail_doubtful", said=_said(error)) from None
        self._expect(code, said)

    def _envelope(self, recipient: str) -> None:
        code, said = self.server.mail(self.sender.addr_spec)
        if 500 <= code < 600:
            self._reset()
            raise MailServerError("mail_sender_refused", said=_said(said))
        self._expect(code, said)
        self._expect(*self.server.rcpt(recipient))

    def _expect(self, code: int, said: bytes | str, good: int = 250) -> None:
        """Go on only after a yes.

        A 421 says that the server closes for everybody; -1 that it said nothing sensible.
        """
        if code == good or (good == 250 and code == 251):
            return
        if code in (421, -1):
            raise MailServerError("mail_server_away", host=self.host, said=_said(said))
        self._reset()
        for_good = 500 <= code < 600
        raise DeliveryRefusedError(
            "mail_refused" if for_good else "mail_later",
            for_good=for_good,
            said=f"{code} {_said(said)}",
        )

    def _reset(self) -> None:
        with suppress(smtplib.SMTPException, OSError):
            self.server.rset()


def write_mail(message: Message, sender: Address, now: datetime) -> tuple[bytes, str]:
    """A message as it goes over the wire, and the address it goes to.

    Raises:
        DeliveryRefusedError: the address or the subject would break out of its header.
    """
    mail = EmailMessage(policy=SMTP)
    try:
        recipient = Address(addr_spec=_plain(message.recipient))
        mail["From"] = sender
        mail["To"] = recipient
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = f"<{message.public_id}@{sender.domain}>"
        # No holiday note of the applicant's mailbox comes back to a robot (RFC 3834).
        mail["Auto-Submitted"] = "auto-generated"
        mail["Content-Language"] = "id"
        mail.set_content(message.body + "\n", cte="quoted-printable")
        return mail.as_bytes(), recipient.addr_spec
    except (ValueError, MessageError, IndexError):
        raise DeliveryRefusedError("mail_unwritable", for_good=True) from None


def _plain(address: str) -> str:
    """An address of printable ASCII, its domain in the wire's own spelling.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(
        r"[^@\s\x00-\x20<>,;:\"\\()\[\]]+@[^@\s\x00-\x20<>,;:\"\\()\[\]]+", address
    ):
        raise ValueError("not an address")
    user, _, domain = address.partition("@")
    return f"{user.encode('ascii').decode()}@{domain.encode('idna').decode()}"


def _dotted(content: bytes) -> bytes:
    """A line that begins with a dot gets another, so that none ends the message (RFC 5321)."""
    content = re.sub(rb"(?m)^\.", b"..", content)
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def _said(words: object) -> str:
    """What the server said, on one line of printable text."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:_SAID]


def _close(server: smtplib.SMTP | None) -> None:
    if server is not None:
        server.close()
