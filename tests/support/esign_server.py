"""A signature service on this machine that behaves as BSrE's eSign client API (version 1) does.

    with esign_server() as service:
        BsreSigner(service.url, USER, PASSWORD).sign(request(), PASSPHRASE)
        assert len(service.signed) == 1          # every time it really signed, answered or not
        service.next = ["hang"]                  # how it takes the next signing request

It knows NIK of signatories, one passphrase, signs with the certificates of `signed`, hands a
document out once, and keeps what it was sent.
"""

from __future__ import annotations

import base64
import contextlib
import email.parser
import email.policy
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from tests.support import signed

USER: Final = "aduan"
PASSWORD: Final = "layanan-rahasia-7"
#: Known, and with a certificate that is in force.
NIK: Final = "3325011203909901"
#: Registered, but without an active certificate.
EXPIRED_NIK: Final = "3325011203909902"
UNKNOWN_NIK: Final = "3325011203909999"
PASSPHRASE: Final = signed.PASSPHRASE

#: How a signing request may be taken, see `EsignServer.next`.
BEHAVIOURS: Final = frozenset(
    {"pdf", "json", "busy", "unavailable", "gateway", "hang", "drop", "garbage", "bare", "echo"}
)


@dataclass
class EsignServer:
    """What the service knows and what happened to it."""

    url: str = ""
    #: How the next signing requests are taken, one each; "pdf" when it is empty.
    next: list[str] = field(default_factory=list)
    #: How the next requests to fetch a document are taken: "busy", "drop" or "" for at once.
    next_fetch: list[str] = field(default_factory=list)
    #: The fields of every signing request that came in, without its files.
    requests: list[dict[str, str]] = field(default_factory=list)
    #: The PDF of every request that came in.
    received: list[bytes] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    #: NIK of every document that was signed, whether or not the answer arrived.
    signed: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    waiting: dict[str, bytes] = field(default_factory=dict)
    #: Set at the end, so that a request that hangs does not hold the test up.
    over: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def esign_server() -> Iterator[EsignServer]:
    """The service on a free port."""
    state = EsignServer()
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    runner = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    runner.start()
    try:
        yield state
    finally:
        state.over.set()
        server.shutdown()
        server.server_close()
        runner.join(10)


class _Handler(BaseHTTPRequestHandler):
    state: EsignServer

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: a test's output is its own."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.state.paths.append(self.path)
        if self.path != "/api/sign/pdf":
            self._json(404, {"error": "Not Found", "status_code": 404})
            return
        if not self._may_come_in():
            return
        texts, files = _form(self.headers["Content-Type"], body)
        self.state.requests.append(texts)
        self.state.received.append(files.get("file", b""))
        self.state.pictures.append(files.get("imageTTD", b""))
        way = self.state.next.pop(0) if self.state.next else "pdf"
        assert way in BEHAVIOURS, way
        if not self._turned_away(way) and not self._refused(texts, files, way):
            self._sign(texts, files, way)

    def do_GET(self) -> None:
        self.state.paths.append(self.path)
        if not self._may_come_in():
            return None
        kind, _, key = self.path.removeprefix("/api/").rpartition("/")
        if kind == "user/status":
            known = {NIK: (1111, "ISSUE"), EXPIRED_NIK: (2021, "EXPIRED")}
            number, word = known.get(key, (1110, "NOT_REGISTERED"))
            return self._json(200, {"status_code": number, "status": word})
        if kind == "sign/download":
            return self._hand_out(key)
        return self._json(404, {"error": "Not Found", "status_code": 404})

    # --- answers ---

    def _may_come_in(self) -> bool:
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == f"Basic {login}":
            return True
        self._json(401, {"error": "Unauthorized", "status_code": 401})
        return False

    def _turned_away(self, way: str) -> bool:
        """Whether the request was not taken in at all."""
        if way == "busy":
            self._json(429, {"error": "Too Many Requests"}, {"Retry-After": "1"})
        elif way == "unavailable":
            self._bytes(503, b"<html>503 Service Unavailable</html>", "text/html")
        return way in ("busy", "unavailable")

    def _refused(self, texts: dict[str, str], files: dict[str, bytes], way: str) -> bool:
        """Whether it is refused with one of the two shapes of errors."""
        nik, passphrase = texts.get("nik", ""), texts.get("passphrase", "")
        if way == "echo":
            self._json(400, {"error": f"Parameter {passphrase} tidak sah", "status_code": 400})
        elif nik == EXPIRED_NIK:
            words = "Proses signing gagal : Sertifikat tidak aktif 2021"
            self._json(400, {"error": words, "status_code": 400})
        elif nik != NIK:
            words = "Proses signing gagal : User tidak terdaftar 2011"
            self._json(400, {"error": words, "status_code": 400})
        elif passphrase != PASSPHRASE:
            self._json(400, {"error": "Passphrase anda salah", "status_code": 2031})
        elif not _complete(texts, files):
            self._json(400, {"error": "Parameter tidak lengkap", "status_code": 400})
        else:
            return False
        return True

    def _sign(self, texts: dict[str, str], files: dict[str, bytes], way: str) -> None:
        data = signed.sign(files["file"])
        self.state.signed.append(texts["nik"])
        remote_id = f"dok{len(self.state.signed):05d}"
        if way == "pdf":
            self._bytes(200, data, "application/pdf", {"id_dokumen": remote_id})
        elif way == "json":
            self.state.waiting[remote_id] = data
            self._json(200, {"id_dokumen": remote_id, "message": "success"})
        elif way == "garbage":
            self._bytes(200, b"<html>OK</html>", "text/html")
        elif way == "gateway":
            self._bytes(504, b"<html>504 Gateway Time-out</html>", "text/html")
        elif way == "bare":
            self._bytes(500, b"", "text/plain")
        elif way == "hang":
            self.state.over.wait(30)
        self.close_connection = True  # "drop" and "hang": no answer ever comes

    def _hand_out(self, key: str) -> None:
        way = self.state.next_fetch.pop(0) if self.state.next_fetch else ""
        if way == "busy":
            return self._bytes(503, b"", "text/plain")
        data = self.state.waiting.pop(key, None)
        if way == "drop":
            self.close_connection = True
            return None
        if data is None:
            return self._json(404, {"error": "Dokumen tidak ditemukan", "status_code": 404})
        return self._bytes(200, data, "application/pdf")

    def _json(
        self, status: int, facts: dict[str, object], headers: dict[str, str] | None = None
    ) -> None:
        self._bytes(status, json.dumps(facts).encode(), "application/json", headers)

    def _bytes(
        self, status: int, data: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _form(content_type: str, body: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """The fields and the files of a multipart form."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    texts: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        if part.get_filename():
            files[name] = data
        else:
            texts[name] = data.decode()
    return texts, files


def _complete(texts: dict[str, str], files: dict[str, bytes]) -> bool:
    """What version 1 asks for: a PDF, and a place and a picture when the mark is to be seen."""
    if not files.get("file", b"").startswith(b"%PDF-"):
        return False
    if texts.get("tampilan") == "invisible":
        return True
    place = all(
        texts.get(name, "").isdigit() for name in ("page", "xAxis", "yAxis", "width", "height")
    )
    mark = files.get("imageTTD") if texts.get("image") == "true" else texts.get("linkQR")
    return texts.get("tampilan") == "visible" and place and bool(mark)
