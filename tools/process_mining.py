"""The environment of the outside check of the event log: pm4py, apart from everything of ours.

    python tools/process_mining.py        make build/pm4py-venv, or leave it when it is up to date

pm4py is AGPL and large, so it is neither a dependency nor imported: `tests/support/mining.py` runs
it as a program of its own.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "process-mining.txt"
VENV = ROOT / "build" / "pm4py-venv"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
STAMP = VENV / "lock.sha256"
UV = Path(sys.executable).with_name("uv")


def ready() -> bool:
    """Whether the environment is there and of this lock."""
    try:
        return PYTHON.exists() and STAMP.read_text(encoding="ascii") == _digest()
    except OSError:
        return False


def prepare() -> None:
    """Make the environment.

    Raises:
        subprocess.CalledProcessError: it cannot be made.
    """
    if ready():
        return
    print("aduan: installing pm4py for the tests, in an environment of its own …", flush=True)
    VENV.parent.mkdir(exist_ok=True)
    for command in (
        ["venv", "--quiet", "--clear", str(VENV)],
        ["pip", "install", "--quiet", "--require-hashes", "--python", str(PYTHON), "-r", str(LOCK)],
    ):
        subprocess.run([str(UV), *command], check=True)
    STAMP.write_text(_digest(), encoding="ascii")


def _digest() -> str:
    return hashlib.sha256(LOCK.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


if __name__ == "__main__":
    prepare()
