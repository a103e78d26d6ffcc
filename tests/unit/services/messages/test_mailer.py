"""What goes over the wire: an applicant's data never becomes a header, and keeps its lines."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.headerregistry import Address

import pytest

from app.models import Message
from app.services.messages.mailer import (
    DeliveryRefusedError,
    Mailer,
    MailServerError,
    MailSettings,
    write_mail,
)

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
SENDER = Address("Dinas Kependudukan", addr_spec="aduan@example.go.id")


def message(**changes: str) -> Message:
    values = {
        "public_id": "k" * 32, "recipient": "sri@example.org", "subject": "Tanda terima",
        "body": "Yth. Sri,\n.titik\nselesai", "way": "email",
    }  # fmt: skip
    return Message(**{**values, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"recipient": "sri@example.org\r\nBcc: x@example.org"}, id="a line end in To"),
        pytest.param({"recipient": "sri@example.org, x@example.org"}, id="two addresses"),
        pytest.param({"recipient": "sri@example.org>\nX: y"}, id="a bracket"),
        pytest.param({"recipient": "sri"}, id="no domain"),
        pytest.param({"recipient": ""}, id="nothing"),
        pytest.param({"recipient": "söri@example.org"}, id="a name the wire cannot carry"),
        pytest.param({"recipient": "sri@" + "x" * 80 + ".org"}, id="an impossible domain"),
        pytest.param({"subject": "Halo\r\nBcc: x@example.org"}, id="a line end in the subject"),
        pytest.param({"subject": "Halo\nBcc: x@example.org"}, id="a bare line feed in it"),
    ],
)
def test_nothing_breaks_out_of_a_header(changes: dict[str, str]) -> None:
    with pytest.raises(DeliveryRefusedError) as refused:
        write_mail(message(**changes), SENDER, NOW)
    assert refused.value.code == "mail_unwritable"
    assert refused.value.for_good


def test_the_message_as_a_mail_program_reads_it() -> None:
    content, recipient = write_mail(message(subject="Berkas – dikembalikan"), SENDER, NOW)
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert recipient == "sri@example.org"
    assert mail["To"] == "sri@example.org"
    assert mail["From"] == "Dinas Kependudukan <aduan@example.go.id>"
    assert mail["Subject"] == "Berkas – dikembalikan"
    assert mail["Message-ID"] == f"<{'k' * 32}@example.go.id>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == "Yth. Sri,\n.titik\nselesai\n"
    assert b"=0D" not in content
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_a_domain_with_other_letters_is_spelt_for_the_wire() -> None:
    assert write_mail(message(recipient="sri@bücher.example"), SENDER, NOW)[1] == (
        "sri@xn--bcher-kva.example"
    )


@pytest.mark.parametrize("sender", ["", "kantor", "Kantor <a@b@c>"])
def test_without_a_sender_nothing_is_tried(sender: str) -> None:
    mailer = Mailer(MailSettings(host="127.0.0.1", port=9, security="none", sender=sender))
    with pytest.raises(MailServerError) as refused, mailer.connected():
        pass
    assert refused.value.code == "mail_sender_missing"


def test_the_password_is_not_shown() -> None:
    settings = MailSettings(host="h", user="u", password="rahasia-surel")
    assert "rahasia" not in repr(settings) + repr(Mailer(settings))
