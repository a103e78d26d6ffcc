"""The shipped files of `deploy/` as they stand: units read, their command run, nginx in front."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.offices.names import Places
from app.offices.nginx import site
from tests.support.absent import absent

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
HOST = "aduan.kantor.example"
#: What a locked-down service gives its program; `PR_SET_MDWE` is MemoryDenyWriteExecute of the kernel.
_LOCKED = (
    "import ctypes, os, sys\n"
    "libc = ctypes.CDLL(None, use_errno=True)\n"
    "assert libc.prctl(38, 1, 0, 0, 0) == 0\n"  # PR_SET_NO_NEW_PRIVS
    "libc.prctl(65, 1, 0, 0, 0)\n"  # PR_SET_MDWE, where the kernel knows it (6.3)
    "os.dup2(int(os.environ.pop('DOOR')), 3)\n"
    "os.environ['LISTEN_PID'] = str(os.getpid())\n"
    "os.execv(sys.argv[1], sys.argv[1:])\n"
)


def program(name: str, package: str) -> str:
    """A program of Debian; the test is skipped without it, or fails with CI=true."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        line = f"{name} is not on this machine (Debian: apt-get install {package})"
        absent(line)
    return found


def directives(path: Path) -> dict[str, list[str]]:
    """Every setting of a unit file, in order; sections do not matter to the tests."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def unit_environment(path: Path, office: str) -> dict[str, str]:
    """What `Environment=` of a unit sets."""
    words = " ".join(directives(path).get("Environment", [])).replace("%i", office).split()
    return dict(word.split("=", 1) for word in words)


def start_unit(
    path: Path, office: str, environment: Mapping[str, str], door: socket.socket, log: Path
) -> subprocess.Popen[bytes]:
    """Run a unit's ExecStart as systemd would: an unprivileged user, no new rights, a socket as
    descriptor 3, memory never writable and executable, the code read-only."""
    line = directives(path)["ExecStart"][-1].replace("/opt/aduan/.venv/bin/python", sys.executable)
    command = [sys.executable, "-c", _LOCKED, *line.split()]
    if os.geteuid() == 0 and _may_unshare():
        # `unshare --mount` gives a private view: the code is read-only there, for all users.
        script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"'
        user = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
        command = ["unshare", "--mount", "sh", "-c", script, str(ROOT), *user, *command]
    fd = door.fileno()
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env={
                **{key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ},
                **unit_environment(path, office),
                **environment,
                "LISTEN_FDS": "1",
                "DOOR": str(fd),
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[fd],
        )


@cache
def _may_unshare() -> bool:
    """Whether root may make name spaces here; inside some containers he may not."""
    asked = [
        "unshare",
        "--mount",
        "unshare",
        "--user",
        "--map-user=1000",
        "--map-group=1000",
        "true",
    ]
    return bool(shutil.which("unshare")) and not subprocess.run(asked, check=False).returncode


def certificate(folder: Path, host: str = HOST) -> None:
    """A certificate that only this test trusts."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "fullchain.pem").write_bytes(made.public_bytes(pem))
    private = serialization.PrivateFormat.PKCS8
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(pem, private, serialization.NoEncryption())
    )


@dataclass(frozen=True)
class Front:
    """A running nginx with the shipped configuration."""

    folder: Path
    http: int
    https: int

    def client(self) -> httpx.Client:
        """A browser that knows the office by its name."""
        context = ssl.create_default_context(cafile=str(self.folder / "tls" / "fullchain.pem"))
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.https}",
            headers={"Host": HOST},
            transport=_Named(verify=context),
            timeout=30,
        )

    def lines(self) -> list[str]:
        """What nginx wrote of its requests."""
        return (self.folder / "aduan-batang.log").read_text(encoding="utf-8").splitlines()


class _Named(httpx.HTTPTransport):
    """The name of the office, whatever address it is asked at."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.headers.setdefault("Host", HOST)
        request.extensions = {**request.extensions, "sni_hostname": HOST}
        return super().handle_request(request)


def configuration(folder: Path, door: Path, http: int, https: int) -> Path:
    """The shipped files with this test's places in them, and nothing else changed."""
    certificate(folder / "tls")
    office = site(
        "batang",
        HOST,
        places=Places(code=ROOT),
        max_upload_mb=10,
        upstreams=[f"unix:{door}"],
        certificates=str(folder / "tls"),
        watchers=["127.0.0.2"],
    )
    shared = (DEPLOY / "nginx" / "aduan.conf").read_text(encoding="utf-8")
    for name, text in (("aduan", shared), ("office", office)):
        for here, there in (
            ("listen 443", f"listen 127.0.0.1:{https}"),
            ("listen [::]:443", f"listen [::1]:{https}"),
            ("listen 80", f"listen 127.0.0.1:{http}"),
            ("listen [::]:80", f"listen [::1]:{http}"),
            ("/var/cache/nginx/aduan", str(folder / "cache")),
            ("/var/log/nginx", str(folder)),
        ):
            text = text.replace(here, there)
        if not socket.has_ipv6 or not _has_loopback6():
            text = "\n".join(line for line in text.splitlines() if "[::1]" not in line)
        (folder / f"{name}.conf").write_text(text, encoding="utf-8")
    main = folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""
    main.write_text(
        f"{user}daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log warn;\n"
        "events { worker_connections 256; }\n"
        "http {\n  types { text/html html; text/css css; }\n"
        + "".join(
            f"  {kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"  include {folder}/aduan.conf;\n  include {folder}/office.conf;\n}}\n",
        encoding="utf-8",
    )
    return main


def _has_loopback6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def free_ports(count: int) -> list[int]:
    """Numbers nobody listens on at this moment."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    found = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return found


@contextlib.contextmanager
def nginx(folder: Path, door: Path) -> Iterator[Front]:
    """nginx with the shipped configuration before the panel behind `door`."""
    found = program("nginx", "nginx")
    http, https = free_ports(2)
    main = configuration(folder, door, http, https)
    process = subprocess.Popen([found, "-p", str(folder), "-e", str(folder / "e"), "-c", str(main)])
    try:
        wait_for(lambda: _listens(https))
        yield Front(folder, http, https)
    finally:
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(asked, seconds: float = 30) -> None:  # type: ignore[no-untyped-def]
    """Ask again until the answer is yes."""
    until = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, httpx.HTTPError):
            if asked():
                return
        assert time.monotonic() < until, "it did not come up"
        time.sleep(0.05)


def _listens(port: int) -> bool:
    socket.create_connection(("127.0.0.1", port), 1).close()
    return True
