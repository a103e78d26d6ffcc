"""What the server itself does with requests of two meanings and with slow clients."""

from __future__ import annotations

import contextlib
import re
import socket
from urllib.parse import urlsplit

import pytest

# --- the real server -----------------------------------------------------------------------------


def raw(url, *lines, body=b"", wait=10):
    """What the server answers to these very bytes."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), wait) as sent:
        sent.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        sent.settimeout(wait)
        found = b""
        # A refused request is not read to its end: the rest of it is thrown back at us.
        with contextlib.suppress(ConnectionResetError):
            while piece := sent.recv(65536):
                found += piece
    return found.decode("utf-8", "replace")


HERE = "Host: localhost"


@pytest.mark.parametrize(
    ("lines", "statuses"),
    [
        pytest.param(["GET /login/ HTTP/1.1", HERE, "Bad Header : x"], {"400"}, id="a bad header"),
        pytest.param(["NONSENSE / HTTP/1.1", HERE, "Connection: close"], {"405"}, id="no request at all"),
        pytest.param(
            ["POST /login/ HTTP/1.1", HERE, "Content-Length: 5", "Content-Length: 6"],
            {"400"},
            id="two lengths",
        ),
        pytest.param(
            ["POST /login/ HTTP/1.1", HERE, "Content-Length: 4", "Transfer-Encoding: chunked",
             "Connection: close"],
            {"400"},
            id="a length and pieces",
        ),
        pytest.param(
            ["POST /login/ HTTP/1.1", HERE, "Content-Length: +5"], {"400"}, id="a signed length"
        ),
        pytest.param(
            ["POST /login/ HTTP/1.1", HERE, "Transfer-Encoding: x, chunked"],
            {"400", "501"},
            id="an unknown encoding",
        ),
        pytest.param(
            ["POST /uploads/ HTTP/1.1", HERE, "Content-Length: 999999999", "Connection: close"],
            {"413"},
            id="a body over the limit",
        ),
        pytest.param(
            ["GET / HTTP/1.1", HERE, f"X: {'x' * 270_000}"], {"431"}, id="headers without an end"
        ),
    ],
)  # fmt: skip
def test_asvs_4_2_1_a_request_of_two_meanings_is_refused(live_server, lines, statuses):
    answer = raw(live_server, *lines, body=b"0\r\n\r\n" if "chunked" in lines[-2] else b"")
    assert answer.split(" ", 2)[1] in statuses, answer[:200]
    head = answer.partition("\r\n\r\n")[0]
    assert "X-Content-Type-Options: nosniff" in head
    assert not re.search(r"^(Server|Via):", head, re.MULTILINE)
    assert "waitress" not in answer.lower()
    assert "Traceback" not in answer


def test_asvs_b66_slow_and_silent_clients_stop_nobody(live_server):
    """Two hundred connections that never finish their request, and the panel answers others."""
    address = urlsplit(live_server)
    slow = []
    try:
        for _ in range(200):
            one = socket.create_connection((address.hostname, address.port), 10)
            one.sendall(
                b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx"
            )
            slow.append(one)
        answers = [
            raw(live_server, "GET /login/ HTTP/1.1", HERE, "Connection: close") for _ in range(20)
        ]
    finally:
        for one in slow:
            one.close()
    assert {answer.split(" ", 2)[1] for answer in answers} == {"200"}
