"""Names as words: what is the same word, and what is like it."""

from __future__ import annotations

import pytest

from app.sop.words import name_words, similarity, trigrams


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("Siti Rahmawati", ["siti", "rahmawati"], id="words in small letters"),
        pytest.param("  SITI   rahmawati ", ["siti", "rahmawati"], id="blanks and capitals"),
        pytest.param("M.Ridwan", ["m", "ridwan"], id="a dot parts words"),
        pytest.param("Al-Amin, S.Pd", ["al", "amin", "s", "pd"], id="so do dash and comma"),
        pytest.param("Nur'aini", ["nuraini"], id="an apostrophe does not"),
        pytest.param("Ma\u2019ruf", ["maruf"], id="nor a printed one"),
        pytest.param("José Núñez", ["jose", "nunez"], id="accents do not count"),
        pytest.param("İbrahim", ["ibrahim"], id="nor those that appear in small letters"),
        pytest.param("a_b", ["a", "b"], id="an underscore is no letter"),
        pytest.param("", [], id="nothing"),
        pytest.param("•••", [], id="no letter"),
        pytest.param("x" * 90, ["x" * 40], id="a word is cut"),
        pytest.param("a " * 50, ["a"] * 12, id="and so are many"),
    ],
)
def test_words_of_a_name(name: str, words: list[str]) -> None:
    assert name_words(name) == words


def test_trigrams_are_those_of_postgresql() -> None:
    assert trigrams("siti") == {"  s", " si", "sit", "iti", "ti "}
    assert trigrams("a") == {"  a", " a "}


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        pytest.param("siti", "siti", 1, 1, id="the same"),
        pytest.param("sitti", "siti", 0.5, 0.6, id="a letter twice"),
        pytest.param("rahmawti", "rahmawati", 0.5, 0.7, id="a letter missing"),
        pytest.param("siti", "bambang", 0, 0, id="another"),
    ],
)
def test_likeness(one: str, other: str, least: float, most: float) -> None:
    assert least <= similarity(one, other) <= most
    assert similarity(one, other) == similarity(other, one)
