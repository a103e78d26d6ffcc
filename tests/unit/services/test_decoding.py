"""Decoding in a process of its own: what a hostile file costs, and what the worker is told."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from app.services import decoding
from app.services.decoding import SECONDS, DecodingError, decode
from tests.support import samples

ROOT = Path(__file__).resolve().parents[3]
#: More than the upload itself and the pixels allowed may take, in megabytes.
MOST_MEGABYTES = 250

#: Run in a fresh interpreter, so that its highest memory is that of this one check.
_CHECK = """
import json, os, resource, sys
from app.services.filecheck import check_file
from app.sop.errors import FileRefusedError
from tests.support.samples import MAX_BYTES
name, data = sys.argv[1], sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begun = sum(os.times()[:4])
try:
    check_file(data, name, max_bytes=MAX_BYTES, max_pixels=40_000_000)
    code = "taken"
except FileRefusedError as error:
    code = error.code
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
seconds = sum(os.times()[:4]) - begun  # of the processor, our own and our children's
print(json.dumps({"code": code, "mb": (after - before) / 1024, "seconds": seconds}))
"""

BOMBS = {
    "pixels": ("ktp.png", samples.pixel_bomb_png, "image_too_large"),
    "a packed text": ("ktp.png", samples.text_bomb_png, "image_broken"),
    "scans": ("ktp.jpg", samples.scan_bomb_jpeg, "image_broken"),
    "packed objects": ("kk.pdf", samples.pdf_packed_bomb, "pdf_broken"),
    "HEIC": ("ktp.heic", lambda: samples.heic(7000, 7000), "image_too_large"),
    "a HEIC that lies": ("ktp.heic", lambda: samples.heic_saying(64, 64, 7000), "image_broken"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured as POSIX counts it")
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_costs_no_more_than_the_limit(bomb: str) -> None:
    name, make, code = BOMBS[bomb]
    data = make()
    assert len(data) < samples.MAX_BYTES
    done = subprocess.run(
        [sys.executable, "-c", _CHECK, name],
        input=data,
        capture_output=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    seen = json.loads(done.stdout)
    assert seen["code"] == code
    assert seen["mb"] < MOST_MEGABYTES
    assert seen["seconds"] < 10


#: The folder comes last: before Python's own, our `calendar` would hide theirs.
_GREEDY = """
import sys
sys.path.append(sys.argv[1])
import decoding_worker as worker
worker.limit_memory_and_time()
try:
    bytearray(worker.MEMORY)
except MemoryError:
    print("refused")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit, only our time's")
def test_the_worker_may_not_take_all_memory() -> None:
    command = [sys.executable, "-P", "-c", _GREEDY, str(ROOT / "app" / "services")]
    assert subprocess.run(command, capture_output=True, check=True).stdout.strip() == b"refused"


def test_what_takes_too_long_is_ended() -> None:
    started = time.perf_counter()
    with pytest.raises(DecodingError) as refused:
        decode("pdf", 1, 1600, data=samples.pdf(), seconds=0.001)
    assert refused.value.why == "damaged"
    assert time.perf_counter() - started < SECONDS / 2, "by its own limit, not by the usual one"
    assert decode("pdf", 1, 100, data=samples.pdf())


def test_only_so_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_AT_ONCE", threading.BoundedSemaphore(1))
    with decoding._AT_ONCE, pytest.raises(DecodingError) as refused:
        decode("pdf", 1, 100, data=samples.pdf(), seconds=0.05)
    assert refused.value.why == "busy"


def test_the_worker_is_not_told_our_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRET_KEY", "rahasia-uji")
    spy = tmp_path / "spy.py"
    spy.write_text("import os, sys; sys.stdout.write(repr(dict(os.environ)))")
    monkeypatch.setattr(decoding, "_WORKER", spy)
    told = decode("pdf", data=b"x").decode()
    assert "rahasia-uji" not in told
    assert "PATH" in told


@pytest.mark.parametrize(
    ("number", "why"), [(0, "no_such_page"), (3, "no_such_page"), (-1, "no_such_page")]
)
def test_a_page_that_is_not_there(number: int, why: str) -> None:
    with pytest.raises(DecodingError) as refused:
        decode("pdf", number, 100, data=samples.pdf(2))
    assert refused.value.why == why


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n%%EOF\n", samples.EXE, samples.pdf()[:200]])
def test_what_is_no_pdf_is_damaged(data: bytes) -> None:
    with pytest.raises(DecodingError) as refused:
        decode("pdf", 1, 100, data=data)
    assert refused.value.why == "damaged"


def test_a_page_is_drawn_as_large_as_asked_for() -> None:
    picture = Image.open(io.BytesIO(decode("pdf", 1, 400, data=samples.pdf())))
    assert (picture.format, picture.size) == ("PNG", (283, 400))
    assert picture.getpixel((60, 340)) == (0, 0, 255)
    assert picture.getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("size", [(14_400, 14_400), (14_400, 1), (0.01, 0.01)])
def test_no_page_is_drawn_larger_than_asked_for(size: tuple[float, float]) -> None:
    picture = Image.open(io.BytesIO(decode("pdf", 1, 400, data=samples.pdf_of_size(*size))))
    assert max(picture.size) <= 401
