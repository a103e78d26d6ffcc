"""Which new passwords are refused, and that nothing else is."""

from __future__ import annotations

import pytest

from app.services.password_rules import (
    MESSAGES,
    load_common,
    office_words,
    password_problem,
    words_of,
)
from config import SEED_DATA

COMMON = load_common(SEED_DATA / "common_passwords.txt")
OWN = ["rudi.hartono", "Rudi", "Hartono Wibowo", "rudi.h@contoh.id"]
OFFICE = ["Dinas Kependudukan dan Pencatatan Sipil", "Pemerintah Kabupaten Batang"]


@pytest.mark.parametrize(
    ("password", "code"),
    [
        pytest.param("tujuh7!", "password_short", id="seven characters"),
        pytest.param("Sebelas11!!", "password_short", id="eleven characters"),
        pytest.param("a b" * 171, "password_long", id="more than 512 characters"),
        pytest.param("123456789012", "password_pattern", id="a row of digits"),
        pytest.param("qwertyuiop12", "password_pattern", id="a row of keys and two digits"),
        pytest.param("POIUYTREWQ0987", "password_pattern", id="a row of keys backwards"),
        pytest.param("aaaaaaaaaaaaaaaa", "password_pattern", id="one letter"),
        pytest.param("ab12ab12ab12ab12", "password_pattern", id="a short piece again and again"),
        pytest.param("1qaz2wsx3edc4rfv", "password_pattern", id="columns of the keyboard"),
        pytest.param("qweasdzxcqweasd1", "password_pattern", id="a block of the keyboard"),
        pytest.param("Password12345!", "password_common", id="a common one with digits behind"),
        pytest.param("P4ssw0rd!2024!", "password_common", id="a common one in other letters"),
        pytest.param("monkey monkey", "password_common", id="a common one twice"),
        pytest.param("footballfootball", "password_common", id="a common one twice in one word"),
        pytest.param("123-Bismillah-456", "password_common", id="a common one of this country"),
        pytest.param("leavemealone", "password_common", id="a long one of the list"),
        pytest.param("kucing Rudi lari jauh", "password_name", id="the first name in it"),
        pytest.param("kucing h.a.r.t.o.n.o jauh", "password_name", id="the last name with dots"),
        pytest.param("alun-alun Batang ramai", "password_office", id="the name of the regency"),
        pytest.param("b a t a n g pohon 77", "password_office", id="the regency spelled out"),
        pytest.param("saya di dukcapil pagi", "password_office", id="what the office is called"),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, code: str) -> None:
    found = password_problem(password, COMMON, own=OWN, office=OFFICE)
    assert found is not None
    assert found[0] == code
    assert MESSAGES[code] % found[1]


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("kalimatku dua", id="thirteen small letters"),
        pytest.param("hujan deras sore itu", id="a sentence"),
        pytest.param("        x y z w v        ", id="blanks are characters"),
        pytest.param("ꦲꦏ꧀ꦱꦫꦗꦮꦲꦤꦕꦫꦏ", id="another script"),
        pytest.param("🐈🌧🚲🌲📚🍜🎻🧭🔭🪁🧵🪔", id="twelve pictures"),
        pytest.param("kata " * 20 + "penutup yang lain", id="a long one that repeats and ends"),
        pytest.param("x7#Kq0!mZ2pL", id="what a manager makes"),
        pytest.param("dragon monkey shadow lamp", id="several common words"),
        pytest.param("pencatatan sipil mulai pagi", id="words of every office"),
        pytest.param("hujan " * 85 + "ah", id="512 characters"),
    ],
)
def test_nothing_else_is_asked_of_a_password(password: str) -> None:
    assert len(password) <= 512
    assert password_problem(password, COMMON, own=OWN, office=OFFICE) is None


def test_the_list_is_longer_than_three_thousand_and_each_of_it_is_refused() -> None:
    assert len(COMMON) > 10_000
    long = [word for word in COMMON if len(word) >= 12]
    assert len(long) > 200
    assert [word for word in COMMON if password_problem(word, COMMON) is None] == []
    assert [word for word in COMMON if password_problem(word.upper(), COMMON) is None] == []


def test_short_words_of_a_name_are_parts_of_too_many_others() -> None:
    assert words_of(["ani", "Sri Adi", "a.n.i@contoh.id"]) == []
    assert words_of(OWN) == ["rudi", "hartono", "wibowo"]


def test_an_office_is_told_by_its_own_words() -> None:
    assert office_words(OFFICE) == ["batang", "aduanonline", "dukcapil"]
    assert office_words([]) == ["aduanonline", "dukcapil"]
