"""Signing by the BSrE eSign service (client API, version 1).

One rule stands above the others: a document is never sent twice. It is sent again only after an
answer that says that nothing was taken in (429, 503) or when no connection came about at all.
After a time-out, a broken connection or a gateway's 504 nobody here knows, and the outcome says so.

The passphrase goes into the body of one request. It is in no address, no log and no error, and is
taken out of the service's own words should they repeat it.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Final
from urllib.parse import quote

import httpx

from app.services.signature.core import SignedPdf, SigningError, SignRequest, Way, marked_demo
from app.services.signature.stamping import make_room, stamp_picture

# These write addresses (a NIK is part of one) and headers into the log.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)
logger = logging.getLogger(__name__)

#: How often a request that was turned away is made in all, and the longest rest between two.
ATTEMPTS: Final = 4
LONGEST_REST: Final = 8.0
#: Longest text of the service that is shown.
TEXT: Final = 160

#: The service's own numbers -> our codes.
REFUSALS: Final[Mapping[int, str]] = {
    2011: "signer_not_registered",
    1110: "signer_not_registered",
    2021: "signer_without_certificate",
    2031: "passphrase_wrong",
}
_NUMBER: Final = re.compile(r"(?<!\d)(2011|2021|2031|1110)(?!\d)")
_REMOTE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,80}")
#: "Not now", said before anything was taken in.
_TURNED_AWAY: Final = frozenset({429, 503})


class BsreSigner:
    """Sends one PDF at a time to the service and waits for its answer."""

    way: Way = "bsre"

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        *,
        timeout: float = 60,
        demo: bool = False,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self.demo = demo
        self._login = httpx.BasicAuth(user, password)
        self._timeout = httpx.Timeout(timeout, connect=min(timeout, 10))
        self._rest = rest

    def sign(self, request: SignRequest, passphrase: str) -> SignedPdf:
        """Have one PDF signed, with the mark of the office drawn by the service.

        Raises:
            SigningError: see `core.MESSAGES`; `outcome` "unknown" once the document may have
                been taken in.
        """
        _check(request, passphrase)
        pdf, fields, picture = _prepared(marked_demo(request, self.demo))
        answer = self._send(
            "POST",
            "/api/sign/pdf",
            data={**fields, "nik": request.nik, "passphrase": passphrase},
            files={
                "file": ("dokumen.pdf", pdf, "application/pdf"),
                "imageTTD": ("stempel.png", picture, "image/png"),
            },
        )
        if answer.status_code == 200:
            return _signed(answer)
        raise _refusal(answer, passphrase)

    def fetch(self, remote_id: str) -> bytes:
        """The signed PDF of this number; the service hands it out once.

        Raises:
            SigningError: `download_failed` (it may be asked again) or `download_gone`.
        """
        if not _REMOTE_ID.fullmatch(remote_id):
            raise SigningError("download_gone", outcome="unknown")
        try:
            answer = self._send("GET", f"/api/sign/download/{quote(remote_id)}")
        except SigningError as error:
            raise SigningError("download_failed", outcome="unknown") from error
        if answer.status_code == 200 and answer.content.startswith(b"%PDF-"):
            return answer.content
        if answer.status_code in (400, 404, 410):
            raise SigningError("download_gone", outcome="unknown")
        raise SigningError("download_failed", outcome="unknown")

    def check_passphrase(self, request: SignRequest, passphrase: str) -> None:
        """See whether the service knows the signatory; the passphrase it tells only on signing.

        Raises:
            SigningError: as `sign` would.
        """
        _check(request, passphrase)
        answer = self._send("GET", f"/api/user/status/{quote(request.nik)}")
        if answer.status_code != 200:
            raise _refusal(answer, passphrase)
        facts = _facts(answer)
        number = _as_number(facts.get("status_code"))
        if number == 1111 or str(facts.get("status", "")).upper() == "ISSUE":
            return
        raise SigningError(REFUSALS.get(number, "signer_without_certificate"))

    # --- the wire ---

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        """One request; made again only while the service turns it away unread."""
        repeatable = _TURNED_AWAY if method == "POST" else {429, 502, 503, 504}
        for attempt in range(1, ATTEMPTS + 1):
            answer = self._once(method, path, content)
            if answer.status_code not in repeatable or attempt == ATTEMPTS:
                return answer
            self._rest(_pause(answer, attempt))
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, content: Mapping[str, Any]) -> httpx.Response:
        try:
            with httpx.Client(
                auth=self._login, timeout=self._timeout, follow_redirects=False
            ) as client:
                return client.request(method, self.url + path, **content)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError):
            # No connection came about, so nothing has left this machine.
            raise SigningError("service_unreachable") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise SigningError("service_address") from None
        except httpx.HTTPError as error:
            # `from None`: the request, and in it the passphrase, hangs on the error.
            logger.warning("the signature service broke off: %s", type(error).__name__)
            raise SigningError("service_no_answer", outcome="unknown") from None


def _check(request: SignRequest, passphrase: str) -> None:
    if not re.fullmatch(r"\d{16}", request.nik):
        raise SigningError("signer_nik_missing")
    if not passphrase:
        raise SigningError("passphrase_missing")
    if not request.pdf.startswith(b"%PDF-"):
        raise SigningError("draft_not_pdf")


def _prepared(request: SignRequest) -> tuple[bytes, dict[str, str], bytes]:
    """The PDF with room for the mark, the form's fields, and the mark as a picture."""
    writer, place = make_room(request.pdf, request.place)
    pdf = request.pdf
    if place.new_page:
        out = BytesIO()
        writer.write(out)
        pdf = out.getvalue()
    fields = {
        "tampilan": "visible",
        "image": "true",
        "page": str(place.page),
        "xAxis": str(round(place.x)),
        "yAxis": str(round(place.y)),
        "width": str(round(place.width)),
        "height": str(round(place.height)),
    }
    if request.reason:
        fields["reason"] = request.reason
    if request.location:
        fields["location"] = request.location
    return pdf, fields, stamp_picture(request.stamp)


def _signed(answer: httpx.Response) -> SignedPdf:
    """The signed PDF, or the number to fetch it by."""
    if answer.content.startswith(b"%PDF-"):
        return SignedPdf(answer.content, _remote_id(answer.headers.get("id_dokumen")))
    remote_id = _remote_id(_facts(answer).get("id_dokumen"))
    if remote_id:
        return SignedPdf(None, remote_id)
    raise SigningError("service_answer_unreadable", outcome="unknown")


def _refusal(answer: httpx.Response, passphrase: str) -> SigningError:
    """What a status other than 200 means for the official.

    Refusals come in two shapes: `{"error": "Passphrase anda salah", "status_code": 2031}`, and
    `{"error": "Proses signing gagal : User tidak terdaftar 2011", "status_code": 400}`.
    """
    status = answer.status_code
    facts = _facts(answer)
    text = facts.get("error") or facts.get("message") or ""
    text = text if isinstance(text, str) else str(text)
    number = _as_number(facts.get("status_code"))
    named = _NUMBER.search(text)
    if number not in REFUSALS and named:
        number = int(named[0])
    if status < 500 or text:
        if number in REFUSALS:
            return SigningError(REFUSALS[number])
        if "passphrase" in text.lower():
            return SigningError("passphrase_wrong")
    if status in _TURNED_AWAY:
        return SigningError("service_busy")
    if status in (401, 403):
        return SigningError("service_login")
    if status in (404, 405) or 300 <= status < 400:
        return SigningError("service_address")
    if 400 <= status < 500 or (status == 500 and text):
        return SigningError("service_refused", text=_clean(text, passphrase) or str(status))
    # 502, 504 and a bare 500: somewhere behind the gateway it may have been signed.
    return SigningError("service_no_answer", outcome="unknown")


def _facts(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        facts = answer.json()
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _remote_id(value: object) -> str:
    text = str(value or "").strip()
    return text if _REMOTE_ID.fullmatch(text) else ""


def _as_number(value: object) -> int:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _clean(text: str, passphrase: str) -> str:
    text = text.replace(passphrase, "…") if passphrase else text
    return "".join(letter for letter in text if letter.isprintable())[:TEXT].strip()


def _pause(answer: httpx.Response, attempt: int) -> float:
    wanted = answer.headers.get("retry-after", "")
    seconds = float(wanted) if wanted.isascii() and wanted.isdigit() else 0.5 * 2**attempt
    return min(seconds, LONGEST_REST)
