"""The columns of a register: what each is called in offices, and which of them must be there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.sop.errors import FileRefusedError
from app.sop.text import N_

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "columns_missing": N_(
        "These columns were not found: %(columns)s. The first rows must hold the headings of the"
        " template."
    ),
    "column_twice": N_("The column %(column)s is there twice."),
}


@dataclass(frozen=True)
class Column:
    """One column: its heading in our template, and what else registers call it."""

    key: str
    heading: str
    also: tuple[str, ...] = ()
    needed: bool = False
    #: Kept as text beside the case: what has no field of its own.
    kept: bool = False


COLUMNS: Final[tuple[Column, ...]] = (
    Column("register_number", "No", ("nomor", "no urut", "no register", "nomor register")),
    Column(
        "day",
        "Tanggal",
        ("tgl", "tanggal/jam", "tgl/jam", "tanggal masuk", "tanggal terima", "tanggal pengaduan"),
        needed=True,
    ),
    Column("time", "Jam", ("pukul", "waktu")),
    Column("channel", "Kanal", ("saluran", "media", "media pengaduan", "via"), needed=True),
    Column(
        "name",
        "Nama",
        ("nama pemohon", "nama pelapor", "nama lengkap", "pemohon", "pelapor"),
        needed=True,
    ),
    Column("sex", "JK", ("jenis kelamin", "l/p", "kelamin")),
    Column("nik", "NIK", ("no nik", "nomor nik", "nik pemohon")),
    Column("kk", "No KK", ("kk", "nomor kk", "no kartu keluarga", "nomor kartu keluarga")),
    Column("address", "Alamat", ("alamat lengkap", "alamat/desa/kecamatan", "alamat pemohon")),
    Column("village", "Desa", ("kelurahan", "desa/kelurahan", "desa/kel", "kel/desa")),
    Column("district", "Kecamatan", ("kec",)),
    Column(
        "phone",
        "HP",
        ("no hp", "nomor hp", "telepon", "no telepon", "telp", "no telp", "no wa", "whatsapp"),
    ),
    Column("email", "Email", ("e-mail", "alamat email", "surel")),
    Column(
        "text",
        "Uraian",
        ("uraian pengaduan", "isi pengaduan", "pengaduan", "aduan", "keluhan", "permasalahan"),
        needed=True,
    ),
    Column(
        "category", "Jenis", ("jenis pengaduan", "jenis aduan", "kategori", "perihal"), needed=True
    ),
    Column("files", "Berkas", ("kelengkapan", "kelengkapan berkas"), kept=True),
    Column("officer", "Petugas", ("nama petugas", "penerima"), kept=True),
    Column("disposition", "Disposisi", kept=True),
    Column("follow_up", "Tindak lanjut", ("penyelesaian", "solusi", "jawaban"), kept=True),
    Column("finished", "Tanggal selesai", ("tgl selesai", "selesai", "selesai tanggal")),
    Column("status", "Status", ("status pengaduan", "ket status")),
    Column("tracking", "No resi", ("resi", "nomor resi", "no resi pengiriman"), kept=True),
    Column("remark", "Keterangan", ("ket", "catatan"), kept=True),
)
BY_KEY: Final[Mapping[str, Column]] = {column.key: column for column in COLUMNS}


def plain(text: Any) -> str:
    """A heading without capitals, dots and blanks, as people vary them."""
    return re.sub(r"[\W_]+", "", str(text or "").casefold())


_BY_NAME: Final[Mapping[str, Column]] = {
    plain(name): column for column in COLUMNS for name in (column.heading, *column.also)
}


def recognised(row: Sequence[Any]) -> int:
    """How many different columns of ours a row may be the headings of."""
    return len({_BY_NAME[name].key for name in map(plain, row) if name in _BY_NAME})


def find_head(rows: Sequence[Sequence[Any]]) -> int:
    """Which of the first rows holds the headings.

    Raises:
        FileRefusedError: `columns_missing`, with those that must be there.
    """
    best = max(range(len(rows)), key=lambda at: recognised(rows[at]), default=None)
    found = set() if best is None else set(places(rows[best]))
    missing = [column.heading for column in COLUMNS if column.needed and column.key not in found]
    if best is None or missing:
        raise FileRefusedError("columns_missing", columns=", ".join(missing))
    return best


def places(head: Sequence[Any]) -> dict[str, int]:
    """Where each column stands; of two with one meaning the exact heading counts.

    Raises:
        FileRefusedError: `column_twice`, the same heading stands there twice.
    """
    found: dict[str, int] = {}
    for at, name in enumerate(map(plain, head)):
        column = _BY_NAME.get(name)
        if column is None:
            continue
        if column.key in found:
            before = plain(head[found[column.key]])
            if before == name:
                raise FileRefusedError("column_twice", column=column.heading)
            if before == plain(column.heading):
                continue
        found[column.key] = at
    return found


def ignored(head: Sequence[str]) -> list[str]:
    """Headings that nobody knows: their cells are left out, and the page says so."""
    return [name for name in head if name and plain(name) not in _BY_NAME]
