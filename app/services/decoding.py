"""Decoding and marking foreign files outside this process: what a hostile file costs has a limit."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final, Literal

__all__ = ["DecodingError", "decode"]

_WORKER: Final = Path(__file__).with_name("decoding_worker.py")
#: At once, whatever is asked for: each may take a core and a gigabyte.
_AT_ONCE: Final = threading.BoundedSemaphore(2)
SECONDS: Final = 20.0
_WORDS: Final = {3: "too_large", 4: "damaged", 5: "no_such_page", 6: "locked"}
#: Of our environment the worker needs only what finds libraries; secrets stay here.
_KEPT: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP", "LANG")

Why = Literal["too_large", "damaged", "no_such_page", "locked", "busy"]
What = Literal["heic", "pdf", "mark_pdf", "mark_jpeg", "mark_png"]


class DecodingError(Exception):
    """The file was not decoded; `why` says for what reason."""

    def __init__(self, why: Why) -> None:
        self.why: Why = why
        super().__init__(why)


def decode(what: What, *numbers: int, data: bytes, seconds: float = SECONDS) -> bytes:
    """Have the worker decode `data`; see `decoding_worker.py` for the numbers.

    Raises:
        DecodingError: damaged, locked, too large, no such page, or the file took longer than `seconds`
            (then it counts as damaged); busy when no worker became free in that time.
    """
    command = [sys.executable, "-P", "-B", str(_WORKER), what, *map(str, numbers)]
    if not _AT_ONCE.acquire(timeout=seconds):
        raise DecodingError("busy")
    try:
        done = subprocess.run(
            command,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DecodingError("damaged") from error
    finally:
        _AT_ONCE.release()
    if done.returncode or not done.stdout:
        # A crash or a kill has a status of its own: the file is to blame.
        raise DecodingError(_WORDS.get(done.returncode, "damaged"))  # type: ignore[arg-type]
    return done.stdout
