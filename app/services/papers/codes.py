"""QR codes and barcodes as small SVG drawings that stay sharp at any size."""

from __future__ import annotations

import io
from typing import Final

import segno
from barcode import Code128

#: Light modules around a QR code that a reader needs (ISO/IEC 18004).
_QUIET: Final = 4
#: Light modules on both sides of a barcode (ISO/IEC 15417).
_QUIET_BARS: Final = 10


def qr_svg(text: str) -> str:
    """A QR code of the text, dark on nothing, with its quiet zone; never a Micro QR."""
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(
        out, kind="svg", border=_QUIET, xmldecl=False, svgclass=None, lineclass=None, omitsize=True
    )
    return out.getvalue().decode()


def barcode_svg(text: str) -> str:
    """A Code 128 of the text as one path one unit high; the template stretches it.

    Raises:
        ValueError: the text holds a letter that Code 128 has no sign for.
    """
    try:
        bars = Code128(text).build()[0]
    except Exception as error:  # the library has a tree of its own
        raise ValueError(f"no barcode for {text!r}") from error
    path, at = [], _QUIET_BARS
    for run in _runs(bars):
        if run[0] == "1":
            path.append(f"M{at} 0h{len(run)}v1h-{len(run)}z")
        at += len(run)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {at + _QUIET_BARS} 1"'
        f' preserveAspectRatio="none"><path d="{"".join(path)}"/></svg>'
    )


def _runs(bars: str) -> list[str]:
    """The bars and gaps, each as a run of equal modules."""
    found: list[str] = []
    for module in bars:
        if found and found[-1][0] == module:
            found[-1] += module
        else:
            found.append(module)
    return found
