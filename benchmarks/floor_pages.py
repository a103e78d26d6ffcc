"""What the pages of cases show of their rows, in the smallest templates that show it.

The same rows with the same cells in the same order: names of steps and sorts, moments as the office
writes them, the days left, links and badges. No frame, no menu, no form, no class for a style, and
nothing is asked or remembered beside the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Flask
from jinja2 import Template

ZONE: Final = ZoneInfo("Asia/Jakarta")
MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"]

_HEAD: Final = '<!doctype html><html lang="id"><head><meta charset="utf-8"><title>{{ title }}</title></head><body>'
_END: Final = "</body></html>"

_CASES: Final = """<table><tr><th>Nomor</th><th>Pemohon</th><th>Kategori</th><th>Tahap</th><th>Diterima</th>
<th>Jatuh tempo</th><th>Tindakan</th></tr>
{% for id, number, name, category, step, first, last, received, due, closed in tables[0] %}<tr>
<td><a href="/complaints/show/{{ id }}">{{ number }}</a></td><td>{{ name }}</td><td>{{ category }}</td>
<td>{{ step }}{% if first %}<br>{{ first }} {{ last }}{% endif %}</td><td>{{ received|day }}</td>
<td>{{ due|day }}{% if not closed %}<br>{{ due|left }}{% endif %}</td>
<td><a href="/complaints/edit/{{ id }}">Ubah</a></td></tr>
{% endfor %}</table>"""

_FILES: Final = """<table><tr><th>Berkas</th><th>Pengaduan</th><th>Jenis</th><th>Kelompok</th><th>Ukuran</th>
<th>Ditambahkan</th><th>Oleh</th></tr>
{% for id, name, stage, at, kind, number, case, size, first, last in tables[0] %}<tr>
<td><a href="/documents/show/{{ id }}">{{ name }}</a></td><td><a href="/complaints/show/{{ case }}">{{ number }}</a></td>
<td>{{ kind or '–' }}</td><td>{{ stage }}</td><td>{{ size // 1000 }} kB</td><td>{{ at|moment }}</td>
<td>{{ first }} {{ last }}</td></tr>
{% endfor %}</table>"""

_PARCELS: Final = """<table><tr><th>Nomor resi</th><th>Pengaduan</th><th>Biro jasa pengiriman</th><th>Penerima</th>
<th>Dikirim</th><th>Status</th><th>Tindakan</th></tr>
{% for id, tracking, case, number, courier, recipient, at, status, there in tables[0] %}<tr>
<td><a href="/dispatches/show/{{ id }}">{{ tracking }}</a></td><td><a href="/complaints/show/{{ case }}">{{ number }}</a></td>
<td>{{ courier }}</td><td>{{ recipient }}</td><td>{{ at|moment }}</td>
<td><b>{{ status }}</b>{% if there %}<br>{{ there|moment }}{% else %}<br>{{ at|since }} hari{% endif %}</td>
<td><a href="/dispatches/edit/{{ id }}">Ubah</a></td></tr>
{% endfor %}</table>"""

_HITS: Final = """<div>{% for id, number, name, category, step, first, last, received, due, closed in tables[0] %}
<a href="/complaints/show/{{ id }}"><b>{{ name }}</b> {{ number }}<br>{{ category }} {{ step }} {{ received|day }}</a>
{% endfor %}</div>"""

_QUEUE: Final = """<ul>{% for step, count in tables[1] %}<li><a href="/queue/?step={{ step }}">{{ step }} {{ count }}</a></li>
{% endfor %}</ul>
<table><tr><th>Pengaduan</th><th>Tahap</th><th>Waktu kerja sejauh ini</th><th>Jatuh tempo</th><th>Tindakan</th></tr>
{% for run, key, entered, started, standard, id, number, name, due, decision, round, category, first, last, step
in tables[0] %}<tr><td><a href="/complaints/show/{{ id }}">{{ number }}</a> {{ name }}<br>{{ category }}</td>
<td>{{ step }}<br>{{ (started or entered)|moment }}</td>
<td>{% if started %}{{ started|minutes }}{% else %}0{% endif %} dari {{ standard }} menit<br>menunggu {{ entered|minutes(started) }} menit</td>
<td><b>{{ due|left }}</b><br>{{ due|day }}</td>
<td><button formaction="/complaints/start/{{ id }}">{{ 'Lanjutkan' if first else 'Kerjakan' }}</button></td></tr>
{% endfor %}</table>
<h2>Jeda</h2><ul>{% for row in tables[3] %}<li>{{ row[2] }} {{ row[3] }} {{ row[4]|moment }}</li>{% endfor %}</ul>
<h2>Hari ini</h2><ul>{% for step, count in tables[2] %}<li>{{ step }} {{ count }}</li>{% endfor %}</ul>"""

_CASE: Final = """{% set id, number, name, nik, kk, sex, phone, email, address, desa, kecamatan, handle, received, registered, registrar,
text, answer, since, told_due, class_due, decision_due, category, channel, step, holder = tables[0][0] %}
<a href="/complaints/list/">Semua pengaduan</a><p>{{ channel }}, diterima {{ received|moment }}</p>
<h1>{{ number }}</h1><p>{{ name }} · {{ category }}</p><p><b>{{ step }}</b></p>
<ol>{% for label, actor in tables[1] %}<li>{{ label }} {{ actor }}</li>{% endfor %}</ol>
<h2>Pengaduan</h2><p>{{ text }}</p>{% if answer %}<p>{{ answer }}</p>{% endif %}
<h2>Kelengkapan</h2><ul>{% for kind, required, state, note in tables[2] %}<li>{{ kind }}{% if not required %} pendukung{% endif %}
<b>{{ state }}</b>{% if note %} {{ note }}{% endif %}</li>{% endfor %}</ul>
<h2>Verifikasi SIAK</h2><ul>{% for reference, at, result, note in tables[3] %}<li>Draf biodata: {{ reference }} {{ at|moment }}
<b>{{ result }}</b>{% if note %} {{ note }}{% endif %}</li>{% endfor %}</ul>
<h2>Dokumen yang akan diterbitkan</h2><ul>{% for kind, reference, run, result, at, first, last in tables[4] %}<li>{{ kind }} {{ reference }}
{% if run %}<b>Tercetak</b> Cetakan {{ run }}: {{ result }} ({{ at|moment }} · {{ first }} {{ last }}){% endif %}</li>{% endfor %}</ul>
{% for parcel, status, courier, tracking, sent, recipient, address, by, there in tables[5] %}<h2>Pengiriman</h2><p><b>{{ status }}</b></p>
<dl><dt>Biro jasa pengiriman</dt><dd>{{ courier }}</dd><dt>Nomor resi</dt><dd>{{ tracking }}</dd><dt>Dikirim</dt><dd>{{ sent|moment }}</dd>
<dt>Penerima</dt><dd>{{ recipient }}</dd><dt>Alamat</dt><dd>{{ address|masked }}</dd>{% if there %}<dt>Diterima oleh</dt><dd>{{ by }}</dd>
<dt>Diterima pemohon</dt><dd>{{ there|moment }}</dd>{% endif %}</dl><a href="/dispatches/edit/{{ parcel }}">Perbarui hasil pengiriman</a>{% endfor %}
<h2>Berkas</h2><ul>{% for public, stage, kind, file, size, at, first, last in tables[6] %}<li><a href="/documents/file/{{ public }}"><img src="/documents/preview/{{ public }}/1?size=small"></a>
<a href="/documents/file/{{ public }}">{{ file }}</a> {{ stage }} {{ kind or '' }} {{ size // 1000 }} kB {{ at|moment }} · {{ first }} {{ last }}</li>{% endfor %}</ul>
<h2>Di tahap ini</h2><p>{{ step }}</p>{% if holder %}<p>{{ holder }}</p>{% endif %}<p>Di sini sejak {{ since|moment }}</p>
<h2>Pemohon</h2><dl><dt>Nama</dt><dd>{{ name }}</dd><dt>NIK</dt><dd>{{ nik|masked }}</dd><dt>Nomor KK</dt><dd>{{ kk|masked }}</dd>
<dt>Jenis kelamin</dt><dd>{{ sex }}</dd><dt>Telepon</dt><dd>{{ phone|masked }}</dd><dt>Surel</dt><dd>{{ email or '–' }}</dd>
<dt>Alamat</dt><dd>{{ address|masked }}, {{ desa }}, {{ kecamatan }}</dd></dl>
<h2>Lembar untuk dicetak</h2><ul><li><a href="/papers/receipt/{{ id }}">Tanda terima (A4)</a></li>
<li><a href="/papers/receipt/{{ id }}?size=80mm">Tanda terima (80 mm)</a></li><li><a href="/papers/draft/{{ id }}">Lembar pengantar draf</a></li>
<li><a href="/papers/labels?ids={{ id }}">Label pengiriman</a></li></ul>
<h2>Data pengaduan</h2><dl><dt>Kategori</dt><dd>{{ category }}</dd><dt>Kanal</dt><dd>{{ channel }}</dd>
<dt>Akun atau nomor</dt><dd>{{ handle|masked }}</dd><dt>Didaftarkan</dt><dd>{{ registered|moment }} · {{ registrar }}</dd></dl>
<h2>Jatuh tempo menurut aturan</h2><dl><dt>Kelengkapan</dt><dd>{{ told_due|day }}</dd><dt>Tanggapan</dt><dd>{{ class_due|day }}</dd>
<dt>Keputusan</dt><dd>{{ decision_due|day }}</dd></dl>
<h2>Riwayat</h2><ol>{% for kind, transition, at, by, way_from, way_to, wait, work, standard in tables[7]|reverse %}<li><b>{{ transition or kind }}</b>
<time>{{ at|moment }}</time>{% if way_to %}<p>{{ way_from or '' }} → {{ way_to }}</p>{% endif %}<dl><dt>Oleh:</dt><dd>{{ by }}</dd>
{% if work is not none %}<dt>Menunggu:</dt><dd>{{ wait // 60 }} menit</dd><dt>Dikerjakan:</dt><dd>{{ work // 60 }} menit (standar {{ standard }} menit)</dd>
{% endif %}</dl></li>{% endfor %}</ol>"""

PAGES: Final = {
    "cases": _CASES,
    "files": _FILES,
    "parcels": _PARCELS,
    "hits": _HITS,
    "queue": _QUEUE,
    "case": _CASE,
}


def templates(app: Flask) -> dict[str, Template]:
    """The pages by name, compiled once as a file's would be."""
    filters: dict[str, Callable[..., str]] = {
        "day": day,
        "moment": moment,
        "left": left,
        "since": since,
        "minutes": minutes,
        "masked": masked,
    }
    app.jinja_env.filters.update(filters)
    return {
        name: app.jinja_env.from_string((_HEAD if name != "hits" else "") + text + _END)
        for name, text in PAGES.items()
    }


def _local(value: Any) -> datetime:
    """A moment of either database on the office's clock."""
    found = datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value
    return found.astimezone(ZONE)


def _date(value: Any) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value) if len(value) == 10 else _local(value).date()
    return _local(value).date() if isinstance(value, datetime) else value


def day(value: Any) -> str:
    """`23 Nov 2026`."""
    found = _date(value)
    return f"{found.day} {MONTHS[found.month - 1]} {found.year}"


def moment(value: Any) -> str:
    """`23 Nov 2026 14.05`."""
    found = _local(value)
    return f"{found.day} {MONTHS[found.month - 1]} {found.year} {found:%H.%M}"


def left(value: Any) -> str:
    """`3 hari lagi` or `terlambat 2 hari`."""
    days = (_date(value) - datetime.now(ZONE).date()).days
    return f"{days} hari lagi" if days > 0 else f"terlambat {-days} hari" if days else "hari ini"


def since(value: Any) -> str:
    """Days since a moment."""
    return str((datetime.now(ZONE).date() - _date(value)).days)


def minutes(value: Any, end: Any = None) -> str:
    """Minutes between two moments by the wall clock; until now without the second."""
    until = _local(end) if end else datetime.now(ZONE)
    return str(int((until - _local(value)).total_seconds()) // 60)


def masked(value: Any) -> str:
    """The two first and four last letters of what is stored."""
    text = str(value or "")
    return f"{text[:2]}{'•' * 10}{text[-4:]}"
