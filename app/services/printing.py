"""Step 5 in batches: what waits to be printed, papers sent to the printer together, how they came.

Which steps print is said by the SOP file: those with a transition of the effect `record_printed`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.models import (
    BlankStock,
    CaseOutput,
    Complaint,
    Document,
    PrintBatch,
    PrintBatchItem,
    PrintRun,
)
from app.services.actor import Actor
from app.services.blanks import (
    NoBlankError,
    Turn,
    line_of,
    lines,
    lock_stock,
    require_turn,
    stand_in_line,
    turn_of,
)
from app.services.documents import DamagedFileError
from app.services.facts import signed_document
from app.services.print_files import page_count
from app.services.storage import Store
from app.services.visibility import ensure_visible, visible_cases
from app.sop.definition import Sop, Transition
from app.sop.errors import NotFoundError, RefusedError, SopError
from app.sop.text import N_

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "nothing_to_print": N_("Choose at least one document to print."),
    "too_much_to_print": N_("Choose fewer documents: at most %(most)s at once, %(size)s MB."),
    "not_to_be_printed": N_("%(count)s of the chosen documents no longer wait to be printed."),
    "print_unsigned": N_("%(label)s has no signed file to print."),
    "print_paper_gone": N_(
        "%(label)s was withdrawn from the case, or the case has begun anew: this print no longer"
        " counts."
    ),
    "print_case_moved": N_("The case of %(label)s is at %(step)s now; this print was not counted."),
    "reprint_reason_missing": N_("Say why %(label)s is printed once more."),
    "reprint_before_print": N_("%(label)s has not been printed yet; print it in the usual way."),
    "print_batch_closed": N_("This batch is finished already."),
    "print_file_damaged": N_("The file of %(label)s is damaged or missing; it was left out."),
}
VIEW: Final = "Printing"
#: Papers in one batch, and the bytes of their files: what a printer and a browser still take.
MOST_PAPERS: Final = 50
MOST_BYTES: Final = 100 * 1024 * 1024
#: The page shows no more papers than this; the rest come up as these are printed.
MOST_SHOWN: Final = 200


@dataclass(frozen=True)
class WaitingPaper:
    """One paper that is to be printed, and what stands in its way."""

    output: CaseOutput
    document: Document | None
    #: For a paper on a blank card.
    turn: Turn | None
    #: Somebody has it in a batch that was not answered yet.
    in_batch: PrintBatch | None = None

    @property
    def ready(self) -> bool:
        """Whether it can go to the printer now."""
        unsigned = self.output.kind.needs_signature and self.document is None
        return not unsigned and (self.turn is None or self.turn.may_print)


@dataclass
class Started:
    """What became of the chosen papers."""

    batch: PrintBatch | None = None
    refused: list[SopError] = field(default_factory=list)


def print_moves(sop: Sop) -> dict[str, Transition]:
    """The transition that confirms the prints, by the step from which it leads."""
    return {move.source: move for move in sop.transitions if move.effect == "record_printed"}


def papers_to_print(session: Session, sop: Sop, actor: Actor) -> list[WaitingPaper]:
    """What waits to be printed, in the order in which the cases came to this step."""
    outputs = session.scalars(_to_print(sop, actor).limit(MOST_SHOWN)).all()
    stocks = {row.id: row for row in session.scalars(select(BlankStock))}
    queues = lines(session)
    batches = _open_batches(session, [output.id for output in outputs])
    found = []
    for output in outputs:
        blank_id = output.kind.blank_id
        turn = None
        if blank_id is not None:
            turn = turn_of(stocks[blank_id], queues.get(blank_id, []), output.id)
        found.append(WaitingPaper(output, signed_document(output), turn, batches.get(output.id)))
    return found


def open_batches(session: Session, actor: Actor) -> list[PrintBatch]:
    """The actor's batches that still want an answer, the latest first."""
    return list(
        session.scalars(
            select(PrintBatch)
            .where(PrintBatch.user_id == actor.id, PrintBatch.closed_at.is_(None))
            .options(selectinload(PrintBatch.items))
            .order_by(PrintBatch.id.desc())
            .limit(20)
        )
    )


def batch_of(session: Session, actor: Actor, public_id: str) -> PrintBatch:
    """The actor's own batch, with everything its page shows.

    Raises:
        NotFoundError: there is none, it is a colleague's, or one of its cases is not his to see.
    """
    actor.require("can_print", VIEW)
    batch = session.scalars(
        select(PrintBatch)
        .where(PrintBatch.public_id == public_id, PrintBatch.user_id == actor.id)
        .options(
            selectinload(PrintBatch.items).options(
                joinedload(PrintBatchItem.complaint),
                joinedload(PrintBatchItem.output).selectinload(CaseOutput.prints),
                joinedload(PrintBatchItem.document),
                joinedload(PrintBatchItem.run),
            )
        )
    ).one_or_none()
    if batch is None:
        raise NotFoundError("print_batch", public_id)
    for item in batch.items:
        ensure_visible(actor, item.complaint)
    return batch


def start_batch(
    session: Session,
    sop: Sop,
    store: Store,
    output_ids: Iterable[int],
    actor: Actor,
    *,
    now: datetime,
    opened_at: datetime,
) -> Started:
    """Send the chosen papers to the printer together, in the order in which their cases came.

    A paper for which there is no blank card takes its place in the line instead; one that cannot
    be printed is left out and named. Flushes; the caller commits.

    Raises:
        NotAllowedError: the actor may not print.
        RefusedError: nothing was chosen, or too much.
    """
    actor.require("can_print", VIEW)
    wanted = set(output_ids)
    if not wanted:
        raise RefusedError("nothing_to_print")
    refuse_too_much(len(wanted), 0)
    outputs = session.scalars(_to_print(sop, actor).where(CaseOutput.id.in_(wanted))).all()
    started = Started()
    chosen = []
    pages: dict[int, int] = {}
    for output in outputs:
        try:
            pages[output.id] = _printable(store, output)
        except RefusedError as error:
            started.refused.append(error)
    # The files are read: only from here on does anybody else wait for the stocks.
    cards = _Cards(lock_stock(session), lines(session))
    for output in cards.in_turn([output for output in outputs if output.id in pages]):
        try:
            cards.take(output)
        except NoBlankError as error:
            cards.join_line(error)
            stand_in_line(session, error.blank_id, error.output_id, error.complaint_id, now)
            started.refused.append(error)
        else:
            chosen.append((output, pages[output.id]))
    if gone := len(wanted) - len(outputs):
        started.refused.append(RefusedError("not_to_be_printed", count=gone))
    order = {output.id: place for place, output in enumerate(outputs)}
    chosen.sort(key=lambda pair: order[pair[0].id])
    if chosen:
        started.batch = _new_batch(session, chosen, actor, now, opened_at)
    return started


def start_reprint(
    session: Session,
    store: Store,
    output: CaseOutput,
    reason: str,
    actor: Actor,
    *,
    now: datetime,
    opened_at: datetime,
) -> PrintBatch:
    """Print a paper once more, for a reason, wherever its case stands, a finished one too.

    Raises:
        NotAllowedError, NotFoundError: not his to reprint, or not his to know of.
        RefusedError: no reason, never printed yet, withdrawn, or without its signed file.
        NoBlankError: it is printed on a card and there is none for it.
    """
    actor.require("can_reprint", VIEW)
    ensure_visible(actor, output.complaint)
    if output.dropped_at is not None or output.round != output.complaint.round:
        raise RefusedError("print_paper_gone", label=str(output))
    if not reason.strip():
        raise RefusedError("reprint_reason_missing", label=str(output))
    if not output.prints:
        raise RefusedError("reprint_before_print", label=str(output))
    pages = _printable(store, output)
    if output.kind.blank_id is not None:
        stock = lock_stock(session)[output.kind.blank_id]
        require_turn(turn_of(stock, line_of(session, stock.id), output.id), output)
    return _new_batch(session, [(output, pages)], actor, now, opened_at, reason.strip()[:200])


def _to_print(sop: Sop, actor: Actor) -> Select[CaseOutput]:
    latest = (
        select(PrintRun.result)
        .where(PrintRun.output_id == CaseOutput.id)
        .order_by(PrintRun.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(CaseOutput)
        .join(Complaint, Complaint.id == CaseOutput.complaint_id)
        .where(
            Complaint.step_key.in_(print_moves(sop)),
            CaseOutput.round == Complaint.round,
            CaseOutput.dropped_at.is_(None),
            func.coalesce(latest, "") != "good",
            visible_cases(actor),
        )
        .options(
            joinedload(CaseOutput.complaint),
            selectinload(CaseOutput.documents),
            selectinload(CaseOutput.prints),
        )
        .order_by(Complaint.step_since, Complaint.id, CaseOutput.id)
        .execution_options(populate_existing=True)
    )


def _open_batches(session: Session, output_ids: Sequence[int]) -> dict[int, PrintBatch]:
    """The unanswered batch in which a paper is, the latest one."""
    rows = session.execute(
        select(PrintBatchItem.output_id, PrintBatch)
        .join(PrintBatch, PrintBatch.id == PrintBatchItem.batch_id)
        .where(
            PrintBatchItem.output_id.in_(output_ids),
            PrintBatchItem.run_id.is_(None),
            PrintBatch.closed_at.is_(None),
        )
        .options(joinedload(PrintBatch.user))
        .order_by(PrintBatch.id)
    )
    return {row[0]: row[1] for row in rows}


def _printable(store: Store, output: CaseOutput) -> int:
    """The pages of the signed file; 0 for a card, which another program prints."""
    document = signed_document(output)
    if document is None:
        if output.kind.needs_signature:
            raise RefusedError("print_unsigned", label=str(output))
        return 0
    try:
        return page_count(store, document)
    except DamagedFileError:
        raise RefusedError("print_file_damaged", label=str(output)) from None


class _Cards:
    """The cards as they will be when the chosen papers have theirs: two never share the last."""

    def __init__(self, stocks: Mapping[int, BlankStock], waiting: dict[int, list[int]]) -> None:
        self.stocks, self.waiting = stocks, waiting
        self.promised: dict[int, int] = {}

    def in_turn(self, outputs: Sequence[CaseOutput]) -> list[CaseOutput]:
        """Those in line first, in its order; then as the cases came."""
        place = {
            output_id: number
            for queue in self.waiting.values()
            for number, output_id in enumerate(queue)
        }
        return sorted(outputs, key=lambda output: place.get(output.id, len(place)))

    def take(self, output: CaseOutput) -> None:
        """Promise a card to a paper that is printed on one.

        Raises:
            NoBlankError: it is not its turn.
        """
        blank_id = output.kind.blank_id
        if blank_id is None:
            return
        queue, promised = self.waiting.setdefault(blank_id, []), self.promised.get(blank_id, 0)
        stock = self.stocks[blank_id]
        require_turn(turn_of(stock, queue, output.id, promised=promised), output)
        self.promised[blank_id] = promised + 1
        if output.id in queue:
            queue.remove(output.id)

    def join_line(self, error: NoBlankError) -> None:
        """A refused paper stands in line before the next one is looked at."""
        queue = self.waiting.setdefault(error.blank_id, [])
        if error.output_id not in queue:
            queue.append(error.output_id)


def _new_batch(
    session: Session,
    papers: Sequence[tuple[CaseOutput, int]],
    actor: Actor,
    now: datetime,
    opened_at: datetime,
    reprint_reason: str = "",
) -> PrintBatch:
    """The batch of these papers with their pages in one file."""
    documents = [signed_document(output) for output, _pages in papers]
    refuse_too_much(len(papers), sum(document.size for document in documents if document))
    batch = PrintBatch(
        public_id=secrets.token_urlsafe(16),
        user_id=actor.id or 0,
        opened_at=min(opened_at, now),
        made_at=now,
    )
    page = 1
    for position, ((output, pages), document) in enumerate(zip(papers, documents, strict=True), 1):
        batch.items.append(
            PrintBatchItem(
                position=position,
                complaint_id=output.complaint_id,
                output_id=output.id,
                document_id=document.id if document else None,
                first_page=page if pages else None,
                reprint_reason=reprint_reason,
            )
        )
        page += pages
    session.add(batch)
    session.flush()
    return batch


def refuse_too_much(papers: int, size: int) -> None:
    """A batch is no larger than a printer and a browser take at once.

    Raises:
        RefusedError: it is.
    """
    if papers > MOST_PAPERS or size > MOST_BYTES:
        raise RefusedError("too_much_to_print", most=MOST_PAPERS, size=MOST_BYTES // 1024**2)
