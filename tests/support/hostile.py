"""Every hostile file we know how to make, and the reason with which it has to be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.support.samples import (
    EICAR,
    EXE,
    HTML,
    MAX_BYTES,
    PHP,
    SVG,
    archive,
    avif,
    heic,
    heic_saying,
    jpeg,
    pdf,
    pdf_encrypted,
    pdf_fetching_data,
    pdf_opening_a_site,
    pdf_opening_another_file,
    pdf_packed_bomb,
    pdf_printing_itself,
    pdf_with_clipped_file,
    pdf_with_embedded_file,
    pdf_with_escaped_javascript,
    pdf_with_film,
    pdf_with_javascript,
    pdf_with_launch,
    pdf_with_lost_javascript,
    pdf_with_page_javascript,
    pdf_with_submit_button,
    pdf_with_xfa,
    pixel_bomb_png,
    png,
    scan_bomb_jpeg,
    text_bomb_png,
)


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
    Hostile("a HEIC named as JPEG", "ktp.jpg", heic, "file_type_mismatch"),
    Hostile("a JPEG named as HEIC", "ktp.heic", jpeg, "file_type_mismatch"),
    Hostile("an AVIF named as HEIC", "ktp.heic", avif, "file_type_mismatch"),
    Hostile("a web page named as HEIC", "ktp.heic", _always(HTML), "file_type_mismatch"),
    Hostile("HEIC then web page", "ktp.heic", lambda: heic() + HTML, "file_polyglot"),
    Hostile("HEIC then ZIP", "ktp.heic", lambda: heic() + archive(), "file_polyglot"),
    Hostile("half a HEIC", "ktp.heic", lambda: heic()[: len(heic()) // 2], "image_broken"),
    Hostile("only the start of a HEIC", "ktp.heic", lambda: heic()[:40], "image_broken"),
    Hostile("a HEIC over the cap", "ktp.heic", lambda: heic(2001, 1000), "image_too_large"),
    Hostile(
        "a HEIC that says it is small", "ktp.heic", lambda: heic_saying(64, 64), "image_broken"
    ),
    Hostile(
        "a HEIC that says it is huge",
        "ktp.heic",
        lambda: heic_saying(30_000, 30_000),
        "image_broken",
    ),
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
    Hostile("a PDF with JavaScript", "kk.pdf", pdf_with_javascript, "pdf_script"),
    Hostile("a script on a page", "kk.pdf", pdf_with_page_javascript, "pdf_script"),
    Hostile("a script nothing leads to", "kk.pdf", pdf_with_lost_javascript, "pdf_script"),
    Hostile(
        "a script with escapes",
        "kk.pdf",
        pdf_with_escaped_javascript,
        "pdf_script",
    ),
    Hostile("a PDF that starts a program", "kk.pdf", pdf_with_launch, "pdf_launch"),
    Hostile(
        "a PDF with a file inside",
        "kk.pdf",
        pdf_with_embedded_file,
        "pdf_embedded_files",
    ),
    Hostile("a PDF with an XFA form", "kk.pdf", pdf_with_xfa, "pdf_sends_data"),
    Hostile(
        "a PDF that sends a form",
        "kk.pdf",
        pdf_with_submit_button,
        "pdf_sends_data",
    ),
    Hostile("a PDF that fetches data", "kk.pdf", pdf_fetching_data, "pdf_sends_data"),
    Hostile("a PDF that opens another", "kk.pdf", pdf_opening_another_file, "pdf_launch"),
    Hostile("a PDF with a clipped file", "kk.pdf", pdf_with_clipped_file, "pdf_embedded_files"),
    Hostile("a PDF with a film", "kk.pdf", pdf_with_film, "pdf_active_content"),
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
