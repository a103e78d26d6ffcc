"""Offices on the cluster's servers: settings, release, app servers, a worker, the nginx in front."""

from __future__ import annotations

import os
import secrets
import ssl
import subprocess
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
from flask import Flask

from app import create_app, datakeys
from app.extensions import db
from app.offices.names import Places
from app.offices.nginx import site
from config import load_settings
from tests.support import panel
from tests.support.cluster.databases import PORT, Databases
from tests.support.cluster.net import Machine, Net, until
from tests.support.cluster.store import BUCKET, Ceph
from tests.support.deployed import DEPLOY, ROOT, certificate, program
from tools.i18n import compile_catalogues

HTTP, HTTPS, REDIS = 28080, 28443, 26379
METRICS = "the token of the cluster's tests"
_KEPT = ("PATH", "HOME", "LANG")


@dataclass
class Office:
    """One office: a name, a host name, and what its servers are told."""

    name: str
    host: str
    port: int
    folder: Path
    environment: dict[str, str]
    app: Flask = field(init=False)

    def release(self) -> None:
        """The release step and the test's officers; the application the tests look through."""
        kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "app", "release"], cwd=ROOT, check=False,
            env={**kept, **self.environment}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        self.open()
        with self.app.app_context():
            panel._add_officers(db.session())
            panel._add_blanks(db.session())
            db.session.commit()
            db.session.remove()

    def open(self) -> None:
        """An application of this process over the office, past the poolers."""
        direct = {"DATABASE_URL": self.environment["DATABASE_DIRECT_URL"]}
        settings = load_settings({**self.environment, **direct, "DATABASE_DIRECT_URL": ""})
        self.app = create_app({**settings, "DATABASE_READ_URL": ""})

    def enter(self) -> None:
        """Personal data is sealed with one office's keys at a time in a process."""
        datakeys.use(Path(self.environment["DATA_KEYS"]))

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One of our commands as the administrator runs it."""
        kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "app", *words], cwd=ROOT, check=False,
            env={**kept, **self.environment}, capture_output=True, text=True,
        )  # fmt: skip


class Cluster:
    """Everything that stands between a browser and the disk."""

    def __init__(self, net: Net, folder: Path, mail: tuple[str, int]) -> None:
        self.net, self.folder, self.mail = net, folder, mail
        self.store = Ceph(net, _made(folder / "ceph"))
        self.databases = Databases(net, _made(folder / "db", open_to_all=True))
        self.redis = net.add("redis")
        self.secret = secrets.token_hex(8)
        self.start_redis()
        self.servers = [net.add("app1"), net.add("app2")]
        self.workers = net.add("worker")
        self.front = net.add("web")
        self.offices: dict[str, Office] = {}

    def make_office(self, name: str) -> Office:
        """Its database, its prefix in the store, its keys; not yet released."""
        role = f"aduan_{name}"
        password = self.databases.make(role)
        folder = _made(self.folder / name)
        read = self.net.machines["db2"].address
        host, port = self.mail
        found = Office(
            name, f"aduan.{name}.example", 28090 + len(self.offices), folder,
            {
                "ADUAN_ENV": "production",
                "ADUAN_NO_VENV": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "INSTANCE_PATH": str(folder / "here"),
                "DATABASE_URL": self.databases.url(role, password),
                "DATABASE_DIRECT_URL": self.databases.url(role, password, port=PORT),
                "DATABASE_READ_URL": f"postgresql://{role}:{password}@{read}:{PORT}/{role}",
                "STORE_URL": f"s3://{BUCKET}/{name}",
                "REDIS_URL": f"redis://:{self.secret}@{self.redis.address}:{REDIS}/0",
                "SECRET_KEY": secrets.token_hex(32),
                "AUDIT_KEY": secrets.token_hex(32),
                "DATA_KEYS": str(folder / "data_keys"),
                "ALLOWED_HOSTS": f"aduan.{name}.example",
                "PUBLIC_URL": f"https://aduan.{name}.example",
                "TRUSTED_PROXIES": "1",
                "REQUEST_RATE": "1000000 per minute",
                "METRICS_TOKEN": METRICS,
                "LOG_FORMAT": "json",
                "LOG_LEVEL": "warning",
                "SMTP_HOST": host,
                "SMTP_PORT": str(port),
                "SMTP_SECURITY": "none",
                "MAIL_FROM": "Kantor <kantor@example.go.id>",
                **self.store.settings_of_panel,
            },
        )  # fmt: skip
        self.offices[name] = found
        return found

    # --- what runs ---------------------------------------------------------------------------------

    def start_redis(self) -> None:
        """Redis keeps nothing on the disk."""
        self.redis.start(
            "redis",
            ["redis-server", "--bind", self.redis.address, "--port", str(REDIS), "--save", "",
             "--appendonly", "no", "--requirepass", self.secret],
            cwd=self.folder, env={}, log=self.folder / "redis.log",
        )  # fmt: skip

    def start_server(self, machine: Machine, office: Office) -> None:
        """An app server of an office, as its unit starts it."""
        environment = {**office.environment, "HOST": machine.address, "PORT": str(office.port)}
        environment["INSTANCE_PATH"] = str(office.folder / machine.name)
        machine.start(
            office.name, [sys.executable, "run.py", "serve"], cwd=ROOT, env=environment,
            log=self.folder / f"{machine.name}-{office.name}.log",
        )  # fmt: skip

    def is_up(self, machine: Machine, office: Office) -> bool:
        """Whether it is ready to be sent work."""
        url = f"http://{machine.address}:{office.port}/readyz"
        return httpx.get(url, headers={"Host": office.host}, timeout=5).status_code == 200

    def start_worker(self, office: Office) -> None:
        """A worker, as its unit starts it."""
        environment = {**office.environment, "INSTANCE_PATH": str(office.folder / "worker")}
        self.workers.start(
            office.name, [sys.executable, "-m", "flask", "--app", "app", "worker"], cwd=ROOT,
            env=environment, log=self.folder / f"worker-{office.name}.log",
        )  # fmt: skip

    def start_front(self) -> None:
        """nginx with the shipped files for all offices."""
        parts = [(DEPLOY / "nginx" / "aduan.conf").read_text(encoding="utf-8")]
        for office in self.offices.values():
            tls = office.folder / "tls"
            certificate(tls, office.host)
            parts.append(
                site(
                    office.name, office.host, places=Places(code=ROOT), max_upload_mb=10,
                    upstreams=[f"{server.address}:{office.port}" for server in self.servers],
                    certificates=str(tls), watchers=[f"{self.net.prefix}.0/24"],
                )
            )  # fmt: skip
        folder, address = _made(self.folder / "nginx"), self.front.address
        text = "\n".join(parts)
        for here, there in (
            ("listen 443", f"listen {address}:{HTTPS}"),
            ("listen 80", f"listen {address}:{HTTP}"),
            ("/var/cache/nginx/aduan", str(folder / "cache")),
            ("/var/log/nginx", str(folder)),
        ):
            text = text.replace(here, there)
        text = "\n".join(line for line in text.splitlines() if "listen [::]" not in line)
        user = "user root;\n" if os.geteuid() == 0 else ""
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        main = folder / "nginx.conf"
        main.write_text(
            f"{user}daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/e.log warn;\n"
            f"events {{ worker_connections 512; }}\nhttp {{\n{temporary}{text}\n}}\n",
            encoding="utf-8",
        )
        command = [program("nginx", "nginx"), "-p", str(folder), "-e", str(folder / "e.log")]
        self.front.start(
            "nginx", [*command, "-c", str(main)], cwd=folder, env={}, log=folder / "out.log"
        )

    def start_all(self) -> None:
        """From the poolers to nginx; until a page comes through."""
        compile_catalogues()
        for machine in (self.databases.primary, self.databases.standby):
            self.databases.pool(machine)
        self.store.ready()
        for office in self.offices.values():
            office.release()
        for office in self.offices.values():
            for server in self.servers:
                self.start_server(server, office)
        self.start_front()
        for office in self.offices.values():
            self.start_worker(office)
            for server in self.servers:
                until(partial(self.is_up, server, office), f"{server.name} is ready")

    def tls(self, office: Office) -> ssl.SSLContext:
        """A browser that trusts the office's certificate."""
        return ssl.create_default_context(cafile=str(office.folder / "tls" / "fullchain.pem"))

    def logs(self) -> str:
        """The last lines of every program, for a failure."""
        found: list[str] = []
        for path in [*self.folder.glob("*.log"), *self.folder.glob("nginx/*.log")]:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            found += [f"--- {path.name}", *lines[-8:]]
        return "\n".join(found)


def _made(folder: Path, *, open_to_all: bool = False) -> Path:
    folder.mkdir(parents=True)
    if open_to_all and os.geteuid() == 0:
        folder.chmod(0o777)
    return folder
