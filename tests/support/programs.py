"""Our own commands as programs: each in a process of its own, ended with the test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.testkeys import keys_file

ROOT = Path(__file__).resolve().parents[2]
_KEPT = ("PATH", "HOME", "LANG")
_SECRETS = {"SECRET_KEY": "signs nothing", "DATA_KEYS": str(keys_file())}

Start = Callable[..., subprocess.Popen[str]]


@contextmanager
def commands(environment: Mapping[str, str]) -> Iterator[Start]:
    """`start("worker", SMTP_HOST="")`: that command of `flask`, with a setting of its own.

    It sees nothing of the surrounding environment but where programs and the home folder lie.
    """
    started: list[subprocess.Popen[str]] = []
    kept = {key: os.environ[key] for key in _KEPT if key in os.environ}

    def start(*words: str, **changes: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", *words],
            cwd=ROOT,
            env={**kept, **_SECRETS, **environment, **changes},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=30)
