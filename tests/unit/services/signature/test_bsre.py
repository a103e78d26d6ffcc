"""The signature service: every refusal a sentence, and never a document sent twice."""

from __future__ import annotations

import io
import logging
import socket
import threading
import traceback
from collections.abc import Iterator

import pytest
import zxingcpp
from PIL import Image

from app.services.signature import SigningError, read_signatures
from app.services.signature.bsre import ATTEMPTS, BsreSigner
from app.services.signature.core import MESSAGES
from tests.support import esign_server as service_of
from tests.support import samples, signed
from tests.support.esign_server import (
    EXPIRED_NIK,
    NIK,
    PASSPHRASE,
    PASSWORD,
    UNKNOWN_NIK,
    USER,
    EsignServer,
)
from tests.support.faults import wait_for

WRONG = "frasa-sandi salah 9"


@pytest.fixture
def service() -> Iterator[EsignServer]:
    with service_of.esign_server() as server:
        yield server


@pytest.fixture
def rests() -> list[float]:
    """How long the client rested between two requests."""
    return []


@pytest.fixture
def signer(service: EsignServer, rests: list[float]) -> BsreSigner:
    return BsreSigner(service.url, USER, PASSWORD, timeout=20, rest=rests.append)


def _impatient(service: EsignServer) -> BsreSigner:
    return BsreSigner(service.url, USER, PASSWORD, timeout=1.0, rest=lambda _: None)


# --- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nik", "passphrase", "code"),
    [
        pytest.param(NIK, WRONG, "passphrase_wrong", id="first shape: a wrong passphrase"),
        pytest.param(UNKNOWN_NIK, PASSPHRASE, "signer_not_registered", id="second shape: 2011"),
        pytest.param(
            EXPIRED_NIK, PASSPHRASE, "signer_without_certificate", id="second shape: 2021"
        ),
    ],
)
def test_a_refusal_is_a_sentence(
    nik: str, passphrase: str, code: str, signer: BsreSigner, service: EsignServer
) -> None:
    with pytest.raises(SigningError) as refused:
        signer.sign(signed.request(nik=nik), passphrase)
    assert (refused.value.code, refused.value.outcome) == (code, "not_signed")
    assert str(refused.value) == MESSAGES[code]
    assert (len(service.requests), service.signed) == (1, [])


@pytest.mark.parametrize(
    ("changes", "passphrase", "code"),
    [
        pytest.param({"nik": ""}, PASSPHRASE, "signer_nik_missing", id="no NIK"),
        pytest.param({"nik": "../../x"}, PASSPHRASE, "signer_nik_missing", id="a NIK like a path"),
        pytest.param({}, "", "passphrase_missing", id="no passphrase"),
        pytest.param({"pdf": samples.jpeg()}, PASSPHRASE, "draft_not_pdf", id="a picture"),
        pytest.param({"pdf": b"%PDF-1.7 x"}, PASSPHRASE, "sign_failed", id="half a PDF"),
    ],
)
def test_what_can_be_seen_here_is_not_sent(
    changes: dict[str, object],
    passphrase: str,
    code: str,
    signer: BsreSigner,
    service: EsignServer,
) -> None:
    with pytest.raises(SigningError) as refused:
        signer.sign(signed.request(**changes), passphrase)
    assert (refused.value.code, refused.value.outcome) == (code, "not_signed")
    assert service.paths == []


def test_wrong_login_of_the_office(service: EsignServer) -> None:
    signer = BsreSigner(service.url, USER, "salah")
    with pytest.raises(SigningError) as refused:
        signer.sign(signed.request(), PASSPHRASE)
    assert (refused.value.code, refused.value.outcome) == ("service_login", "not_signed")


def test_wrong_address_of_the_service(service: EsignServer) -> None:
    with pytest.raises(SigningError) as refused:
        BsreSigner(f"{service.url}/lain", USER, PASSWORD).sign(signed.request(), PASSPHRASE)
    assert (refused.value.code, refused.value.outcome) == ("service_address", "not_signed")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "tanpa-skema", "http://[::1"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(SigningError) as refused:
        BsreSigner(url, USER, PASSWORD).sign(signed.request(), PASSPHRASE)
    assert (refused.value.code, refused.value.outcome) == ("service_address", "not_signed")


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SigningError) as refused:
            BsreSigner(url, USER, PASSWORD).sign(signed.request(), PASSPHRASE)
    assert (refused.value.code, refused.value.outcome) == ("service_unreachable", "not_signed")


def test_other_words_of_the_service_are_shown_without_the_passphrase(
    signer: BsreSigner, service: EsignServer
) -> None:
    service.next = ["echo"]
    with pytest.raises(SigningError) as refused:
        signer.sign(signed.request(), PASSPHRASE)
    assert (refused.value.code, refused.value.outcome) == ("service_refused", "not_signed")
    assert refused.value.params["text"] == "Parameter … tidak sah"


# --- never twice -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "code"),
    [
        pytest.param("drop", "service_no_answer", id="the connection broke after sending"),
        pytest.param("gateway", "service_no_answer", id="a gateway lost patience (504)"),
        pytest.param("bare", "service_no_answer", id="an error without a word (500)"),
        pytest.param("garbage", "service_answer_unreadable", id="an answer that is no answer"),
    ],
)
def test_what_may_be_signed_is_not_sent_again(
    way: str, code: str, signer: BsreSigner, service: EsignServer
) -> None:
    service.next = [way]
    with pytest.raises(SigningError) as unknown:
        signer.sign(signed.request(), PASSPHRASE)
    assert (unknown.value.code, unknown.value.outcome) == (code, "unknown")
    assert (len(service.requests), len(service.signed)) == (1, 1)


def test_a_signature_that_timed_out_is_not_sent_again(service: EsignServer) -> None:
    service.next = ["hang"]
    with pytest.raises(SigningError) as unknown:
        _impatient(service).sign(signed.request(), PASSPHRASE)
    assert (unknown.value.code, unknown.value.outcome) == ("service_no_answer", "unknown")
    wait_for(lambda: service.requests)  # we may have lost patience before it had read all
    assert len(service.requests) == 1


def test_a_service_that_takes_in_nothing_more_times_out_unknown() -> None:
    """The connection stands, but nobody reads: how much arrived, nobody knows."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        signer = BsreSigner(url, USER, PASSWORD, timeout=0.4)
        with pytest.raises(SigningError) as unknown:
            signer.sign(signed.request(), PASSPHRASE)
    assert unknown.value.outcome == "unknown"


@pytest.mark.parametrize(
    ("turned_away", "waited"),
    [
        pytest.param(["busy"], [1.0], id="429 with a time to wait"),
        pytest.param(["unavailable", "unavailable"], [1.0, 2.0], id="503 twice"),
    ],
)
def test_what_was_turned_away_is_sent_again_after_a_rest(
    turned_away: list[str],
    waited: list[float],
    signer: BsreSigner,
    service: EsignServer,
    rests: list[float],
) -> None:
    service.next = list(turned_away)
    assert signer.sign(signed.request(), PASSPHRASE).data
    assert len(service.signed) == 1
    assert rests == waited


def test_a_service_that_stays_busy_is_left_alone(
    signer: BsreSigner, service: EsignServer, rests: list[float]
) -> None:
    service.next = ["busy"] * 10
    with pytest.raises(SigningError) as refused:
        signer.sign(signed.request(), PASSPHRASE)
    assert (refused.value.code, refused.value.outcome) == ("service_busy", "not_signed")
    assert (len(service.requests), len(rests), service.signed) == (ATTEMPTS, ATTEMPTS - 1, [])


def test_a_time_out_after_a_rest_is_not_sent_again(service: EsignServer) -> None:
    service.next = ["unavailable", "hang"]
    with pytest.raises(SigningError) as unknown:
        _impatient(service).sign(signed.request(), PASSPHRASE)
    assert unknown.value.outcome == "unknown"
    wait_for(lambda: len(service.requests) > 1)
    assert len(service.requests) == 2


# --- signed ------------------------------------------------------------------------------------


def test_the_signed_pdf_comes_back_at_once(signer: BsreSigner, service: EsignServer) -> None:
    done = signer.sign(signed.request(reason="SOP", location="Contoh"), PASSPHRASE)
    assert done.remote_id == "dok00001"
    assert done.data is not None
    assert read_signatures(done.data, signed.trust()).state == "trusted"
    (fields,) = service.requests
    assert fields == {
        "nik": NIK,
        "passphrase": PASSPHRASE,
        "tampilan": "visible",
        "image": "true",
        "page": "1",
        "xAxis": fields["xAxis"],
        "yAxis": "30",
        "width": "200",
        "height": "66",
        "reason": "SOP",
        "location": "Contoh",
    }


def test_the_draft_is_sent_byte_for_byte(signer: BsreSigner, service: EsignServer) -> None:
    draft = signed.draft_pdf()
    signer.sign(signed.request(draft), PASSPHRASE)
    assert service.received == [draft]


def test_the_mark_is_sent_as_a_picture_with_its_code(
    signer: BsreSigner, service: EsignServer
) -> None:
    signer.sign(signed.request(), PASSPHRASE)
    picture = Image.open(io.BytesIO(service.pictures[0]))
    assert zxingcpp.read_barcode(picture).text == signed.CHECK_URL


def test_a_document_is_fetched_by_its_number_and_once(
    signer: BsreSigner, service: EsignServer
) -> None:
    service.next = ["json"]
    done = signer.sign(signed.request(), PASSPHRASE)
    assert (done.data, done.remote_id) == (None, "dok00001")
    assert read_signatures(signer.fetch(done.remote_id), signed.trust()).state == "trusted"
    with pytest.raises(SigningError) as gone:
        signer.fetch(done.remote_id)
    assert (gone.value.code, gone.value.outcome) == ("download_gone", "unknown")
    assert len(service.signed) == 1


def test_a_busy_service_is_asked_again_for_a_document(
    signer: BsreSigner, service: EsignServer, rests: list[float]
) -> None:
    service.next = ["json"]
    done = signer.sign(signed.request(), PASSPHRASE)
    service.next_fetch = ["busy", "busy"]
    assert signer.fetch(done.remote_id).startswith(b"%PDF-")
    assert len(rests) == 2


def test_a_document_lost_on_its_way_can_be_asked_for_again(
    signer: BsreSigner, service: EsignServer
) -> None:
    service.next, service.next_fetch = ["json"], ["drop"]
    done = signer.sign(signed.request(), PASSPHRASE)
    with pytest.raises(SigningError) as lost:
        signer.fetch(done.remote_id)
    assert (lost.value.code, lost.value.outcome) == ("download_failed", "unknown")
    with pytest.raises(SigningError, match="only once"):
        signer.fetch(done.remote_id)


@pytest.mark.parametrize("remote_id", ["", "../user/status/1", "a/b", "a" * 81, "a b"])
def test_a_number_that_is_none_is_not_asked_for(
    remote_id: str, signer: BsreSigner, service: EsignServer
) -> None:
    with pytest.raises(SigningError, match="only once"):
        signer.fetch(remote_id)
    assert service.paths == []


@pytest.mark.parametrize(
    ("nik", "code"),
    [
        pytest.param(NIK, "", id="with a certificate in force"),
        pytest.param(EXPIRED_NIK, "signer_without_certificate", id="without one"),
        pytest.param(UNKNOWN_NIK, "signer_not_registered", id="not registered"),
    ],
)
def test_a_signatory_is_looked_up_before_a_batch(
    nik: str, code: str, signer: BsreSigner, service: EsignServer
) -> None:
    wanted = signed.request(nik=nik)
    if not code:
        signer.check_passphrase(wanted, PASSPHRASE)
    else:
        with pytest.raises(SigningError) as refused:
            signer.check_passphrase(wanted, PASSPHRASE)
        assert refused.value.code == code
    assert service.requests == []


# --- secrets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["pdf", "echo", "hang", "drop", "busy", "garbage"])
def test_no_secret_reaches_a_log_or_an_error(
    way: str, service: EsignServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.next = [way] * ATTEMPTS
    signer, text = (
        _impatient(service)
        if way == "hang"
        else BsreSigner(service.url, USER, PASSWORD, rest=lambda _: None),
        "",
    )
    wanted = signed.request()
    try:
        signer.check_passphrase(wanted, PASSPHRASE)
        signer.sign(wanted, PASSPHRASE)
    except SigningError as error:
        text = "".join(traceback.format_exception(error)) + repr(error) + repr(error.params)
    text += caplog.text + repr(signer) + repr(vars(signer)) + repr(wanted)
    for secret in (PASSPHRASE, PASSWORD, NIK):
        assert secret not in text


def test_two_papers_at_once_are_two_requests(service: EsignServer) -> None:
    def work() -> None:
        BsreSigner(service.url, USER, PASSWORD).sign(signed.request(), PASSPHRASE)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(service.signed) == 2
