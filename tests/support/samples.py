"""Sample files made on the spot: good ones, and the pieces of the hostile ones (`hostile.py`).

Nothing here is stored in the repository, so no scanner of a developer's machine is alarmed.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from decimal import Decimal
from typing import Final

import pikepdf
import pillow_heif
from pikepdf import Array, Dictionary, Name, Pdf, String
from PIL import Image

MAX_BYTES: Final = 1024 * 1024
MAX_PIXELS: Final = 2_000_000

RED: Final = (200, 30, 30)
BLUE: Final = (30, 30, 200)

HTML: Final = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG: Final = (
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
)
PHP: Final = b"<?php system($_GET['c']); ?>"
EXE: Final = b"MZ\x90\x00" + bytes(60) + b"This program cannot be run in DOS mode." + bytes(400)
# Put together here, so that this file itself is not taken for the test virus.
EICAR: Final = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS" + b"-TEST-FILE!$H+H*"


# --- pictures ----------------------------------------------------------------------------------


def picture(width: int = 120, height: int = 80, mode: str = "RGB") -> Image.Image:
    """Left half red, right half blue, so that a turn can be seen."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image.convert(mode)


def jpeg(
    width: int = 120,
    height: int = 80,
    *,
    mode: str = "RGB",
    exif: Image.Exif | None = None,
    progressive: bool = False,
) -> bytes:
    """A JPEG of `picture`."""
    out = io.BytesIO()
    picture(width, height, mode).save(
        out, "JPEG", quality=90, exif=exif or Image.Exif(), progressive=progressive
    )
    return out.getvalue()


def phone_photo(
    width: int = 120, height: int = 80, *, orientation: int = 6, mode: str = "RGB"
) -> bytes:
    """A photograph as a phone held upright makes it: lying on its side, with its place."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Telepon Contoh"
    exif.get_ifd(0x8825).update({1: "S", 2: (6.0, 54.0, 30.0), 3: "E", 4: (109.0, 43.0, 0.0)})
    return jpeg(width, height, mode=mode, exif=exif)


def photo_with_preview_picture() -> bytes:
    """Two JPEGs in one file, as phones with HDR or two lenses write them (MPO)."""
    out = io.BytesIO()
    picture().save(out, "MPO", save_all=True, append_images=[picture(60, 40)])
    return out.getvalue()


def png(width: int = 120, height: int = 80, *, mode: str = "RGB") -> bytes:
    """A PNG of `picture`."""
    out = io.BytesIO()
    picture(width, height, mode).save(out, "PNG")
    return out.getvalue()


def png_with_text(text: str = "Jl. Contoh No. 1") -> bytes:
    """A PNG with a text chunk behind its header."""
    chunk = b"Comment\0" + text.encode("latin-1")
    body = png()
    return body[:33] + _chunk(b"tEXt", chunk) + body[33:]


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def pixel_bomb_png(side: int = 30_000) -> bytes:
    """A few kilobytes that would decode to `side` squared pixels."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    rows = b"".join(packer.compress(row) for _ in range(200)) + packer.flush()
    start = b"\x89PNG\r\n\x1a\n"
    return start + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def text_bomb_png() -> bytes:
    """A compressed text chunk that unfolds to 30 MB."""
    packed = b"Comment\0\0" + zlib.compress(bytes(30_000_000), 9)
    body = png()
    return body[:33] + _chunk(b"zTXt", packed) + body[33:]


def scan_bomb_jpeg() -> bytes:
    """A progressive JPEG that repeats its last scan thousands of times."""
    body = jpeg(progressive=True)
    last = body.rindex(b"\xff\xda")
    return body[:-2] + body[last:-2] * 3000 + b"\xff\xd9"


QUICK: Final = {"quality": 1, "enc_params": {"preset": "ultrafast"}}


def heic(width: int = 120, height: int = 80, *, orientation: int = 1) -> bytes:
    """What an iPhone writes: HEVC in boxes, turned by a box, the place in its EXIF."""
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Telepon Contoh"
    exif.get_ifd(0x8825).update({1: "S", 2: (6.0, 54.0, 30.0), 3: "E", 4: (109.0, 43.0, 0.0)})
    image = picture(width, height)
    image.info["exif"] = exif.tobytes()
    out = io.BytesIO()
    # What it looks like is asked of small ones; a large one is only large.
    small = width * height <= 1_000_000
    image.save(out, "HEIF", **({"quality": 90} if small else QUICK))
    return out.getvalue()


def heic_saying(width: int, height: int, really: int = 120) -> bytes:
    """A HEIC whose header says another size than its picture has."""
    body = heic(really, really)
    honest = b"ispe" + bytes(4) + struct.pack(">II", really, really)
    assert honest in body
    return body.replace(honest, b"ispe" + bytes(4) + struct.pack(">II", width, height))


def avif() -> bytes:
    """A picture format that is boxed like HEIC and is not it."""
    return b"\0\0\0\x1cftypavif\0\0\0\0mif1avifmiaf" + heic()[28:]


# --- PDF ---------------------------------------------------------------------------------------


def _save(document: Pdf, **options: object) -> bytes:
    out = io.BytesIO()
    document.save(out, **options)  # type: ignore[arg-type]
    return out.getvalue()


def _pages(count: int = 1) -> Pdf:
    document = Pdf.new()
    for _ in range(count):
        document.add_blank_page(page_size=(595, 842))
        page = document.pages[-1]
        page.Contents = document.make_stream(b"0 0 1 rg 100 100 200 50 re f")
    return document


def pdf(pages: int = 1) -> bytes:
    """A plain PDF."""
    return _save(_pages(pages), object_stream_mode=pikepdf.ObjectStreamMode.generate)


def pdf_of_size(width: float, height: float) -> bytes:
    """A page of any size, in points."""
    document = _pages()
    document.pages[0].obj.MediaBox = Array([0, 0, Decimal(str(width)), Decimal(str(height))])
    return _save(document)


def pdf_with_links() -> bytes:
    """What an office suite writes: opens at its first page, links to a site and within itself."""
    document = _pages(2)
    first = document.pages[0].obj
    document.Root.OpenAction = Array([first, Name.XYZ, None, None, 0])
    links = [
        Dictionary(S=Name.URI, URI=String("https://example.go.id")),
        Dictionary(S=Name.GoTo, D=Array([document.pages[1].obj, Name.Fit])),
    ]
    first.Annots = Array(
        Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)
        for action in links
    )
    return _save(document)


def pdf_opening(action: object) -> bytes:
    """A PDF whose OpenAction is `action`."""
    document = _pages()
    document.Root.OpenAction = action
    return _save(document)


def pdf_with_javascript() -> bytes:
    return pdf_opening(Dictionary(S=Name.JavaScript, JS=String("app.alert(1)")))


def pdf_with_page_javascript() -> bytes:
    document = _pages()
    script = Dictionary(S=Name.JavaScript, JS=document.make_stream(b"app.alert(1)"))
    document.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name.GoTo, D=String("x"), Next=script))
    return _save(document, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def pdf_with_lost_javascript() -> bytes:
    """A script no path leads to any more: another reader may still find it."""
    document = _pages()
    script = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
    document.Root.OpenAction = document.make_indirect(script)
    body, paths = re.subn(rb"/OpenAction \d+ 0 R", lambda m: b" " * len(m[0]), _save(document))
    assert paths == 1
    return body


def pdf_with_escaped_javascript() -> bytes:
    """The names written with escapes, so that no plain search finds them."""
    body = pdf_with_javascript()
    for plain, escaped in ((b"/JavaScript", b"/J#61vaScript"), (b"/JS ", b"/#4aS ")):
        assert plain in body
        body = body.replace(plain, escaped)
    return body


def pdf_with_launch() -> bytes:
    return pdf_opening(Dictionary(S=Name.Launch, F=String("cmd.exe")))


def pdf_opening_another_file() -> bytes:
    document = _pages()
    action = Dictionary(S=Name.GoToR, F=String("lain.pdf"), D=Array([0, Name.Fit]))
    document.pages[0].obj.Annots = Array(
        [Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)]
    )
    return _save(document)


def pdf_with_clipped_file() -> bytes:
    """A file on a page, as a paper clip, rather than in the list of attachments."""
    document = _pages()
    clip = Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, Rect=Array([0, 0, 9, 9]))
    document.pages[0].obj.Annots = Array([clip])
    return _save(document)


def pdf_with_film() -> bytes:
    document = _pages()
    film = Dictionary(Type=Name.Annot, Subtype=Name.RichMedia, Rect=Array([0, 0, 9, 9]))
    document.pages[0].obj.Annots = Array([film])
    return _save(document)


def pdf_fetching_data() -> bytes:
    return pdf_opening(Dictionary(S=Name.ImportData, F=String("https://example.com/data.fdf")))


def pdf_opening_a_site() -> bytes:
    return pdf_opening(Dictionary(S=Name.URI, URI=String("https://example.com")))


def pdf_printing_itself() -> bytes:
    return pdf_opening(Dictionary(S=Name.Named, N=Name.Print))


def pdf_with_embedded_file() -> bytes:
    document = _pages()
    document.attachments["muatan.exe"] = pikepdf.AttachedFileSpec(  # type: ignore[call-arg]
        document, EXE
    )
    return _save(document)


def pdf_with_xfa() -> bytes:
    document = _pages()
    xfa = document.make_stream(b"<xdp:xdp/>")
    document.Root.AcroForm = Dictionary(Fields=Array([]), XFA=xfa)
    return _save(document)


def pdf_with_submit_button() -> bytes:
    document = _pages()
    action = Dictionary(S=Name.SubmitForm, F=String("https://example.com"))
    document.pages[0].obj.Annots = Array(
        [Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)]
    )
    return _save(document)


def pdf_encrypted(user: str = "") -> bytes:
    """Locked against changes, and with `user` against reading too."""
    return _save(_pages(), encryption=pikepdf.Encryption(owner="rahasia", user=user))


def pdf_packed_bomb(megabytes: int = 240) -> bytes:
    """A packed object of `megabytes` in a file of some hundred kilobytes."""
    packer = zlib.compressobj(9)
    piece = b"1 0 R " * 170_000
    parts = [packer.compress(b"4 0 [")]
    parts += [packer.compress(piece) for _ in range(megabytes)]
    packed = b"".join(parts) + packer.compress(b"]") + packer.flush()
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R/X 4 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
        5: b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n%s\nendstream"
        % (len(packed), packed),
    }
    out = b"%PDF-1.7\n"
    rows = {4: b"\2" + (5).to_bytes(4) + b"\0"}
    for number, body in objects.items():
        rows[number] = b"\1" + len(out).to_bytes(4) + b"\0"
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    rows[6] = b"\1" + len(out).to_bytes(4) + b"\0"
    table = b"".join(rows.get(number, bytes(6)) for number in range(7))
    head = b"<</Type/XRef/Size 7/Root 1 0 R/W[1 4 1]/Length %d>>" % len(table)
    start = len(out)
    out += b"6 0 obj\n" + head + b"stream\n" + table + b"\nendstream\nendobj\n"
    return out + b"startxref\n%d\n%%%%EOF\n" % start


# --- others ------------------------------------------------------------------------------------


def archive(name: str = "isi.txt", body: bytes = b"isi") -> bytes:
    """A ZIP with one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(name, body)
    return out.getvalue()
