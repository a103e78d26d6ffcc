"""Pictures, saved anew: upright, readable, and without what a phone writes into them.

The place, the camera, comments and previews go, and so does anything hidden behind the picture.
How many pixels there are is read from the header, before anything is decoded.
"""

from __future__ import annotations

import io
from typing import Final, Literal

from PIL import Image

from app.services.decoding import DecodingError, decode
from app.sop.errors import FileRefusedError

__all__ = ["JPEG_QUALITY", "MAX_SIDE", "Label", "clean_picture"]

#: Longest side of a stored photograph: an A4 page at about 200 dots an inch.
MAX_SIDE: Final = 2400
JPEG_QUALITY: Final = 88

Label = Literal["JPEG", "PNG", "HEIC", "PDF"]


def clean_picture(data: bytes, label: Label, max_pixels: int) -> bytes:
    """A picture saved anew: JPEG and PNG as they are, HEIC as JPEG.

    Raises:
        FileRefusedError: image_too_large (max_megapixels) or image_broken.
    """
    too_large = FileRefusedError("image_too_large", max_megapixels=max_pixels // 1_000_000)
    if label == "HEIC":
        return _from_heic(data, max_pixels, too_large)
    try:
        with Image.open(io.BytesIO(data), formats=[label]) as picture:
            if picture.width * picture.height > max_pixels:
                raise too_large
            picture.verify()  # PNG check sums; afterwards the file has to be opened anew
        with Image.open(io.BytesIO(data), formats=[label]) as picture:
            return _resave(picture, label)
    except FileRefusedError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_large from error
    except Exception as error:  # Hostile bytes raise anything in a decoder.
        raise FileRefusedError("image_broken") from error


def _from_heic(data: bytes, max_pixels: int, too_large: FileRefusedError) -> bytes:
    try:
        return decode("heic", max_pixels, MAX_SIDE, JPEG_QUALITY, data=data)
    except DecodingError as error:
        if error.why == "too_large":
            raise too_large from error
        raise FileRefusedError("image_broken") from error


#: EXIF orientation -> what sets the picture upright.
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _turn(picture: Image.Image) -> Image.Transpose | None:
    # ImageOps.exif_transpose would write the other tags anew and fail on odd ones; phones have
    # many, and a paper is not to be refused for them.
    try:
        return _TURNS.get(picture.getexif().get(0x0112, 1))
    except Exception:
        return None


def _resave(picture: Image.Image, label: Label) -> bytes:
    """The first picture of the file, upright, with its pixels alone."""
    clean = picture
    if label == "JPEG":
        # Lets the decoder itself halve a large photograph: less time and memory.
        picture.draft(None, (MAX_SIDE, MAX_SIDE))
        picture.load()
        if picture.mode not in ("L", "RGB"):
            clean = picture.convert("RGB")
        clean.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    picture.load()
    turn = _turn(picture)
    if turn is not None:
        clean = clean.transpose(turn)
    clean.info = {name: clean.info[name] for name in ("transparency",) if name in clean.info}
    out = io.BytesIO()
    if label == "JPEG":
        clean.save(out, "JPEG", quality=JPEG_QUALITY, optimize=True)
    else:
        clean.save(out, "PNG")
    return out.getvalue()
