"""QR codes and barcodes can be read back; a barcode of what it has no sign for is refused."""

from __future__ import annotations

import pytest

from app.services.papers.codes import barcode_svg, qr_svg


def test_a_short_text_is_a_full_qr_code_and_no_micro_one() -> None:
    # A Micro QR of so few letters would be 11 to 17 modules wide; cameras do not know it.
    assert 'viewBox="0 0 29 29"' in qr_svg("A")


def test_a_barcode_begins_and_ends_with_its_quiet_zone() -> None:
    drawing = barcode_svg("PGD-2026-000123")
    assert 'd="M10 0h' in drawing
    width = int(drawing.split('viewBox="0 0 ')[1].split(" ")[0])
    last = max(int(part.split(" ")[0]) for part in drawing.split('d="')[1].split("M")[1:])
    assert last + 2 + 10 == width


@pytest.mark.parametrize("text", ["é", "長", "\u200b"])
def test_a_letter_without_a_sign_is_refused(text) -> None:
    with pytest.raises(ValueError, match="no barcode"):
        barcode_svg(text)
