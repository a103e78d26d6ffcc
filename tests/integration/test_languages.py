"""No page mixes its languages: every officer's pages, in Indonesian and in English."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.words import PageWords


def words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words that stand in nearly every sentence of a language, and on its buttons.
# Not among them: "register", which is the office's own word for its book in Indonesian too.
ENGLISH = words_of("""
    the of and is are was this that not yes your you with for from to by at on all one none
    save search required edit delete remove records record add cancel show choose close file
    files back case cases complaint complaints document documents step steps since waiting
    minutes hour hours day days download upload print sign signed password user users role
    roles queue registered sent due late open next previous page
""")
INDONESIAN = words_of("""
    dan yang di ke dari untuk dengan ini itu adalah tidak belum sudah akan pada oleh atau
    simpan cari unggah unduh ubah hapus tambah batal tutup pilih kembali berkas kelengkapan
    pengaduan antrean dokumen tahap sejak menunggu menit jam wajib semua masuk keluar kata
    sandi pengguna peran terlambat lagi halaman berikutnya sebelumnya cetak kirim
""")
FOREIGN = {"id": ENGLISH, "en": INDONESIAN}
STEPS = (
    "intake", "siak_check", "certification", "signing", "printing", "dispatch", "returned",
    "done", "resolved", "withdrawn",
)  # fmt: skip
#: The steps whose work form an officer opens.
WORK = {
    "petugas": ("intake", "dispatch", "returned"),
    "operator": ("siak_check", "printing"),
    "subkoordinator": ("certification", "done"),
    "kepala": ("signing",),
    "admin": (),
}
#: What people of the office wrote, in one language: roles, names, complaints, answers, file names.
DATA = re.compile(
    r"Petugas Pengaduan|Kepala (Dinas|Bidang)|Dinas Kependudukan dan Pencatatan Sipil"
    r"|Bidang Pelayanan|Kurir lain|Nama di KK berbeda|NIK sudah aktif|signed\.pdf|^/.*/files$"
)
#: Screens on which both names of an entry stand, or the office's own words.
BOTH = re.compile(
    r"/reference/(categories|channels|document_kinds|holidays|standard_minutes|message-texts)/\w+"
)
DOWNLOADS = re.compile(r"/messages/whatsapp/|export|format=csv|/file/|/assets/")


@pytest.fixture
def cases(make_case: Callable[..., Any]) -> dict[str, int]:
    return {step: make_case(step).id for step in STEPS}


def pattern(address: str) -> str:
    """The screen of an address, whatever is sorted and whichever record is shown."""
    return re.sub(r"/(\d+|[0-9.]+|[\w-]{20,})(?=/|$)", "/N", address.split("?")[0])


def read(client: FlaskClient, first: list[str], most: int = 60) -> dict[str, PageWords]:
    """Every screen that links lead to, each once."""
    waiting, seen, pages = list(first), set[str](), dict[str, PageWords]()
    while waiting and len(pages) < most:
        address = waiting.pop(0)
        if pattern(address) in seen or DOWNLOADS.search(address):
            continue
        seen.add(pattern(address))
        answer = client.get(address, follow_redirects=True)
        assert answer.status_code in (200, 403, 404), f"{address}: {answer.status_code}"
        if answer.mimetype != "text/html":  # a picture of a page, a printed paper
            continue
        page = pages[address] = PageWords(answer.text)
        waiting += [link.split("#")[0] for link in page.links if link.startswith("/")]
    return pages


@pytest.mark.parametrize("officer", list(WORK))
def test_a_page_speaks_one_language(
    officer: str,
    login: Callable[[str], FlaskClient],
    post: Callable[..., Any],
    cases: dict[str, int],
) -> None:
    client = login(officer)
    for step in WORK[officer]:
        post(client, f"/complaints/start/{cases[step]}")
    found = []
    for language, foreign in FOREIGN.items():
        assert post(client, f"/lang/{language}").status_code == 303
        pages = read(client, ["/", "/nothing/here"])
        if WORK[officer]:  # each step has a page and a form of its own
            for kind in ("show", "work"):
                for pk in cases.values():
                    pages |= read(client, [f"/complaints/{kind}/{pk}"], most=1)
        assert len(pages) > 8
        assert {page.language for page in pages.values()} == {language}
        found += [
            f"{language} {address}: {text}"
            for address, page in pages.items()
            for text in page.with_words_of(foreign)
            if not (DATA.search(text) or BOTH.search(address))
        ]
    assert not found, "\n".join(sorted(set(found)))


@pytest.mark.parametrize(
    ("language", "words"), [("id", "Wajib diisi."), ("en", "This field is required.")]
)
def test_a_refused_form_speaks_the_pages_language(
    language: str, words: str, login: Callable[[str], FlaskClient], post: Callable[..., Any]
) -> None:
    client = login("admin")
    post(client, f"/lang/{language}")
    answer = post(client, "/users/add", {"shown": "1"})
    assert answer.status_code == 422
    page = PageWords(answer.text)
    assert words in page.words
    assert not [text for text in page.with_words_of(FOREIGN[language]) if not DATA.search(text)]


@pytest.mark.parametrize(
    ("language", "header", "step"),
    [("id", "Nomor", "Penerimaan berkas"), ("en", "Number", "Intake")],
)
def test_an_exported_list_is_in_the_pages_language(
    language: str,
    header: str,
    step: str,
    login: Callable[[str], FlaskClient],
    post: Callable[..., Any],
    make_case: Callable[..., Any],
) -> None:
    make_case("intake")
    client = login("petugas")
    post(client, f"/lang/{language}")
    text = client.get("/complaints/export").text
    assert text.lstrip("\ufeff").lstrip('"').startswith(header)
    assert step in text
