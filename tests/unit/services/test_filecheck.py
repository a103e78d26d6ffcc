"""Files: what is taken and how it comes out, and every hostile file with its reason."""

from __future__ import annotations

import contextlib
import io
import os
import re
import unicodedata
import warnings
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from app.services import filecheck, pictures
from app.services.filecheck import MESSAGES, CheckedFile, check_file, safe_name
from app.sop.errors import FileRefusedError
from tests.support import samples
from tests.support.hostile import HOSTILE, Hostile

SCANS = Path(__file__).resolve().parents[3] / "seed_data" / "demo"


def check(data: bytes, name: str, **limits: int) -> CheckedFile:
    sizes = {"max_bytes": samples.MAX_BYTES, "max_pixels": samples.MAX_PIXELS, **limits}
    return check_file(data, name, **sizes)


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.label)
def test_a_hostile_file_is_refused_with_its_reason(hostile: Hostile) -> None:
    data = hostile.data
    begun = sum(os.times()[:4])
    with pytest.raises(FileRefusedError) as refused:
        check(data, hostile.name)
    assert refused.value.code == hostile.code
    # Every refusal has a sentence, and the sentence its parameters.
    assert MESSAGES[refused.value.code] % refused.value.params
    # Of the processor, our own and our children's: who else uses it is no fault of the file.
    assert sum(os.times()[:4]) - begun < 5


@pytest.mark.parametrize(
    ("data", "name", "media_type", "extension"),
    [
        pytest.param(samples.jpeg(), "KTP.JPG", "image/jpeg", "jpg", id="a JPEG"),
        pytest.param(samples.jpeg(), "ktp.jpeg", "image/jpeg", "jpg", id="a JPEG, long ending"),
        pytest.param(samples.jpeg(mode="L"), "ktp.jpg", "image/jpeg", "jpg", id="a grey JPEG"),
        pytest.param(samples.jpeg(mode="CMYK"), "a.jpg", "image/jpeg", "jpg", id="a print JPEG"),
        pytest.param(
            samples.jpeg(progressive=True),
            "a.jpg",
            "image/jpeg",
            "jpg",
            id="a progressive JPEG",
        ),
        pytest.param(
            samples.photo_with_preview_picture(),
            "a.jpg",
            "image/jpeg",
            "jpg",
            id="a two-lens JPEG",
        ),
        pytest.param(
            samples.jpeg() + b"\0\0\0\x18ftypmp42" + bytes(500),
            "a.jpg",
            "image/jpeg",
            "jpg",
            id="a motion photo",
        ),
        pytest.param(samples.png(), "kk.png", "image/png", "png", id="a PNG"),
        pytest.param(samples.png(mode="P"), "kk.png", "image/png", "png", id="a PNG with palette"),
        pytest.param(samples.png(mode="RGBA"), "kk.png", "image/png", "png", id="a clear PNG"),
        pytest.param(samples.png(mode="1"), "kk.png", "image/png", "png", id="a fax PNG"),
        pytest.param(samples.heic(), "IMG_1.HEIC", "image/jpeg", "jpg", id="a HEIC"),
        pytest.param(samples.heic(), "IMG_1.heif", "image/jpeg", "jpg", id="a HEIF"),
        pytest.param(samples.pdf(3), "akta.PDF", "application/pdf", "pdf", id="a PDF"),
        pytest.param(samples.pdf(200), "akta.pdf", "application/pdf", "pdf", id="200 pages"),
        pytest.param(
            samples.pdf_with_links(),
            "surat.pdf",
            "application/pdf",
            "pdf",
            id="an office PDF",
        ),
    ],
)
def test_a_good_file_is_taken(data: bytes, name: str, media_type: str, extension: str) -> None:
    checked = check(data, name)
    assert (checked.media_type, checked.extension) == (media_type, extension)
    if media_type == "application/pdf":
        assert checked.data == data
    else:
        assert checked.pages is None
        with Image.open(io.BytesIO(checked.data)) as picture:
            picture.load()
            assert picture.size == (120, 80)


def test_the_pages_of_a_pdf_are_counted() -> None:
    assert check(samples.pdf(3), "akta.pdf").pages == 3


@pytest.mark.parametrize("name", ["contoh-ktp.jpg", "contoh-kk.pdf"])
def test_the_demo_scans_are_small_and_taken(name: str) -> None:
    data = (SCANS / name).read_bytes()
    assert len(data) < 60_000
    assert check(data, name).safe_name == name


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_phone_photo_comes_out_upright_and_without_its_place(orientation: int, mode: str) -> None:
    photo = samples.phone_photo(orientation=orientation, mode=mode)
    before = Image.open(io.BytesIO(photo))
    assert before.getexif().get_ifd(0x8825)
    checked = check(photo, "IMG_0001.jpg")
    picture = Image.open(io.BytesIO(checked.data))
    upright = ImageOps.exif_transpose(before.convert("RGB"))
    assert picture.size == upright.size == ((80, 120) if orientation > 4 else (120, 80))
    width, height = picture.size
    for corner in ((5, 5), (width - 5, 5), (5, height - 5), (width - 5, height - 5)):
        red, _, blue = picture.getpixel(corner)  # type: ignore[misc]
        want_red, _, want_blue = upright.getpixel(corner)  # type: ignore[misc]
        assert (red > blue) == (want_red > want_blue)
    assert not picture.getexif()
    assert b"Exif" not in checked.data


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heic_photo_becomes_an_upright_jpeg_without_its_place(orientation: int) -> None:
    photo = samples.heic(orientation=orientation)
    assert b"Telepon Contoh" in photo
    checked = check(photo, "IMG_0001.HEIC")
    assert (checked.media_type, checked.safe_name) == ("image/jpeg", "IMG_0001.jpg")
    assert b"Exif" not in checked.data
    assert b"Telepon Contoh" not in checked.data
    picture = Image.open(io.BytesIO(checked.data))
    upright = samples.picture()
    turn = pictures._TURNS.get(orientation)
    upright = upright.transpose(turn) if turn is not None else upright
    assert picture.size == upright.size
    width, height = picture.size
    for corner in ((5, 5), (width - 5, 5), (5, height - 5), (width - 5, height - 5)):
        red, _, blue = picture.getpixel(corner)  # type: ignore[misc]
        want_red, _, want_blue = upright.getpixel(corner)  # type: ignore[misc]
        assert (red > blue) == (want_red > want_blue)


def test_a_large_heic_is_made_smaller() -> None:
    photo = check(samples.heic(4000, 3000), "a.heic", max_pixels=40_000_000)
    assert Image.open(io.BytesIO(photo.data)).size == (2400, 1800)


def test_a_photo_with_damaged_tags_is_taken_as_it_lies() -> None:
    photo = samples.phone_photo()
    at = photo.index(b"Exif")
    broken = photo[: at + 14] + b"\xff" * 30 + photo[at + 44 :]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checked = check(broken, "IMG.jpg")
    assert Image.open(io.BytesIO(checked.data)).size == (120, 80)


def test_a_turned_png_comes_out_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    out = io.BytesIO()
    samples.picture().save(out, "PNG", exif=exif)
    picture = Image.open(io.BytesIO(check(out.getvalue(), "a.png").data))
    assert picture.size == (80, 120)
    assert not picture.getexif()


def test_a_large_photo_is_made_smaller_and_a_png_keeps_its_size() -> None:
    limits = {"max_pixels": 40_000_000, "max_bytes": 10_000_000}
    photo = check(samples.jpeg(4000, 3000), "a.jpg", **limits)
    assert Image.open(io.BytesIO(photo.data)).size == (2400, 1800)
    scan = check(samples.png(3000, 2000), "a.png", **limits)
    assert Image.open(io.BytesIO(scan.data)).size == (3000, 2000)


def test_a_png_loses_its_texts() -> None:
    assert b"Jl. Contoh" in samples.png_with_text()
    checked = check(samples.png_with_text(), "a.png")
    assert b"tEXt" not in checked.data
    assert b"Jl. Contoh" not in checked.data


def test_what_stood_behind_a_picture_is_gone() -> None:
    checked = check(samples.jpeg() + b"\0\0\0\x18ftypmp42" + b"film" * 9, "a.jpg")
    assert b"film" not in checked.data


def test_a_clear_colour_of_a_palette_survives() -> None:
    image = samples.picture(mode="P")
    out = io.BytesIO()
    image.save(out, "PNG", transparency=0)
    checked = check(out.getvalue(), "cap.png")
    assert "transparency" in Image.open(io.BytesIO(checked.data)).info


def test_limits_are_inclusive_and_named_in_the_refusal() -> None:
    data = samples.pdf()
    check(data, "a.pdf", max_bytes=len(data))
    check(samples.jpeg(100, 100), "a.jpg", max_pixels=10_000)
    with pytest.raises(FileRefusedError) as refused:
        check(bytes(2_000_000), "a.pdf", max_bytes=1_572_864)
    assert refused.value.params == {"max_mb": "1.5"}
    with pytest.raises(FileRefusedError) as refused:
        check(samples.jpeg(2001, 1000), "a.jpg")
    assert refused.value.params == {"max_megapixels": 2}
    with pytest.raises(FileRefusedError) as refused:
        check(samples.pdf(3), "a.pdf", max_pages=2)
    assert refused.value.params == {"max_pages": 2}


def test_the_readers_memory_is_bounded() -> None:
    assert pikepdf.settings.get_qpdf_limits()["flate_max_memory"] == 32 * 1024 * 1024


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        pytest.param("KTP Budi.JPG", "KTP Budi.jpg", id="the ending is lowered"),
        pytest.param("../../etc/passwd.pdf", "passwd.pdf", id="folders go"),
        pytest.param("C:\\fakepath\\ktp.jpg", "ktp.jpg", id="Windows folders go"),
        pytest.param("a\r\nSet-Cookie: x.pdf", "aSet-Cookie_ x.pdf", id="line ends go"),
        pytest.param("ktp\u202egpj.pdf", "ktpgpj.pdf", id="direction marks go"),
        pytest.param("k\u200bk\ufeff.pdf", "kk.pdf", id="zero widths go"),
        pytest.param("a\u2028b\u00a0 c.pdf", "a b c.pdf", id="every space is a space"),
        pytest.param('<img src="x">.png', "_img src=_x__.png", id="HTML and quotes"),
        pytest.param("ktp.php.jpg", "ktp_php.jpg", id="a runnable inner ending"),
        pytest.param("surat.pdf.exe.pdf", "surat.pdf_exe.pdf", id="a program inside"),
        pytest.param("Surat No. 12.2026.pdf", "Surat No. 12.2026.pdf", id="honest dots stay"),
        pytest.param("akta.pdf. . ", "akta.pdf", id="trailing dots and spaces"),
        pytest.param(".jpg", "file.jpg", id="only an ending"),
        pytest.param("..", "file", id="only dots"),
        pytest.param("", "file", id="nothing"),
        pytest.param("KTP 😀 Siti.png", "KTP 😀 Siti.png", id="emoji stay"),
        pytest.param("e\u0301.pdf", "é.pdf", id="one form of a letter"),
        pytest.param("a" * 300 + ".jpeg", "a" * 115 + ".jpeg", id="300 characters"),
    ],
)
def test_a_name_is_kept_for_display_only(name: str, safe: str) -> None:
    assert safe_name(name) == safe
    assert len(safe) <= 120


@given(st.text(st.characters(codec=None), max_size=300))
def test_no_name_breaks_a_header_or_leaves_a_folder(name: str) -> None:
    safe = safe_name(name)
    assert 1 <= len(safe) <= filecheck.NAME_LENGTH
    assert not re.search(r'[/\\"<>\r\n\0]', safe)
    assert not any(unicodedata.category(letter)[0] == "C" for letter in safe)
    assert not safe.startswith(".")
    assert safe_name(safe) == safe


@given(st.binary(min_size=1, max_size=400), st.sampled_from(["jpg", "png", "pdf"]))
def test_random_bytes_are_refused_never_a_crash(noise: bytes, extension: str) -> None:
    start = {"jpg": b"\xff\xd8\xff", "png": samples.png()[:8], "pdf": b"%PDF-1.7\n"}[extension]
    with pytest.raises(FileRefusedError):
        check(start + noise, f"a.{extension}")


@pytest.mark.filterwarnings("ignore")
@given(st.data())
def test_a_damaged_file_is_taken_or_refused_never_a_crash(data: st.DataObject) -> None:
    name, body = data.draw(
        st.sampled_from(
            [
                ("a.jpg", samples.jpeg()),
                ("a.png", samples.png()),
                ("a.pdf", samples.pdf(2)),
                ("a.heic", samples.heic()),
            ]
        )
    )
    broken = bytearray(body)
    for _ in range(data.draw(st.integers(1, 5))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    # Anything but a refusal goes through and fails the test.
    with contextlib.suppress(FileRefusedError):
        check(bytes(broken), name)
