"""Reading a signature: intact or changed since, by whom, when, issuer known or not."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.services.signature import Trust, read_signatures
from app.services.uploads import check_upload
from tests.support import samples, signed, tampering
from tests.support.signed import (
    EXPIRED_CERTIFICATE,
    ISSUER,
    SECOND_CERTIFICATE,
    SECOND_SIGNER,
    SIGNER,
    STRANGE_CERTIFICATE,
    signed_pdf,
    trust,
    twice_signed_pdf,
)


@pytest.fixture(scope="module")
def signed_form() -> bytes:
    """A signed PDF with a form field and pages that nobody saw."""
    return signed.sign(tampering.form_pdf())


# --- what must not pass ------------------------------------------------------------------------


@pytest.mark.parametrize("name", tampering.CHANGES)
def test_what_came_after_the_signature_is_a_change(name: str, signed_form: bytes) -> None:
    assert read_signatures(signed_form, trust()).state == "trusted"
    report = read_signatures(tampering.CHANGES[name](signed_form), trust())
    assert report.state == "changed"
    assert not any(item.intact for item in report.signatures)


@pytest.mark.parametrize("name", tampering.CHANGES)
def test_what_came_after_the_second_signature_is_a_change(name: str, signed_form: bytes) -> None:
    twice = signed.sign(signed_form, SECOND_CERTIFICATE)
    assert read_signatures(twice, trust()).state == "trusted"
    assert read_signatures(tampering.CHANGES[name](twice), trust()).state == "changed"


@pytest.mark.parametrize(
    "name",
    [
        "a picture over the page",
        "an unsigned field over the page",
        "another content of the page",
        "another page",
        "pages that were signed unseen",
        "another text in a form field",
    ],
)
def test_what_came_between_two_signatures_breaks_the_first(name: str, signed_form: bytes) -> None:
    """The second signer has signed what he saw; the first has not."""
    between = signed.sign(tampering.CHANGES[name](signed_form), SECOND_CERTIFICATE)
    report = read_signatures(between, trust())
    assert report.state == "changed"
    assert [item.intact for item in report.signatures] == [False, True]


def test_any_changed_byte_is_found() -> None:
    data = signed_pdf()
    start, end = data.index(b"/Contents <"), data.index(b">", data.index(b"/Contents <"))
    for place in range(0, len(data), 61):
        if start < place <= end:
            continue  # the signature itself: below
        changed = bytearray(data)
        changed[place] ^= 1
        report = read_signatures(bytes(changed), trust())
        assert report.state in ("changed", "unsigned"), place


def test_a_changed_signature_is_no_signature() -> None:
    data = signed_pdf()
    start = data.index(b"/Contents <") + len(b"/Contents <")
    # From behind the certificates on: the signed facts and the signature over them.
    used = len(data[start : data.index(b">", start)].rstrip(b"0"))
    for place in range(start + used - 300, start + used, 7):
        changed = bytearray(data)
        changed[place] = ord("0") if changed[place] != ord("0") else ord("1")
        assert read_signatures(bytes(changed), trust()).state == "changed", place


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"%PDF-1.7\n", id="only a beginning"),
        pytest.param(samples.EXE, id="a program"),
        pytest.param(signed.draft_pdf(), id="a plain PDF"),
        pytest.param(samples.pdf_encrypted("x"), id="a locked PDF"),
        pytest.param(tampering.form_pdf(), id="a form nobody signed"),
    ],
)
def test_what_bears_no_signature_is_unsigned(data: bytes) -> None:
    assert read_signatures(data, trust()) == read_signatures(data, Trust())
    report = read_signatures(data, trust())
    assert (report.state, report.signatures) == ("unsigned", ())


def test_the_draft_cut_out_of_a_signed_pdf_is_unsigned() -> None:
    plain = signed.draft_pdf()
    data = signed.sign(plain)
    assert data.startswith(plain)
    assert read_signatures(data[: len(plain)], trust()).state == "unsigned"


def test_a_mark_without_its_signature_is_unsigned() -> None:
    state = read_signatures(tampering.signature_dropped(signed_pdf()), trust()).state
    assert state in ("unsigned", "changed")


@pytest.mark.parametrize("length", [100, 5_000, 15_000, 18_000])
def test_half_a_signed_pdf_never_passes(length: int) -> None:
    state = read_signatures(signed_pdf()[:length], trust()).state
    assert state in ("unsigned", "changed")


def test_an_unknown_issuer_is_said() -> None:
    report = read_signatures(signed_pdf(STRANGE_CERTIFICATE), trust())
    assert report.state == "unknown_issuer"
    (found,) = report.signatures
    assert (found.intact, found.issuer_known) == (True, False)


def test_without_trusted_issuers_nobody_is_known() -> None:
    assert read_signatures(signed_pdf(), Trust()).state == "unknown_issuer"


def test_a_signature_outside_the_certificate_s_time_is_not_its_issuer_s() -> None:
    """Signed while it was in force, but it has expired since and no time stamp says when."""
    now = datetime.now(UTC)
    at = now - timedelta(days=60)
    data = signed.sign(signed.draft_pdf(), EXPIRED_CERTIFICATE, at=at)
    assert read_signatures(data, trust(), now=at + timedelta(days=1)).state == "trusted"
    report = read_signatures(data, trust(), now=now)
    assert report.state == "unknown_issuer"
    assert report.signatures[0].intact


# --- what passes -------------------------------------------------------------------------------


def test_an_intact_signature_says_who_and_when() -> None:
    at = datetime(2026, 7, 1, 3, 4, 5, tzinfo=UTC)
    report = read_signatures(signed.sign(signed.draft_pdf(), at=at), trust())
    assert report.state == "trusted"
    (found,) = report.signatures
    assert (found.signer, found.issuer, found.reason) == (SIGNER, ISSUER, "Langkah 4 SOP")
    assert found.signed_at == at
    assert (found.intact, found.issuer_known, found.timestamped) == (True, True, False)


def test_a_second_signature_by_another_person_is_told_apart() -> None:
    report = read_signatures(twice_signed_pdf(), trust())
    assert report.state == "trusted"
    assert [item.signer for item in report.signatures] == [SIGNER, SECOND_SIGNER]
    assert all(item.intact and item.issuer_known for item in report.signatures)


def test_one_unknown_issuer_among_two_is_said() -> None:
    report = read_signatures(signed.sign(signed_pdf(), STRANGE_CERTIFICATE), trust())
    assert report.state == "unknown_issuer"
    assert [item.issuer_known for item in report.signatures] == [True, False]


def test_a_signed_pdf_is_taken_by_the_check_of_uploads() -> None:
    for data in (signed_pdf(), twice_signed_pdf()):
        assert check_upload("kk.pdf", data).data == data


def test_reading_works_where_an_event_loop_runs() -> None:
    async def read() -> str:
        return read_signatures(signed_pdf(), trust()).state

    assert asyncio.run(read()) == "trusted"
