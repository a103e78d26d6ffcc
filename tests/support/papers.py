"""Reading a printed paper back: its words, its size, and the codes a scanner sees on it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property

import pikepdf
import pypdfium2
import zxingcpp

#: A cheap scanner; what can be read at this resolution can be read on paper.
SCAN_DPI = 200
_MILLIMETRES = 25.4 / 72


@dataclass(frozen=True)
class PrintedPaper:
    """A PDF as somebody sees it who holds it in his hands."""

    data: bytes

    @cached_property
    def pages(self) -> list[str]:
        """The words of each page, one space between them; endless words are whole again."""
        with pypdfium2.PdfDocument(self.data) as document:
            return [self._words(document, number) for number in range(len(document))]

    @staticmethod
    def _words(document: pypdfium2.PdfDocument, number: int) -> str:
        text = document[number].get_textpage().get_text_range()
        return " ".join(text.replace("\u200b", "").split())

    @property
    def text(self) -> str:
        """The words of the whole paper."""
        return " ".join(self.pages)

    @cached_property
    def sizes(self) -> list[tuple[int, int]]:
        """Width and height of each page in whole millimetres."""
        with pypdfium2.PdfDocument(self.data) as document:
            found = [document[number].get_size() for number in range(len(document))]
        return [(round(w * _MILLIMETRES), round(h * _MILLIMETRES)) for w, h in found]

    def codes(self, page: int = 0) -> set[tuple[str, str]]:
        """(kind, content) of every code that is found on the rendered page."""
        with pypdfium2.PdfDocument(self.data) as document:
            image = document[page].render(scale=SCAN_DPI / 72).to_pil().convert("L")
        return {(str(found.format.name), found.text) for found in zxingcpp.read_barcodes(image)}

    @cached_property
    def fonts(self) -> dict[str, bool]:
        """Each font that a page names, and whether the file carries it."""
        found: dict[str, bool] = {}
        with pikepdf.open(io.BytesIO(self.data)) as document:
            for page in document.pages:
                for font in page.resources.get("/Font", {}).values():
                    inner = font.DescendantFonts[0] if "/DescendantFonts" in font else font
                    keys = set(inner.FontDescriptor.keys())
                    found[str(font.BaseFont)] = bool(
                        keys & {"/FontFile", "/FontFile2", "/FontFile3"}
                    )
        return found
