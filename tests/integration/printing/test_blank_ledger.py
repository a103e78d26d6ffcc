"""A card is booked with its print, none is booked twice, and who waited first is served first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import BlankEntry, BlankWait, Complaint, PrintRun
from app.services.actor import Actor
from app.services.batch import apply_batch
from app.services.blank_pace import Pace, paces
from app.services.blanks import (
    MOST_CARDS,
    NoBlankError,
    book,
    line_of,
    note_waiting,
    waiting_papers,
)
from app.services.casework import OutputInput, name_outputs
from app.services.prints import record_print
from app.services.transitions import Office, apply_transition
from app.sop.errors import NotAllowedError, RefusedError
from tests.support.blanks import KTP, card_case, leave, ledger_sum, paper, stock_of
from tests.support.cases import CaseMaker

ActorOf = Callable[[str], Actor]
NOW = datetime.now(UTC)


@pytest.fixture
def print_card(session: Session, actor: ActorOf) -> Callable[..., PrintRun]:
    """Print the card of a case; a refusal is rolled back as a page does it, and keeps its place."""

    def run(case: Complaint, result: str = "good", **more: Any) -> PrintRun:
        reason = "macet" if result == "spoiled" else ""
        try:
            made = record_print(
                session,
                case,
                paper(session, case),
                result,
                actor("operator"),
                now=NOW,
                reason=reason,
                **more,
            )
        except NoBlankError as error:
            session.rollback()
            note_waiting(session, error, now=datetime.now(UTC))
            session.commit()
            raise
        session.commit()
        return made

    return run


def waiting(session: Session) -> list[int]:
    """The cases in the line of the KTP-el card."""
    line = line_of(session, stock_of(session).id)
    waits = {w.output_id: w.complaint_id for w in session.scalars(select(BlankWait))}
    return [waits[output_id] for output_id in line]


@pytest.mark.both
def test_a_spoiled_and_a_good_print_take_a_card_each(
    make_case: CaseMaker, session: Session, print_card: Callable[..., PrintRun]
) -> None:
    case = card_case(make_case)
    leave(session, 5)
    runs = [print_card(case, "spoiled"), print_card(case)]
    stock = stock_of(session)
    assert stock.balance == 3
    assert ledger_sum(session, stock) == 3
    lines = session.scalars(select(BlankEntry).where(BlankEntry.run_id.is_not(None))).all()
    assert [(e.kind, e.quantity, e.run_id) for e in lines] == [
        ("spoiled", -1, runs[0].id),
        ("used", -1, runs[1].id),
    ]
    assert [run.number for run in runs] == [1, 2]


@pytest.mark.both
def test_without_a_card_nothing_is_printed_and_the_paper_stands_in_line(
    make_case: CaseMaker, session: Session, print_card: Callable[..., PrintRun]
) -> None:
    case = card_case(make_case)
    leave(session, 0)
    with pytest.raises(NoBlankError) as refused:
        print_card(case)
    assert (refused.value.code, refused.value.params["place"]) == ("blank_gone", 1)
    assert session.scalars(select(PrintRun)).all() == []
    assert stock_of(session).balance == 0
    assert waiting(session) == [case.id]
    with pytest.raises(NoBlankError):
        print_card(case)
    assert waiting(session) == [case.id], "asking again is no second place"


@pytest.mark.both
def test_later_papers_never_overtake_earlier_ones(
    make_case: CaseMaker, session: Session, actor: ActorOf, print_card: Callable[..., PrintRun]
) -> None:
    first, second, third = (card_case(make_case) for _ in range(3))
    leave(session, 0)
    for case in (first, second):
        with pytest.raises(NoBlankError):
            print_card(case)
    book(session, stock_of(session), "received", 1, actor("operator"), now=NOW)
    session.commit()
    for case, place in ((second, 2), (third, 3)):
        with pytest.raises(NoBlankError) as refused:
            print_card(case)
        assert (refused.value.code, refused.value.params["place"]) == ("blank_for_others", place)
    assert waiting(session) == [first.id, second.id, third.id]
    assert print_card(first).result == "good"
    assert waiting(session) == [second.id, third.id]
    book(session, stock_of(session), "received", 2, actor("operator"), now=NOW)
    session.commit()
    print_card(third)
    assert waiting(session) == [second.id], "its card is still there"
    print_card(second)
    assert (stock_of(session).balance, waiting(session)) == (0, [])


def test_a_closed_case_leaves_the_line(
    make_case: CaseMaker, session: Session, print_card: Callable[..., PrintRun]
) -> None:
    """Sent back from the printer and then withdrawn: nobody is kept waiting by it."""
    withdrawn, other = card_case(make_case), card_case(make_case)
    leave(session, 0)
    for case in (withdrawn, other):
        with pytest.raises(NoBlankError):
            print_card(case)
    assert waiting(session) == [withdrawn.id, other.id]
    session.execute(
        update(Complaint)
        .where(Complaint.id == withdrawn.id)
        .values(step_key="withdrawn", closed_at=datetime.now(UTC))
    )
    session.commit()
    assert waiting(session) == [other.id]
    leave(session, 1)
    assert print_card(other).result == "good"


def test_the_line_is_read_in_one_statement(
    make_case: CaseMaker,
    session: Session,
    print_card: Callable[..., PrintRun],
    sql_count: Callable[..., Any],
) -> None:
    cases = [card_case(make_case) for _ in range(3)]
    leave(session, 0)
    for case in cases:
        with pytest.raises(NoBlankError):
            print_card(case)
    key, numbers = stock_of(session).id, [case.number for case in cases]
    session.expire_all()
    with sql_count() as statements:
        line = waiting_papers(session, key)
        assert [wait.complaint.number for wait in line] == numbers
        assert all(str(wait.output) for wait in line)
    assert len(statements) == 1, statements


def test_a_spoiled_card_keeps_its_place(
    make_case: CaseMaker, session: Session, print_card: Callable[..., PrintRun]
) -> None:
    first, second = card_case(make_case), card_case(make_case)
    leave(session, 0)
    for case in (first, second):
        with pytest.raises(NoBlankError):
            print_card(case)
    leave(session, 1)
    print_card(first, "spoiled")
    assert waiting(session) == [first.id, second.id]


def test_confirming_books_the_card(make_case: CaseMaker, session: Session) -> None:
    case = card_case(make_case)
    leave(session, 2)
    make_case.move(case, "confirm_printed")
    session.commit()
    assert (case.step_key, stock_of(session).balance) == ("dispatch", 1)


@pytest.mark.both
def test_a_batch_confirms_as_many_as_there_are_cards(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    cases = [card_case(make_case) for _ in range(3)]
    leave(session, 2)
    result = apply_batch(
        session,
        office,
        {case.id: case.version for case in cases},
        "confirm_printed",
        actor("operator"),
        now=NOW,
        opened_at=NOW,
    )
    session.commit()
    assert result.done == [case.number for case in cases[:2]]
    assert [(number, error.code) for number, error in result.refused] == [
        (cases[2].number, "blank_gone")
    ]
    assert waiting(session) == [cases[2].id]
    assert ledger_sum(session, stock_of(session)) == stock_of(session).balance == 0


def test_a_refused_confirmation_leaves_the_case_where_it_was(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf
) -> None:
    case = make_case("printing")  # a family card on paper and a KTP-el
    version = case.version
    leave(session, 0)
    with pytest.raises(NoBlankError):
        apply_transition(
            session, office, case, "confirm_printed", actor("operator"), now=datetime.now(UTC)
        )
    session.rollback()
    assert (case.step_key, case.version) == ("printing", version)
    assert session.scalars(select(PrintRun)).all() == [], "the paper that could have been printed"


def test_paper_needs_no_card(make_case: CaseMaker, session: Session, actor: ActorOf) -> None:
    case = make_case("printing", category="KK")
    leave(session, 0)
    record_print(session, case, paper(session, case), "good", actor("operator"), now=NOW)
    assert session.scalars(select(BlankEntry).where(BlankEntry.run_id.is_not(None))).all() == []


def test_a_withdrawn_paper_leaves_the_line(
    make_case: CaseMaker, session: Session, office: Office, actor: ActorOf,
    print_card: Callable[..., PrintRun],
) -> None:  # fmt: skip
    first, second = card_case(make_case), card_case(make_case)
    leave(session, 0)
    for case in (first, second):
        with pytest.raises(NoBlankError):
            print_card(case)
    kk = OutputInput(make_case.id_of(type(paper(session, first).kind), "kk_baru"))
    name_outputs(session, office, first, [kk], actor("subkoordinator"), now=NOW)
    session.commit()
    assert waiting(session) == [second.id]
    leave(session, 1)
    assert print_card(second).number == 1


# --- booking by hand ---


@pytest.mark.parametrize(
    ("kind", "quantity", "more", "code"),
    [
        pytest.param("received", 0, {}, "blank_quantity", id="nothing came in"),
        pytest.param("received", -5, {}, "blank_quantity", id="a negative delivery"),
        pytest.param("received", MOST_CARDS + 1, {}, "blank_quantity", id="a slip of the hand"),
        pytest.param("counted", -1, {"note": "?"}, "blank_count_negative", id="a negative count"),
        pytest.param("counted", 7, {}, "blank_note_missing", id="a count that differs says why"),
        pytest.param("spoiled", 1, {}, "blank_note_missing", id="damage says why"),
        pytest.param("spoiled", 11, {"note": "banjir"}, "blank_not_so_many", id="more than all"),
        pytest.param("used", 1, {}, "blank_entry_unknown", id="a print books itself"),
        pytest.param(
            "counted",
            9,
            {"note": "hilang", "seen_balance": 12},
            "blank_counted_meanwhile",
            id="a count beside an old balance",
        ),
    ],
)
def test_what_cannot_be_booked(
    session: Session, actor: ActorOf, kind: str, quantity: int, more: dict[str, Any], code: str
) -> None:
    stock = leave(session, 10)
    with pytest.raises(RefusedError) as refused:
        book(session, stock, kind, quantity, actor("operator"), now=NOW, **more)
    assert refused.value.code == code
    session.rollback()
    assert stock_of(session).balance == 10


@pytest.mark.parametrize("officer", ["petugas", "subkoordinator", "kepala", "kabid", "admin"])
def test_booking_asks_for_its_permission(session: Session, actor: ActorOf, officer: str) -> None:
    with pytest.raises(NotAllowedError):
        book(session, stock_of(session), "received", 1, actor(officer), now=NOW)


@pytest.mark.parametrize(
    ("kind", "quantity", "change"),
    [("received", 25, 25), ("counted", 8, -2), ("counted", 10, 0), ("spoiled", 3, -3)],
)
def test_a_line_by_hand(
    session: Session, actor: ActorOf, kind: str, quantity: int, change: int
) -> None:
    stock = leave(session, 10)
    entry = book(session, stock, kind, quantity, actor("operator"), now=NOW, note="catatan")
    assert (entry.quantity, entry.balance_after, entry.by_id) == (
        change,
        10 + change,
        actor("operator").id,
    )
    assert stock_of(session).balance == 10 + change == ledger_sum(session, stock)


# --- the pace ---


def test_the_pace_counts_working_days_of_the_last_thirty(session: Session, office: Office) -> None:
    stock = stock_of(session)
    monday = datetime(2026, 8, 31, 3, tzinfo=UTC)

    def went(kind: str, quantity: int, days_ago: float) -> None:
        at = monday - timedelta(days=days_ago)
        session.add(
            BlankEntry(blank_id=stock.id, kind=kind, quantity=quantity, balance_after=1, at=at)
        )

    went("received", 100, 200)
    went("used", -30, 40)  # too long ago
    went("used", -7, 10)
    went("spoiled", -3, 2)
    went("counted", -50, 1)  # a correction is no use
    session.flush()
    pace = paces(session, office.calendar, monday)[stock.id]
    days = [monday.date() - timedelta(days=n) for n in range(31)]
    working = sum(office.calendar.is_working_day(day) for day in days)
    assert (pace.gone, pace.working_days) == (10, working)
    assert pace.days_left(25) == 25 * working // 10


def test_a_young_ledger_counts_from_its_first_line(session: Session, office: Office) -> None:
    stock = stock_of(session, "blangko_kia")
    for entry in session.scalars(select(BlankEntry).where(BlankEntry.blank_id == stock.id)):
        session.delete(entry)
    monday = datetime(2026, 8, 31, 3, tzinfo=UTC)
    session.add(BlankEntry(blank_id=stock.id, kind="used", quantity=-4, balance_after=6, at=monday))
    session.flush()
    assert paces(session, office.calendar, monday)[stock.id] == Pace(4, 1)


def test_nothing_used_lasts_for_an_unknown_time() -> None:
    assert Pace(0, 20).days_left(100) is None
    assert Pace(0, 0).per_day == 0.0


def test_stock_is_named(session: Session) -> None:
    assert str(stock_of(session, KTP)) == "Blangko KTP-el"
