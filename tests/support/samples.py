"""Sample files made on the spot: good ones, and every hostile one we know how to make.

Nothing here is stored in the repository, so no scanner of a developer's machine is alarmed.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pikepdf
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


@dataclass(frozen=True)
class Hostile:
    """A file that must be refused, and the code it is refused with."""

    label: str
    name: str
    make: Callable[[], bytes]
    code: str

    @property
    def data(self) -> bytes:
        return self.make()


def _always(data: bytes) -> Callable[[], bytes]:
    return lambda: data


#: With MAX_BYTES and MAX_PIXELS above as the limits.
HOSTILE: Final[tuple[Hostile, ...]] = (
    Hostile("an empty file", "kosong.pdf", _always(b""), "file_empty"),
    Hostile(
        "a file over the limit",
        "besar.pdf",
        _always(bytes(MAX_BYTES + 1)),
        "file_too_large",
    ),
    Hostile("a program named as PDF", "surat.pdf", _always(EXE), "file_type_mismatch"),
    Hostile("a program", "surat.exe", _always(EXE), "file_type_not_allowed"),
    Hostile("the test virus named as PDF", "surat.pdf", _always(EICAR), "file_type_mismatch"),
    Hostile("a web page named as PDF", "surat.pdf", _always(HTML), "file_type_mismatch"),
    Hostile("a web page", "surat.html", _always(HTML), "file_type_not_allowed"),
    Hostile("an SVG with a script", "logo.svg", _always(SVG), "file_type_not_allowed"),
    Hostile("an SVG named as PNG", "logo.png", _always(SVG), "file_type_mismatch"),
    Hostile("a PHP script", "isi.php", _always(PHP), "file_type_not_allowed"),
    Hostile("a PHP script named as JPEG", "isi.jpg", _always(PHP), "file_type_mismatch"),
    Hostile("a double extension", "ktp.jpg.php", jpeg, "file_type_not_allowed"),
    Hostile("a ZIP named as PDF", "berkas.pdf", archive, "file_type_mismatch"),
    Hostile("a ZIP", "berkas.zip", archive, "file_type_not_allowed"),
    Hostile("a JPEG named as PNG", "ktp.png", jpeg, "file_type_mismatch"),
    Hostile("a PNG named as PDF", "ktp.pdf", png, "file_type_mismatch"),
    Hostile("a PDF named as JPEG", "ktp.jpg", pdf, "file_type_mismatch"),
    Hostile("no extension", "ktp", jpeg, "file_type_not_allowed"),
    Hostile("a name of two dots", "..", jpeg, "file_type_not_allowed"),
    Hostile("a hidden name", ".htaccess", jpeg, "file_type_not_allowed"),
    Hostile("an empty name", "", jpeg, "file_type_not_allowed"),
    Hostile("a null byte in the name", "ktp.php\0.jpg", jpeg, "file_name_invalid"),
    Hostile("a name read backwards", "ktp\u202egpj.exe", jpeg, "file_type_not_allowed"),
    Hostile("an alternate stream", "ktp.jpg::$DATA", jpeg, "file_type_not_allowed"),
    Hostile("JPEG then web page", "ktp.jpg", lambda: jpeg() + HTML, "file_polyglot"),
    Hostile("JPEG then ZIP", "ktp.jpg", lambda: jpeg() + archive(), "file_polyglot"),
    Hostile("JPEG then PDF", "ktp.jpg", lambda: jpeg() + pdf(), "file_polyglot"),
    Hostile("PNG then web page", "ktp.png", lambda: png() + HTML, "file_polyglot"),
    Hostile("PNG then ZIP", "ktp.png", lambda: png() + archive(), "file_polyglot"),
    Hostile("PDF then ZIP", "kk.pdf", lambda: pdf() + archive(), "file_polyglot"),
    Hostile("PDF then web page", "kk.pdf", lambda: pdf() + HTML, "file_polyglot"),
    Hostile(
        "a web page in the first line of a PDF",
        "kk.pdf",
        lambda: pdf().replace(b"\n", b"\n%" + HTML + b"\n", 1),
        "file_polyglot",
    ),
    Hostile("a PDF behind a web page", "kk.pdf", lambda: HTML + pdf(), "file_type_mismatch"),
    Hostile("half a JPEG", "ktp.jpg", lambda: jpeg()[: len(jpeg()) // 2], "image_broken"),
    Hostile("half a PNG", "ktp.png", lambda: png()[: len(png()) // 2], "image_broken"),
    Hostile(
        "a PNG with a wrong check sum",
        "ktp.png",
        lambda: png()[:29] + b"\0\0\0\0" + png()[33:],
        "image_broken",
    ),
    Hostile(
        "only the start of a JPEG",
        "ktp.jpg",
        _always(b"\xff\xd8\xff\xe0"),
        "image_broken",
    ),
    Hostile("a pixel bomb", "ktp.png", pixel_bomb_png, "image_too_large"),
    Hostile("a picture over the cap", "ktp.jpg", lambda: jpeg(2001, 1000), "image_too_large"),
    Hostile("a text bomb in a PNG", "ktp.png", text_bomb_png, "image_broken"),
    Hostile("a scan bomb in a JPEG", "ktp.jpg", scan_bomb_jpeg, "image_broken"),
    Hostile("a PDF with JavaScript", "kk.pdf", pdf_with_javascript, "pdf_active_content"),
    Hostile("a script on a page", "kk.pdf", pdf_with_page_javascript, "pdf_active_content"),
    Hostile("a script nothing leads to", "kk.pdf", pdf_with_lost_javascript, "pdf_active_content"),
    Hostile(
        "a script with escapes",
        "kk.pdf",
        pdf_with_escaped_javascript,
        "pdf_active_content",
    ),
    Hostile("a PDF that starts a program", "kk.pdf", pdf_with_launch, "pdf_active_content"),
    Hostile(
        "a PDF with a file inside",
        "kk.pdf",
        pdf_with_embedded_file,
        "pdf_active_content",
    ),
    Hostile("a PDF with an XFA form", "kk.pdf", pdf_with_xfa, "pdf_active_content"),
    Hostile(
        "a PDF that sends a form",
        "kk.pdf",
        pdf_with_submit_button,
        "pdf_active_content",
    ),
    Hostile("a PDF that opens a site", "kk.pdf", pdf_opening_a_site, "pdf_active_content"),
    Hostile("a PDF that prints itself", "kk.pdf", pdf_printing_itself, "pdf_active_content"),
    Hostile("a PDF locked for changes", "kk.pdf", pdf_encrypted, "pdf_encrypted"),
    Hostile(
        "a PDF with a password",
        "kk.pdf",
        lambda: pdf_encrypted("buka"),
        "pdf_encrypted",
    ),
    Hostile("half a PDF", "kk.pdf", lambda: pdf()[: len(pdf()) // 2], "pdf_broken"),
    Hostile("only the start of a PDF", "kk.pdf", _always(b"%PDF-1.7\n%%EOF\n"), "pdf_broken"),
    Hostile("a PDF without a page", "kk.pdf", lambda: pdf(0), "pdf_broken"),
    Hostile("a PDF of 201 pages", "kk.pdf", lambda: pdf(201), "pdf_too_many_pages"),
    Hostile("a PDF that unfolds to 240 MB", "kk.pdf", pdf_packed_bomb, "pdf_broken"),
)
