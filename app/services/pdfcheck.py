"""Which PDFs the office takes: readable, unlocked, and with nothing in them that acts.

Every object is looked at, reachable or not, because a viewer may find its way where our reader
does not. The reader's memory is bounded first: 350 kB of PDF can unfold to gigabytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream

from app.sop.errors import FileRefusedError

__all__ = ["check_pdf"]

#: Objects of one file, values inside them, and bytes of its packed objects. A 200-page letter
#: has some 2,000 objects.
MAX_OBJECTS: Final = 30_000
MAX_VALUES: Final = 400_000
MAX_PACKED_BYTES: Final = 32 * 1024 * 1024

# Process-wide, so set once, here, where the only foreign PDFs are opened.
pikepdf.settings.set_qpdf_limits(
    flate_max_memory=MAX_PACKED_BYTES,
    png_max_memory=MAX_PACKED_BYTES,
    run_length_max_memory=MAX_PACKED_BYTES,
    tiff_max_memory=MAX_PACKED_BYTES,
    parser_max_container_size=100_000,
    parser_max_nesting=100,
    max_stream_filters=4,
    doc_max_warnings=1000,
)

#: Actions that run, send, or open something. Links (URI) and jumps within the file stay.
_ACTIONS: Final = frozenset(
    {
        "/JavaScript",
        "/Launch",
        "/SubmitForm",
        "/ImportData",
        "/GoToE",
        "/GoToR",
        "/Rendition",
        "/Movie",
        "/Sound",
        "/RichMediaExecute",
        "/GoTo3DView",
    }
)
#: Keys that only active or attached content has.
_KEYS: Final = frozenset({"/JS", "/JavaScript", "/EF", "/XFA", "/RichMediaContent"})
_TYPES: Final = frozenset({"/EmbeddedFile", "/Rendition"})
_SUBTYPES: Final = frozenset(
    {"/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"}
)


def check_pdf(data: bytes, *, max_pages: int) -> None:
    """Read a PDF through and refuse what is locked, damaged, endless or active.

    Raises:
        FileRefusedError: pdf_broken, pdf_encrypted, pdf_active_content, pdf_too_complex or
            pdf_too_many_pages (max_pages).
    """
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            if pdf.is_encrypted:
                raise FileRefusedError("pdf_encrypted")
            _check_packed_objects(pdf)
            _check_objects(pdf)
            pages = len(pdf.pages)
    except pikepdf.PasswordError as error:
        raise FileRefusedError("pdf_encrypted") from error
    except FileRefusedError:
        raise
    except Exception as error:  # Hostile bytes raise anything in a parser.
        raise FileRefusedError("pdf_broken") from error
    if not pages:
        raise FileRefusedError("pdf_broken")
    if pages > max_pages:
        raise FileRefusedError("pdf_too_many_pages", max_pages=max_pages)


def _check_packed_objects(pdf: pikepdf.Pdf) -> None:
    """Bound what the object streams unfold to, before the reader unfolds them all.

    One that cannot be unpacked would hide its objects from us, not from every viewer.
    """
    table = pdf.get_xref_table()
    if len(table) > MAX_OBJECTS:
        raise FileRefusedError("pdf_too_complex")
    left = MAX_PACKED_BYTES
    for number in {entry.obj_stream_number for entry in table.values()} - {None}:
        assert number is not None
        left -= len(pdf.get_object(number, 0).read_bytes())
        if left < 0:
            raise FileRefusedError("pdf_too_complex")


def _check_objects(pdf: pikepdf.Pdf) -> None:
    for count, item in enumerate(_values(pdf), start=1):
        if count > MAX_VALUES:
            raise FileRefusedError("pdf_too_complex")
        if isinstance(item, (Dictionary, Stream)) and _is_active(item):
            raise FileRefusedError("pdf_active_content")


def _values(pdf: pikepdf.Pdf) -> Iterator[object]:
    """Every value of every object, each indirect object once."""
    for top in (*pdf.objects, pdf.trailer):
        stack: list[object] = [top]
        while stack:
            item = stack.pop()
            yield item
            children: list[object] = []
            if isinstance(item, Array):
                children = list(item)
            elif isinstance(item, (Dictionary, Stream)):
                children = [value for _, value in item.items()]
            stack.extend(c for c in children if isinstance(c, Object) and not c.is_indirect)


def _is_active(item: Dictionary | Stream) -> bool:
    keys = set(item.keys())
    if keys & _KEYS:
        return True
    # A stream whose bytes lie in another file.
    if isinstance(item, Stream) and "/F" in keys:
        return True
    if "/OpenAction" in keys and not _only_shows_a_page(item.get("/OpenAction")):
        return True
    return (
        _name(item, "/S") in _ACTIONS
        or _name(item, "/Type") in _TYPES
        or _name(item, "/Subtype") in _SUBTYPES
    )


def _only_shows_a_page(action: object) -> bool:
    if isinstance(action, Dictionary):
        return _name(action, "/S") == "/GoTo" and "/Next" not in action
    # A destination: an array, or the name of one.
    return action is None or isinstance(action, (Array, Name, str, pikepdf.String))


def _name(item: Dictionary | Stream, key: str) -> str:
    value = item.get(key)
    return str(value) if isinstance(value, Name) else ""
