"""The order of likelihood, who finds what, and how much is read for it; on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.models import CaseWord, Complaint, NameWord
from app.services.actor import Actor
from app.services.search import find_cases, rebuild
from app.sop.errors import NotAllowedError
from tests.support.cases import CaseMaker
from tests.support.panel import Statements
from tests.unit.services.search.conftest import NOW, Find

pytestmark = pytest.mark.both
People = dict[str, Complaint]


def without(actor: Actor, *permissions: str) -> Actor:
    kept = {pair for pair in actor.permissions if pair[0] not in permissions}
    return Actor(actor.id, actor.name, frozenset(kept))


#: What is typed, the cases in order, why the first was found.
ANSWERS: list[tuple[str, list[str], str]] = [
    ("siti", ["siti", "rahma"], "name"),
    ("SITI", ["siti", "rahma"], "name"),
    ("siti rahmawati", ["rahma"], "name"),
    ("rahmawati siti", ["rahma"], "name"),
    ("si ra", ["rahma"], "name"),
    ("rahma", ["budi", "rahma", "ani"], "name"),  # open before finished, newest first
    ("sit", ["aini", "rahma", "siti", "jose"], "name"),  # beginnings before parts
    ("tompul", ["aini"], "name"),
    ("nur aini", ["aini"], "name"),
    ("nuraini", ["aini"], "name"),
    ("Nur'aini", ["aini"], "name"),
    ("jose", ["jose"], "name"),
    ("josé", ["jose"], "name"),
    ("sitii", ["rahma", "siti"], "similar_name"),
    ("rahmawti", ["rahma", "budi", "ani"], "similar_name"),
    ("siti budi", [], ""),
    ("xyzzy", [], ""),
    ("3325014107900007", ["siti"], "nik"),
    ("3325 0141 0790 0007", ["siti"], "nik"),
    ("33250141", [], ""),  # sealed: only the whole number is found
    ("3325010101900009", ["budi", "ani"], "kk"),  # the family, open before finished
    ("081298765432", ["rahma"], "phone"),
    ("+62 812-9876-5432", ["rahma"], "phone"),
    ("0812987", [], ""),
    ("LAPOR-77", ["aini"], "ticket"),
    ("lapor-77", ["aini"], "ticket"),
    ("jose.w", ["jose"], "handle"),
    ("@jose.w", ["jose"], "handle"),
    ("9999999999999999", [], ""),
    ("", [], ""),
]


def test_what_is_found_in_which_order(find: Find, people: People) -> None:
    names = {case.id: key for key, case in people.items()}
    answers = []
    for typed, _cases, _reason in ANSWERS:
        hits = find(typed).hits
        reason = hits[0].reason if hits else ""
        answers.append((typed, [names[hit.id] for hit in hits], reason))
    assert answers == ANSWERS


def test_a_server_without_the_extension_answers_the_same(
    find: Find, people: People, session: Session, backend: str
) -> None:
    """pg_trgm is taken away; SQLite has nothing to take away and answers as ever."""
    if backend == "postgres":
        session.execute(text("DROP EXTENSION pg_trgm CASCADE"))
        session.commit()
    names = {case.id: key for key, case in people.items()}
    answers = [[names[hit.id] for hit in find(typed).hits] for typed, *_rest in ANSWERS]
    assert answers == [cases for _typed, cases, _reason in ANSWERS]


def test_a_serial_is_this_year_s_first(find: Find, make_case: CaseMaker, session: Session) -> None:
    cases = [make_case("intake", checked=False, files=False) for _ in range(3)]
    for case, number in zip(cases, ("2024-000041", "2026-000041", "2025-000041"), strict=True):
        case.number = f"PGD-{number}"
    session.commit()
    for typed in ("41", "000041", "pgd 41"):
        assert [hit.number[4:8] for hit in find(typed).hits] == ["2026", "2025", "2024"]
    exact = find("PGD-2025-000041").hits
    assert [(hit.number, hit.exact) for hit in exact] == [("PGD-2025-000041", True)]
    assert [hit.number for hit in find("PGD-2025").hits] == ["PGD-2025-000041"]


def test_a_tracking_number_finds_its_case_from_its_beginning_on(
    find: Find, make_case: CaseMaker, session: Session
) -> None:
    case = make_case("done")
    number = case.dispatches[0].tracking_number
    for typed in (number, number.lower(), f"{number[:4]} {number[4:]}", number[:7]):
        hits = find(typed).hits
        assert (hits[0].id, hits[0].reason) == (case.id, "tracking"), typed


def test_what_fitted_is_marked(find: Find, people: People) -> None:
    def marked(typed: str) -> list[str]:
        return [piece.text for piece in find(typed).hits[0].matched if piece.marked]

    def whole(typed: str) -> str:
        return "".join(piece.text for piece in find(typed).hits[0].matched)

    assert marked("siti rahma") == ["Siti", "Rahma"]
    assert whole("siti rahma") == "Siti Rahmawati"
    assert marked("tompul") == ["tompul"]
    assert marked("nur") == ["Nur'aini"]
    assert marked("rahmawti") == ["Rahmawati"]
    assert whole("3325014107900007") == "3325••••••••0007"
    assert whole("081298765432") == "0812•••••432"
    assert marked("PGD-2026")[0] == "PGD-2026-"


def test_more_than_fit_are_said(find: Find, people: People) -> None:
    assert [len(find("rahma", limit=limit).hits) for limit in (1, 2, 3)] == [1, 2, 3]
    assert [find("rahma", limit=limit).more for limit in (1, 2, 3)] == [True, True, False]


# --- who finds what ------------------------------------------------------------------------------


def test_who_may_not_list_complaints_searches_nothing(
    session: Session, actor: Callable[[str], Actor]
) -> None:
    with pytest.raises(NotAllowedError):
        find_cases(session, actor("kabid"), "siti", now=NOW)


def test_without_see_personal_only_numbers_find(
    session: Session, actor: Callable[[str], Actor], people: People
) -> None:
    blind = without(actor("petugas"), "see_personal")
    for typed, _cases, reason in ANSWERS:
        found = find_cases(session, blind, typed, now=NOW)
        assert (len(found.hits), found.more) == ((1, False) if reason == "ticket" else (0, False))
    hit = find_cases(session, blind, people["siti"].number, now=NOW).hits[0]
    assert (hit.name, hit.nik) == ("S•••", "")


def test_a_confidential_case_is_not_even_counted(
    session: Session, actor: Callable[[str], Actor], people: People
) -> None:
    """The answer is the same as if the case did not exist, what is alike and `more` included."""
    outsider = without(actor("petugas"), "see_confidential")
    typed = [*(row[0] for row in ANSWERS), people["rahma"].number]
    session.execute(
        update(Complaint).where(Complaint.id == people["rahma"].id).values(confidential=True)
    )
    session.commit()

    def answers(limit: int) -> list[Any]:
        found = [find_cases(session, outsider, words, now=NOW, limit=limit) for words in typed]
        return [([hit.id for hit in one.hits], one.more) for one in found]

    hidden = [answers(1), answers(8)]
    assert all(people["rahma"].id not in ids for ids, _more in hidden[1])
    assert find_cases(session, actor("petugas"), "rahmawati", now=NOW).hits
    # As if it had never been: nobody of that name, no such number.
    session.execute(
        update(Complaint)
        .where(Complaint.id == people["rahma"].id)
        .values(
            number="PGD-2019-999999",
            applicant_name="Q",
            phone_digest=None,
            nik_digest=None,
            kk_digest=None,
        )
    )
    rebuild(session)
    session.commit()
    assert [answers(1), answers(8)] == hidden


# --- hostile -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "\x00", "a\x00b", "\n\n", "x" * 10_000, "9" * 10_000, '"', "*", "^", "-", "siti*", '"siti"',
        "siti OR 1", "NEAR(siti rahma)", "padded:siti", "{padded}: siti", "si%", "s_ti", "\\", "'",
        "'; DROP TABLE complaint; --", "😀😀😀", "١٢٣", "é" * 300, "PGD-", "PGD-9999-999999",
        "~abc", "+", "+62", "()()", "%" * 50, "ﷺ", "q " * 200, "\ud800",
    ],
)  # fmt: skip
def test_nothing_typed_fails_or_finds_what_it_should_not(
    find: Find, people: People, typed: str
) -> None:
    found = find(typed)
    expected = {"siti*", '"siti"', "si%", "PGD-"}
    assert bool(found.hits) is (typed in expected)


# --- the words are kept in line with the names ---------------------------------------------------


def kept(session: Session) -> set[tuple[str, int]]:
    return {(row.word, row.complaint_id) for row in session.scalars(select(CaseWord))}


def test_words_follow_the_names(find: Find, people: People, session: Session) -> None:
    case = people["rahma"]
    case.applicant_name = "Siti Kumala"
    session.commit()
    session.expire_all()
    assert {word for word, key in kept(session) if key == case.id} == {"siti", "kumala"}
    assert [hit.id for hit in find("rahmawati").hits if hit.reason == "name"] == []
    assert [hit.id for hit in find("kumala").hits] == [case.id]
    case.phone = "081200000000"  # another fact changes no word
    session.commit()
    before = kept(session), {row.word for row in session.scalars(select(NameWord))}
    rebuild(session)
    session.commit()
    session.expire_all()
    assert kept(session) == before[0]
    # A word that no name holds any more is left until the next rebuild.
    assert before[1] - {row.word for row in session.scalars(select(NameWord))} == {"rahmawati"}


# --- how much is read ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "most"),
    [
        pytest.param("PGD-2025-000100", 1, id="a number"),
        pytest.param("3325014107900100", 1, id="a NIK"),
        pytest.param("081200000100", 1, id="a telephone number"),
        pytest.param("siti", 3, id="a frequent name"),
        pytest.param("siti pam", 4, id="two frequent names"),
        pytest.param("zulaikah", 3, id="a rare name"),
        pytest.param("mungk", 5, id="part of a name"),
        pytest.param("pamunkas", 5, id="a misspelt name"),
        pytest.param("nobody", 3, id="no name"),
        pytest.param("", 0, id="nothing"),
    ],
)
def test_statements_for_an_answer(
    find: Find,
    crowd: int,
    sql_count: Callable[[], AbstractContextManager[Statements]],
    typed: str,
    most: int,
) -> None:
    find("warm up")
    with sql_count() as statements:
        found = find(typed)
    assert len(statements) <= most
    assert bool(found.hits) is (typed not in ("", "nobody"))


def plans(session: Session, statements: list[tuple[str, Any]]) -> str:
    connection = session.connection()
    lines: list[str] = []
    for statement, parameters in statements:
        if session.get_bind().dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            lines += [row[3] for row in rows]
        else:
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            lines += [row[0] for row in rows]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("typed", "indexes"),
    [
        pytest.param("PGD-2025-000100", ["number"], id="a number"),
        pytest.param("PGD-2025-0001", ["number"], id="the beginning of a number"),
        pytest.param("3325014107900100", ["ix_complaint_nik", "ix_complaint_kk"], id="NIK and KK"),
        pytest.param("081200000100", ["ix_complaint_phone"], id="a telephone number"),
        pytest.param("JX12345678", ["ix_dispatch_tracking", "ix_complaint_ticket"], id="a parcel"),
        pytest.param("@somebody", ["ix_complaint_handle"], id="an account"),
        pytest.param("siti", ["case_word", "name_word"], id="a frequent name"),
        pytest.param("siti zul", ["case_word", "name_word"], id="two names"),
        pytest.param("mungk", ["case_word", "name_word"], id="part of a name"),
    ],
)
def test_every_way_reads_an_index(
    find: Find, crowd: int, session: Session, backend: str, typed: str, indexes: list[str]
) -> None:
    """No plan reads all cases, all parcels or all words of cases."""
    from sqlalchemy import event

    seen: list[tuple[str, Any]] = []

    def note(conn: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        seen.append((statement, parameters))

    find("warm up")
    if backend == "postgres":
        session.execute(text("ANALYZE"))
        session.execute(text("SET LOCAL enable_seqscan = off"))
    bind = session.get_bind()
    event.listen(bind, "before_cursor_execute", note)
    try:
        find(typed)
    finally:
        event.remove(bind, "before_cursor_execute", note)
    plan = plans(session, [(sql, values) for sql, values in seen if sql.startswith("SELECT")])
    for index in indexes:
        assert index in plan
    big = "complaint|dispatch|case_word|c|other0"
    assert not re.search(rf"SCAN ({big})(?! USING)\b", plan), plan
    assert not re.search(r"Seq Scan on (complaint|dispatch|case_word)\b", plan), plan


def test_a_frequent_name_is_read_newest_first_and_not_sorted(
    find: Find, crowd: int, session: Session
) -> None:
    hits = find("siti").hits
    assert [hit.number for hit in hits] == [f"PGD-2025-{n:06d}" for n in range(3001, 2993, -1)]
    both = find("siti zulaikah", limit=3).hits
    assert [hit.number[-4:] for hit in both] == ["3000", "2950", "2900"]
    assert both[0].received_at - both[1].received_at == timedelta(hours=50)
