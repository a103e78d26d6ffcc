"""An S3 store: Ceph's gateway (radosgw) over one monitor and one object server in memory.

From Debian's packages radosgw, ceph-mon and ceph-osd, up in a quarter of a minute.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import uuid
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
from obstore.store import S3Store

from tests.support.cluster.net import Net, until

PORT, MONITOR = 27480, 26789
BUCKET = "aduan"
_PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "monmaptool")


class Ceph:
    """The gateway is what the panel knows; what lies behind it stays when the gateway is killed."""

    def __init__(self, net: Net, folder: Path) -> None:
        self.folder, self.machine = folder, net.add("store")
        self.settings = folder / "ceph.conf"
        inside = "127.0.0.1" if net.real else self.machine.address
        self.environment = {"HOME": str(folder), "CEPH_CONF": str(self.settings)}
        fsid = str(uuid.uuid4())
        for name in ("mon", "osd", "run"):
            (folder / name).mkdir()
        self.settings.write_text(
            f"""[global]
fsid = {fsid}
mon host = [v1:{inside}:{MONITOR}]
public addr = {inside}
auth cluster required = none
auth service required = none
auth client required = none
run dir = {folder}/run
admin socket = {folder}/run/$name.$pid.asok
log file = {folder}/$name.log
pid file =
ms bind msgr2 = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
osd crush chooseleaf type = 0
mon data = {folder}/mon
osd data = {folder}/osd
mon data avail crit = 1
mon data avail warn = 1
osd objectstore = memstore
memstore device bytes = 536870912
mon max pg per osd = 1000
[client.rgw]
rgw frontends = beast endpoint={self.machine.address}:{PORT}
rgw thread pool size = 32
rgw enable gc threads = false
""",
            encoding="ascii",
        )
        self.key, self.secret = "aduan", secrets.token_hex(16)
        self._begin(fsid, inside)

    @property
    def settings_of_panel(self) -> dict[str, str]:
        """What an app server is told of it."""
        return {
            "AWS_ENDPOINT": f"http://{self.machine.address}:{PORT}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "batang",
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
        }

    def serve(self) -> None:
        """Start the gateway."""
        self._start("radosgw", "-n", "client.rgw", "-f")

    def kill(self) -> None:
        """Kill the gateway."""
        self.machine.kill("radosgw")

    def ready(self) -> None:
        """Wait for it; then its user and the bucket."""
        address = f"http://{self.machine.address}:{PORT}/"
        until(lambda: httpx.get(address, timeout=2), "the S3 gateway answers", 120)
        self._run(
            "radosgw-admin", "-n", "client.rgw", "user", "create", "--uid", "aduan",
            "--display-name", "aduan", "--access-key", self.key, "--secret-key", self.secret,
        )  # fmt: skip
        os.environ.update(self.settings_of_panel)
        bucket = S3Store(BUCKET, client_options={"allow_http": True})
        signed = obstore.sign(bucket, "PUT", "", timedelta(minutes=1))
        answer = httpx.put(signed)
        assert answer.status_code == 200, answer.text

    def _begin(self, fsid: str, inside: str) -> None:
        where = f"[v1:{inside}:{MONITOR}]"
        monitors = str(self.folder / "monitors")
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", where, monitors)
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monitors)
        self._start("ceph-mon", "-i", "a", "-f")
        disk = str(uuid.uuid4())
        until(lambda: self._run("ceph", "osd", "new", disk), "the monitor knows its own commands")
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk)
        # Now and then it asks the young monitor before it has heard what the cluster is called.
        again = f"until ceph-osd -c {self.settings} -i 0 -f; do sleep 0.3; done"
        self._launch("ceph-osd", ["sh", "-c", again])
        self.serve()

    def _start(self, *command: str) -> None:
        name, *words = command
        self._launch(name, [name, "-c", str(self.settings), *words])

    def _launch(self, name: str, command: list[str]) -> None:
        log = self.folder / f"{name}.out"
        self.machine.start(name, command, cwd=self.folder, env=self.environment, log=log)

    def _run(self, *command: str) -> bool:
        name, *words = command
        config = [] if name == "monmaptool" else ["-c", str(self.settings)]
        done = subprocess.run(
            [*self.machine.prefix, name, *config, *words], cwd=self.folder, check=False,
            env={"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", **self.environment},
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{name}: {done.stderr[-2000:]}"
        return True
