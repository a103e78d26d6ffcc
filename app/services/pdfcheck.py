"""Which PDFs the office takes: readable, unlocked, and with nothing in them that acts.

Every object is looked at, reachable or not, because a viewer may find its way where our reader
does not. The reader's memory is bounded first: 350 kB of PDF can unfold to gigabytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
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

#: Actions that run, send, or open something, with the reason given. Links (URI) and jumps within
#: the file stay.
_ACTIONS: Final[Mapping[str, str]] = {
    "/JavaScript": "pdf_script",
    "/Launch": "pdf_launch",
    "/GoToR": "pdf_launch",
    "/GoToE": "pdf_embedded_files",
    "/SubmitForm": "pdf_sends_data",
    "/ImportData": "pdf_sends_data",
    "/Rendition": "pdf_active_content",
    "/Movie": "pdf_active_content",
    "/Sound": "pdf_active_content",
    "/RichMediaExecute": "pdf_active_content",
    "/GoTo3DView": "pdf_active_content",
}
#: Keys that only active or attached content has.
_KEYS: Final[Mapping[str, str]] = {
    "/JS": "pdf_script",
    "/JavaScript": "pdf_script",
    "/EF": "pdf_embedded_files",
    "/XFA": "pdf_sends_data",
    "/RichMediaContent": "pdf_active_content",
}
_TYPES: Final[Mapping[str, str]] = {
    "/EmbeddedFile": "pdf_embedded_files",
    "/Rendition": "pdf_active_content",
}
_SUBTYPES: Final[Mapping[str, str]] = {
    "/FileAttachment": "pdf_embedded_files",
    "/RichMedia": "pdf_active_content",
    "/Movie": "pdf_active_content",
    "/Sound": "pdf_active_content",
    "/Screen": "pdf_active_content",
    "/3D": "pdf_active_content",
}


def check_pdf(data: bytes, *, max_pages: int) -> int:
    """Read a PDF through and refuse what is locked, damaged, endless or active; its pages.

    Raises:
        FileRefusedError: pdf_broken, pdf_encrypted, pdf_too_complex, pdf_too_many_pages
            (max_pages), or what is active in it: pdf_script, pdf_launch, pdf_embedded_files,
            pdf_sends_data, pdf_active_content.
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
    return pages


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
        if isinstance(item, (Dictionary, Stream)):
            _refuse_active(item)


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


def _refuse_active(item: Dictionary | Stream) -> None:
    keys = set(item.keys())
    found = [code for key, code in _KEYS.items() if key in keys]
    # A stream whose bytes lie in another file.
    if isinstance(item, Stream) and "/F" in keys:
        found.append("pdf_launch")
    for key, codes in (("/S", _ACTIONS), ("/Type", _TYPES), ("/Subtype", _SUBTYPES)):
        if code := codes.get(_name(item, key)):
            found.append(code)
    if not found and "/OpenAction" in keys and not _only_shows_a_page(item.get("/OpenAction")):
        # What the action is has a name of its own, when it is one of those above.
        action = item.get("/OpenAction")
        known = isinstance(action, Dictionary) and _ACTIONS.get(_name(action, "/S"))
        found.append(known or "pdf_active_content")
    if found:
        raise FileRefusedError(found[0])


def _only_shows_a_page(action: object) -> bool:
    if isinstance(action, Dictionary):
        return _name(action, "/S") == "/GoTo" and "/Next" not in action
    # A destination: an array, or the name of one.
    return action is None or isinstance(action, (Array, Name, str, pikepdf.String))


def _name(item: Dictionary | Stream, key: str) -> str:
    value = item.get(key)
    return str(value) if isinstance(value, Name) else ""
