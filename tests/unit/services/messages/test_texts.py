"""A text names only placeholders that are known at its occasion, and is filled in line by line."""

from __future__ import annotations

import pytest

from app.services.messages.texts import (
    MEANINGS,
    OCCASIONS,
    PLACEHOLDERS,
    SAMPLES,
    fill,
    seed_problem,
    text_problems,
)


@pytest.mark.parametrize(
    ("occasion", "text", "codes"),
    [
        pytest.param("receipt", "Nomor {nomer}", ["placeholder_misspelt"], id="a misspelt one"),
        pytest.param("receipt", "{Nama}", ["placeholder_misspelt"], id="with a capital"),
        pytest.param("receipt", "{zzz}", ["placeholder_unknown"], id="like none there is"),
        pytest.param("receipt", "{resi}", ["placeholder_elsewhere"], id="of another occasion"),
        pytest.param("receipt", "{nama", ["brace_alone"], id="not closed"),
        pytest.param("receipt", "nama}", ["brace_alone"], id="not opened"),
        pytest.param("receipt", "{ nama }", ["brace_alone"], id="with blanks"),
        pytest.param("receipt", "{}", ["brace_alone"], id="empty"),
        pytest.param("receipt", "{{nama}}", ["brace_alone"], id="doubled"),
        pytest.param("receipt", "{nama.__class__}", ["placeholder_unknown"], id="no attributes"),
        pytest.param(
            "receipt",
            "{resi} {zzz} {",
            ["placeholder_elsewhere", "placeholder_unknown", "brace_alone"],
            id="all mistakes at once",
        ),
        pytest.param("finished", "{nama} {resi} {kurir}", [], id="known ones"),
        pytest.param("receipt", "tanpa tanda 100%", [], id="none at all"),
    ],
)
def test_what_is_wrong_with_a_text(occasion: str, text: str, codes: list[str]) -> None:
    assert [problem.code for problem in text_problems(occasion, text)] == codes


def test_a_misspelt_one_is_told_its_likely_name() -> None:
    (problem,) = text_problems("receipt", "{nomer}")
    assert problem.params == {"name": "nomer", "known": "nomor"}


@pytest.mark.parametrize(
    ("text", "values", "filled"),
    [
        pytest.param("Yth. {nama}", {"nama": "Sri"}, "Yth. Sri", id="filled in"),
        pytest.param(
            "Satu\nAlasan: {alasan}\nDua",
            {"alasan": " "},
            "Satu\nDua",
            id="a blank one's line goes",
        ),
        pytest.param("A\n\n{x}\n\nB", {"x": ""}, "A\n\nB", id="and leaves no gap"),
        pytest.param("{a} {b}", {"a": "{b}", "b": "2"}, "{b} 2", id="a value is not read again"),
        pytest.param("{a}", {"a": "1\n2"}, "1\n2", id="a list keeps its lines"),
        pytest.param(r"{a}", {"a": r"\1 \g<0>"}, r"\1 \g<0>", id="backslashes are just signs"),
    ],
)
def test_filling_in(text: str, values: dict[str, str], filled: str) -> None:
    assert fill(text, values) == filled


@pytest.mark.parametrize(
    "text",
    [
        "{nama.__class__}", "{nama!r}", "{nama:>9}", "{0}", "{nama[0]}", "{{nama}}", "{{7*191}}",
        "${7*191}", "#{7*191}", "%(nama)s", "%s", "{% include 'x' %}", "{{ config.SECRET_KEY }}",
        "{open('/etc/passwd').read()}", "{__import__('os').environ}", r"\\g<0>", "{SECRET_KEY}",
    ],
)  # fmt: skip
def test_asvs_b40_a_text_is_no_program(text: str) -> None:
    """Whatever came into the table: a line of it stays as it is, or is left out; nothing is read."""
    filled = fill(f"Awal\n{text}\nAkhir", {"nama": "Sri"})
    assert filled in (f"Awal\n{text}\nAkhir", "Awal\nAkhir", "Awal\n{Sri}\nAkhir")


def test_every_placeholder_is_explained_and_has_a_sample() -> None:
    used = {name for names in PLACEHOLDERS.values() for name in names}
    assert used == set(MEANINGS) == set(SAMPLES)
    assert set(PLACEHOLDERS) == set(OCCASIONS)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param(
            {"occasion": "receipt", "way": "email", "subject": "{zzz}", "body": "x"},
            "placeholder_unknown zzz",
            id="unknown in the subject",
        ),
        pytest.param(
            {"occasion": "receipt", "way": "email", "body": "x"}, "subject", id="no subject"
        ),
        pytest.param(
            {"occasion": "receipt", "way": "whatsapp", "subject": "x", "body": "x"},
            "subject",
            id="a subject too many",
        ),
        pytest.param(
            {"occasion": "receipt", "way": "whatsapp", "body": "{nama}"}, "", id="a good one"
        ),
    ],
)
def test_the_seed_file_is_held_to_the_same(values: dict[str, str], said: str) -> None:
    found = seed_problem(values)
    assert said in found
    assert bool(found) == bool(said)
