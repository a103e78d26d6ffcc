"""The signing desk: what waits, one passphrase, one result per document (SOP step 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_babel import ngettext

from app.access import current_actor
from app.errors import error_sentence, sentence, wants_json
from app.extensions import db
from app.models import SigningBatch, SigningItem
from app.services.signatories import exception_on, office_day, signatory_of, title_of
from app.services.signature import SigningError
from app.services.signing import (
    BatchLine,
    SigningDesk,
    batch_lines,
    batch_of,
    count_waiting,
    fetch_again,
    recent_batches,
    release_unknown,
    settle_stale,
    sign_next,
    start_batch,
    waiting_cases,
)
from app.sop.errors import NotFoundError
from app.stepup import confirm_url, fresh_sign_in, is_fresh, is_fresh_for, require_fresh_sign_in
from app.views.check import check_url
from app.views.formkeys import new_form_key, read_form_key, result_of_key, spend_form_key
from app.views.forms.fields import without_controls
from app.views.office import (
    case_office,
    request_time,
    signature_settings,
    the_signer,
    the_sop,
    the_store,
    the_trust,
)
from app.views.signing_bring import BringMixin

#: A passphrase is a sentence, never a file.
LONGEST_PASSPHRASE: Final = 256
#: state -> words, tone, icon.
STATES: Final[Mapping[str, tuple[Callable[[], str], str, str | None]]] = {
    "waiting": (lambda: _("Waiting"), "neutral", "clock"),
    "sending": (lambda: _("Being signed"), "info", "hourglass"),
    "remote": (lambda: _("Signed, not fetched yet"), "warn", "download"),
    "unknown": (lambda: _("No answer"), "warn", "circle-help"),
    "signed": (lambda: _("Signed"), "ok", "signature"),
    "failed": (lambda: _("Not signed"), "late", "circle-alert"),
    "released": (lambda: _("Released"), "neutral", "undo-2"),
}


class SigningView(BringMixin, BaseView):  # type: ignore[misc]
    """One page for who signs; every route asks for the screen's one permission.

    Signing itself asks for the transition's permission and for an entry among the signatories.
    """

    route_base = "/signing"
    class_permission_name = "Signing"
    default_view = "list"

    # --- what waits ---

    @expose("/")
    @has_access
    def list(self) -> ResponseReturnValue:
        """What waits, with a preview of each paper."""
        return self.desk_page()

    def desk_page(self, errors: Mapping[int, Any] | None = None, chosen: Any = None) -> str:
        """The page; `errors` are refusals of brought files by paper, with what was uploaded."""
        session, actor, now = db.session(), current_actor(), request_time()
        signatory = signatory_of(session, actor, now)
        cases = waiting_cases(session, the_sop(), actor)
        settings = signature_settings()
        return render_template(
            "aduan/signing.html",
            title=_("Signing"),
            way=settings.way,
            demo=settings.demo,
            cases=cases,
            total=count_waiting(session, the_sop(), actor),
            signatory=signatory,
            capacity=title_of(signatory) if signatory else "",
            exception=exception_on(session, office_day(request_time())),
            may_sign=actor.can("sign") and signatory is not None,
            may_open=actor.can("can_show"),
            may_read=actor.can("can_download", "Document"),
            may_upload=actor.can("can_add", "Upload"),
            personal=actor.can("see_personal"),
            me=actor.id,
            batches=recent_batches(session, actor),
            states=STATES,
            error_words=error_words,
            brought=errors or {},
            form_key=new_form_key(),
            proved=is_fresh(),
            confirm_url=confirm_url(url_for("SigningView.list")),
            max_mb=current_app.config["MAX_UPLOAD_BYTES"] // (1024 * 1024),
            **_files(),
            appbuilder=self.appbuilder,
        )

    # --- a batch ---

    @expose("/start", methods=["POST"])
    @has_access
    @permission_name("list")
    @fresh_sign_in
    def start(self) -> ResponseReturnValue:
        """Take up the chosen cases; without scripts the passphrase comes along and all is signed."""
        nonce, opened_at = read_form_key(request.form.get("form_key", ""))
        if done := result_of_key(db.session(), nonce):
            return redirect(url_for("SigningView.batch", public_id=done), 303)
        settle_stale(db.session(), _desk(), request_time())
        versions = {
            int(pk): _number(request.form.get(f"version_{pk}"))
            for pk in request.form.getlist("case")
            if _number(pk) is not None
        }
        batch = start_batch(
            db.session(),
            case_office(),
            current_actor(),
            signature_settings().way,
            versions,
            opened_at=opened_at,
            now=request_time(),
        )
        public_id = batch.public_id
        if not spend_form_key(db.session(), nonce, public_id):
            # Another sending of the same form was faster: its batch is the one.
            public_id = result_of_key(db.session(), nonce)
            return redirect(url_for("SigningView.batch", public_id=public_id), 303)
        db.session.commit()
        if request.form.get("passphrase") or the_signer() is None:
            self._sign_all(public_id)
        return redirect(url_for("SigningView.batch", public_id=public_id), 303)

    @expose("/batch/<public_id>")
    @has_access
    @permission_name("list")
    def batch(self, public_id: str) -> ResponseReturnValue:
        """Progress and results of one's own batch."""
        session, actor = db.session(), current_actor()
        found = batch_of(session, actor, public_id)
        lines = batch_lines(session, actor, found)
        return render_template(
            "aduan/signing_batch.html",
            title=_("Signing"),
            batch=found,
            lines=lines,
            capacity=title_of(found.signatory),
            demo=signature_settings().demo,
            needs_passphrase=the_signer() is not None,
            **_counts(lines),
            **_line_words(actor),
            form_key=new_form_key(),
            appbuilder=self.appbuilder,
        )

    @expose("/batch/<public_id>/next", methods=["POST"])
    @has_access
    @permission_name("list")
    def next(self, public_id: str) -> ResponseReturnValue:
        """Sign one paper of the batch; the page's script asks again until nothing is left."""
        actor = current_actor()
        batch = batch_of(db.session(), actor, public_id)
        if (answer := _asked(batch)) is not None:
            return answer
        stopped = ""
        item: SigningItem | None = None
        try:
            item = self._sign_one(batch)
        except SigningError as error:
            db.session.rollback()
            stopped = error_sentence(error)
        batch = batch_of(db.session(), actor, public_id)
        lines = batch_lines(db.session(), actor, batch)
        counts = _counts(lines)
        if not wants_json():
            return redirect(url_for("SigningView.batch", public_id=public_id), 303)
        line = next((one for one in lines if item is not None and one.item.id == item.id), None)
        row = ""
        if line is not None:
            row = render_template(
                "aduan/signing_line.html", line=line, batch=batch, **_line_words(actor)
            )
        return {
            "id": line.item.position if line else None,
            "row": row,
            "message": stopped,
            "left": counts["left"],
            "done": counts["total"] - counts["left"],
            "total": counts["total"],
        }

    @expose("/batch/<public_id>/sign", methods=["POST"])
    @has_access
    @permission_name("list")
    def sign(self, public_id: str) -> ResponseReturnValue:
        """Sign everything that is left in one request, for browsers without scripts."""
        if (answer := _asked(batch_of(db.session(), current_actor(), public_id))) is not None:
            return answer
        self._sign_all(public_id)
        return redirect(url_for("SigningView.batch", public_id=public_id), 303)

    @expose("/batch/<public_id>/fetch/<int:position>", methods=["POST"])
    @has_access
    @permission_name("list")
    @fresh_sign_in
    def fetch(self, public_id: str, position: int) -> ResponseReturnValue:
        """Fetch a file that the service has signed already."""
        actor = current_actor()
        batch = batch_of(db.session(), actor, public_id)
        item = fetch_again(db.session(), _desk(), _item(batch, position), actor, clock=_clock)
        if item.state == "signed":
            flash(_("The signed document is here now."), "success")
        else:
            flash(error_words(item), "danger")
        return redirect(url_for("SigningView.batch", public_id=public_id), 303)

    @expose("/batch/<public_id>/release/<int:position>", methods=["POST"])
    @has_access
    @permission_name("list")
    def release(self, public_id: str, position: int) -> ResponseReturnValue:
        """Let a paper be signed again after somebody has looked at the service."""
        actor = current_actor()
        batch = batch_of(db.session(), actor, public_id)
        release_unknown(
            db.session(),
            _item(batch, position),
            actor,
            without_controls(request.form.get("reason", "")),
            now=request_time(),
        )
        db.session.commit()
        flash(_("Released: it waits for a signature again."), "success")
        return redirect(url_for("SigningView.batch", public_id=public_id), 303)

    # --- signing ---

    def _sign_one(self, batch: SigningBatch) -> SigningItem | None:
        passphrase = request.form.get("passphrase", "")[:LONGEST_PASSPHRASE]
        return sign_next(db.session(), _desk(), batch, current_actor(), passphrase, clock=_clock)

    def _sign_all(self, public_id: str) -> None:
        """Everything that is left; a wrong passphrase stops it and is said."""
        actor = current_actor()
        done = 0
        try:
            for _number_of_paper in range(10_000):
                item = self._sign_one(batch_of(db.session(), actor, public_id))
                if item is None:
                    break
                done += item.state == "signed"
        except SigningError as error:
            db.session.rollback()
            flash(error_sentence(error), "danger")
        if done:
            flash(
                ngettext("%(num)d document is signed.", "%(num)d documents are signed.", done),
                "success",
            )


def _desk() -> SigningDesk:
    settings = signature_settings()
    return SigningDesk(
        office=case_office(),
        store=the_store(),
        trust=the_trust(),
        signer=the_signer(),
        check_url=check_url,
        demo=settings.demo,
        commit=db.session.commit,
        patience=timedelta(seconds=2 * settings.bsre_timeout + 60),
    )


def _asked(batch: SigningBatch) -> ResponseReturnValue | None:
    """The question who it is, unless it was answered for this batch: a long one is not stopped."""
    return None if is_fresh_for(batch.started_at) else require_fresh_sign_in()


def _clock() -> datetime:
    """Signing takes time: what is kept afterwards bears the moment it happened."""
    return datetime.now(UTC)


def _item(batch: SigningBatch, position: int) -> SigningItem:
    for item in batch.items:
        if item.position == position:
            return item
    raise NotFoundError("signing_item")


def _counts(lines: list[BatchLine]) -> dict[str, int]:
    states = [line.item.state for line in lines]
    return {
        "total": len(lines),
        "left": sum(state in ("waiting", "sending") for state in states),
        "waiting": states.count("waiting"),
        "signed": states.count("signed"),
        "moved": len({line.case.id for line in lines if line.item.moved}),
    }


def _line_words(actor: Any) -> dict[str, Any]:
    return {
        "states": STATES,
        "error_words": error_words,
        "may_open": actor.can("can_show"),
        "may_read": actor.can("can_download", "Document"),
        "personal": actor.can("see_personal"),
        **_files(),
    }


def _files() -> dict[str, Any]:
    return {
        "case_file_url": lambda document: url_for("DocumentView.file", public_id=document.public_id)
    }


def error_words(item: SigningItem) -> str:
    """Why a paper was not signed, or not moved on, as a sentence."""
    if not item.error:
        return ""
    params: dict[str, Any] = dict(item.error_params)
    if isinstance(params.get("at"), str):
        try:
            params["at"] = datetime.fromisoformat(params["at"])
        except ValueError:
            pass
    return sentence(item.error, params)


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return int(text)
