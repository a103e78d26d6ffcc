"""Says across a working copy who took it, when and of which case. Nothing of the product is known here.

The worker that decodes foreign files loads this module by its path (`decoding_worker.py`), and the
previews draw with it: so it imports Pillow and pikepdf only, and the latter late.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont

_FONT: Final = Path(__file__).parents[1] / "papers" / "fonts" / "SourceSans3-Bold.ttf"
_RED: Final = (176, 0, 32)
_LIGHT: Final = (255, 255, 255)
#: How much of the mark covers what is under it: read at a glance, and the paper under it too.
_COVER: Final = 0.38
#: The line stands in the middle and on either side of it, in shares of the shorter side.
_ROWS: Final = (-0.36, 0.0, 0.36)
_SHARE: Final = 0.86
#: An average letter of Helvetica, in parts of its size.
_LETTER: Final = 0.55
#: No written unit of a PDF and no page of sense is larger than this (ISO 32000-1, C.2).
_MOST_UNITS: Final = 200_000.0


class LockedPdfError(ValueError):
    """The file is encrypted: a copy of it cannot be marked."""


def marked_picture(picture: Image.Image, words: str) -> Image.Image:
    """A copy of a picture with the words across it, three times; as clear as the picture is."""
    clear = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    sheet = picture.convert("RGBA" if clear else "RGB")
    sheet.info = {}
    width, height = sheet.size
    long = math.hypot(width, height) * _SHARE
    font = ImageFont.truetype(str(_FONT), 100)
    size = max(6, min(int(100 * long / max(1.0, font.getlength(words))), width, height))
    font = ImageFont.truetype(str(_FONT), size)
    edge = max(1, size // 12)
    left, top, right, bottom = font.getbbox(words, stroke_width=edge)
    angle = math.atan2(height, width)
    step = min(width, height)
    # A light edge first: a mark must be seen on dark and on red as well.
    for colour, cover, stroke in ((_LIGHT, _COVER / 2, edge), (_RED, _COVER, 0)):
        line = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4))
        place = (2 - left, 2 - top)
        ImageDraw.Draw(line).text(
            place, words, fill=int(255 * cover), font=font, stroke_width=stroke
        )
        line = line.rotate(math.degrees(angle), Image.Resampling.BICUBIC, expand=True)
        for row in _ROWS:
            x = (width - line.width) / 2 + math.sin(angle) * row * step
            y = (height - line.height) / 2 + math.cos(angle) * row * step
            sheet.paste((*colour, 255)[: len(sheet.mode)], (round(x), round(y)), line)
    return sheet


def marked_file(data: bytes, label: str, words: str, quality: int) -> bytes:
    """A stored JPEG or PNG as a marked one of the same sort and size."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(data), formats=[label]) as picture:
        picture.load()
        sheet = marked_picture(picture, words)
    sheet.save(out, label, **({"quality": quality} if label == "JPEG" else {"compress_level": 1}))
    return out.getvalue()


def marked_pdf(data: bytes, words: str) -> bytes:
    """A PDF with the words across every page, whatever way the page is turned.

    What a page draws becomes a piece of its own: a page that leaves the paper turned, clipped or
    pushed aside behind it does so to itself alone, and the mark is drawn on top of it. Stamps and
    form fields become part of the page, so that none lies over the mark.

    Raises:
        LockedPdfError: it is encrypted.
    """
    import pikepdf

    try:
        pdf = pikepdf.open(io.BytesIO(data))
    except pikepdf.PasswordError as error:
        raise LockedPdfError from error
    with pdf:
        if pdf.is_encrypted:
            raise LockedPdfError
        if not len(pdf.pages):
            raise ValueError("no page")
        pdf.flatten_annotations("all")
        font = pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Font,
                Subtype=pikepdf.Name.Type1,
                BaseFont=pikepdf.Name("/Helvetica-Bold"),
                Encoding=pikepdf.Name.WinAnsiEncoding,
            )
        )
        cover = pdf.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.ExtGState, ca=_COVER, BM=pikepdf.Name.Normal)
        )
        done: set[Any] = set()
        for page in pdf.pages:
            if page.obj.objgen in done:  # one page that stands in the file twice
                continue
            done.add(page.obj.objgen)
            _mark_page(pikepdf, pdf, page, words, font, cover)
        for key in ("/Perms", "/PieceInfo"):  # of the file that this no longer is
            if key in pdf.Root:
                del pdf.Root[key]
        out = io.BytesIO()
        # Streams go through as they are: unpacking what a stranger packed is no work of ours.
        pdf.save(out, stream_decode_level=pikepdf.StreamDecodeLevel.none)
        return out.getvalue()


def _mark_page(pikepdf: Any, pdf: Any, page: Any, words: str, font: Any, cover: Any) -> None:
    outer = _box(page, "/MediaBox") or (0.0, 0.0, 612.0, 792.0)
    shown = _within(_box(page, "/CropBox") or outer, outer)
    drawn = _drawn(pikepdf, pdf, page)
    drawn.Type, drawn.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
    drawn.BBox = pikepdf.Array([*outer])
    drawn.Resources = _own_or_inherited(page, "/Resources") or pikepdf.Dictionary()
    if "/Group" in page.obj:
        drawn.Group = page.obj.Group
    try:
        turn = int(_own_or_inherited(page, "/Rotate") or 0) % 360
    except (TypeError, ValueError):
        turn = 0
    letters = words.encode("cp1252", "replace").replace(b"\\", b"\\\\")
    letters = letters.replace(b"(", b"\\(").replace(b")", b"\\)")
    text = b"".join(
        b"%.4f %.4f %.4f %.4f %.2f %.2f Tm (%s) Tj\n" % (*place, letters)
        for place in _places(shown, turn, len(words))
    )
    size = _size(shown, len(words))
    colour = b" ".join(b"%.3f" % (part / 255) for part in _RED)
    mark = pdf.make_stream(b"/G gs %s rg BT /F %.2f Tf\n%sET\n" % (colour, size, text))
    mark.Type, mark.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
    mark.BBox = pikepdf.Array([*outer])
    mark.Resources = pikepdf.Dictionary(
        Font=pikepdf.Dictionary(F=font), ExtGState=pikepdf.Dictionary(G=cover)
    )
    page.obj.MediaBox = pikepdf.Array([*outer])
    page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Page=drawn, Mark=mark))
    page.obj.Contents = pdf.make_stream(b"q /Page Do Q\nq /Mark Do Q\n")


def _drawn(pikepdf: Any, pdf: Any, page: Any) -> Any:
    """What the page draws as a stream of its own; pages may share theirs."""
    contents = page.obj.get("/Contents")
    if isinstance(contents, pikepdf.Stream):
        copy = pdf.make_stream(contents.read_raw_bytes())
        for key in ("/Filter", "/DecodeParms"):
            if key in contents:
                copy[key] = contents[key]
        return copy
    if contents is None:
        return pdf.make_stream(b"")
    return pdf.make_stream(b"\n".join(part.read_bytes() for part in contents))


def _size(box: tuple[float, float, float, float], letters: int) -> float:
    width, height = box[2] - box[0], box[3] - box[1]
    long = math.hypot(width, height) * _SHARE
    return max(1.0, min(long / (_LETTER * max(1, letters)), width, height))


def _places(
    box: tuple[float, float, float, float], turn: int, letters: int
) -> Iterator[tuple[float, float, float, float, float, float]]:
    """Where each line begins and which way it runs, in the page's own directions."""
    width, height = box[2] - box[0], box[3] - box[1]
    seen = (height, width) if turn in (90, 270) else (width, height)
    angle = math.atan2(seen[1], seen[0]) + math.radians(turn)
    along, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
    size = _size(box, letters)
    half = _LETTER * letters * size / 2
    for row in _ROWS:
        away = row * min(seen) - size / 3
        x = (box[0] + box[2]) / 2 - along[0] * half + across[0] * away
        y = (box[1] + box[3]) / 2 - along[1] * half + across[1] * away
        yield along[0], along[1], across[0], across[1], x, y


def _box(page: Any, key: str) -> tuple[float, float, float, float] | None:
    """A box of the page or of what it inherits from; None for one that is no area."""
    found = _own_or_inherited(page, key)
    try:
        a, b, c, d = (float(value) for value in found)
    except (TypeError, ValueError):
        return None
    box = (min(a, c), min(b, d), max(a, c), max(b, d))
    sound = all(math.isfinite(side) and abs(side) < _MOST_UNITS for side in box)
    return box if sound and box[2] - box[0] >= 1 and box[3] - box[1] >= 1 else None


def _within(
    box: tuple[float, float, float, float], outer: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    cut = (
        max(box[0], outer[0]), max(box[1], outer[1]), min(box[2], outer[2]), min(box[3], outer[3]),
    )  # fmt: skip
    return cut if cut[2] - cut[0] >= 1 and cut[3] - cut[1] >= 1 else outer


def _own_or_inherited(page: Any, key: str) -> Any:
    node = page.obj
    for _level in range(60):
        if node is None:
            return None
        if key in node:
            return node.get(key)
        node = node.get("/Parent")
    return None
