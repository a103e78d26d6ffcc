"""A template and its data become a PDF; a template's mistake becomes a sentence."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pikepdf
import pytest

from app.services.papers import PAPERS, PaperError, render
from app.services.papers.engine import OWN
from app.services.papers.samples import SAMPLES
from tests.support.papers import PrintedPaper
from tests.support.samples import png

NOW = datetime(2026, 11, 23, 7, 5, tzinfo=UTC)
A4, A6 = (210, 297), (105, 148)


def drawn(paper: str, folder=None, **data) -> PrintedPaper:
    return PrintedPaper(render(paper, {**SAMPLES[paper], **data}, folder=folder, now=NOW))


@pytest.mark.parametrize(
    ("paper", "size"),
    [
        ("receipt", A4),
        ("return_slip", A4),
        ("draft_cover", A4),
        ("manifest", A4),
        ("processing_letter", A4),
        ("label", A6),
    ],
)
def test_each_paper_fits_one_page_of_its_size(paper, size) -> None:
    assert drawn(paper).sizes == [size]


def test_the_thermal_receipt_is_a_strip_as_long_as_what_it_says() -> None:
    short, long = drawn("receipt_80mm", papers=[]), drawn("receipt_80mm")
    assert [width for width, _ in short.sizes + long.sizes] == [80, 80]
    assert short.sizes[0][1] < long.sizes[0][1] < 250


@pytest.mark.parametrize("paper", PAPERS)
def test_every_font_is_in_the_file_and_the_words_are_words(paper) -> None:
    printed = drawn(paper)
    assert printed.fonts
    assert all(printed.fonts.values()), printed.fonts
    assert any("SourceSans3" in name for name in printed.fonts)
    assert "DINAS KEPENDUDUKAN DAN PENCATATAN SIPIL" in printed.text.upper()


@pytest.mark.parametrize("paper", PAPERS)
def test_a_paper_says_its_title_and_language_to_a_screen_reader(paper) -> None:
    with pikepdf.open(io.BytesIO(drawn(paper).data)) as document:
        assert str(document.Root.Lang).startswith("id")
        assert "/StructTreeRoot" in document.Root
        assert str(document.docinfo["/Title"]).strip()


@pytest.mark.parametrize("paper", PAPERS)
def test_a_demo_is_never_taken_for_the_real_thing(paper) -> None:
    assert "DEMO" in drawn(paper, demo=True).text
    assert "DEMO" not in drawn(paper, demo=False).text


def test_the_same_data_at_the_same_moment_are_the_same_bytes() -> None:
    assert drawn("receipt").data == drawn("receipt").data


HOSTILE = [
    "#panic(1)",
    '#read("/etc/passwd")',
    "*tebal* _miring_ = Judul",
    "$x^2$ @label <label> [isi] {kode}",
    '"; #let x = 1 //',
    "\\u{41} \\ #sys.inputs",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("paper", ["receipt", "receipt_80mm", "label"])
def test_a_name_full_of_markup_is_just_a_name(paper, name) -> None:
    if paper == "label":
        labels = [{**SAMPLES["label"]["labels"][0], "name": name}]
        printed = drawn("label", labels=labels)
    else:
        printed = drawn(paper, applicant={**SAMPLES[paper]["applicant"], "name": name})
    assert name in printed.text


# --- the office's own templates -------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "papers"
    made.mkdir()
    return made


def test_without_a_folder_of_the_office_ours_are_used(tmp_path) -> None:
    assert drawn("label", folder=tmp_path / "none").text == drawn("label").text


def test_the_offices_file_takes_the_place_of_ours_and_only_of_that_one(folder) -> None:
    ours = (OWN / "receipt.typ").read_text(encoding="utf-8")
    theirs = ours.replace("Tanda Terima Pengaduan", "Bukti Penerimaan")
    (folder / "receipt.typ").write_text(theirs, encoding="utf-8")
    assert "BUKTI PENERIMAAN" in drawn("receipt", folder).text
    assert "TANDA TERIMA" not in drawn("receipt", folder).text
    assert drawn("return_slip", folder).text == drawn("return_slip").text
    (folder / "receipt.typ").unlink()
    assert drawn("receipt", folder).text == drawn("receipt").text


def test_the_offices_letterhead_is_on_every_paper(folder) -> None:
    ours = (OWN / "lib.typ").read_text(encoding="utf-8")
    theirs = ours.replace("#let letterhead() = {", "#let letterhead() = {\n  [Kop buatan kantor]\n")
    (folder / "lib.typ").write_text(theirs, encoding="utf-8")
    for paper in ("receipt", "manifest", "processing_letter"):
        assert "Kop buatan kantor" in drawn(paper, folder).text


def test_the_emblem_stands_in_the_letterhead_once_the_office_gives_one(folder) -> None:
    def pictures() -> int:
        with pikepdf.open(io.BytesIO(drawn("receipt", folder).data)) as document:
            return len(document.pages[0].get_images())

    assert pictures() == 0
    (folder / "lambang.png").write_bytes(png())
    assert pictures() == 1


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("Satu\n#tidak_ada", 2, "unknown variable"),
        ('#import "lib.typ": data\n\n#data.tiada', 3, "tiada"),
        ("#let x = (", 1, "unclosed"),
        ('\n\n#image("hilang.png")', 3, "hilang.png"),
        ('#read("/etc/passwd")', 1, "not found"),
        ('#read("../../secret_key")', 1, ""),
        ("#{ let i = 0; while i >= 0 { i += 1 } }", 1, "infinite"),
        ("#let f() = f()\n#f()", 1, "depth"),
    ],
    ids=[
        "an unknown name",
        "a fact that there is not",
        "an open bracket",
        "a picture that is not there",
        "a file of the machine",
        "a file above the folder",
        "a loop without an end",
        "a function that calls itself",
    ],
)
def test_a_mistake_names_the_file_and_the_line(folder, text, line, words) -> None:
    (folder / "label.typ").write_text(text, encoding="utf-8")
    with pytest.raises(PaperError) as refusal:
        drawn("label", folder)
    assert refusal.value.code == "paper_mistake"
    assert refusal.value.params["file"] == "label.typ"
    assert refusal.value.params["line"] == line
    assert words in refusal.value.params["message"]
    assert str(folder) not in refusal.value.params["message"]
    assert "/etc/" not in refusal.value.params["message"]


def test_a_mistake_in_the_shared_file_names_that_file(folder) -> None:
    ours = (OWN / "lib.typ").read_text(encoding="utf-8")
    (folder / "lib.typ").write_text(ours + "\n#tidak_ada\n", encoding="utf-8")
    with pytest.raises(PaperError) as refusal:
        drawn("receipt", folder)
    assert refusal.value.params["file"] == "lib.typ"
    assert refusal.value.params["line"] == ours.count("\n") + 2


def test_a_template_that_is_no_text_is_named_too(folder) -> None:
    (folder / "label.typ").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(PaperError) as refusal:
        drawn("label", folder)
    assert refusal.value.params["file"] == "label.typ"


def test_no_template_asks_the_internet(folder) -> None:
    text = '// apa saja\n#import "@preview/tablex:0.0.8": tablex\n'
    (folder / "label.typ").write_text(text, encoding="utf-8")
    with pytest.raises(PaperError) as refusal:
        drawn("label", folder)
    assert refusal.value.code == "paper_package"
    assert refusal.value.params == {"file": "label.typ", "line": 2}


# --- long matter ----------------------------------------------------------------------------------


def label(**changes):
    return {**SAMPLES["label"]["labels"][0], **changes}


def test_a_label_stays_one_page_whatever_stands_on_it() -> None:
    longest = label(
        name="Muhammad Abdurrahman " * 6,
        address=["Jalan Raya Panjang Sekali Nomor Seratus " * 8, "Desa Panjang", "Kec. Panjang"],
        courier="Ekspedisi Panjang Sekali Layanan Kilat",
        tracking="X" * 40,
    )
    printed = drawn("label", labels=[longest, label()])
    assert printed.sizes == [A6, A6]
    assert printed.codes(0) == printed.codes(1) == {("Code128", "PGD-2026-000123")}


def test_a_list_of_parcels_goes_on_with_its_head_on_the_next_page() -> None:
    one = SAMPLES["manifest"]["parcels"][0]
    rows = [{**one, "case": f"PGD-2026-{number:06d}"} for number in range(120)]
    printed = drawn("manifest", parcels=rows, count=120, count_in_words="seratus dua puluh")
    assert len(printed.pages) > 2
    assert all("Nomor resi" in page for page in printed.pages[:-1])
    assert all(f"PGD-2026-{number:06d}" in printed.text for number in range(120))
    assert "Yang menerima" in printed.pages[-1]
    assert f"halaman 1 dari {len(printed.pages)}" in printed.pages[0]
