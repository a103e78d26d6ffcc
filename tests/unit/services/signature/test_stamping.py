"""The visible mark: its words, its code, and a place where it covers nothing."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pytest
import zxingcpp
from pikepdf import Dictionary, Name, Pdf
from PIL import Image, ImageChops

from app.services.signature import SigningError, stamping
from app.services.signature.core import StampPlace
from tests.support import samples, signed
from tests.support.pdftools import run_program
from tests.support.signed import CHECK_URL, sign, stamp

BLACK = b"0 g %d %d %d %d re f"


def painted(content: bytes, *, size: tuple[float, float] = (595, 842), **page: object) -> bytes:
    """A PDF of one page with something painted on it."""
    document = Pdf.new()
    document.add_blank_page(page_size=size)
    document.pages[0].Contents = document.make_stream(content)
    for name, value in page.items():
        document.pages[0].obj[f"/{name}"] = value
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def picture(pdf: bytes, page: int = -1, scale: float = 3) -> Image.Image:
    document = pdfium.PdfDocument(pdf)
    document.init_forms()
    number = len(document) + page if page < 0 else page
    drawn = document[number].render(scale=scale, may_draw_forms=True).to_pil().convert("RGB")
    document.close()
    return drawn


def text_of(pdf: bytes, folder: Path) -> str:
    path = folder / "berkas.pdf"
    path.write_bytes(pdf)
    return run_program("pdftotext", "-layout", path, "-")


# --- words -------------------------------------------------------------------------------------


def marked(folder: Path, **facts: object) -> tuple[bytes, str]:
    data = stamping.stamp_pdf(stamp(**facts))
    return data, " ".join(text_of(data, folder).split())


def test_the_mark_names_who_in_which_capacity_and_when(tmp_path: Path) -> None:
    at = datetime(2026, 12, 31, 17, 30, tzinfo=UTC)
    _, text = marked(tmp_path, title="Plt. Kepala Dinas Contoh", at=at)
    assert "Dr. Kepala Contoh, S.H., M.Si." in text
    assert "Plt. Kepala Dinas Contoh" in text
    assert "NIP 199001012015011001" in text
    assert "1 Januari 2027 pukul 00.30 WIB" in text
    assert "DEMO" not in text


def test_the_mark_of_a_demo_says_so(tmp_path: Path) -> None:
    _, text = marked(tmp_path, demo=True)
    assert "DEMO" in text


def test_without_a_nip_none_is_shown(tmp_path: Path) -> None:
    _, text = marked(tmp_path, nip="")
    assert "NIP" not in text


@pytest.mark.parametrize(
    "name",
    [
        pytest.param('#panic("x") *tebal* $x^2$ @rujukan', id="markup of the template's language"),
        pytest.param('"}, {"demo": true', id="quotes"),
        pytest.param("Siti \\ Contoh #import", id="a backslash"),
    ],
)
def test_a_name_is_only_a_name(name: str, tmp_path: Path) -> None:
    _, text = marked(tmp_path, name=name)
    assert name in text


def test_long_names_stay_inside_the_mark(tmp_path: Path) -> None:
    facts = {
        "name": "Prof. Dr. Ir. " + "Contoh " * 10 + "S.H., M.Si., Ph.D.",
        "title": "Plh. Kepala Dinas Kependudukan dan Pencatatan Sipil Kabupaten Contoh Raya",
        "demo": True,
    }
    data, text = marked(tmp_path, **facts)
    assert facts["title"] in text
    assert "WIB" in text
    with pikepdf.open(io.BytesIO(data)) as document:
        assert len(document.pages) == 1
    drawn = picture(data, scale=4).convert("L")
    # The frame is the outermost thing that is drawn.
    assert ImageChops.invert(drawn).getbbox() == pytest.approx((12, 12, 788, 252), abs=4)


def test_the_fonts_are_embedded(tmp_path: Path) -> None:
    path = tmp_path / "cap.pdf"
    path.write_bytes(stamping.stamp_pdf(stamp()))
    lines = run_program("pdffonts", path).splitlines()[2:]
    assert lines
    for line in lines:
        assert "SourceSans3" in line
        assert line.split()[-5:-2] == ["yes", "yes", "yes"]


def test_the_code_leads_to_the_check_page() -> None:
    data = signed.signed_pdf()
    (code,) = zxingcpp.read_barcodes(picture(data))
    assert code.text == CHECK_URL


@pytest.mark.parametrize("scale", [1.0, 0.85])
def test_the_code_is_readable_from_paper(scale: float) -> None:
    """As a phone sees it: 200 dots an inch of the printed mark."""
    data = stamping.stamp_picture(stamp(), dpi=round(200 * scale))
    assert zxingcpp.read_barcode(Image.open(io.BytesIO(data))).text == CHECK_URL


def test_the_words_are_text_in_the_signed_pdf(tmp_path: Path) -> None:
    text = " ".join(text_of(signed.signed_pdf(), tmp_path).split())
    assert "Ditandatangani secara elektronik oleh" in text
    assert "Dr. Kepala Contoh, S.H., M.Si." in text


def test_a_damaged_template_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stamp.typ").write_text("#let x = \n#rect(", encoding="utf-8")
    monkeypatch.setattr(stamping, "PAPERS", tmp_path)
    with pytest.raises(SigningError) as refused:
        stamping.stamp_pdf(stamp())
    assert (refused.value.code, refused.value.outcome) == ("stamp_failed", "not_signed")


# --- the place ---------------------------------------------------------------------------------


def covers_nothing(plain: bytes, place: StampPlace) -> bool:
    """Whether nothing is painted where the mark goes."""
    scale = 2
    page = picture(plain, place.page - 1, scale).convert("L")
    top = page.height - (place.y + place.height) * scale
    box = (
        place.x * scale,
        top,
        (place.x + place.width) * scale,
        top + place.height * scale,
    )
    return ImageChops.invert(page.crop(tuple(map(round, box)))).getbbox() is None


@pytest.mark.parametrize(
    ("content", "x", "y"),
    [
        pytest.param(b"", 365, 30, id="an empty page: below on the right"),
        pytest.param(BLACK % (300, 0, 295, 150), 95, 30, id="the right is taken: further left"),
        pytest.param(BLACK % (0, 0, 595, 400), 365, 408, id="the foot is taken: above it"),
        pytest.param(BLACK % (0, 0, 595, 720), 365, 726, id="only the head is free"),
        pytest.param(b"1 1 0.6 rg 0 0 595 400 re f", 365, 408, id="pale yellow is not free"),
    ],
)
def test_the_lowest_free_place_is_taken(content: bytes, x: float, y: float) -> None:
    plain = painted(content)
    place = stamping.free_place(plain)
    assert place is not None
    assert (place.page, place.width, place.height) == (1, stamping.WIDTH, stamping.HEIGHT)
    assert place.x == pytest.approx(x, abs=stamping.STEP + 1)
    assert place.y == pytest.approx(y, abs=stamping.STEP + 1)
    assert covers_nothing(plain, place)


def test_a_little_too_narrow_a_place_takes_a_smaller_mark() -> None:
    plain = painted(BLACK % (0, 0, 595, 742))
    place = stamping.free_place(plain)
    assert place is not None
    assert place.height < stamping.HEIGHT
    assert covers_nothing(plain, place)


def test_the_mark_stands_on_the_last_page() -> None:
    place = stamping.free_place(samples.pdf(3))
    assert place is not None
    assert place.page == 3


def test_a_cut_page_counts_from_its_own_corner() -> None:
    plain = painted(b"", CropBox=pikepdf.Array([100, 200, 500, 800]))
    place = stamping.free_place(plain)
    assert place is not None
    assert 100 <= place.x <= 500 - place.width
    assert place.y == pytest.approx(230, abs=2)


def test_a_filled_form_field_is_not_covered() -> None:
    document = Pdf.new()
    document.add_blank_page(page_size=(595, 842))
    drawn = document.make_stream(b"0 g 0 0 595 300 re f")
    drawn.stream_dict = Dictionary(
        Type=Name.XObject, Subtype=Name.Form, BBox=pikepdf.Array([0, 0, 595, 300])
    )
    field = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Widget,
        FT=Name.Tx,
        T=pikepdf.String("x"),
        F=4,
        Rect=pikepdf.Array([0, 0, 595, 300]),
        AP=Dictionary(N=drawn),
    )
    reference = document.make_indirect(field)
    document.pages[0].obj.Annots = pikepdf.Array([reference])
    document.Root.AcroForm = Dictionary(Fields=pikepdf.Array([reference]))
    out = io.BytesIO()
    document.save(out)
    place = stamping.free_place(out.getvalue())
    assert place is not None
    assert place.y > 300


@pytest.mark.parametrize(
    "plain",
    [
        pytest.param(painted(BLACK % (0, 0, 595, 842)), id="a full page"),
        pytest.param(painted(b"", Rotate=90), id="a page on its side"),
        pytest.param(painted(b"", size=(150, 100)), id="a page smaller than the mark"),
        pytest.param(painted(b"", size=(9000, 9000)), id="a page larger than any sheet"),
    ],
)
def test_without_room_the_mark_gets_a_page_of_its_own(plain: bytes, tmp_path: Path) -> None:
    assert stamping.free_place(plain) is None
    data = sign(plain)
    assert data.startswith(plain)
    with pikepdf.open(io.BytesIO(data)) as document:
        assert len(document.pages) == 2
        assert "/Annots" not in document.pages[0].obj
    (code,) = zxingcpp.read_barcodes(picture(data))
    assert code.text == CHECK_URL


def test_a_page_turned_by_its_parent_is_turned() -> None:
    document = Pdf.new()
    document.add_blank_page(page_size=(595, 842))
    document.Root.Pages.Rotate = 90
    out = io.BytesIO()
    document.save(out)
    assert stamping.free_place(out.getvalue()) is None


def test_a_second_mark_does_not_cover_the_first() -> None:
    twice = signed.twice_signed_pdf()
    assert len(zxingcpp.read_barcodes(picture(twice))) == 2
