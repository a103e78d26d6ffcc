"""The panel as a service runs it: without root, on a file system that is read-only but for one folder."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.faults import Process

#: Every mounted file system becomes read-only, the folder stays as it is; then root is laid down:
#: a user of no rights at all, whom the kernel lets read what the office's user may.
_CONFINE = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
while read -r _ _ _ _ place _ _ _ kind _; do
  case "$kind" in proc|sysfs|devpts|devtmpfs|mqueue|cgroup*) continue ;; esac
  case "$place" in "$1"|/proc*|/sys*) continue ;; esac
  echo "$place"
done < /proc/self/mountinfo | sort -u | while read -r place; do
  mount -o remount,bind,ro "$place"
done
mount -o remount,bind,rw "$1"
shift
exec unshare --user --map-user=1000 --map-group=1000 "$@"
"""
#: Devices and views of the kernel: nothing of an office can lie there.
_KEEPS_NOTHING = frozenset(
    {"proc", "sysfs", "devpts", "devtmpfs", "mqueue", "cgroup", "cgroup2", "securityfs"}
)


class Confined(Process):
    """`python run.py` that may write below its data folder and nowhere else."""

    def __init__(self, environment: dict[str, str], log: Path, data: Path) -> None:
        data = data.resolve()
        # What a service gets as its private /tmp lies there as well.
        (data / "tmp").mkdir()
        super().__init__({**environment, "TMPDIR": str(data / "tmp")}, log)
        rooted = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        self.before = ["unshare", *rooted, "--mount", "sh", "-c", _CONFINE, "sh", str(data)]

    def rights(self) -> dict[str, str]:
        """What the kernel says of the server's process."""
        assert self.process is not None
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        pairs = (line.split(":", 1) for line in text.splitlines())
        return {name: value.strip() for name, value in pairs}

    def user(self) -> int:
        """Who the server's process is to itself."""
        assert self.process is not None
        text = Path(f"/proc/{self.process.pid}/uid_map").read_text(encoding="ascii")
        return int(text.split()[0])

    def writable(self) -> set[str]:
        """Where file systems that keep something may be written to, as that process sees them."""
        assert self.process is not None
        text = Path(f"/proc/{self.process.pid}/mountinfo").read_text(encoding="utf-8")
        top: dict[str, bool] = {}
        for line in text.splitlines():
            before, _, after = line.partition(" - ")
            _id, _parent, _device, _root, place, options, *_rest = before.split()
            if after.split()[0] in _KEEPS_NOTHING or place.startswith(("/proc", "/sys")):
                continue
            top[place] = "rw" in options.split(",")  # what is mounted last lies on top
        return {place for place, may in top.items() if may}
