"""Printing at step 5: what waits, one PDF for the printer, and "did it print well?"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_babel import ngettext

from app.access import current_actor, current_permissions
from app.errors import error_sentence
from app.extensions import db
from app.formats import local
from app.models import CaseOutput, PrintBatch
from app.services.documents import DamagedFileError
from app.services.print_answers import Answer, Answered, answer_batch, put_away
from app.services.print_files import combined
from app.services.printing import (
    MOST_PAPERS,
    MOST_SHOWN,
    batch_of,
    open_batches,
    papers_to_print,
    start_batch,
    start_reprint,
)
from app.sop.errors import NotFoundError, RefusedError
from app.views.complaint import shown_name
from app.views.export import content_disposition
from app.views.formkeys import new_form_key, read_form_key, result_of_key, spend_form_key
from app.views.interface import MAX_ID
from app.views.office import case_office, request_time, the_sop, the_store

#: A refusal is said for each of the first papers; the page shows the others too.
_SAID: Final = 6
_LONGEST: Final = 200
#: As for a single stored PDF: the browser's viewer shows it, and nothing in it runs.
PDF_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'"
)


class PrintingView(BaseView):  # type: ignore[misc]
    """Choose papers, print them together, say how each came out."""

    route_base = "/printing"
    class_permission_name = "Printing"
    default_view = "list"

    @expose("/")
    @has_access
    def list(self) -> ResponseReturnValue:
        """What waits to be printed, and the batches that want an answer."""
        actor = current_actor()
        papers = papers_to_print(db.session(), the_sop(), actor)
        may_print = actor.can("can_print", "Printing")
        return render_template(
            "aduan/printing.html",
            title=_("Printing"),
            papers=papers,
            capped=len(papers) >= MOST_SHOWN,
            ready=sum(paper.ready for paper in papers),
            batches=open_batches(db.session(), actor),
            may_print=may_print,
            may_open=actor.can("can_show"),
            may_read=actor.can("can_download", "Document"),
            shown_name=shown_name,
            most=MOST_PAPERS,
            me=actor.id,
            form_key=new_form_key() if may_print else "",
            appbuilder=self.appbuilder,
        )

    @expose("/start", methods=["POST"])
    @has_access
    @permission_name("print")
    def start(self) -> ResponseReturnValue:
        """The chosen papers as one batch; a paper without a card takes its place in the line."""
        session = db.session()
        nonce, opened_at = read_form_key(request.form.get("form_key", ""))
        if made := result_of_key(session, nonce):
            return redirect(self._after_start(made), 303)
        started = start_batch(
            session,
            the_sop(),
            the_store(),
            [_key(text) for text in request.form.getlist("output")],
            current_actor(),
            now=request_time(),
            opened_at=opened_at,
        )
        public_id = started.batch.public_id if started.batch else "-"
        refused = [error_sentence(error) for error in started.refused]
        if not spend_form_key(session, nonce, public_id):
            return redirect(self._after_start(result_of_key(session, nonce)), 303)
        session.commit()
        _say_all(refused, "warning")
        return redirect(self._after_start(public_id), 303)

    @expose("/reprint/<pk>", methods=["POST"])
    @has_access
    @permission_name("reprint")
    def reprint(self, pk: str) -> ResponseReturnValue:
        """Print a paper once more, from the page of its case."""
        session = db.session()
        output = session.get(CaseOutput, _key(pk))
        if output is None:
            raise NotFoundError("case_output", pk)
        nonce, opened_at = read_form_key(request.form.get("form_key", ""))
        if made := result_of_key(session, nonce):
            return redirect(self._after_start(made), 303)
        batch = start_reprint(
            session,
            the_store(),
            output,
            _text(request.form.get("reason", "")),
            current_actor(),
            now=request_time(),
            opened_at=opened_at,
        )
        public_id = batch.public_id
        if spend_form_key(session, nonce, public_id):
            session.commit()
        return redirect(self._after_start(result_of_key(session, nonce)), 303)

    def _after_start(self, public_id: str) -> str:
        """A key that was spent elsewhere names no batch: back to the list."""
        if len(public_id) < 20:
            return url_for("PrintingView.list")
        if ("can_print", "Printing") not in current_permissions():
            return url_for("PrintingView.list")
        return url_for("PrintingView.batch", public_id=public_id)

    # --- one batch ---

    @expose("/batch/<public_id>", methods=["GET"])
    @has_access
    @permission_name("print")
    def batch(self, public_id: str) -> ResponseReturnValue:
        """The batch: its PDF, and the question for each paper."""
        return self._batch_page(self._batch_or_404(public_id))

    @expose("/file/<public_id>", methods=["GET"])
    @has_access
    @permission_name("print")
    def file(self, public_id: str) -> ResponseReturnValue:
        """The signed documents of a batch one after the other, made for this moment only."""
        batch = self._batch_or_404(public_id)
        if not current_actor().can("can_download", "Document"):
            abort(403)
        documents = [item.document for item in batch.items if item.document is not None]
        if not documents:
            abort(404)
        try:
            data = combined(the_store(), documents)
        except DamagedFileError as error:
            raise RefusedError(error.code) from error
        name = f"cetak-{local(batch.made_at):%Y%m%d-%H%M}.pdf"
        response = Response(data, mimetype="application/pdf")
        response.headers.update(
            {
                "Content-Security-Policy": PDF_POLICY,
                "Content-Disposition": content_disposition("inline", name),
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
                "Cross-Origin-Resource-Policy": "same-origin",
            }
        )
        return response

    @expose("/answer/<public_id>", methods=["POST"])
    @has_access
    @permission_name("print")
    def answer(self, public_id: str) -> ResponseReturnValue:
        """Keep the answers; good cases move on, spoiled prints are counted and stay."""
        session = db.session()
        batch = self._batch_or_404(public_id)
        nonce, _opened = read_form_key(request.form.get("form_key", ""))
        if result_of_key(session, nonce):
            return redirect(url_for("PrintingView.batch", public_id=public_id), 303)
        answers, errors = _answers(batch)
        if errors or not answers:
            words = None if errors else _("Say how at least one document came out.")
            return self._batch_page(batch, errors=errors, message=words), 422
        done = answer_batch(
            session, case_office(), batch, answers, current_actor(), now=request_time()
        )
        closed = batch.closed_at is not None
        said = [
            f"{number}: {error_sentence(error)}" for number, error in done.refused
        ]  # before the commit: their parameters are rows
        if not spend_form_key(session, nonce, public_id):
            return redirect(url_for("PrintingView.batch", public_id=public_id), 303)
        session.commit()
        _say_done(done)
        _say_all(said, "danger")
        if closed and not said:
            return redirect(url_for("PrintingView.list"), 303)
        return redirect(url_for("PrintingView.batch", public_id=public_id), 303)

    @expose("/close/<public_id>", methods=["POST"])
    @has_access
    @permission_name("print")
    def close(self, public_id: str) -> ResponseReturnValue:
        """Nothing (more) came out of the printer: the rest waits again."""
        put_away(db.session(), self._batch_or_404(public_id), current_actor(), now=request_time())
        db.session.commit()
        flash(_("The batch was put away; what was not answered waits to be printed."), "success")
        return redirect(url_for("PrintingView.list"), 303)

    def _batch_or_404(self, public_id: str) -> PrintBatch:
        if len(public_id) > 32 or not public_id.isascii() or not public_id.isprintable():
            abort(404)
        return batch_of(db.session(), current_actor(), public_id)

    def _batch_page(
        self,
        batch: PrintBatch,
        *,
        errors: dict[int, str] | None = None,
        message: str | None = None,
    ) -> str:
        actor = current_actor()
        open_items = [item for item in batch.items if item.run_id is None]
        return render_template(
            "aduan/print_batch.html",
            title=_("Print batch"),
            batch=batch,
            open_items=open_items if batch.closed_at is None else [],
            reprint=any(item.reprint_reason for item in batch.items),
            has_file=any(item.document_id for item in batch.items)
            and actor.can("can_download", "Document"),
            cards=[item for item in batch.items if item.document_id is None],
            errors=errors or {},
            message=message,
            typed=request.form,
            may_open=actor.can("can_show"),
            shown_name=shown_name,
            form_key=new_form_key(),
            appbuilder=self.appbuilder,
        )


def _answers(batch: PrintBatch) -> tuple[dict[int, Answer], dict[int, str]]:
    """What was posted of each paper that waits for an answer, and what is wrong with it."""
    answers: dict[int, Answer] = {}
    errors: dict[int, str] = {}
    for item in batch.items:
        if item.run_id is not None:
            continue
        if request.form.get("all") == "good":
            answers[item.id] = Answer("good")
            continue
        result = request.form.get(f"result_{item.id}", "")
        if result not in ("good", "spoiled"):
            continue
        reason = _text(request.form.get(f"reason_{item.id}", ""))
        if result == "spoiled" and not reason:
            errors[item.id] = _("Say why this print was spoiled.")
        answers[item.id] = Answer(result, reason)
    return answers, errors


def _say_done(done: Answered) -> None:
    if done.counted:
        text = ngettext("%(num)d print counted.", "%(num)d prints counted.", done.counted)
        if done.moved:
            text += " " + ngettext(
                "%(num)d case was moved on.", "%(num)d cases were moved on.", len(done.moved)
            )
        flash(text, "success")
    for paper in done.earlier[:_SAID]:
        flash(_("%(paper)s had been printed and answered already.", paper=paper), "info")


def _say_all(sentences: Iterable[str], tone: str) -> None:
    said = [*sentences]
    for sentence in said[:_SAID]:
        flash(sentence, tone)
    if rest := len(said) - _SAID if len(said) > _SAID else 0:
        flash(ngettext("And %(num)d more.", "And %(num)d more.", rest), tone)


def _text(text: str) -> str:
    """One line of printable text."""
    return "".join(letter for letter in text if letter.isprintable()).strip()[:_LONGEST]


def _key(text: str) -> int:
    """A row's id out of a form or URL; what is none names no row."""
    fits = text.isascii() and text.isdigit() and len(text) <= 10
    return int(text) if fits and int(text) <= MAX_ID else 0
