"""Draw the two sample scans of the demo data: `python tools/make_demo_scans.py`.

Fictional papers, marked "CONTOH / SAMPLE" across, that look like no official form. The same bytes
come out each time, so a second run changes nothing.
"""

from __future__ import annotations

import io
import random
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FOLDER = Path(__file__).resolve().parents[1] / "seed_data" / "demo"
MARK = "CONTOH / SAMPLE"
NOTICE = "Bukan dokumen resmi. Nama dan nomor adalah rekaan."

CARD = (
    ("Nomor", "0000 0000 0000 0000"),
    ("Nama", "BUDI CONTOH"),
    ("Tempat, tanggal lahir", "KOTA REKAAN, 01-01-1990"),
    ("Alamat", "JL. CONTOH NO. 1, DESA REKAAN"),
    ("Pekerjaan", "KARYAWAN"),
)
FAMILY = (
    ("No", "Nama", "Nomor", "Hubungan"),
    ("1", "BUDI CONTOH", "0000 0000 0000 0000", "Kepala keluarga"),
    ("2", "SITI CONTOH", "0000 0000 0000 0000", "Istri"),
    ("3", "ANI CONTOH", "0000 0000 0000 0000", "Anak"),
)
COLUMNS = (60, 90, 250, 420)


def card_photo() -> bytes:
    """A card photographed on a table, slightly askew, as a JPEG."""
    card = Image.new("RGB", (900, 560), "#dfe9f2")
    draw = ImageDraw.Draw(card)
    title, text, small = (ImageFont.load_default(size) for size in (40, 27, 22))
    draw.rectangle((8, 8, 891, 551), outline="#5b7690", width=4)
    draw.text((450, 52), "KARTU CONTOH", font=title, fill="#22384d", anchor="mm")
    for row, (label, value) in enumerate(CARD):
        top = 130 + row * 62
        draw.text((40, top), label, font=small, fill="#4b6073")
        draw.text((290, top - 3), value, font=text, fill="#101c27")
    draw.rectangle((720, 300, 860, 480), fill="#b9c9d6")
    draw.ellipse((760, 325, 820, 385), fill="#8fa5b6")
    draw.pieslice((735, 395, 845, 560), 180, 360, fill="#8fa5b6")
    draw.text((40, 500), NOTICE, font=small, fill="#22384d")
    mark = Image.new("L", card.size, 0)
    big = ImageFont.load_default(92)
    ImageDraw.Draw(mark).text((450, 280), MARK, font=big, fill=105, anchor="mm")
    card.paste("#b3261e", mask=mark.rotate(20))

    table = Image.new("RGB", (1200, 900), "#8a6f55")
    grain = random.Random(1)
    lines = ImageDraw.Draw(table)
    for _ in range(60):
        y = grain.randrange(900)
        lines.line((0, y, 1200, y + grain.randrange(-20, 20)), fill="#80664d", width=3)
    turned = card.convert("RGBA").rotate(2.5, Image.Resampling.BICUBIC, expand=True)
    table.paste(turned, (140, 150), turned)
    out = io.BytesIO()
    photo = table.filter(ImageFilter.GaussianBlur(0.6))
    photo.save(out, "JPEG", quality=62, optimize=True, dpi=(150, 150))
    return out.getvalue()


def family_paper() -> bytes:
    """A page with a table and the mark across it, as a PDF."""
    lines = ["q 0.70 0.15 0.12 rg /Mark gs", "BT /Bold 58 Tf 0.82 0.57 -0.57 0.82 105 245 Tm"]
    lines += [f"({MARK}) Tj ET Q", "0.6 w 0.35 0.46 0.56 RG 40 40 515 762 re S"]
    lines += _text("Bold", 18, 60, 760, "DAFTAR KELUARGA CONTOH")
    lines += _text("Plain", 11, 60, 735, "Nomor: 0000 0000 0000 0000")
    lines += _text("Plain", 11, 60, 718, "Alamat: Jl. Contoh No. 1, Desa Rekaan, Kecamatan Rekaan")
    for row, cells in enumerate(FAMILY):
        y = 670 - row * 26
        lines.append(f"50 {y - 9} 495 26 re S")
        for x, cell in zip(COLUMNS, cells, strict=True):
            lines += _text("Plain" if row else "Bold", 11, x, y, cell)
    lines += _text("Plain", 10, 60, 60, NOTICE)

    document = pikepdf.new()
    document.add_blank_page(page_size=(595, 842))
    page = document.pages[0].obj
    page.Contents = document.make_stream("\n".join(lines).encode("ascii"))
    page.Resources = Dictionary(
        Font=Dictionary(Plain=_font("Helvetica"), Bold=_font("Helvetica-Bold")),
        ExtGState=Dictionary(Mark=Dictionary(ca=0.35)),
    )
    page.MediaBox = Array([0, 0, 595, 842])
    document.docinfo["/Title"] = "CONTOH / SAMPLE"
    out = io.BytesIO()
    document.save(out, deterministic_id=True, compress_streams=True)
    return out.getvalue()


def _font(name: str) -> Dictionary:
    return Dictionary(
        Type=Name.Font,
        Subtype=Name.Type1,
        BaseFont=Name(f"/{name}"),
        Encoding=Name.WinAnsiEncoding,
    )


def _text(font: str, size: int, x: int, y: int, text: str) -> list[str]:
    return ["0.06 0.11 0.15 rg", f"BT /{font} {size} Tf {x} {y} Td ({text}) Tj ET"]


def main() -> None:
    """Write both scans to `seed_data/demo/`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    scans = {"contoh-ktp.jpg": card_photo(), "contoh-kk.pdf": family_paper()}
    for name, data in scans.items():
        (FOLDER / name).write_bytes(data)
        print(f"{name}: {len(data) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
