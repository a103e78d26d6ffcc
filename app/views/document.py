"""Documents: the files of all cases, their page with preview, and the one way to their bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape
from sqlalchemy import func, select
from sqlalchemy.orm import Query

from app.access import current_actor
from app.errors import error_sentence
from app.extensions import db
from app.formats import file_size, local_datetime
from app.models import CaseOutput, Complaint, Document, DocumentKind, User
from app.services.copies import is_marked
from app.services.documents import NewFile, attach_to_case
from app.services.ended import why_ended
from app.services.search import case_condition
from app.services.versions import why_not_now
from app.services.visibility import visible_cases, visible_through
from app.sop.errors import NotFoundError, RefusedError, SopError
from app.views.base import OfficeModelView
from app.views.case_parts import case_link, case_number_link, case_url
from app.views.cells import Cells, cell_text
from app.views.document_file import FILE_POLICIES, FileMixin
from app.views.document_preview import PreviewMixin, preview_url
from app.views.document_replace import ReplaceMixin
from app.views.formkeys import check_form_key, new_form_key, result_of_key, spend_form_key
from app.views.forms.draft import StagedFile, read_files, stage_posted
from app.views.interface import OfficeInterface
from app.views.labels import labels_of
from app.views.office import request_time, the_sop, the_store, upload_limits
from app.views.searching import PrivateSearchMixin

STAGES: Final[Mapping[str, Any]] = {
    "requirement": _l("Requirement"),
    "draft": _l("Draft"),
    "signed": _l("Signed"),
    "proof": _l("Proof of dispatch"),
}
#: Pages drawn one below the other on the page of a file.
MOST_PAGES: Final = 30
_PUBLIC_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,32}")


def _row_columns(query: Query[Any]) -> Query[Any]:
    """What the list shows of a file; the names of kinds are remembered."""
    return (
        query.join(Complaint, Complaint.id == Document.complaint_id)
        .outerjoin(CaseOutput, CaseOutput.id == Document.output_id)
        .outerjoin(User, User.id == Document.uploaded_by_id)
        .with_entities(
            Document.id,
            Document.original_name,
            Document.complaint_id,
            Complaint.number,
            # A signed paper is of the kind that the case ends with.
            func.coalesce(Document.kind_id, CaseOutput.kind_id).label("kind_id"),
            Document.stage,
            Document.replaced_at,
            Document.size,
            Document.uploaded_at,
            User.first_name,
            User.last_name,
        )
    )


class DocumentView(FileMixin, PreviewMixin, ReplaceMixin, PrivateSearchMixin, OfficeModelView):
    """List and show the files of cases, hand them out, and add one to a case that is not finished.

    A file is never changed or deleted: it is evidence of what the office had before it. One that is
    replaced stays, under its successor.
    """

    datamodel = OfficeInterface(
        Document,
        row_rule=visible_through(Document.complaint),
        eager=("complaint", "kind", "output", "uploaded_by"),
    )
    class_permission_name = "Document"
    route_base = "/documents"
    exclude_route_methods: ClassVar[set[str]] = {
        "add", "edit", "delete", "download", "action", "action_post",
    }  # fmt: skip
    list_title = _l("Documents")
    show_title = _l("Document")
    show_template = "aduan/document_show.html"
    label_columns: ClassVar[dict[str, Any]] = {
        "original_name": _l("File"),
        "complaint": _l("Case"),
        "kind": _l("Kind"),
        "stage": _l("Stage"),
        "size": _l("Size"),
        "uploaded_at": _l("Added"),
        "uploaded_by": _l("Added by"),
    }
    list_columns: ClassVar[list[str]] = [
        "original_name", "complaint", "kind", "stage", "size", "uploaded_at", "uploaded_by",
    ]  # fmt: skip
    show_columns: ClassVar[list[str]] = ["original_name"]
    add_columns = edit_columns = ("original_name",)
    search_columns: ClassVar[list[str]] = ["stage", "kind"]
    order_columns: ClassVar[list[str]] = ["uploaded_at"]
    base_order = ("uploaded_at", "desc")
    text_columns = ("original_name",)
    text_label = _l("Case number, name or NIK")
    filter_columns = ("stage", "kind")
    choices: ClassVar[Mapping[str, Sequence[tuple[str, Any]]]] = {"stage": tuple(STAGES.items())}
    empty_title = _l("No document yet")
    empty_text = _l("Files appear here as soon as one is attached to a case.")

    def text_condition(self, model: Any, text: str) -> Any:
        """The files of the cases that fit, by number or by what the officer may know of them."""
        personal_data = current_actor().can("see_personal")
        fitting = case_condition(db.session(), text, personal=personal_data, now=request_time())
        return Document.complaint_id.in_(select(Complaint.id).where(fitting))

    row_shape = staticmethod(_row_columns)

    def cells(self) -> Cells:
        """Sizes and stages in words, the case as a link."""
        kinds, earlier = labels_of(DocumentKind), _("earlier version")
        stages = {key: str(words) for key, words in STAGES.items()}
        # Files of one page share kinds, stages and officers: each is written once.
        kind = cache(lambda key: cell_text(kinds.get(key, "")))
        stage = cache(lambda key, old: escape(f"{stages[key]} · {earlier}" if old else stages[key]))
        officer = cache(lambda first, last: cell_text("" if first is None else f"{first} {last}"))

        def line(item: Any) -> list[Markup]:
            return [
                cell_text(item.original_name),
                case_number_link(item.complaint_id, item.number),
                kind(item.kind_id),
                stage(item.stage, item.replaced_at is not None),
                escape(file_size(item.size)),
                escape(local_datetime(item.uploaded_at)),
                officer(item.first_name, item.last_name),
            ]

        return line

    def show_extra(self, item: Document) -> dict[str, Any]:
        """The preview, for those who may open files, and the facts beside it."""
        may_open = self.may("can_download")
        # Versions of a file belong to one case, so its row rule has been asked already.
        successor = db.session.scalars(
            select(Document).where(Document.replaces_id == item.id)
        ).one_or_none()
        finished = the_sop().step(item.complaint.step_key).kind == "end"
        may_replace = (
            self.may("can_replace") and not finished and not why_not_now(db.session(), item)
        )
        return {
            "preview": FILE_POLICIES.get(item.media_type) and item.media_type if may_open else None,
            "file_url": self._own_url("file", public_id=item.public_id) if may_open else None,
            "download_url": self._own_url("file", public_id=item.public_id, download=1)
            if may_open
            else None,
            "marked": is_marked(item),
            "original_url": self._own_url("original", public_id=item.public_id)
            if may_open and is_marked(item) and self.may("can_original")
            else None,
            "list_url": self._own_url("list") if self.may("can_list") else None,
            "page_urls": [preview_url(item, page) for page in range(1, _shown_pages(item) + 1)]
            if may_open and item.media_type == "application/pdf"
            else [],
            "replace_url": self._own_url("replace", public_id=item.public_id)
            if may_replace
            else None,
            "successor_url": self._own_url("show", pk=successor.id) if successor else None,
            "before_url": self._own_url("show", pk=item.replaces_id) if item.replaces_id else None,
            "facts": [
                (_("Case"), case_link(item.complaint)),
                (_("Kind"), labels_of(DocumentKind).get(item.kind_id, "")),
                (_("Stage"), str(STAGES[item.stage])),
                (_("Round"), item.round),
                (_("Version"), item.revision),
                (_("File type"), item.media_type),
                *([(_("Pages"), item.pages)] if item.pages else []),
                (_("Size"), file_size(item.size)),
                (_("Added"), local_datetime(item.uploaded_at)),
                (_("Added by"), item.uploaded_by.get_full_name() if item.uploaded_by else None),
                *([(_("Replaced"), local_datetime(item.replaced_at))] if item.replaced_at else []),
            ],
        }

    def _visible_file(self, public_id: str) -> Document:
        if not _PUBLIC_ID.fullmatch(public_id):
            abort(404)
        query = self.datamodel.visible(db.session.query(Document))
        found: Document | None = query.filter(Document.public_id == public_id).one_or_none()
        if found is None:
            abort(404)
        return found

    # --- adding ---

    @expose("/attach/<pk>", methods=["GET", "POST"])
    @has_access
    @permission_name("add")
    def attach(self, pk: str) -> ResponseReturnValue:
        """Add files to a case that is not finished, outside its work forms."""
        case: Complaint | None = _CASES.get(pk)
        if case is None:
            abort(404)
        actor = current_actor()
        if request.method == "GET":
            return self._attach_page(case, [], [])
        key = check_form_key()
        files, errors = read_files(db.session(), request.form, actor.id or 0)
        sent, refused = stage_posted(
            db.session(),
            the_store(),
            request.files.getlist("files"),
            actor.id or 0,
            request_time(),
            upload_limits(),
        )
        files, errors = files + sent, errors + refused
        db.session.commit()  # what came with the form is there again when it is refused
        if not errors:
            try:
                attach_to_case(
                    db.session(),
                    the_sop(),
                    case,
                    [NewFile(file.upload, _kind_id(file)) for file in files],
                    request.form.get("stage", "requirement"),
                    actor,
                    now=request_time(),
                    limits=upload_limits(),
                )
                again = not spend_form_key(db.session(), key, str(case.id))
            except NotFoundError:
                raise
            except SopError as error:
                db.session.rollback()
                if result_of_key(db.session(), key):  # the first of two sendings took the files
                    return redirect(case_url(case) or self.get_redirect(), 303)
                errors = [error_sentence(error)]
            else:
                if not again:
                    db.session.commit()
                    flash(_("Added to the case."), "success")
                return redirect(case_url(case) or self.get_redirect(), 303)
        return self._attach_page(case, files, errors), 422

    def _attach_page(
        self, case: Complaint, files: Sequence[StagedFile], errors: Sequence[str]
    ) -> str:
        kinds = db.session.scalars(
            select(DocumentKind)
            .where(DocumentKind.active, DocumentKind.is_requirement | DocumentKind.is_output)
            .order_by(DocumentKind.position, DocumentKind.id)
        )
        return render_template(
            "aduan/document_attach.html",
            title=_("Add files to %(number)s", number=case.number),
            appbuilder=self.appbuilder,
            case=case,
            ended=_why_ended(case),
            back_url=case_url(case) or self.get_redirect(),
            action_url=self._own_url("attach", pk=case.id),
            upload_url=url_for("UploadView.stage"),
            kinds=[(str(kind.id), str(kind)) for kind in kinds],
            stages=[("requirement", STAGES["requirement"]), ("draft", STAGES["draft"])],
            stage=request.form.get("stage", "requirement"),
            files=[file.shown() for file in files],
            errors=errors,
            max_mb=upload_limits().max_bytes // (1024 * 1024),
            form_key=request.form.get("form_key") or new_form_key(),
        )


def _why_ended(case: Complaint) -> str:
    """What is said instead of the form; nothing while the case goes on."""
    why = why_ended(db.session(), the_sop(), case)
    if why is None:
        return ""
    if why.code == "case_finished":
        return _("Files are added again once it has been reopened.")
    return error_sentence(why)


def _shown_pages(document: Document) -> int:
    """How many pages the page of a file shows; the rest is in the file."""
    return min(document.pages or 1, MOST_PAGES)


#: Cases under the officer's own row rule.
_CASES = OfficeInterface(Complaint, row_rule=visible_cases)


def _kind_id(file: StagedFile) -> int | None:
    """The paper a file is said to be.

    Raises:
        RefusedError: not one from the list.
    """
    if not file.kind:
        return None
    if not file.kind.isascii() or not file.kind.isdigit() or len(file.kind) > 9:
        raise RefusedError("kind_unknown")
    return int(file.kind)
