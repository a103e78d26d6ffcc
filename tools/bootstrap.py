"""Make the project's own virtual environment and step into it; the standard library is enough.

`run.py` calls `ensure_environment()` before anything else, so `python run.py` works on a machine
that has nothing but Python. `make` calls this file: `python3 tools/bootstrap.py [--dev]`.

The environment is `.venv` beside `run.py`. A stamp in it holds the sum of the lock that was
installed, so a later start only compares two short strings. `ADUAN_NO_VENV=1` leaves the
environment alone (an image or a system package that brings its own).

Kept to old syntax on purpose: a Python that is too old must get as far as saying so.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCKS = {"base": ROOT / "requirements" / "base.txt", "dev": ROOT / "requirements" / "dev.txt"}
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


class SetupError(Exception):
    """One line that tells the person at the terminal what to do."""


def ensure_environment(lock: str = "base") -> None:
    """Return inside the project's environment with the lock installed, or leave with one line.

    Started with any other Python, the same program is started again with the environment's own.
    Raises nothing: a failure is printed as one line and ends the program with status 1.
    """
    if os.environ.get("ADUAN_NO_VENV", "") not in ("", "0"):
        return
    try:
        prepare(lock)
    except SetupError as error:
        sys.exit(f"aduan: {error}")
    if not _inside():
        _restart()


def prepare(lock: str = "base") -> bool:
    """Create `.venv` and install the lock unless the stamp says it is there; True when it worked.

    The development lock contains the runtime lock, so it satisfies both.
    """
    if sys.version_info < OLDEST:
        raise SetupError(
            f"Python {_dotted(OLDEST)} or newer is needed, this is {_dotted(sys.version_info)}."
        )
    if _fresh(lock):
        return False
    with _one_at_a_time():
        if _fresh(lock):  # somebody else was faster
            return False
        if not _usable():
            _create()
        _install(lock)
    return True


def digest(lock: str) -> str:
    """The sum of a lock file, without regard to line ends."""
    text = LOCKS[lock].read_bytes().replace(b"\r\n", b"\n")
    return hashlib.sha256(text).hexdigest()


def _inside() -> bool:
    return Path(sys.prefix).resolve() == VENV.resolve()


def _stamp(lock: str) -> Path:
    return VENV / f"lock-{lock}.sha256"


def _fresh(lock: str) -> bool:
    """Whether what is wanted, or more, is installed already."""
    if not PYTHON.exists():
        return False
    for name in {lock, "dev"}:
        try:
            if _stamp(name).read_text(encoding="ascii") == digest(name):
                return True
        except OSError:
            continue
    return False


def _usable() -> bool:
    """Whether `.venv` holds a Python that runs, is new enough and has pip."""
    if not PYTHON.exists():
        return False
    code = f"import sys, pip; sys.exit(sys.version_info < {OLDEST!r})"
    return (
        subprocess.run([str(PYTHON), "-c", code], check=False, capture_output=True).returncode == 0
    )


def _create() -> None:
    """Make an empty environment, installing Debian's venv package first where that is missing."""
    _say("making the virtual environment .venv …")
    if not _has_ensurepip():
        _install_venv_package()
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupError("the virtual environment could not be made: " + _last_line(done))


def _has_ensurepip() -> bool:
    """Whether this Python can put pip into a new environment (Debian splits that off)."""
    code = "import ensurepip, venv"
    return (
        subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode
        == 0
    )


def _install_venv_package() -> None:
    name = f"python{_dotted(sys.version_info)}-venv"
    may = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")
    if may:
        _say(f"installing the system package {name} …")
        apt_install(name)
    if not may or not _has_ensurepip():
        raise SetupError(
            "this Python has no venv module; install it (Debian, Ubuntu: sudo apt-get install"
            f" {name}) and start again."
        )


def apt_install(*names: str) -> bool:
    """Install system packages without asking anything; True when apt-get said it worked."""
    # RUNLEVEL=1: a service that comes along (nginx) is not started here.
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1")
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *names]
    for command in (["apt-get", "update", "-q"], install):
        done = subprocess.run(
            command,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
    return done.returncode == 0


def _install(lock: str) -> None:
    """Let pip install exactly the files of the lock, then write the stamp."""
    _say(f"installing what requirements/{lock}.txt pins (only when it changes) …")
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--prefer-binary"]
    command += ["--disable-pip-version-check", "--no-input", "-qq", "-r", str(LOCKS[lock])]
    for name in LOCKS:
        with contextlib.suppress(OSError):
            _stamp(name).unlink()
    done = subprocess.run(command, check=False, cwd=str(ROOT), stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SetupError(
            "pip could not install the dependencies (its message is above); is there a network?"
        )
    _stamp(lock).write_text(digest(lock), encoding="ascii")


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Hold a lock in the project's folder, so that two first starts do not install at once."""
    path = ROOT / ".venv.lock"
    with open(str(path), "a+b") as handle:
        if sys.platform == "win32":
            import msvcrt

            while True:
                try:
                    msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
                    break
                except OSError:
                    time.sleep(0.5)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _restart() -> None:
    """Start the same program with the environment's Python; does not return."""
    command = [str(PYTHON), *sys.orig_argv[1:]]
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform == "win32":
        # There, exec would hand the terminal back while the program goes on.
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


def _dotted(version: Sequence[object]) -> str:
    return f"{version[0]}.{version[1]}"


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr + done.stdout).strip().splitlines() or ["no message"]
    return lines[-1]


def _say(line: str) -> None:
    print("aduan: " + line, flush=True)


def main(arguments: list[str]) -> None:
    """`--dev` installs the development lock; without it, the runtime lock."""
    try:
        prepare("dev" if "--dev" in arguments else "base")
    except SetupError as error:
        sys.exit(f"aduan: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
