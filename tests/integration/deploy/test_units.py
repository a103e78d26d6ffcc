"""The systemd units: understood by systemd, locked down, and alike in what they lock."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.deployed import DEPLOY, ROOT, UNITS, directives, program

SERVICES = [path for path in UNITS if path.suffix == ".service"]
#: `systemd-analyze security` counts from 0 (nothing left to lock) to 10; "OK" ends at 5.
MOST_EXPOSED = 1.5
#: What belongs to one unit; all the rest is the same lock on each of them.
OWN = {
    "Description", "Documentation", "Requires", "Wants", "After", "Type", "NotifyAccess",
    "ExecStart", "ExecStartPost", "Restart", "RestartSec", "TimeoutStopSec", "TimeoutStartSec",
    "MemoryMax", "TasksMax", "Nice", "IOSchedulingClass", "WantedBy",
}  # fmt: skip
#: A lock of systemd's list that cannot be closed here, and why.
OPEN = {
    "PrivateNetwork": "the database, the mail server and the store are on the network",
    "IPAddressDeny": "their addresses are the office's own; a drop-in may name them",
    "DeviceAllow": "ProtectClock leaves the clock to be read",
    "RootDirectoryOrRootImage": "the interpreter and its libraries are the system's",
    "RestrictAddressFamilies_AF_INET_INET6": "as PrivateNetwork",
    "RestrictAddressFamilies_AF_UNIX": "the socket that nginx knocks at",
}


def test_there_are_the_units_of_an_office() -> None:
    assert [path.name for path in UNITS] == [
        "aduan-backup@.service",
        "aduan-backup@.timer",
        "aduan-release@.service",
        "aduan-worker@.service",
        "aduan@.service",
        "aduan@.socket",
    ]


def test_systemd_understands_every_unit(tmp_path: Path) -> None:
    analyze = program("systemd-analyze", "systemd")
    for path in UNITS:
        # Programs are looked for; those of this machine are the same under another path.
        text = path.read_text(encoding="utf-8").replace("/opt/aduan", str(ROOT))
        (tmp_path / path.name.replace("@.", "@batang.")).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [analyze, "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )
    ours = [
        line
        for line in (done.stdout + done.stderr).splitlines()
        if "aduan" in line and "user-runtime" not in line
    ]
    assert ours == []


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_service_is_locked_down(path: Path, tmp_path: Path) -> None:
    analyze = program("systemd-analyze", "systemd")
    copy = tmp_path / path.name.replace("@.", "@batang.")
    copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(
        [analyze, "security", "--offline=yes", "--json=short", "--no-pager",
         f"--threshold={int(MOST_EXPOSED * 10)}", str(copy)],
        check=False,
        capture_output=True,
        text=True,
    )  # fmt: skip
    left = {row["json_field"] for row in json.loads(done.stdout) if row["set"] is False}
    assert left == set(OPEN)
    assert done.returncode == 0, done.stderr


def test_all_services_are_locked_alike() -> None:
    locks = [
        {key: value for key, value in directives(path).items() if key not in OWN}
        for path in SERVICES
    ]
    for lock in locks:
        # The release step may sign in as the owner of the tables.
        lock["EnvironmentFile"] = [v for v in lock["EnvironmentFile"] if "release" not in v]
    assert all(lock == locks[0] for lock in locks)
    assert locks[0]["User"] == ["aduan-%i"]
    assert locks[0]["EnvironmentFile"] == ["/etc/aduan/%i.env"]


def test_only_the_folder_of_the_office_is_writable() -> None:
    for path in SERVICES:
        found = directives(path)
        assert found["ProtectSystem"] == ["strict"]
        assert found["StateDirectory"] == ["aduan/%i"]
        assert found["StateDirectoryMode"] == ["0700"]
        assert not {"ReadWritePaths", "RuntimeDirectory", "CacheDirectory"} & set(found)


def test_every_command_of_a_unit_exists(app) -> None:
    commands = [line for path in SERVICES for line in directives(path)["ExecStart"]]
    assert len(commands) >= 5
    for line in commands:
        words = line.split()
        assert words[0] == "/opt/aduan/.venv/bin/python"
        if "flask" in words:
            assert words[words.index("app") + 1] in app.cli.commands
        else:
            assert words[1:] == ["run.py", "serve"]


# --- what the shipped files say of settings -------------------------------------------------------


def documented() -> set[str]:
    head = (ROOT / "config.py").read_text(encoding="utf-8").split('"""')[1]
    cells = [line.split("|")[1] for line in head.splitlines() if line.startswith("| ")]
    return set(re.findall(r"[A-Z][A-Z_]+", " ".join(cells)))


#: Of Python and of the project's own start, not of the panel.
OF_OTHERS = {"ADUAN_NO_VENV", "PYTHONDONTWRITEBYTECODE"}


def test_every_setting_named_in_deploy_is_one_of_the_panel() -> None:
    named: set[str] = set()
    for path in SERVICES:
        for value in directives(path).get("Environment", []):
            named |= {word.split("=")[0] for word in value.split()}
    named |= set(directives(DEPLOY / "office.env"))
    composed = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    named |= set(composed["services"]["app"]["environment"])
    assert named - OF_OTHERS <= documented()
