"""Make sure of what the tests need beside Python: Chromium, PDF programs, servers, pm4py.

Root on Debian gets the packages (`systemd` for `systemd-analyze`), without being asked anything.
Everybody else gets one line each: the tests that need them are then skipped, or with CI=true it is
a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.browser import find_browser  # noqa: E402
from tests.support.pdftools import missing_programs  # noqa: E402
from tools import process_mining  # noqa: E402
from tools.bootstrap import apt_install  # noqa: E402

#: What the tests of `deploy/` and of several servers start, and the package of Debian that has it.
PROGRAMS = {
    "nginx": "nginx",
    "pgbouncer": "pgbouncer",
    "redis-server": "redis-server",
    "systemd-analyze": "systemd",
}


def main() -> None:
    """Find, else install, else say so."""
    _prepare_mining()
    packages = _missing_packages()
    if packages and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"aduan: installing {', '.join(packages)} for the tests …", flush=True)
        # On Ubuntu `chromium` is a snap's shell, which find_browser() does not count.
        extra = ["fonts-liberation"] if "chromium" in packages else []
        apt_install(*packages, *extra)
        packages = _missing_packages()
    if not packages:
        return
    line = (
        f"not on this machine: {', '.join(packages)}"
        f" (Debian: sudo apt-get install {' '.join(packages)})"
    )
    if os.environ.get("CI", "").lower() in ("true", "1"):
        sys.exit(f"aduan: {line}")
    print(f"aduan: {line}; the tests that need them will be skipped.", flush=True)


def _prepare_mining() -> None:
    """pm4py, the outside check of the event log, in an environment of its own."""
    try:
        process_mining.prepare()
    except (OSError, subprocess.CalledProcessError) as error:
        line = f"pm4py could not be installed ({error})"
        if os.environ.get("CI", "").lower() in ("true", "1"):
            sys.exit(f"aduan: {line}")
        print(f"aduan: {line}; the tests that need it will be skipped.", flush=True)


def _missing_packages() -> list[str]:
    """The Debian packages whose programs are not there."""
    packages = [] if find_browser() else ["chromium"]
    packages += ["poppler-utils"] if missing_programs() else []
    where = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return packages + [
        name for program, name in PROGRAMS.items() if not shutil.which(program, path=where)
    ]


if __name__ == "__main__":
    main()
