"""Decodes one foreign file in a process of its own; started by `decoding.py`, never imported.

    python decoding_worker.py heic MAX_PIXELS SIDE QUALITY   < photo.heic > photo.jpg
    python decoding_worker.py pdf PAGE SIDE                  < paper.pdf  > page.png
    python decoding_worker.py mark_pdf BYTES                 < words+pdf  > marked.pdf
    python decoding_worker.py mark_jpeg BYTES QUALITY        < words+jpeg > marked.jpg
    python decoding_worker.py mark_png BYTES                 < words+png  > marked.png

`words+` are the first BYTES of standard input: names are not for the list of processes.

The decoders of HEIC and PDF are large C libraries that read what strangers made. Here a file
that crashes them, never ends or wants all memory takes nothing but this process with it.
Exit status: 0 done, 3 too large, 4 damaged, 5 there is no such page, 6 locked.
"""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 15
TOO_LARGE, DAMAGED, NO_SUCH_PAGE, LOCKED = 3, 4, 5, 6
#: A marked copy is not much more than what it is a copy of.
MOST_ADDED = 64 * 1024 * 1024
PACKED = 32 * 1024 * 1024


def limit_memory_and_time() -> None:
    """Let the system stop us where it can; elsewhere the parent's time limit stays."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def photo(data: bytes, max_pixels: int, side: int, quality: int) -> bytes:
    """A HEIC photograph as a JPEG: upright, no larger than `side`, its pixels alone."""
    import pillow_heif
    from PIL import Image

    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    # One thread: a core for every photograph that comes in is not ours to take.
    pillow_heif.options.DECODE_THREADS = 1
    with Image.open(io.BytesIO(data), formats=["HEIF"]) as picture:
        if picture.width * picture.height > max_pixels:
            sys.exit(TOO_LARGE)
        picture.load()  # libheif turns it upright itself
        clean = picture.convert("RGB")
    clean.thumbnail((side, side), Image.Resampling.LANCZOS)
    clean.info = {}
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def page(data: bytes, number: int, side: int) -> bytes:
    """A page of a PDF as a PNG whose longer side is `side`, with its stamps and form fields."""
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    if not 1 <= number <= len(document):
        sys.exit(NO_SUCH_PAGE)
    with suppress(pypdfium2.PdfiumError):
        document.init_forms()  # else the visible stamp of a signature is not drawn
    sheet = document[number - 1]
    width, height = sheet.get_size()
    if not (width > 0 and height > 0):
        sys.exit(DAMAGED)
    picture = sheet.render(scale=side / max(width, height)).to_pil().convert("RGB")
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()


def _marking() -> Any:
    # By its path: of this folder nothing else may be found, some names of it are the library's.
    place = Path(__file__).with_name("marking.py")
    spec = importlib.util.spec_from_file_location("marking", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mark_pdf(data: bytes, length: int) -> bytes:
    """A PDF with the words that stand before it across every page."""
    import pikepdf

    pikepdf.settings.set_qpdf_limits(
        flate_max_memory=PACKED,
        png_max_memory=PACKED,
        run_length_max_memory=PACKED,
        tiff_max_memory=PACKED,
        parser_max_container_size=100_000,
        parser_max_nesting=100,
        max_stream_filters=4,
        doc_max_warnings=1000,
    )
    marking = _marking()
    try:
        return _not_endless(marking.marked_pdf(data[length:], data[:length].decode()), data)
    except marking.LockedPdfError:
        sys.exit(LOCKED)


def mark_jpeg(data: bytes, length: int, quality: int) -> bytes:
    """A JPEG with the words that stand before it across it."""
    return _mark(data, length, "JPEG", quality)


def mark_png(data: bytes, length: int) -> bytes:
    """A PNG with the words that stand before it across it."""
    return _mark(data, length, "PNG", 0)


def _mark(data: bytes, length: int, label: str, quality: int) -> bytes:
    marked = _marking().marked_file(data[length:], label, data[:length].decode(), quality)
    return _not_endless(marked, data)


def _not_endless(done: bytes, data: bytes) -> bytes:
    if len(done) > len(data) + MOST_ADDED:
        sys.exit(TOO_LARGE)
    return done


_JOBS = {
    "heic": photo,
    "pdf": page,
    "mark_pdf": mark_pdf,
    "mark_jpeg": mark_jpeg,
    "mark_png": mark_png,
}


def main(arguments: Sequence[str]) -> int:
    """Read standard input, write standard output."""
    limit_memory_and_time()
    what, *numbers = arguments
    data = sys.stdin.buffer.read()
    try:
        done = _JOBS[what](data, *map(int, numbers))  # type: ignore[operator]
    except MemoryError:
        return TOO_LARGE
    except Exception:  # Hostile bytes raise anything in a decoder.
        return DAMAGED
    sys.stdout.buffer.write(done)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
