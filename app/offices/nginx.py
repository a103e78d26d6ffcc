"""An office's part of nginx, from `deploy/nginx/office.conf`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Final

from app.offices.names import OfficeError, Places, checked_host, checked_name

_TEMPLATE: Final = Path(__file__).resolve().parents[2] / "deploy" / "nginx" / "office.conf"
#: `unix:/run/aduan/batang.sock`, `10.0.0.12:8080`, `app:8080`.
_UPSTREAM: Final = re.compile(
    r"unix:/[A-Za-z0-9_./-]+|[A-Za-z0-9.-]+:\d{1,5}|\[[0-9a-f:]+\]:\d{1,5}"
)


def site(
    name: str,
    host: str,
    *,
    places: Places,
    max_upload_mb: int,
    upstreams: Sequence[str] = (),
    certificates: str = "",
    watchers: Sequence[str] = ("127.0.0.1", "::1"),
) -> str:
    """The server block of one office.

    `upstreams`: its app servers, this machine's socket by default. `certificates`: a folder with
    `fullchain.pem` and `privkey.pem`, as certbot makes it. `watchers`: addresses and networks that
    may ask the probes and the numbers.

    Raises:
        OfficeError: a value that cannot stand in the file.
    """
    servers = [*upstreams] or [f"unix:{places.socket(name)}"]
    for server in servers:
        if not _UPSTREAM.fullmatch(server):
            raise OfficeError(f"{server!r} is neither unix:/path nor address:port.")
    for watcher in watchers:
        try:
            ip_network(watcher, strict=False)
        except ValueError:
            raise OfficeError(f"{watcher!r} is neither an address nor a network.") from None
    folder = certificates or f"/etc/letsencrypt/live/{checked_host(host)}"
    # One server alone is never counted out: there is nobody else to ask.
    more = " max_fails=1 fail_timeout=5s" if len(servers) > 1 else " max_fails=0"
    values = {
        "OFFICE": checked_name(name),
        "HOST": checked_host(host),
        "UPSTREAM": "\n    ".join(f"server {server}{more};" for server in servers),
        "CERTIFICATE": f"{folder}/fullchain.pem",
        "CERTIFICATE_KEY": f"{folder}/privkey.pem",
        "PAGES": str(places.code / "deploy" / "nginx" / "pages"),
        # The same sum as MAX_CONTENT_LENGTH in config.py.
        "BODY_MB": str(max_upload_mb * 4 + 2),
        "WATCHERS": "\n        ".join(f"allow {watcher};" for watcher in watchers),
    }
    text = _TEMPLATE.read_text(encoding="utf-8")
    body = text.partition("\n\n")[2]
    filled = re.sub(r"@([A-Z_]+)@", lambda found: values[found[1]], body)
    return f"# The office {name}, from deploy/nginx/office.conf.\n\n{filled}"
