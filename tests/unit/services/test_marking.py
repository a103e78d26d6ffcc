"""The mark across a working copy: on every page whichever way it lies, and never a crash."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Name
from PIL import Image, ImageChops

from app.services.copies import CopyError, marked_copy
from tests.support import hostile, samples

WORDS = r"Salinan kerja · Siti (operator) \ 28 Nov 2026 21.05 WIB · PGD-2026-000001"
PDF = "application/pdf"


def saved(pdf: pikepdf.Pdf, **how: Any) -> bytes:
    out = io.BytesIO()
    pdf.save(out, **how)
    return out.getvalue()


def made(change: Callable[[Any], None], pages: int = 1) -> bytes:
    """A PDF whose pages show a blue square, each changed by `change`."""
    pdf = pikepdf.new()
    for _number in range(pages):
        page = pdf.add_blank_page(page_size=(595, 842))
        page.contents_add(b"0 0 1 rg 100 100 80 80 re f")
        change(page)
    return saved(pdf)


def drawn(data: bytes, page: int = 0) -> Image.Image:
    document = pypdfium2.PdfDocument(data)
    try:
        picture: Image.Image = document[page].render(scale=0.5).to_pil().convert("RGB")
        return picture
    finally:
        document.close()


def words_in(data: bytes, page: int = 0) -> str:
    document = pypdfium2.PdfDocument(data)
    try:
        text: str = document[page].get_textpage().get_text_bounded()
        return " ".join(text.split())
    finally:
        document.close()


def red_share(data: bytes, page: int = 0) -> float:
    """How much of a page is the colour of the mark."""
    picture = drawn(data, page)
    colours = picture.getcolors(picture.width * picture.height) or []
    red = sum(count for count, (r, g, b) in colours if r > g + 30 and r > b + 20)  # type: ignore[misc]
    return red / (picture.width * picture.height)


def turn(by: int) -> Callable[[Any], None]:
    return lambda page: page.obj.__setitem__("/Rotate", by)


def box(name: str, *values: float) -> Callable[[Any], None]:
    return lambda page: page.obj.__setitem__(name, Array([*values]))


PAGES: dict[str, Callable[[Any], None]] = {
    "upright": turn(0),
    "turned right": turn(90),
    "upside down": turn(180),
    "turned left": turn(270),
    "turned the other way": turn(-90),
    "cut": box("/CropBox", 100, 100, 400, 500),
    "beginning elsewhere": box("/MediaBox", -300, -300, 295, 542),
    "cut to nothing": box("/CropBox", 100, 100, 100, 100),
    "a box without end": box("/CropBox", -9e9, -9e9, 9e9, 9e9),
    "left clipped away": lambda page: page.contents_add(b" 0 0 1 1 re W n"),
    "left pushed aside": lambda page: page.contents_add(b" q q 9 0 0 9 5000 5000 cm"),
    "closing what it never opened": lambda page: page.contents_add(b" Q Q Q 0 0 0 0 k"),
    "without contents": lambda page: page.obj.__delitem__("/Contents"),
    "without resources": lambda page: page.obj.__delitem__("/Resources"),
    "turned by a word": lambda page: page.obj.__setitem__("/Rotate", Name.Left),
}


@pytest.mark.parametrize("page", PAGES)
def test_the_mark_lies_on_a_page_that_is(page: str) -> None:
    done = marked_copy(made(PAGES[page]), PDF, WORDS)
    assert red_share(done) > 0.005
    assert "Siti (operator)" in words_in(done)
    assert "PGD-2026-000001" in words_in(done)


def test_what_the_page_shows_stays() -> None:
    done = drawn(marked_copy(made(turn(90)), PDF, WORDS))
    before = drawn(made(turn(90)))
    assert done.size == before.size
    assert done.getpixel((70, 70)) == before.getpixel((70, 70)) == (0, 0, 255)


def test_every_page_of_many_is_marked_once() -> None:
    done = marked_copy(made(turn(0), 200), PDF, WORDS)
    # Of three lines the number of one runs out of the page.
    assert {words_in(done, page).count("PGD-2026-000001") for page in range(200)} == {2}
    assert len(done) < 400_000


def test_two_pages_that_share_what_they_draw() -> None:
    pdf = pikepdf.open(io.BytesIO(made(turn(0), 2)))
    pdf.pages[1].obj.Contents = pdf.pages[0].obj.Contents
    pdf.pages.append(pdf.pages[0])
    done = marked_copy(saved(pdf), PDF, WORDS)
    assert [words_in(done, page).count("PGD-2026-000001") for page in range(3)] == [2, 2, 2]


def test_no_stamp_lies_over_the_mark() -> None:
    pdf = pikepdf.open(io.BytesIO(made(turn(0))))
    cover = pdf.make_stream(b"1 1 1 rg 0 0 595 842 re f")
    cover.update({"/Type": Name.XObject, "/Subtype": Name.Form, "/BBox": Array([0, 0, 595, 842])})
    stamp = pikepdf.Dictionary(
        Type=Name.Annot, Subtype=Name.Stamp, Rect=Array([0, 0, 595, 842]), F=4,
        AP=pikepdf.Dictionary(N=cover),
    )  # fmt: skip
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(stamp)])
    assert red_share(marked_copy(saved(pdf), PDF, WORDS)) > 0.005


def test_letters_a_font_lacks_do_no_harm() -> None:
    assert "PGD-1" in words_in(marked_copy(made(turn(0)), PDF, "日本 ﷽ \x00\n) Tj ET · PGD-1"))


@pytest.mark.parametrize("user", ["", "rahasia"], ids=["opened by all", "opened by a password"])
def test_a_locked_file_is_refused_as_locked(user: str) -> None:
    pdf = pikepdf.open(io.BytesIO(made(turn(0))))
    locked = saved(pdf, encryption=pikepdf.Encryption(user=user, owner="pemilik"))
    with pytest.raises(CopyError) as refused:
        marked_copy(locked, PDF, WORDS)
    assert refused.value.code == "copy_locked"


@pytest.mark.parametrize("case", hostile.HOSTILE, ids=lambda c: c.label)
@pytest.mark.parametrize("media_type", [PDF, "image/jpeg", "image/png"])
def test_hostile_bytes_end_the_worker_and_nothing_else(case: Any, media_type: str) -> None:
    code = ""
    try:
        marked_copy(case.data, media_type, WORDS)
    except CopyError as error:
        code = error.code
    assert code in {"", "copy_failed", "copy_locked"}


@pytest.mark.parametrize(
    ("data", "media_type", "mode"),
    [
        pytest.param(samples.jpeg(1200, 800), "image/jpeg", "RGB", id="a photograph"),
        pytest.param(samples.jpeg(1200, 800, mode="L"), "image/jpeg", "RGB", id="a grey one"),
        pytest.param(samples.jpeg(1200, 800, mode="CMYK"), "image/jpeg", "RGB", id="for print"),
        pytest.param(samples.png(1200, 800), "image/png", "RGB", id="a drawing"),
    ],
)
def test_a_picture_keeps_its_sort_and_size(data: bytes, media_type: str, mode: str) -> None:
    done = Image.open(io.BytesIO(marked_copy(data, media_type, WORDS)))
    before = Image.open(io.BytesIO(data))
    assert (done.format, done.size, done.mode) == (before.format, before.size, mode)
    difference = ImageChops.difference(done.convert("RGB"), before.convert("RGB")).convert("L")
    changed = sum(difference.histogram()[9:])
    assert 0.01 < changed / (1200 * 800) < 0.3


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (20, 15)])
def test_a_picture_of_any_shape_is_marked(size: tuple[int, int]) -> None:
    out = io.BytesIO()
    Image.new("RGBA", size, (0, 0, 0, 0)).save(out, "PNG")
    done = Image.open(io.BytesIO(marked_copy(out.getvalue(), "image/png", WORDS)))
    assert (done.size, done.mode) == (size, "RGBA")
