"""Dates, numbers and words as Indonesian papers write them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.services.papers import words
from app.views.forms.work_siak import DATA


@pytest.mark.parametrize(
    ("number", "spelled"),
    [
        (0, "nol"),
        (1, "satu"),
        (10, "sepuluh"),
        (11, "sebelas"),
        (17, "tujuh belas"),
        (20, "dua puluh"),
        (99, "sembilan puluh sembilan"),
        (100, "seratus"),
        (111, "seratus sebelas"),
        (250, "dua ratus lima puluh"),
        (1000, "seribu"),
        (1001, "seribu satu"),
        (2500, "dua ribu lima ratus"),
        (100_000, "seratus ribu"),
        (
            999_999,
            "sembilan ratus sembilan puluh sembilan ribu sembilan ratus sembilan puluh sembilan",
        ),
    ],
)
def test_a_number_in_words(number, spelled) -> None:
    assert words.in_words(number) == spelled


def test_a_moment_is_the_offices_wall_clock() -> None:
    late = datetime(2026, 11, 22, 17, 5, tzinfo=UTC)  # five past midnight in Batang
    assert words.moment(late) == "23 November 2026 pukul 00.05 WIB"
    assert words.long_day(late) == "Senin, 23 November 2026"
    assert words.day(date(2026, 5, 1)) == "1 Mei 2026"


@pytest.mark.parametrize(
    ("government", "place"),
    [
        ("Pemerintah Kabupaten Batang", "Batang"),
        ("Pemerintah Kota Pekalongan", "Pekalongan"),
        ("Kabupaten Lombok Barat", "Lombok Barat"),
        ("", ""),
    ],
)
def test_where_the_office_stands(government, place) -> None:
    assert words.place_of(government) == place


def test_an_endless_word_may_be_broken_and_no_letter_is_lost() -> None:
    word = "x" * 100
    assert words.breakable(word).replace("\u200b", "") == word
    assert max(map(len, words.breakable(word).split("\u200b"))) <= 28
    assert words.breakable("Jalan Raya Nomor 1") == "Jalan Raya Nomor 1"


def test_a_long_text_ends_at_a_word() -> None:
    assert words.shortened("satu dua tiga", 10) == "satu dua …"
    assert words.shortened("satu  dua\ntiga", 20) == "satu dua tiga"


def test_every_difference_that_can_be_ticked_has_its_word_on_paper() -> None:
    assert {key for key, _label in DATA} <= set(words.DATA)
