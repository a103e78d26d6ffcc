"""Papers the office prints on its own paper: receipts, slips, covers, labels, lists, letters.

Each answer is a PDF made on the spot and kept nowhere; making one writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from flask import Response, abort, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from markupsafe import Markup

from app.access import current_actor
from app.extensions import db
from app.formats import local
from app.models import Complaint
from app.parts import words
from app.services.actor import Actor
from app.services.casefile import CaseFile
from app.services.papers import PaperError, render
from app.services.papers.casepapers import draft_cover, receipt, return_slip
from app.services.papers.frame import Printing
from app.services.papers.letters import processing_letter
from app.services.papers.parcels import labels, manifest
from app.sop.definition import Sop
from app.views.addresses import address
from app.views.document_file import FILE_POLICIES
from app.views.export import content_disposition
from app.views.interface import MAX_ID
from app.views.office import request_time, the_sop

#: Sizes of the receipt, by what stands in the address.
RECEIPTS: Final[Mapping[str, str]] = {"a4": "receipt", "80mm": "receipt_80mm"}
#: Ids beyond any batch are not even read.
_LONGEST_IDS: Final = 4000


class PaperView(BaseView):  # type: ignore[misc]
    """The PDFs; who may print papers and see personal data gets them, nobody else."""

    route_base = "/papers"
    class_permission_name = "Paper"

    @expose("/receipt/<pk>", methods=["GET"])
    @has_access
    @permission_name("print")
    def receipt(self, pk: str) -> ResponseReturnValue:
        """The receipt of a complaint, A4 or for the thermal printer (`?size=80mm`)."""
        paper = RECEIPTS.get(request.args.get("size", "a4"))
        if paper is None:
            abort(404)
        data = receipt(db.session(), self._printing(), _key(pk))
        return self._paper(paper, data, "tanda-terima", data["number"])

    @expose("/return-slip/<pk>", methods=["GET"])
    @has_access
    @permission_name("print")
    def return_slip(self, pk: str) -> ResponseReturnValue:
        """What the applicant of a returned case has to bring."""
        data = return_slip(db.session(), self._printing(), the_sop(), _key(pk))
        return self._paper("return_slip", data, "pengembalian", data["number"])

    @expose("/draft/<pk>", methods=["GET"])
    @has_access
    @permission_name("print")
    def draft(self, pk: str) -> ResponseReturnValue:
        """The sheet on top of the drafts of a case."""
        data = draft_cover(db.session(), self._printing(), the_sop(), _key(pk))
        return self._paper("draft_cover", data, "pengantar-draft", data["number"])

    @expose("/processing/<pk>", methods=["GET"])
    @has_access
    @permission_name("print")
    def processing(self, pk: str) -> ResponseReturnValue:
        """The letter for an applicant whose paper waits for a blank card."""
        data = processing_letter(db.session(), self._printing(), _key(pk))
        return self._paper("processing_letter", data, "surat-keterangan", data["number"])

    @expose("/labels", methods=["GET"])
    @has_access
    @permission_name("print")
    def labels(self) -> ResponseReturnValue:
        """Address labels, one page for each case of `?ids=1,2,3`."""
        data = labels(db.session(), self._printing(), _keys(request.args.getlist("ids")))
        first = data["labels"][0]["number"]
        return self._paper("label", data, "label", first)

    @expose("/manifest", methods=["GET"])
    @has_access
    @permission_name("print")
    def manifest(self) -> ResponseReturnValue:
        """What a courier took along on a day: `?courier=1&day=2026-11-23`, today by default."""
        today = local(request_time()).date()
        on = _day(request.args.get("day", ""), today)
        data = manifest(db.session(), self._printing(), _key(request.args.get("courier", "")), on)
        return self._paper("manifest", data, "serah-terima", on.isoformat())

    def _printing(self) -> Printing:
        return Printing(
            actor=current_actor(),
            now=request_time(),
            check_page=check_page_address(),
            demo=bool(current_app.config["DEMO"]),
        )

    def _paper(self, paper: str, data: Mapping[str, Any], *words: str) -> Response:
        """The PDF in the browser's own viewer, which prints it.

        Raises:
            PaperError: the office's template has a mistake.
        """
        folder, now = current_app.config["PAPERS_PATH"], request_time()
        db.session.rollback()  # drawing takes seconds: no transaction stays open for it
        try:
            pdf = render(paper, data, folder=folder, now=now)
        except PaperError as error:
            current_app.logger.error("paper %s: %s", paper, error)
            raise
        response = Response(pdf, mimetype="application/pdf")
        response.headers.update(
            {
                "Content-Security-Policy": FILE_POLICIES["application/pdf"],
                "Content-Disposition": content_disposition("inline", "-".join(words) + ".pdf"),
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
                "Cross-Origin-Resource-Policy": "same-origin",
            }
        )
        return response


def check_page_address() -> str:
    """The public check page as people type it: without the scheme."""
    base = current_app.config["PUBLIC_URL"] or request.url_root.rstrip("/")
    return f"{base.removeprefix('https://').removeprefix('http://')}/check"


def may_print(actor: Actor) -> bool:
    """Whether the officer is offered papers at all."""
    return actor.can("can_print", "Paper") and actor.can("see_personal")


def with_receipt(text: str, case: Complaint, actor: Actor) -> str:
    """What is said of a complaint that was just registered, with the way to its receipt."""
    if not may_print(actor) or (case.confidential and not actor.can("see_confidential")):
        return text
    return Markup(
        '{} <a href="{}" target="_blank" rel="noopener">{}</a>'
        ' <a href="{}" target="_blank" rel="noopener">{}</a>'
    ).format(
        text,
        url_for("PaperView.receipt", pk=case.id),
        _("Print the receipt (A4)"),
        url_for("PaperView.receipt", pk=case.id, size="80mm"),
        _("Receipt (80 mm)"),
    )


def offered_papers(file: CaseFile, sop: Sop, actor: Actor) -> Sequence[tuple[str, str, str]]:
    """The papers that the page of a case offers now: words, address, icon."""
    if not may_print(actor):
        return []
    _, case = words(), file.complaint
    found = [
        (_("Receipt (A4)"), address("PaperView.receipt", "pk", case.id), "clipboard-check"),
        (
            _("Receipt (80 mm)"),
            address("PaperView.receipt", "pk", case.id, size="80mm"),
            "clipboard-check",
        ),
    ]
    if sop.step(case.step_key).kind == "waiting":
        slip = address("PaperView.return_slip", "pk", case.id)
        found.append((_("Return slip"), slip, "undo-2"))
    checks = [check for check in file.siak_checks if check.round == case.round]
    outputs = file.current_outputs
    if outputs or (checks and checks[-1].result == "match"):
        cover = address("PaperView.draft", "pk", case.id)
        found.append((_("Cover of the drafts"), cover, "files"))
    # On the waiting list since somebody tried to print it; read with the case already.
    if any(output.id in file.waits for output in outputs):
        letter = address("PaperView.processing", "pk", case.id)
        found.append((_("Certificate of processing"), letter, "hourglass"))
    if outputs:
        found.append((_("Shipping label"), address("PaperView.labels", "ids", case.id), "tag"))
    return found


def _key(text: str) -> int:
    """A key from an address; what can't be one leads nowhere."""
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > MAX_ID:
        abort(404)
    return int(text)


def _keys(values: Sequence[str]) -> list[int]:
    text = ",".join(values)
    if len(text) > _LONGEST_IDS:
        abort(404)
    return [_key(part.strip()) for part in text.split(",") if part.strip()]


def _day(text: str, today: date) -> date:
    """A day from an address, today when none is given."""
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        abort(404)
    # The first and last days of the calendar have no neighbours to look at.
    if not 2000 <= day.year <= 9000:
        abort(404)
    return day
