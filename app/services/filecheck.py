"""What files the office takes: JPEG, PNG, HEIC and PDF that are what they say and do nothing.

The type comes from the content, the name only has to agree with it; then the file is really read.
Pictures are saved anew (`pictures.py`), so nothing stays hidden in or behind them, and the upload
itself is not kept. PDFs stay byte for byte (a signature would not survive
a new save), so one that carries anything active is refused instead of cleaned.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import filetype

from app.services.pdfcheck import check_pdf
from app.services.pictures import Label, clean_picture
from app.sop.errors import FileRefusedError
from app.sop.text import N_

__all__ = ["ACCEPT", "MESSAGES", "CheckedFile", "check_file", "safe_name"]

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "file_empty": N_("This file is empty. Choose it again."),
    "file_too_large": N_("This file is larger than %(max_mb)s MB."),
    "file_name_invalid": N_("The name of this file cannot be read. Rename it and try again."),
    "file_type_not_allowed": N_("Only JPEG, PNG, HEIC and PDF files are taken."),
    "file_type_mismatch": N_(
        "The name says %(claimed)s, but the content is not %(claimed)s. Scan or save it again."
    ),
    "file_polyglot": N_("This file hides a second file inside it. Scan or photograph it again."),
    "image_broken": N_("This picture is damaged or incomplete. Photograph or send it again."),
    "image_too_large": N_(
        "This picture has more than %(max_megapixels)s megapixels. Make a smaller one."
    ),
    "pdf_broken": N_("This PDF is damaged or incomplete. Scan or save it again."),
    "pdf_encrypted": N_(
        "This PDF is locked with a password. Open it, print it to a new PDF, and choose that one."
    ),
    "pdf_script": N_(
        "This PDF contains a script (JavaScript). Print it to a new PDF, and choose that one."
    ),
    "pdf_launch": N_(
        "This PDF starts a program or opens another file."
        " Print it to a new PDF, and choose that one."
    ),
    "pdf_embedded_files": N_(
        "This PDF has other files attached inside it. Print it to a new PDF, choose that one, and"
        " add the attached files separately."
    ),
    "pdf_sends_data": N_(
        "This PDF is a form that sends or fetches data. Print it to a new PDF, and choose that one."
    ),
    "pdf_active_content": N_(
        "This PDF plays media, or does something by itself when it is opened."
        " Print it to a new PDF, and choose that one."
    ),
    "pdf_too_many_pages": N_("This PDF has more than %(max_pages)s pages. Split it."),
    "pdf_too_complex": N_("This PDF is built too intricately to be checked. Scan it again."),
}

#: For the `accept` attribute of file inputs; Windows knows HEIC by its ending only.
ACCEPT: Final = "image/jpeg,image/png,image/heic,image/heif,.heic,.heif,application/pdf"

DEFAULT_MAX_PAGES: Final = 200
MAX_SCANS: Final = 64
NAME_LENGTH: Final = 120


@dataclass(frozen=True, slots=True)
class _Kind:
    label: Label
    media_type: str
    extension: str
    start: bytes


_JPEG: Final = _Kind("JPEG", "image/jpeg", "jpg", b"\xff\xd8\xff")
_PNG: Final = _Kind("PNG", "image/png", "png", b"\x89PNG\r\n\x1a\n")
_PDF: Final = _Kind("PDF", "application/pdf", "pdf", b"%PDF-")
#: Photographs of phones; stored as JPEG, which every browser and printer knows.
_HEIC: Final = _Kind("HEIC", "image/heic", "heic", b"")
_BY_EXTENSION: Final = {
    "jpg": _JPEG,
    "jpeg": _JPEG,
    "png": _PNG,
    "pdf": _PDF,
    "heic": _HEIC,
    "heif": _HEIC,
    "hif": _HEIC,
}

#: What must not stand behind the end of a picture or around a PDF: another file's beginning.
_SECOND_FILE: Final = re.compile(
    rb"<html|<!doctype|<script|<svg|<\?php|%PDF-|PK\x03\x04|PK\x05\x06|Rar!\x1a|7z\xbc\xaf\x27\x1c",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file as it is to be stored; `safe_name` is for display and downloads only."""

    data: bytes
    media_type: str
    extension: str
    safe_name: str
    #: Of a PDF; None for a picture.
    pages: int | None = None


def check_file(
    data: bytes,
    filename: str,
    *,
    max_bytes: int,
    max_pixels: int,
    max_pages: int = DEFAULT_MAX_PAGES,
) -> CheckedFile:
    """Take a JPEG, PNG, HEIC or PDF whose content fits its name, or say why not.

    Args:
        data: the upload as it came.
        filename: the sender's name for it: never trusted, never part of a path.
        max_bytes: size of the upload, inclusive.
        max_pixels: width times height, inclusive; looked at before anything is decoded.
        max_pages: pages of a PDF, inclusive.

    Raises:
        FileRefusedError: with a code of `MESSAGES` and its parameters.
    """
    if not data:
        raise FileRefusedError("file_empty")
    if len(data) > max_bytes:
        raise FileRefusedError("file_too_large", max_mb=_megabytes(max_bytes))
    # No honest browser sends one; it is there to cut the name short in someone's C code.
    if "\0" in filename:
        raise FileRefusedError("file_name_invalid")
    name = safe_name(filename)
    kind = _BY_EXTENSION.get(name.rpartition(".")[2])
    if kind is None:
        raise FileRefusedError("file_type_not_allowed")
    if not _is(kind, data):
        raise FileRefusedError("file_type_mismatch", claimed=kind.label)
    if kind is _PDF:
        _refuse_second_file_around_pdf(data)
        pages = check_pdf(data, max_pages=max_pages)
        return CheckedFile(data, kind.media_type, kind.extension, name, pages)
    _refuse_second_file_behind(data, _END[kind](data))
    if kind is _HEIC:
        kind, name = _JPEG, f"{name.rpartition('.')[0]}.jpg"
        data = clean_picture(data, "HEIC", max_pixels)
    else:
        data = clean_picture(data, kind.label, max_pixels)
    return CheckedFile(data, kind.media_type, kind.extension, name)


def _is(kind: _Kind, data: bytes) -> bool:
    if kind is _HEIC:
        return _is_heic(data)
    return filetype.guess_mime(data) == kind.media_type and data.startswith(kind.start)


def _is_heic(data: bytes) -> bool:
    """Whether the first box names a brand of HEIF that holds HEVC pictures."""
    length = int.from_bytes(data[:4])
    if data[4:8] != b"ftyp" or not 16 <= length <= 256:
        return False
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, length, 4))}
    return bool(brands & _HEIC_BRANDS)


_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis"})


# --- names -------------------------------------------------------------------------------------

#: Letters Windows or HTML would stumble over.
_AWKWARD: Final = re.compile(r'[<>:"|?*]')
#: Endings that run somewhere: harmless inside a name, but a viewer that hides `.pdf` shows them.
_RUNNABLE: Final = re.compile(
    r"\.(?=(?:php\d?|phtml|phar|exe|msi|scr|bat|cmd|ps1|vbs|js|jar|sh|py|html?|svg|xml|asp|aspx|jsp|cgi)"
    r"(?:\.|$))",
    re.IGNORECASE,
)


def safe_name(filename: str) -> str:
    """The sender's name without folders, control and direction marks; at most 120 characters.

    The ending comes out in lower case and survives the cut. A name with nothing left is "file".
    """
    name = unicodedata.normalize("NFC", filename.replace("\\", "/")).rpartition("/")[2]
    # C*: control, format (right-to-left marks, zero widths), surrogates. Z*: any kind of space.
    kept = (" " if unicodedata.category(c)[0] == "Z" else c for c in name)
    name = "".join(c for c in kept if unicodedata.category(c)[0] != "C")
    name = " ".join(_AWKWARD.sub("_", name).split()).rstrip(". ")
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    stem = _RUNNABLE.sub("_", stem.strip(". ")) or "file"
    ending = ending.lower()[:12]
    stem = stem[: NAME_LENGTH - len(ending) - 1].rstrip(". ")
    return f"{stem}.{ending}" if ending else stem


def _megabytes(size: int) -> str:
    return f"{size / (1024 * 1024):.1f}".removesuffix(".0")


# --- second files ------------------------------------------------------------------------------


def _refuse_second_file_behind(data: bytes, end: int) -> None:
    # Phones do append things (a motion photo's film): those are cut off, not refused.
    if _SECOND_FILE.search(data, end) or zipfile.is_zipfile(io.BytesIO(data)):
        raise FileRefusedError("file_polyglot")


def _refuse_second_file_around_pdf(data: bytes) -> None:
    """A PDF may carry comments before its first object and bytes after its last %%EOF."""
    first_object = re.search(rb"\d\s+obj\b", data[:4096])
    head = data[len(_PDF.start) : first_object.start() if first_object else 4096]
    end = data.rfind(b"%%EOF")
    tail = data[end:] if end >= 0 else b""
    if _SECOND_FILE.search(head) or _SECOND_FILE.search(tail):
        raise FileRefusedError("file_polyglot")
    if zipfile.is_zipfile(io.BytesIO(data)):
        raise FileRefusedError("file_polyglot")


#: Any JPEG marker but stuffing, fill, restarts and a nested start.
_JPEG_MARKER: Final = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd8]")


def _jpeg_end(data: bytes) -> int:
    """Offset just behind the picture's own end marker (previews inside have theirs)."""
    at = 2
    scans = 0
    while marker := _JPEG_MARKER.search(data, at):
        name = data[marker.start() + 1]
        if name == 0xD9:
            return marker.end()
        scans += name == 0xDA
        # A progressive picture has about ten; thousands of empty ones would keep us busy for hours.
        if scans > MAX_SCANS:
            raise FileRefusedError("image_broken")
        at = marker.end() + max(2, int.from_bytes(data[marker.end() : marker.end() + 2]))
    return len(data)  # No end: whether the picture is whole is for the decoder to say.


def _png_end(data: bytes) -> int:
    """Offset just behind the IEND chunk."""
    at = len(_PNG.start)
    while at + 12 <= len(data):
        name = data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4])
        if name == b"IEND":
            return at
    return len(data)


def _heic_end(data: bytes) -> int:
    """Offset behind the last whole box of an ISO media file."""
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4])
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16])
        # A box's name is printable; what follows the boxes need not be.
        if length < 8 or at + length > len(data) or not data[at + 4 : at + 8].isalnum():
            break
        at += length
    return at


_END: Final[Mapping[_Kind, Callable[[bytes], int]]] = {
    _JPEG: _jpeg_end,
    _PNG: _png_end,
    _HEIC: _heic_end,
}
