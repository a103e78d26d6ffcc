"""`make cluster-test`: install what the cluster needs, then let it fail piece by piece.

    python tools/cluster_test.py [--write] [pytest's arguments]

`--write` puts the throughput of two app servers against one into docs/performance.md.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.bootstrap import apt_install  # noqa: E402

#: Program -> the package of Debian that has it. Ceph's own start (vstart, cephadm) is not needed.
PROGRAMS = {
    "nginx": "nginx",
    "pgbouncer": "pgbouncer",
    "redis-server": "redis-server",
    "ip": "iproute2",
    "radosgw": "radosgw",
    "ceph-mon": "ceph-mon",
    "ceph-osd": "ceph-osd",
    "ceph": "ceph-common",
}


def main(words: list[str]) -> int:
    """Find, else install, else say so; then run."""
    missing = _missing()
    if missing and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"aduan: installing {', '.join(missing)} for the cluster …", flush=True)
        apt_install(*missing)
        missing = _missing()
    if missing:
        print(f"aduan: not on this machine: {', '.join(missing)}", file=sys.stderr)
        return 1
    environment = {**os.environ, "CLUSTER_WRITE": "1" if "--write" in words else ""}
    rest = [word for word in words if word != "--write"]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-s", "tests/cluster/cluster_run.py"]
    return subprocess.run([*command, *rest], cwd=ROOT, env=environment, check=False).returncode


def _missing() -> list[str]:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return sorted({PROGRAMS[name] for name in PROGRAMS if shutil.which(name, path=path) is None})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
