"""Previews: a page of a PDF or a small picture, drawn here so that a browser needs no viewer.

What is drawn is an image of ours: nothing of the file itself reaches the page. Its size is fixed
whatever the file says, and the drawing is bounded by `decoding.py`.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PIL import Image

from app.services.decoding import DecodingError, decode
from app.sop.errors import NotFoundError, SopError
from app.sop.text import N_

__all__ = ["MESSAGES", "SIDES", "Preview", "PreviewCache", "PreviewError", "draw_preview"]

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "preview_failed": N_("This page cannot be drawn. Open the file itself to look at it."),
    "preview_busy": N_("Too many pages are being drawn at this moment. Try again."),
}

#: The longer side of a preview in pixels: a tile on a list, and a page to be read.
SIDES: Final = {"small": 480, "page": 1600}
_QUALITY: Final = 80
_PICTURES: Final = {"image/jpeg": "JPEG", "image/png": "PNG"}


class PreviewError(SopError):
    """A file cannot be drawn; the file itself may still be opened."""


@dataclass(frozen=True, slots=True)
class Preview:
    """An image for the browser."""

    data: bytes
    media_type: str


def draw_preview(data: bytes, media_type: str, page: int, size: str) -> Preview:
    """Draw one page of a stored file; a picture has one page.

    Raises:
        NotFoundError: the file has no such page.
        PreviewError: it cannot be drawn, or nothing is free to draw it.
    """
    if label := _PICTURES.get(media_type):
        if page != 1:
            raise NotFoundError("page", page)
        return _picture(data, label, SIDES[size])
    if media_type != "application/pdf":
        raise PreviewError("preview_failed")
    try:
        return Preview(decode("pdf", page, SIDES[size], data=data), "image/png")
    except DecodingError as error:
        if error.why == "no_such_page":
            raise NotFoundError("page", page) from error
        raise PreviewError("preview_busy" if error.why == "busy" else "preview_failed") from error


def _picture(data: bytes, label: str, side: int) -> Preview:
    # Our own work: it was saved anew when it came in, so it is decoded here.
    try:
        with Image.open(io.BytesIO(data), formats=[label]) as picture:
            picture.draft("RGB", (side, side))
            picture.load()
            if picture.mode in ("RGBA", "LA", "P"):
                sheet = Image.new("RGB", picture.size, "white")
                clear = picture.convert("RGBA")
                sheet.paste(clear, mask=clear)
            else:
                sheet = picture.convert("RGB")
    except Exception as error:
        raise PreviewError("preview_failed") from error
    sheet.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=_QUALITY)
    return Preview(out.getvalue(), "image/jpeg")


class PreviewCache:
    """The previews asked for last, up to so many bytes; what is lost is drawn anew."""

    def __init__(self, most_bytes: int = 24 * 1024 * 1024) -> None:
        self.most_bytes = most_bytes
        self._held: OrderedDict[tuple[str, int, str], Preview] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, sha256: str, page: int, size: str, draw: Callable[[], Preview]) -> Preview:
        """The preview of a file's page; drawn by `draw` when it is not at hand."""
        key = (sha256, page, size)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        preview = draw()
        with self._lock:
            if key not in self._held and len(preview.data) <= self.most_bytes // 4:
                self._held[key] = preview
                self._bytes += len(preview.data)
            while self._bytes > self.most_bytes:
                _, dropped = self._held.popitem(last=False)
                self._bytes -= len(dropped.data)
        return preview
