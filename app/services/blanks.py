"""Blank cards (blangko): a ledger that never goes below nothing, and a fair line of who waits.

A print on such a card books it in the same transaction. When none is left the print is refused and
the paper stands in line; cards that come in belong to the line, in its order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from app.models import (
    BlankEntry,
    BlankStock,
    BlankWait,
    CaseOutput,
    Complaint,
    DocumentKind,
    PrintRun,
)
from app.services.actor import Actor
from app.sop.errors import RefusedError, SopError
from app.sop.text import N_

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "blank_gone": N_(
        "The ledger has no %(blank)s left, so %(label)s cannot be printed. It now stands in line"
        " at place %(place)s. If there are cards in the drawer, book what came in or count them."
    ),
    "blank_for_others": N_(
        "The %(left)s × %(blank)s that are left belong to papers that came first. %(label)s stands"
        " in line at place %(place)s."
    ),
    "blank_quantity": N_("Write how many cards: a whole number above 0."),
    "blank_count_negative": N_("Write how many cards there are: 0 or more."),
    "blank_note_missing": N_("Say why: this line of the ledger needs a note."),
    "blank_not_so_many": N_("The ledger has only %(left)s left."),
    "blank_counted_meanwhile": N_(
        "The ledger moved to %(left)s while you were counting. Compare once more."
    ),
    "blank_entry_unknown": N_("Choose what happened to the cards."),
}
#: What an officer books by hand; prints book themselves.
BY_HAND: Final = ("received", "counted", "spoiled")
#: No office is sent more cards than this at once; more is a slip of the hand.
MOST_CARDS: Final = 100_000


class NoBlankError(RefusedError):
    """There is no card for this paper now; whoever rolls back keeps its place in the line."""

    def __init__(self, code: str, *, blank_id: int, output: CaseOutput, **params: Any) -> None:
        super().__init__(code, label=str(output), **params)
        self.blank_id, self.output_id, self.complaint_id = blank_id, output.id, output.complaint_id


@dataclass(frozen=True)
class Turn:
    """Whether a paper may take a card now, and where it stands (from 1) when it may not."""

    blank: BlankStock
    place: int
    may_print: bool


def lock_stock(session: Session) -> dict[int, BlankStock]:
    """All stocks with their balances of this moment, held until the transaction ends.

    Always all and in one order, so that two officers never wait for each other crosswise; a case
    is held before the stocks, never after. SQLite holds the whole database already.
    """
    session.flush()
    rows = session.scalars(
        select(BlankStock)
        .order_by(BlankStock.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


def line_of(session: Session, blank_id: int) -> list[int]:
    """The papers that wait for a card of this stock, first come first; withdrawn ones left out."""
    return list(session.scalars(_line(BlankWait.output_id).where(BlankWait.blank_id == blank_id)))


def turn_of(blank: BlankStock, line: Sequence[int], output_id: int, *, promised: int = 0) -> Turn:
    """The fair rule: in line, there are cards up to its place; else, more cards than who waits.

    `promised` cards are as good as gone: to the papers before it in the same batch.
    """
    left = blank.balance - promised
    place = line.index(output_id) + 1 if output_id in line else len(line) + 1
    return Turn(blank, place, left >= place)


def use_blank(
    session: Session, output: CaseOutput, run: PrintRun, actor: Actor, *, now: datetime
) -> BlankEntry | None:
    """Take the card of a print, good or spoiled, off its stock; None for plain paper.

    Raises:
        NoBlankError: none is left, or those that are left belong to papers that came first.
    """
    blank_id = output.kind.blank_id
    if blank_id is None:
        if run.result == "good":
            end_waits(session, [output.id], now)
        return None
    blank = lock_stock(session)[blank_id]
    require_turn(turn_of(blank, line_of(session, blank_id), output.id), output)
    if run.result == "good":
        end_waits(session, [output.id], now)
    kind = "used" if run.result == "good" else "spoiled"
    return _enter(session, blank, kind, -1, actor, now, run=run, note=run.reason)


def require_turn(turn: Turn, output: CaseOutput) -> None:
    """Go on only when it is this paper's turn.

    Raises:
        NoBlankError: it is not.
    """
    blank = turn.blank
    if not turn.may_print:
        raise NoBlankError(
            "blank_for_others" if blank.balance else "blank_gone",
            blank_id=blank.id,
            output=output,
            blank=str(blank),
            left=blank.balance,
            place=turn.place,
        )


def note_waiting(session: Session, error: SopError, *, now: datetime) -> bool:
    """After the rollback of a refusal: the paper takes its place in the line.

    Flushes; the caller commits. Answers whether there was anything to keep.
    """
    if not isinstance(error, NoBlankError):
        return False
    lock_stock(session)
    stand_in_line(session, error.blank_id, error.output_id, error.complaint_id, now)
    return True


def stand_in_line(
    session: Session, blank_id: int, output_id: int, complaint_id: int, now: datetime
) -> BlankWait:
    """Put a paper in line, once; the stocks are held by the caller."""
    wait = session.scalars(
        select(BlankWait).where(BlankWait.output_id == output_id, BlankWait.ended_at.is_(None))
    ).first()
    if wait is not None and wait.blank_id != blank_id:
        wait.ended_at, wait = now, None  # its kind is printed on another card now
        session.flush()
    if wait is None:
        wait = BlankWait(
            blank_id=blank_id, complaint_id=complaint_id, output_id=output_id, since=now
        )
        session.add(wait)
        session.flush()
    return wait


def end_waits(session: Session, output_ids: Iterable[int], now: datetime) -> None:
    """Papers that were printed well or withdrawn leave the line."""
    for wait in session.scalars(
        select(BlankWait).where(
            BlankWait.output_id.in_(list(output_ids)), BlankWait.ended_at.is_(None)
        )
    ):
        wait.ended_at = now
    session.flush()


def book(
    session: Session,
    blank: BlankStock,
    kind: str,
    quantity: int,
    actor: Actor,
    *,
    now: datetime,
    note: str = "",
    seen_balance: int | None = None,
) -> BlankEntry:
    """Book what came in, what was damaged without a print, or what a count has found.

    `quantity` is the number of cards; for a count, how many there are. A count says which balance
    the officer compared with (`seen_balance`).

    Raises:
        NotAllowedError: the actor may not book.
        RefusedError: an impossible number, no note where one is needed, or the balance moved.
    """
    actor.require("can_book", "BlankStock")
    note = note.strip()[:200]
    if kind not in BY_HAND:
        raise RefusedError("blank_entry_unknown")
    if quantity < 0 or quantity > MOST_CARDS or (kind != "counted" and quantity == 0):
        raise RefusedError("blank_count_negative" if kind == "counted" else "blank_quantity")
    blank = lock_stock(session)[blank.id]
    change = quantity if kind == "received" else -quantity
    if kind == "counted":
        if seen_balance is not None and seen_balance != blank.balance:
            raise RefusedError("blank_counted_meanwhile", left=blank.balance)
        change = quantity - blank.balance
    needs_note = kind == "spoiled" or (kind == "counted" and change != 0)
    if needs_note and not note:
        raise RefusedError("blank_note_missing")
    if blank.balance + change < 0:
        raise RefusedError("blank_not_so_many", left=blank.balance)
    return _enter(session, blank, kind, change, actor, now, note=note)


def _enter(
    session: Session,
    blank: BlankStock,
    kind: str,
    change: int,
    actor: Actor,
    now: datetime,
    *,
    run: PrintRun | None = None,
    note: str = "",
) -> BlankEntry:
    """One line of the ledger and the balance beside it; the stock is held by the caller."""
    blank.balance += change
    entry = BlankEntry(
        blank_id=blank.id,
        kind=kind,
        quantity=change,
        balance_after=blank.balance,
        run_id=run.id if run is not None else None,
        note=note,
        at=now,
        by_id=actor.id,
    )
    session.add(entry)
    session.flush()
    return entry


def _line(*columns: Any) -> Any:
    """Who really waits, in order: not what was withdrawn, is of an old round or of a closed case.

    A closed case waits only for a reprint of what it was given.
    """
    printed = exists().where(PrintRun.output_id == CaseOutput.id, PrintRun.result == "good")
    return (
        select(*columns)
        .select_from(BlankWait)
        .join(CaseOutput, CaseOutput.id == BlankWait.output_id)
        .join(DocumentKind, DocumentKind.id == CaseOutput.kind_id)
        .join(
            Complaint,
            and_(Complaint.id == CaseOutput.complaint_id, Complaint.round == CaseOutput.round),
        )
        .where(
            BlankWait.ended_at.is_(None),
            CaseOutput.dropped_at.is_(None),
            DocumentKind.blank_id == BlankWait.blank_id,
            or_(Complaint.closed_at.is_(None), printed),
        )
        .order_by(BlankWait.since, BlankWait.id)
    )


def lines(session: Session) -> dict[int, list[int]]:
    """Every line at once: the papers by stock."""
    found: dict[int, list[int]] = {}
    for blank_id, output_id in session.execute(_line(BlankWait.blank_id, BlankWait.output_id)):
        found.setdefault(blank_id, []).append(output_id)
    return found


def waiting_papers(session: Session, blank_id: int) -> list[BlankWait]:
    """The line of one stock with its papers and cases."""
    waiting = _line(BlankWait).where(BlankWait.blank_id == blank_id)
    paper = contains_eager(BlankWait.output).contains_eager(CaseOutput.kind)
    return list(session.scalars(waiting.options(contains_eager(BlankWait.complaint), paper)))


def last_entries(session: Session, blank_id: int, *, limit: int, page: int) -> list[BlankEntry]:
    """A page of the ledger, the latest line first; one more than `limit` when there are more."""
    return list(
        session.scalars(
            select(BlankEntry)
            .where(BlankEntry.blank_id == blank_id)
            .order_by(BlankEntry.id.desc())
            .limit(limit + 1)
            .offset(page * limit)
        )
    )


def totals(session: Session, blank_id: int) -> dict[str, int]:
    """What came in, was used, was spoiled and was corrected by counts, since the beginning."""
    rows = session.execute(
        select(BlankEntry.kind, func.sum(BlankEntry.quantity))
        .where(BlankEntry.blank_id == blank_id)
        .group_by(BlankEntry.kind)
    )
    return {kind: int(total) for kind, total in rows}
