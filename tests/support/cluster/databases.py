"""Two PostgreSQL servers that stream, each behind a PgBouncer of its own machine."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.support import postgres
from tests.support.cluster.net import Machine, Net, until

PORT, POOLED = 25432, 26432
_SETTINGS = {
    # A kill is survived without it; a power cut is not tried here.
    "fsync": "off",
    "synchronous_commit": "on",
    "listen_addresses": "*",
    "port": str(PORT),
    "max_connections": "150",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "wal_receiver_status_interval": "1s",
    "wal_sender_timeout": "5s",
    "wal_receiver_timeout": "5s",
    "wal_keep_size": "512MB",
}


class Databases:
    """A primary, its standby, and who is which at the moment."""

    def __init__(self, net: Net, folder: Path) -> None:
        self.net, self.folder = net, folder
        self.binaries = postgres.find_binaries()
        self.password = secrets.token_hex(12)
        self.users = folder / "users.txt"
        self.users.write_text(f'"{postgres.USER}" "{self.password}"\n', encoding="ascii")
        self.primary, self.standby = net.add("db1"), net.add("db2")
        self.as_user = next(postgres._ways_to_run(folder))
        data = self._data(self.primary)
        done = postgres._initdb(self.as_user, folder, self.binaries, data, self.password)
        assert done.returncode == 0, done.stderr
        with (data / "pg_hba.conf").open("a", encoding="ascii") as rules:
            rules.write("host all all 0.0.0.0/0 scram-sha-256\n")
            rules.write("host replication all 0.0.0.0/0 scram-sha-256\n")
        self._serve(self.primary)
        self.follow(self.standby)

    # --- offices ---------------------------------------------------------------------------------

    def make(self, name: str) -> str:
        """A role and a database that nobody else may enter; the role's password."""
        password = secrets.token_hex(12)
        self.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        self.execute(f"CREATE DATABASE {name} OWNER {name}")
        self.execute(f"REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC")
        with self.users.open("a", encoding="ascii") as users:
            users.write(f'"{name}" "{password}"\n')
        return password

    def url(self, name: str, password: str, *, port: int = POOLED) -> str:
        """Both servers, as an office writes it; through the poolers, or past them."""
        places = ",".join(f"{self.net.machines[db].address}:{port}" for db in ("db1", "db2"))
        query = "target_session_attrs=read-write"
        return f"postgresql://{name}:{quote(password)}@{places}/{name}?{query}"

    # --- faults ----------------------------------------------------------------------------------

    def fail_over(self) -> None:
        """The primary's machine is dead; its standby becomes the primary."""
        self.primary.kill("postgres")
        self.primary.kill("pgbouncer")
        self.primary, self.standby = self.standby, self.primary
        self.execute("SELECT pg_promote(true, 60)")
        # It would go on telling new clients that its server only reads.
        self.primary.kill("pgbouncer")
        self.pool(self.primary)

    def follow(self, machine: Machine) -> None:
        """Make a machine the standby: a fresh copy of the primary, streaming, waited for."""
        data = self._data(machine)
        shutil.rmtree(data, ignore_errors=True)
        secret, address = quote(self.password), self.primary.address
        source = f"postgresql://{postgres.USER}:{secret}@{address}:{PORT}/"
        subprocess.run(
            [*machine.prefix, *self.as_user, str(self.binaries / "pg_basebackup"), "-R",
             "-D", str(data), "-c", "fast", "--no-sync", "-d", source],
            cwd=self.folder, check=True, capture_output=True, env=postgres._environment(),
        )  # fmt: skip
        self._serve(machine)
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.execute("SELECT pg_reload_conf()")
        until(
            lambda: self.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"),
            "the standby streams",
        )

    def pool(self, machine: Machine) -> None:
        """PgBouncer in transaction mode before the server of its machine."""
        settings = self.folder / f"{machine.name}.ini"
        settings.write_text(
            "[databases]\n"
            f"* = host=127.0.0.1 port={PORT}"
            " connect_query='SET statement_timeout = 30000; SET lock_timeout = 10000'\n"
            "[pgbouncer]\n"
            f"listen_addr = *\nlisten_port = {POOLED}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {self.users}\n"
            "pool_mode = transaction\ndefault_pool_size = 15\nmax_client_conn = 300\n"
            "server_login_retry = 1\nquery_wait_timeout = 15\n"
            "log_connections = 0\nlog_disconnections = 0\n",
            encoding="utf-8",
        )
        if not self.net.real:
            text = settings.read_text(encoding="utf-8").replace("127.0.0.1", machine.address)
            settings.write_text(text.replace("addr = *", f"addr = {machine.address}"))
        machine.start(
            "pgbouncer", [*self.as_user, "pgbouncer", str(settings)], cwd=self.folder,
            env=postgres._environment(), log=self.folder / f"{machine.name}-pgbouncer.log",
        )  # fmt: skip

    def execute(self, statement: str) -> object:
        """At the primary, as its superuser; the first cell."""
        with psycopg.connect(
            host=self.primary.address, port=PORT, user=postgres.USER, password=self.password,
            dbname="postgres", autocommit=True, connect_timeout=5,
        ) as connection:  # fmt: skip
            done = connection.execute(statement.encode())
            row = done.fetchone() if done.description else None
            return row[0] if row else None

    def _data(self, machine: Machine) -> Path:
        return self.folder / f"data-{machine.name}"

    def _serve(self, machine: Machine) -> None:
        data = self._data(machine)
        settings = {**_SETTINGS, "unix_socket_directories": ""}
        if not self.net.real:
            settings["listen_addresses"] = machine.address
        words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        command = [*self.as_user, str(self.binaries / "postgres"), "-D", str(data), *words]
        machine.start(
            "postgres", command, cwd=self.folder, env=postgres._environment(),
            log=self.folder / f"{machine.name}-postgres.log",
        )  # fmt: skip

        def answers() -> bool:
            where = {"host": machine.address, "port": PORT, "connect_timeout": 2}
            who = {"user": postgres.USER, "password": self.password, "dbname": "postgres"}
            psycopg.connect(**where, **who).close()  # type: ignore[arg-type]
            return True

        until(answers, f"PostgreSQL of {machine.name} answers")


def prepare_folder(folder: Path) -> None:
    """Let whoever the servers run as enter it."""
    folder.chmod(0o777 if hasattr(os, "geteuid") and os.geteuid() == 0 else 0o700)
