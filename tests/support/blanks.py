"""Blank cards in tests: cases that end with a card, and a stock of just so many."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import BlankEntry, BlankStock, CaseOutput, Complaint
from app.services.facts import current_outputs
from tests.support.cases import CaseMaker

#: A category whose cases end with a KTP-el and nothing else.
CARD_CATEGORY = "KTPEL_GANTI"
KTP = "blangko_ktp_el"


def card_case(make_case: CaseMaker, step: str = "printing", **facts: Any) -> Complaint:
    """A case whose one paper is a KTP-el."""
    return make_case(step, category=CARD_CATEGORY, **facts)


def paper(session: Session, case: Complaint, code: str = "") -> CaseOutput:
    """A paper of a case: the one of a kind, or the only one."""
    found = [o for o in current_outputs(session, case) if not code or o.kind.code == code]
    assert len(found) == 1, found
    return found[0]


def stock_of(session: Session, code: str = KTP) -> BlankStock:
    """The stock as the database has it now."""
    statement = select(BlankStock).where(BlankStock.code == code)
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def leave(session: Session, cards: int, code: str = KTP) -> BlankStock:
    """Let there be just so many cards, by a line of the ledger."""
    stock = stock_of(session, code)
    change, stock.balance = cards - stock.balance, cards
    session.add(
        BlankEntry(
            blank_id=stock.id,
            kind="counted",
            quantity=change,
            balance_after=cards,
            note="for this test",
            at=datetime.now(UTC),
        )
    )
    session.commit()
    return stock


def ledger_sum(session: Session, stock: BlankStock) -> int:
    """What the lines of the ledger add up to."""
    total = session.scalar(
        select(func.sum(BlankEntry.quantity)).where(BlankEntry.blank_id == stock.id)
    )
    return int(total or 0)
