"""Papers printed together: one PDF, one answer each, shared time, and nothing counted twice."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta

import pikepdf
import pypdfium2
import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import PrintBatch, PrintRun
from app.services.actor import Actor
from app.services.blanks import line_of
from app.services.documents import read_file
from app.services.facts import signed_document
from app.services.print_answers import Answer, put_away
from app.services.print_files import combined
from app.services.printing import (
    MOST_PAPERS,
    batch_of,
    papers_to_print,
    start_batch,
)
from app.services.storage import Store
from app.sop.errors import NotAllowedError, NotFoundError, RefusedError
from tests.support.blanks import card_case, leave, paper, stock_of
from tests.support.cases import CaseMaker
from tests.support.printing import GOOD, MONDAY, Printer, after, letter_case


def pages(data: bytes) -> list[bytes]:
    """The content of each page."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        found = []
        for page in pdf.pages:
            page.contents_coalesce()
            found.append(page.Contents.read_bytes())
        return found


def words(data: bytes) -> str:
    """The text that belongs to the pages themselves."""
    with pypdfium2.PdfDocument(data) as pdf:
        return " ".join(page.get_textpage().get_text_bounded() for page in pdf)


@pytest.mark.pooled
@pytest.mark.both
def test_all_good_in_one_go_moves_every_case_on(make_case: CaseMaker, printer: Printer) -> None:
    early = MONDAY - timedelta(days=3)
    cases = [letter_case(make_case), card_case(make_case, at=early), letter_case(make_case)]
    batch = printer.batch(*cases)
    assert sorted(printer.waiting()) == [case.id for case in cases], (
        "not before it is known how it came"
    )
    done = printer.answer(batch, GOOD, GOOD, GOOD)
    assert (done.counted, len(done.moved), done.refused) == (3, 3, [])
    assert [case.step_key for case in cases] == ["dispatch"] * 3
    assert batch.closed_at == after(10)
    assert printer.waiting() == []


@pytest.mark.both
def test_a_spoiled_print_is_counted_and_stays(
    make_case: CaseMaker, printer: Printer, session: Session
) -> None:
    good, bad = letter_case(make_case), letter_case(make_case)
    batch = printer.batch(good, bad)
    done = printer.answer(batch, GOOD, Answer("spoiled", "tinta habis"))
    assert (done.counted, done.moved) == (2, [good.number])
    assert (good.step_key, bad.step_key) == ("dispatch", "printing")
    assert printer.waiting() == [bad.id]
    again = printer.batch(bad, opened=20)
    assert printer.answer(again, GOOD, now=22).moved == [bad.number]
    runs = session.scalars(select(PrintRun).where(PrintRun.output_id == bad.outputs[0].id)).all()
    assert [(run.number, run.result, run.reason) for run in runs] == [
        (1, "spoiled", "tinta habis"),
        (2, "good", ""),
    ]


def test_a_case_moves_only_when_all_its_papers_are_well(
    make_case: CaseMaker, printer: Printer
) -> None:
    case = make_case("printing", at=MONDAY - timedelta(days=3))  # a family card and a KTP-el
    batch = printer.batch(case)
    assert printer.answer(batch, GOOD).moved == []
    assert (case.step_key, batch.closed_at) == ("printing", None)
    assert printer.answer(batch, GOOD, GOOD, now=12).moved == [case.number]
    assert batch.closed_at == after(12)


def test_the_time_is_shared_among_the_cases(make_case: CaseMaker, printer: Printer) -> None:
    cases = [letter_case(make_case) for _ in range(3)]
    printer.answer(printer.batch(*cases), GOOD, GOOD, GOOD, now=100 / 60)
    runs = [next(run for run in case.runs if run.step_key == "printing") for case in cases]
    assert sorted(run.work_seconds or 0 for run in runs) == [33, 33, 34]
    assert {run.batch_size for run in runs} == {3}


def test_a_second_answer_counts_only_the_time_since_the_first(
    make_case: CaseMaker, printer: Printer
) -> None:
    first, second = letter_case(make_case), letter_case(make_case)
    batch = printer.batch(first, second)
    printer.answer(batch, GOOD, now=4)
    printer.answer(batch, GOOD, GOOD, now=7)
    works = [next(r for r in c.runs if r.step_key == "printing") for c in (first, second)]
    assert [run.work_seconds for run in works] == [4 * 60, 3 * 60]


# --- the PDF ---


def test_one_pdf_in_the_order_in_which_the_cases_came(
    make_case: CaseMaker, printer: Printer, store: Store
) -> None:
    late, early = letter_case(make_case), letter_case(make_case)
    make_case.session.commit()
    batch = printer.batch(early, late)
    assert [item.complaint_id for item in batch.items] == [late.id, early.id]
    documents = [item.document for item in batch.items if item.document]
    before = [read_file(store, document) for document in documents]
    made = pages(combined(store, documents))
    alone = [page for data in before for page in pages(data)]
    assert len(made) == len(alone)
    for page, original in zip(made, alone, strict=True):
        assert original.strip() in page
    starts = [item.first_page for item in batch.items]
    assert starts == [1, 1 + len(pages(before[0]))]
    after_ = [read_file(store, document) for document in documents]
    assert [hashlib.sha256(data).digest() for data in after_] == [
        hashlib.sha256(data).digest() for data in before
    ]


def test_the_stamp_of_a_signature_is_printed(make_case: CaseMaker, store: Store) -> None:
    """A stamp is a form field; copied without its form, some viewers would not print it."""
    document = signed_document(letter_case(make_case).outputs[0])
    assert document is not None
    assert "Kepala Contoh" not in words(read_file(store, document)), "it is no part of the page"
    assert "Kepala Contoh" in words(combined(store, [document]))


def test_a_damaged_file_is_left_out_and_named(
    make_case: CaseMaker, printer: Printer, store: Store
) -> None:
    good, bad = letter_case(make_case), letter_case(make_case)
    document = signed_document(bad.outputs[0])
    assert document is not None
    store.delete(document.storage_key)
    started = printer.start(good, bad)
    assert [error.code for error in started.refused] == ["print_file_damaged"]
    assert started.batch is not None
    assert [item.complaint_id for item in started.batch.items] == [good.id]


# --- refusals ---


def test_a_batch_never_promises_one_card_twice(
    make_case: CaseMaker, printer: Printer, session: Session
) -> None:
    first, second, third = (card_case(make_case) for _ in range(3))
    leave(session, 2)
    started = printer.start(third, second, first)
    assert started.batch is not None
    assert [item.complaint_id for item in started.batch.items] == [first.id, second.id]
    assert [error.code for error in started.refused] == ["blank_for_others"]
    stock = stock_of(session)
    assert stock.balance == 2, "booked when it is known how they came out"
    assert line_of(session, stock.id) == [paper(session, third).id]


@pytest.mark.both
def test_of_two_batches_with_the_last_card_one_is_counted(
    make_case: CaseMaker, printer: Printer, session: Session
) -> None:
    mine, other = card_case(make_case), card_case(make_case)
    leave(session, 1)
    batches = [printer.batch(mine), printer.batch(other, who="operator2")]
    assert printer.answer(batches[0], GOOD).moved == [mine.number]
    done = printer.answer(batches[1], GOOD, who="operator2")
    assert [(number, error.code) for number, error in done.refused] == [
        (other.number, "blank_gone")
    ]
    assert (other.step_key, batches[1].closed_at) == ("printing", None)
    stock = stock_of(session)
    assert (stock.balance, line_of(session, stock.id)) == (0, [paper(session, other).id])


def test_a_paper_that_a_colleague_has_answered_is_not_counted_again(
    make_case: CaseMaker, printer: Printer, session: Session
) -> None:
    case = letter_case(make_case)
    mine, other = printer.batch(case), printer.batch(case, who="operator2")
    assert printer.answer(other, GOOD, who="operator2").moved == [case.number]
    done = printer.answer(mine, GOOD)
    assert (done.counted, len(done.earlier), done.refused) == (0, 1, [])
    assert mine.closed_at is not None
    assert len(session.scalars(select(PrintRun)).all()) == 1


def test_two_windows_count_a_spoiled_print_once(
    make_case: CaseMaker,
    printer: Printer,
    session: Session,
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second window answers after this one has read the batch."""
    batch = printer.batch(letter_case(make_case), letter_case(make_case))
    officer, key = printer.actor("operator"), batch.id
    assert [item.run_id for item in batch.items] == [None, None]
    with monkeypatch.context() as patched:
        patched.setattr(session, "expire_on_commit", False)
        session.commit()  # this window goes on with what it has read
    with app.app_context():
        other = Printer(db.session(), printer.office, printer.store, lambda who: officer)
        same = db.session.get_one(PrintBatch, key)
        assert other.answer(same, Answer("spoiled", "kertas macet")).counted == 1
    done = printer.answer(batch, Answer("spoiled", "kertas macet"))
    assert done.counted == 0
    assert len(session.scalars(select(PrintRun)).all()) == 1


def test_a_print_of_a_case_that_moved_away_is_not_counted(
    make_case: CaseMaker, printer: Printer, session: Session
) -> None:
    case = letter_case(make_case)
    batch = printer.batch(case)
    case.outputs[0].dropped_at = after(3)
    session.commit()
    done = printer.answer(batch, GOOD)
    assert [error.code for _number, error in done.refused] == ["print_paper_gone"]
    assert session.scalars(select(PrintRun)).all() == []
    put_away(session, batch, printer.actor("operator"), now=after(12))
    with pytest.raises(RefusedError, match="print_batch_closed"):
        printer.answer(batch, GOOD)


@pytest.mark.parametrize("answer", [Answer("spoiled", "  "), Answer("fine")])
def test_an_answer_without_sense_counts_nothing(
    make_case: CaseMaker, printer: Printer, session: Session, answer: Answer
) -> None:
    case = letter_case(make_case)
    done = printer.answer(printer.batch(case), answer)
    assert [error.code for _number, error in done.refused] == [
        "spoiled_needs_reason" if answer.result == "spoiled" else "print_result_unknown"
    ]
    assert session.scalars(select(PrintRun)).all() == []


def test_what_cannot_be_chosen(make_case: CaseMaker, printer: Printer) -> None:
    early, printed = make_case("signing", category="KK"), make_case("dispatch", category="KK")
    started = printer.start(early, printed)
    assert (started.batch, [error.code for error in started.refused]) == (
        None,
        ["not_to_be_printed"],
    )
    with pytest.raises(RefusedError, match="nothing_to_print"):
        printer.start()


def test_a_batch_has_a_largest_size(printer: Printer) -> None:
    with pytest.raises(RefusedError, match="too_much_to_print"):
        start_batch(
            printer.session,
            printer.office.sop,
            printer.store,
            range(1, MOST_PAPERS + 2),
            printer.actor("operator"),
            now=MONDAY,
            opened_at=MONDAY,
        )


@pytest.mark.parametrize("officer", ["petugas", "subkoordinator", "kepala", "kabid", "admin"])
def test_printing_asks_for_its_permission(
    make_case: CaseMaker, printer: Printer, officer: str
) -> None:
    case = letter_case(make_case)
    with pytest.raises(NotAllowedError):
        printer.start(case, who=officer)
    with pytest.raises(NotAllowedError):
        printer.answer(printer.batch(case), GOOD, who=officer)


def test_a_confidential_case_is_not_there_for_who_may_not_know(
    make_case: CaseMaker, printer: Printer, session: Session
) -> None:
    case = letter_case(make_case)
    batch = printer.batch(case)
    case.confidential = True
    session.commit()
    whole = printer.actor("operator")
    blind = Actor(whole.id, whole.name, whole.permissions - {("see_confidential", "Complaint")})
    assert papers_to_print(session, printer.office.sop, blind) == []
    with pytest.raises(NotFoundError):
        batch_of(session, blind, batch.public_id)
    assert batch_of(session, whole, batch.public_id) is batch


def test_a_batch_is_its_maker_s(make_case: CaseMaker, printer: Printer, session: Session) -> None:
    batch = printer.batch(letter_case(make_case))
    with pytest.raises(NotFoundError):
        batch_of(session, printer.actor("operator2"), batch.public_id)
