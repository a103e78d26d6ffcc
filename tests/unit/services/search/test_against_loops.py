"""What the indexes answer is what a loop over all names finds, in the same order, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.models import Complaint
from app.services.search import rebuild
from tests.support.cases import CaseMaker
from tests.unit.services.search.conftest import NOW, Find

pytestmark = pytest.mark.both
WORDS = [
    "siti",
    "sitti",
    "sri",
    "sari",
    "susanti",
    "rahma",
    "rahmawati",
    "rahman",
    "rachman",
    "nugroho",
    "nugraha",
    "budi",
    "budhi",
    "wati",
    "wahyu",
    "yuni",
    "yani",
    "muhammad",
    "mohamad",
    "ahmad",
    "achmad",
    "dwi",
    "dewi",
    "tri",
    "putra",
    "putri",
]


@pytest.fixture
def names(make_case: CaseMaker, session: Session) -> dict[str, tuple[str, bool, int]]:
    """Number → name, whether it is closed, and how old it is in hours."""
    case = make_case("intake", checked=False, files=False)
    table = Complaint.__table__
    row = dict(session.execute(select(table).where(table.c.id == case.id)).mappings().one())
    chance = Random(4)
    found: dict[str, tuple[str, bool, int]] = {}
    rows = []
    for number in range(1, 61):
        name = " ".join(chance.sample(WORDS, chance.choice((1, 2, 2, 3)))).title()
        closed = chance.random() < 0.5
        key = f"PGD-2024-{number:06d}"
        found[key] = (name, closed, number)
        rows.append(
            {
                **row,
                "id": case.id + number,
                "number": key,
                "applicant_name": name,
                "received_at": NOW - timedelta(hours=number),
                "closed_at": NOW if closed else None,
            }
        )
    session.execute(insert(table), rows)  # type: ignore[arg-type]
    session.execute(table.update().where(table.c.id == case.id).values(applicant_name="Q"))
    rebuild(session)
    session.commit()
    return found


def typed() -> Iterator[str]:
    """Words, beginnings, parts, misspelt ones, and two of them."""
    chance = Random(5)
    for word in WORDS:
        yield word
        yield word[: chance.randint(1, len(word))]
        yield word[1:]
        at = chance.randrange(1, len(word))
        yield word[:at] + word[at + 1 :]
        yield word[:at] + chance.choice("aeiou") + word[at:]
        other = chance.choice(WORDS)
        yield f"{word} {other[:3]}"
        yield f"{other} {word}"


def grams(word: str) -> set[str]:
    padded = f"  {word} "
    return {padded[at : at + 3] for at in range(len(padded) - 2)}


def level(part: str, word: str) -> tuple[int, float] | None:
    if part == word:
        return 0, 1.0
    if word.startswith(part):
        return 1, 1.0
    if len(part) >= 3 and part in word:
        return 2, 1.0
    shared = len(grams(part) & grams(word)) / len(grams(part) | grams(word))
    return (3, shared) if len(part) >= 4 and shared >= 0.32 else None


def by_a_loop(words: str, names: dict[str, tuple[str, bool, int]]) -> list[str]:
    found = []
    parts = list(dict.fromkeys(words.split()))
    for number, (name, closed, age) in names.items():
        of_name = name.lower().split()
        best = []
        for part in parts:
            fits = [fit for word in of_name if (fit := level(part, word))]
            best.append(min(fits, key=lambda fit: (fit[0], -fit[1])) if fits else None)
        if not all(best):
            continue
        worst = max(fit[0] for fit in best if fit)
        alike = min(fit[1] for fit in best if fit)
        whole = worst == 0 and set(parts) == set(of_name)
        found.append(((worst, -round(alike, 4), not whole, closed, age), number))
    return [number for _order, number in sorted(found)]


def test_the_indexes_find_what_a_loop_finds(
    find: Find, names: dict[str, tuple[str, bool, int]]
) -> None:
    asked = sorted(set(typed()))
    assert len(asked) > 100
    different = {}
    for words in asked:
        answer = [hit.number for hit in find(words, limit=5).hits]
        expected = by_a_loop(words, names)[:5]
        if answer != expected:
            different[words] = (answer, expected)
    assert different == {}
