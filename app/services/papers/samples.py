"""Made-up data for every paper: what `flask papers check` draws a changed template with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.services.papers.codes import barcode_svg, qr_svg
from app.services.papers.frame import BLANK

_NUMBER: Final = "PGD-2026-000123"
_FRAME: Final[Mapping[str, Any]] = {
    "office": {
        "government": "Pemerintah Kabupaten Batang",
        "name": "Dinas Kependudukan dan Pencatatan Sipil",
        "unit": "Bidang Pelayanan Pendaftaran Penduduk dan Pencatatan Sipil",
        "address": "Jl. Dr. Wahidin Nomor 56 Kauman, Kec. Batang, Jawa Tengah",
        "phone": BLANK,
        "email": "kantor@example.go.id",
        "website": "kantor.example.go.id",
    },
    "place": "Batang",
    "date": "23 November 2026",
    "year": "2026",
    "printed": {"at": "23 November 2026 pukul 14.05 WIB", "by": "Siti Contohwati"},
    "check_page": "aduan.example.go.id/check",
    "demo": True,
}
_CASE: Final[Mapping[str, Any]] = {
    "number": _NUMBER,
    "qr": qr_svg(_NUMBER),
    "category": "Perbaikan data pada Kartu Keluarga (KK)",
    "channel": "WhatsApp",
    "received": "23 November 2026 pukul 09.12 WIB",
    "registered": "23 November 2026 pukul 09.20 WIB",
    "round": 1,
    "text": "Nama saya di KK tertulis berbeda dengan nama pada akta kelahiran.",
    "applicant": {
        "name": "Budi Contoh Santoso",
        "nik": "3325011203909901",
        "kk": "3325010101209901",
        "phone": "081200000001",
        "email": "budi@example.org",
        "sex": "Laki-laki",
        "born": "12 Maret 1990",
        "address": "Jl. Contoh Nomor 1 RT 02 RW 03, Desa Kalipucang Kulon, Kec. Batang",
    },
}
_LABEL: Final[Mapping[str, Any]] = {
    "number": _NUMBER,
    "barcode": barcode_svg(_NUMBER),
    "name": "Budi Contoh Santoso",
    "phone": "081200000001",
    "address": ["Jl. Contoh Nomor 1 RT 02 RW 03", "Desa Kalipucang Kulon", "Kec. Batang"],
    "postal_code": "51200",
    "courier": "PT Pos Indonesia",
    "tracking": "P2611230000001",
}
_RECEIPT: Final[Mapping[str, Any]] = {
    **_FRAME,
    **_CASE,
    "pin": "042917",
    "officer": "Siti Contohwati",
    "papers": [
        {"label": "Foto KK asli", "state": "present", "words": "ada", "required": True},
        {"label": "Foto KTP asli", "state": "missing", "words": "belum ada", "required": True},
        {"label": "Foto ijazah", "state": "present", "words": "ada", "required": False},
    ],
    "due": {
        "completeness": "7 Desember 2026",
        "answer": "11 Desember 2026",
        "decision": "22 Januari 2027",
    },
}

#: For each paper, data as the services would gather them.
SAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "receipt": _RECEIPT,
    "receipt_80mm": _RECEIPT,
    "return_slip": {
        **_FRAME,
        **_CASE,
        "returned": "Selasa, 24 November 2026",
        "by": "Siti Contohwati",
        "reason": "Berkas belum lengkap.",
        "items": [
            {"label": "Foto KK asli", "words": "tidak terbaca", "note": "Foto terlalu gelap"},
            {"label": "Foto akta kelahiran", "words": "belum ada", "note": ""},
        ],
        "differences": [{"label": "Nama"}, {"label": "Tanggal lahir"}],
        "ask_again": ["Foto ijazah"],
        "answer_by": "24 Desember 2026",
    },
    "draft_cover": {
        **_FRAME,
        **_CASE,
        "siak": {
            "reference": "BIO-2611-0007",
            "at": "23 November 2026 pukul 10.02 WIB",
            "by": "Rudi Contoh",
            "note": "",
        },
        "outputs": [
            {"label": "Kartu Keluarga (KK)", "reference": "3325010101209901", "signed": True},
            {"label": "KTP-el", "reference": "", "signed": False},
        ],
        "route": [
            {
                "label": "Pemeriksaan berkas",
                "lane": "Petugas Pengaduan",
                "at": "23 November 2026 pukul 09.30 WIB",
                "by": "Siti Contohwati",
            },
            {"label": "Verifikasi SIAK", "lane": "Operator", "at": "", "by": ""},
        ],
    },
    "label": {**_FRAME, "labels": [_LABEL]},
    "manifest": {
        **_FRAME,
        "courier": "PT Pos Indonesia",
        "day": "Senin, 23 November 2026",
        "parcels": [
            {
                "case": _NUMBER,
                "tracking": "P2611230000001",
                "service": "Kilat Khusus",
                "recipient": "Budi Contoh Santoso",
                "goes_to": "Kec. Batang",
            }
        ],
        "count": 1,
        "count_in_words": "satu",
    },
    "processing_letter": {
        **_FRAME,
        **_CASE,
        "papers": [{"label": "KTP-el", "blank": "Blangko KTP-el", "since": "20 November 2026"}],
        "signatory": {
            "title": "Plt. Kepala Dinas Kependudukan dan Pencatatan Sipil",
            "name": "Dra. Contoh Pejabat, M.Si.",
            "rank": "Pembina Utama Muda",
            "nip": "000000000000000000",
        },
    },
    "breach_notice": {
        **_FRAME,
        "to": "authority",
        "title": "Berkas terkirim ke alamat yang salah",
        "known": "22 November 2026 pukul 08.10 WIB",
        "happened": "21 November 2026 pukul 16.40 WIB",
        "what": "Sebuah daftar terkirim kepada penerima yang keliru.",
        "affected": "Nama dan alamat",
        "persons": "12",
        "measures": "Penerima telah menghapusnya dan menyatakannya secara tertulis.",
        "contact": "Siti Contohwati, ruang 2",
        "deadline": "25 November 2026 pukul 08.10 WIB",
        "letter_day": "23 November 2026",
        "signatory": {
            "title": "Kepala Dinas Kependudukan dan Pencatatan Sipil",
            "name": "Dra. Contoh Pejabat, M.Si.",
            "rank": "Pembina Utama Muda",
            "nip": "000000000000000000",
        },
    },
    "recap": {
        "office": _FRAME["office"],
        "place": "Batang",
        "date": "2 November 2026",
        "language": "id",
        "demo": True,
        "title": "Rekapitulasi pengaduan",
        "period": "1 Oktober 2026 – 31 Oktober 2026",
        "filters": ["Kanal: WhatsApp"],
        "tables": [
            {
                "title": "Menurut kanal",
                "note": "",
                "head": ["Kanal", "Diterima", "Selesai", "Dalam proses"],
                "right": [False, True, True, True],
                "wide": [False, False, False, False],
                "rows": [["WhatsApp", "812", "790", "41"], ["Datang langsung", "96", "95", "3"]],
                "total": ["Jumlah", "908", "885", "44"],
            }
        ],
        "signatory": {
            "title": "Kepala Dinas Kependudukan dan Pencatatan Sipil",
            "name": "Dra. Contoh Pejabat, M.Si.",
            "rank": "Pembina Utama Muda",
            "nip": "000000000000000000",
        },
        "words": {
            "printed": "Dibuat 2 November 2026 09.00 oleh Siti Contohwati",
            "demo": "DEMO, bukan dokumen resmi",
            "page": "halaman",
            "of": "dari",
            "period": "Periode",
        },
    },
}
