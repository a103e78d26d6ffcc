"""Codes as a camera sees them: pictures of QR codes and barcodes, and a film of one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import barcode
import segno
from barcode.writer import ImageWriter
from PIL import Image

_FILM: Final = (640, 480)


def qr_picture(text: str, *, scale: int = 8) -> Image.Image:
    """A QR code with its quiet zone."""
    out = io.BytesIO()
    segno.make_qr(text).save(out, kind="png", scale=scale, border=4)
    return Image.open(out).convert("L")


def code128_png(text: str) -> bytes:
    """A Code 128 barcode as couriers print it."""
    out = io.BytesIO()
    barcode.get("code128", text, writer=ImageWriter()).write(out, {"write_text": False})
    return out.getvalue()


def png(picture: Image.Image) -> bytes:
    """The bytes of a picture."""
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def film_of(picture: Image.Image, path: Path, *, frames: int = 10) -> Path:
    """A raw film (Y4M) of a code lying on a grey table: what a fake camera plays in a loop."""
    frame = Image.new("L", _FILM, 160)
    code = picture.resize((300, 300), Image.Resampling.NEAREST)
    frame.paste(code, ((_FILM[0] - 300) // 2, (_FILM[1] - 300) // 2))
    colourless = bytes([128]) * (_FILM[0] * _FILM[1] // 2)
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{_FILM[0]} H{_FILM[1]} F10:1 Ip A1:1 C420jpeg\n".encode())
        for _ in range(frames):
            out.write(b"FRAME\n" + frame.tobytes() + colourless)
    return path
