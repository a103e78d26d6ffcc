"""The visible mark of a signature: who, in which capacity, when, and where to check it.

The mark is a small page made by the same program as the office's papers, so that its text is real
text in an embedded font. It goes where it covers nothing: the lowest white place of the last
page, and a page of its own if there is none.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections import OrderedDict
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pikepdf
import segno
import typst
from PIL import Image, ImageChops
from pyhanko.pdf_utils import content, generic, layout
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PageObject
from pyhanko.stamp import StaticStampStyle

from app.services.decoding import DecodingError, decode
from app.services.signature.core import SigningError, Stamp, StampPlace

PAPERS: Final = Path(__file__).resolve().parents[2] / "papers"
FONTS: Final = PAPERS / "fonts"

#: Points; the template is drawn to this size.
WIDTH: Final = 200.0
HEIGHT: Final = 66.0
#: Full size first; a code smaller than this is hard to read from paper.
SCALES: Final = (1.0, 0.85)
#: From the edge of the page, and around the mark.
MARGIN: Final = 30.0
AIR: Final = 4.0
STEP: Final = 6
#: Grey from which a pixel counts as white paper.
WHITE: Final = 245
#: A larger sheet than an A0 is none that is printed here.
MOST_POINTS: Final = 3400.0

WIB: Final = ZoneInfo("Asia/Jakarta")
_MONTHS: Final = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
]


# --- what it looks like ------------------------------------------------------------------------


def stamp_pdf(stamp: Stamp) -> bytes:
    """The mark as a PDF page of WIDTH × HEIGHT points.

    Raises:
        SigningError: `stamp_failed`.
    """
    return _draw(stamp, "pdf")


def stamp_picture(stamp: Stamp, *, dpi: int = 300) -> bytes:
    """The mark as a PNG, for a service that draws it itself.

    Raises:
        SigningError: `stamp_failed`.
    """
    return _draw(stamp, "png", dpi)


def _draw(stamp: Stamp, form: str, dpi: int | None = None) -> bytes:
    facts = {
        "name": stamp.name,
        "title": stamp.title,
        "nip": stamp.nip,
        "time": shown_time(stamp.at),
        "demo": stamp.demo,
    }
    code = io.BytesIO()
    segno.make_qr(stamp.check_url or "-", error="m").save(code, kind="svg", border=2, light="white")
    files = {"main": (PAPERS / "stamp.typ").read_bytes(), "qr.svg": code.getvalue()}
    try:
        made = typst.compile(  # type: ignore[call-overload]  # its hints forget the dict
            files,
            format=form,
            ppi=dpi,
            font_paths=[str(FONTS)],
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps(facts)},
            timestamp=int(stamp.at.timestamp()),
        )
    except RuntimeError as error:
        reason = str(error).splitlines()[0] if str(error) else "?"
        raise SigningError("stamp_failed", reason=reason[:160]) from None
    assert isinstance(made, bytes)
    return made


def shown_time(at: datetime) -> str:
    """A moment as the office writes it: `23 November 2026 pukul 16.20 WIB`."""
    local = at.astimezone(WIB)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year} pukul {local:%H.%M} WIB"


class _MarkPage(content.PdfContent):
    """The page of the mark, brought into the document that is being signed."""

    def __init__(self, pdf: bytes) -> None:
        self._pdf = pdf
        super().__init__(box=layout.BoxConstraints(width=WIDTH, height=HEIGHT))

    def render(self) -> bytes:
        writer = self._ensure_writer
        mark = writer.import_page_as_xobject(PdfFileReader(io.BytesIO(self._pdf)))
        self.resources.xobject["/Mark"] = mark
        return b"/Mark Do"


def stamp_style(stamp: Stamp) -> StaticStampStyle:
    """The mark as the appearance of a signature field."""
    return StaticStampStyle(
        border_width=0,
        background=_MarkPage(stamp_pdf(stamp)),
        background_opacity=1,
        background_layout=layout.SimpleBoxLayoutRule(
            x_align=layout.AxisAlignment.ALIGN_MID,
            y_align=layout.AxisAlignment.ALIGN_MID,
            margins=layout.Margins.uniform(0),
            inner_content_scaling=layout.InnerScaling.STRETCH_TO_FIT,
        ),
    )


# --- where it goes -----------------------------------------------------------------------------


def free_place(pdf: bytes) -> StampPlace | None:
    """The lowest place of the last page where the mark covers nothing; None without one.

    Raises:
        SigningError: `sign_failed`, the page cannot be drawn.
    """
    key = hashlib.sha256(pdf).digest()
    with _LOCK:
        if key in _PLACES:
            return _PLACES[key]
    place = _look_for_place(pdf)
    with _LOCK:
        _PLACES[key] = place
        while len(_PLACES) > _MOST_PLACES:
            _PLACES.popitem(last=False)
    return place


#: The places found last, by what the file holds: a batch that is tried again asks for the same.
_PLACES: Final[OrderedDict[bytes, StampPlace | None]] = OrderedDict()
_MOST_PLACES: Final = 64
_LOCK: Final = threading.Lock()


def _look_for_place(pdf: bytes) -> StampPlace | None:
    try:
        with pikepdf.open(io.BytesIO(pdf)) as document:
            number = len(document.pages)
            page = document.pages[-1]
            left, bottom, right, top = _shown(page)
            turned = _turned(page)
    except Exception as error:  # Damaged bytes raise anything in a parser.
        raise SigningError("sign_failed") from error
    width, height = right - left, top - bottom
    if turned or not (0 < width <= MOST_POINTS and 0 < height <= MOST_POINTS):
        return None
    try:
        drawn = decode("pdf", number, round(max(width, height)), data=pdf)
    except DecodingError as error:
        # Busy is no fault of the file: it is worth another try.
        raise SigningError("stamp_busy" if error.why == "busy" else "sign_failed") from error
    with Image.open(io.BytesIO(drawn), formats=["PNG"]) as picture:
        spot = _white_spot(picture.convert("L"))
    if spot is None:
        return None
    x, y, scale = spot
    return StampPlace(number, left + x, top - y - HEIGHT * scale, WIDTH * scale, HEIGHT * scale)


def _turned(page: pikepdf.Page) -> bool:
    """Whether a page is shown on its side or upside down; its parents may say so."""
    node: pikepdf.Object = page.obj
    for _ in range(50):
        if "/Rotate" in node:
            return bool(int(node["/Rotate"]) % 360)
        if "/Parent" not in node:
            break
        node = node["/Parent"]
    return False


def _shown(page: pikepdf.Page) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of what is seen of a page, in points."""
    x1, y1, x2, y2 = (float(number) for number in page.mediabox)
    media = min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
    x1, y1, x2, y2 = (float(number) for number in page.cropbox)
    crop = min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
    return (
        max(media[0], crop[0]),
        max(media[1], crop[1]),
        min(media[2], crop[2]),
        min(media[3], crop[3]),
    )


def _white_spot(picture: Image.Image) -> tuple[float, float, float] | None:
    """Upper left corner and scale of the lowest white place, the right side first."""
    ink = ImageChops.invert(picture).point(lambda value: 255 if value > 255 - WHITE else 0)
    for scale in SCALES:
        width, height = WIDTH * scale, HEIGHT * scale
        last_x, last_y = picture.width - MARGIN - width, picture.height - MARGIN - height
        y = last_y
        while y >= MARGIN:
            x = last_x
            while x >= MARGIN:
                box = (int(x - AIR), int(y - AIR), int(x + width + AIR), int(y + height + AIR))
                if ink.crop(box).getbbox() is None:
                    return x, y, scale
                x -= STEP
            y -= STEP
    return None


def make_room(pdf: bytes, place: StampPlace | None) -> tuple[IncrementalPdfFileWriter, StampPlace]:
    """A writer that appends to the PDF, and where the mark goes: a new page if need be.

    Raises:
        SigningError: `sign_failed`.
    """
    place = place or free_place(pdf)
    try:
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
        pages = int(writer.root["/Pages"]["/Count"])
        if place is None:
            _add_page(writer)
            pages += 1
            x, y = 595.28 - MARGIN * 1.5 - WIDTH, 841.89 - MARGIN * 1.5 - HEIGHT
            place = StampPlace(pages, x, y, WIDTH, HEIGHT, new_page=True)
    except Exception as error:  # The library raises anything on a PDF it does not understand.
        raise SigningError("sign_failed") from error
    if not 1 <= place.page <= pages:
        raise SigningError("sign_failed")
    return writer, place


def _add_page(writer: IncrementalPdfFileWriter) -> None:
    empty = writer.add_object(generic.StreamObject(stream_data=b" "))
    size = generic.ArrayObject(map(generic.FloatObject, (0, 0, 595.28, 841.89)))
    page = PageObject(contents=empty, media_box=size, resources=generic.DictionaryObject())
    writer.insert_page(page)
