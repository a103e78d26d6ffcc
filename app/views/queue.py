"""Antrean: what waits for me, the oldest and the riskiest first; the home of whoever acts."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.exc import IntegrityError

from app.access import current_actor, current_permissions
from app.extensions import db
from app.services.pausing import end_pause, open_step_pause, pause_step, require_part
from app.services.queue import Queue, batch_moves, load_queue
from app.sop.definition import Step
from app.sop.errors import NotFoundError, RefusedError
from app.views.breaches import breach_warnings
from app.views.formkeys import new_form_key
from app.views.office import case_office, request_time, the_sop
from app.views.queue_rows import queue_rows

_MOST_PAGES = 100_000


class QueueView(BaseView):  # type: ignore[misc]
    """The queue, and stopping the clocks of a step when nobody can work on it."""

    route_base = "/queue"
    class_permission_name = "Queue"
    default_view = "list"

    @expose("/")
    @has_access
    def list(self) -> ResponseReturnValue:
        actor, office, now = current_actor(), case_office(), request_time()
        queue = load_queue(
            db.session(),
            office,
            actor,
            now=now,
            step_key=request.args.get("step", "")[:40],
            page=_page_of(request.args.get("page")),
        )
        step = queue.step
        moves = batch_moves(step, actor) if step is not None and queue.entries else ()
        return render_template(
            "aduan/queue.html",
            title=_("Queue"),
            subtitle=_subtitle(queue),
            queue=queue,
            rows=queue_rows(queue, ticks=bool(moves)),
            tabs=_tabs(queue),
            stopped=[(s, queue.pauses[s.key]) for s in queue.steps if s.key in queue.pauses],
            reasons={reason.key: reason.label for reason in office.sop.pause_reasons},
            may_pause=actor.can("can_pause"),
            may_register=actor.can("can_add"),
            may_list=actor.can("can_list"),
            may_see_sheet=("can_show", "SopSheet") in current_permissions(),
            moves=moves,
            breaches=breach_warnings(),
            form_key=new_form_key() if moves else "",
            sheet=[s for s in office.sop.steps if s.kind != "end"],
            lanes={lane.key: lane.label for lane in office.sop.lanes},
            page_url=_page_url,
            empty=_empty(queue),
            appbuilder=self.appbuilder,
        )

    @expose("/pause_step/<key>", methods=["POST"])
    @has_access
    @permission_name("list")
    def pause_step(self, key: str) -> ResponseReturnValue:
        """One click: every clock of a step stands still, with a reason."""
        step = _step_or_404(key)
        note = "".join(c for c in request.form.get("note", "")[:400] if c.isprintable())
        reason = request.form.get("reason", "")[:40]
        try:
            pause_step(
                db.session(),
                the_sop(),
                key,
                current_actor(),
                reason,
                now=request_time(),
                note=note,
            )
            db.session.commit()
        except IntegrityError:  # a colleague pressed the same button at the same moment
            raise RefusedError("paused_already") from None
        flash(_("All clocks of “%(step)s” stand still.", step=step.label), "success")
        return redirect(url_for("QueueView.list", step=key), 303)

    @expose("/resume_step/<key>", methods=["POST"])
    @has_access
    @permission_name("list")
    def resume_step(self, key: str) -> ResponseReturnValue:
        """The clocks of a step go on."""
        step, actor = _step_or_404(key), current_actor()
        require_part(the_sop(), key, actor)
        pause = open_step_pause(db.session(), key)
        if pause is not None:
            end_pause(db.session(), pause, actor, now=request_time())
            db.session.commit()
            flash(_("The clocks of “%(step)s” go on.", step=step.label), "success")
        return redirect(url_for("QueueView.list", step=key), 303)


def _step_or_404(key: str) -> Step:
    try:
        return the_sop().step(key)
    except NotFoundError:
        abort(404)


def _page_of(text: str | None) -> int:
    """The page of the URL, counted from 1 there; what cannot be read is the first."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > 6:
        return 0
    return max(0, min(int(text), _MOST_PAGES) - 1)


def _page_url(page: int) -> str:
    step = request.args.get("step") or None
    return url_for("QueueView.list", step=step, page=page + 1 if page else None)


def _tabs(queue: Queue) -> list[dict[str, Any]]:
    """All, then each of my steps, then who waits for the applicant."""
    tabs = []
    if len(queue.steps) > 1:
        tabs.append(
            {
                "label": _("All my steps"),
                "url": url_for("QueueView.list"),
                "active": queue.step is None,
                "count": queue.count(queue.steps),
            }
        )
    for step in (*queue.steps, *queue.waiting):
        label = step.label if step.clock else _waiting_label(step, queue)
        tabs.append(
            {
                "label": label,
                "url": url_for("QueueView.list", step=step.key),
                "active": queue.step is step,
                "count": queue.count((step,)),
            }
        )
    return tabs


def _waiting_label(step: Step, queue: Queue) -> Any:
    return _("Waiting for the applicant") if len(queue.waiting) == 1 else step.label


def _subtitle(queue: Queue) -> str:
    """One sentence that says how much waits."""
    if queue.step is not None and not queue.step.clock:
        return ngettext(
            "%(num)d case waits for the applicant.",
            "%(num)d cases wait for the applicant.",
            queue.total,
        )
    mine = sum(entry.mine and entry.started for entry in queue.entries)
    text = ngettext("%(num)d case waits for you.", "%(num)d cases wait for you.", queue.total)
    if mine and not queue.page:
        text += " " + ngettext(
            "You have begun %(num)d of them.", "You have begun %(num)d of them.", mine
        )
    return text


def _empty(queue: Queue) -> dict[str, Any]:
    """Why the page is empty and what to do about it."""
    if not queue.steps and not queue.waiting:
        return {
            "icon": "circle-help",
            "title": _l("No step of the SOP is yours"),
            "text": _l(
                "Your role may not act in any step, so nothing can wait for you."
                " An administrator can change that on the page of your role."
            ),
        }
    if queue.step is not None and not queue.step.clock:
        return {
            "icon": "circle-check",
            "title": _l("No applicant keeps us waiting"),
            "text": _l("Cases that were returned appear here until their papers come back."),
        }
    return {
        "icon": "circle-check",
        "title": _l("Nothing waits for you"),
        "text": _l("Cases appear here as soon as they reach one of your steps."),
    }
