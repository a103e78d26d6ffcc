"""The SOP's transitions as FAB actions: one permission each, alone or several cases at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.actions import action
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.access import current_actor, current_permissions
from app.errors import error_sentence, problem_sentence
from app.extensions import db
from app.models import Complaint
from app.services.batch import MAX_BATCH, apply_batch
from app.services.facts import facts_on_demand
from app.services.pausing import end_pause, open_pause, pause_run, require_part
from app.services.signatories import cases_checked_by, exception_on, is_in_office, office_day
from app.services.transitions import Handling, apply_transition, open_run, start_work
from app.sop.definition import Sop, Transition
from app.sop.errors import RefusedError
from app.sop.guards import problems_of
from app.stepup import require_fresh_sign_in
from app.views.formkeys import new_form_key, read_form_key, spend_form_key
from app.views.office import case_office, request_time, the_sop

#: Problems are shown before a batch for at most this many cases; the batch itself checks them all.
PREVIEWED = 30


def transition_actions(sop: Sop) -> dict[str, Callable[..., Any]]:
    """One FAB action for each transition of the SOP: a new one in the file is a new button."""
    moves = {move.key: move for move in sop.transitions}
    return {f"do_{key}": _action(move) for key, move in moves.items()}


def _action(move: Transition) -> Callable[..., Any]:
    def run(self: ActionsMixin, target: Any) -> ResponseReturnValue:
        if isinstance(target, list):
            return self.confirm_batch(move.key, target)
        return self.act(move.key, target)

    run.__name__ = f"do_{move.key}"
    run.__doc__ = f"The transition {move.key}."
    marked: Callable[..., Any] = action(
        move.key, move.label, None, "arrow-right", multiple=move.batch, single=True
    )(run)
    return marked


class ActionsMixin:
    """Moving, starting, pausing: every route here is a POST that ends in one service call."""

    def show_actions(self, item: Complaint) -> list[Any]:
        """The transitions that start at this case's step and that the officer holds."""
        allowed = {move.key for move in self.open_moves(item)}
        return [entry for name, entry in self.actions.items() if name in allowed]  # type: ignore[attr-defined]

    def open_moves(self, item: Complaint) -> list[Transition]:
        """The transitions of a case that the present officer may make now."""
        actor = current_actor()
        return [m for m in the_sop().step(item.step_key).transitions if actor.can(m.permission)]

    def act(self, key: str, item: Complaint) -> ResponseReturnValue:
        """One transition on one case; where input is needed, the step's work form opens."""
        office, actor, now = case_office(), current_actor(), request_time()
        move = _move_or_none(office.sop, item, key)
        if move is not None and move.needs_form:
            start_work(db.session(), office.sop, item, actor, now=now, take_over=True)
            db.session.commit()
            return redirect(url_for(f"{self.endpoint}.work", pk=item.id, _anchor=key), 303)  # type: ignore[attr-defined]
        nonce, opened_at = read_form_key(request.form.get("form_key", ""))
        apply_transition(
            db.session(),
            office,
            item,
            key,
            actor,
            now=now,
            reason=request.form.get("reason", ""),
            expected_version=_version(request.form.get("version")),
            handling=Handling(opened_at),
        )
        # Read before the commit, which would have the row read anew.
        pk, number, step = item.id, item.number, office.sop.step(item.step_key).label
        if spend_form_key(db.session(), nonce, str(pk)):
            db.session.commit()
            flash(_("%(number)s is now at: %(step)s.", number=number, step=step), "success")
        return redirect(self.after_move(pk), 303)

    def after_move(self, pk: int) -> str:
        """Where a move leads: back to the queue when the officer came from there."""
        if request.form.get("from") == "queue" and ("can_list", "Queue") in current_permissions():
            return url_for("QueueView.list")
        return url_for(f"{self.endpoint}.show", pk=pk)  # type: ignore[attr-defined]

    # --- several at once ---

    def confirm_batch(self, key: str, items: list[Complaint]) -> ResponseReturnValue:
        """What a batch is about to do, case by case, before it does it."""
        sop, actor = the_sop(), current_actor()
        move = next((m for m in sop.transitions if m.key == key and m.batch), None)
        if move is None:
            raise RefusedError("not_a_batch_action")
        rows = []
        in_office = "signatory_in_office" in move.guards and is_in_office(
            db.session(), actor, request_time()
        )
        checked: frozenset[int] = frozenset()
        if "checked_by_another" in move.guards and not exception_on(
            db.session(), office_day(request_time())
        ):
            checked = cases_checked_by(db.session(), actor, [item.id for item in items])
        for number, item in enumerate(items):
            legal = _move_or_none(sop, item, key)
            problems: list[str] = []
            if legal is None:
                problems = [_("Stands at: %(step)s", step=sop.step(item.step_key).label)]
            elif number < PREVIEWED and legal.effect is None:
                facts = facts_on_demand(
                    db.session(),
                    item,
                    signatory_in_office=in_office,
                    checked_by_actor=item.id in checked,
                )
                found = problems_of(legal.guards, facts)
                problems = [problem_sentence(problem) for problem in found]
            # One at another step is named, but nobody is let choose what would be refused.
            rows.append({"case": item, "problems": problems, "elsewhere": legal is None})
        rows.sort(key=lambda row: bool(row["problems"]))
        return render_template(
            "aduan/batch.html",
            title=str(move.label),
            move=move,
            rows=rows,
            ready=sum(not row["problems"] for row in rows),
            form_key=new_form_key(),
            personal=actor.can("see_personal"),
            appbuilder=self.appbuilder,  # type: ignore[attr-defined]
            back=self._list_or_queue(),
        )

    def _list_or_queue(self) -> str:
        """Where the officer chose the cases."""
        if request.form.get("from") == "queue" and ("can_list", "Queue") in current_permissions():
            return url_for("QueueView.list")
        return url_for(f"{self.endpoint}.list")  # type: ignore[attr-defined, no-any-return]

    @expose("/batch", methods=["POST"])
    @has_access
    @permission_name("list")
    def batch(self) -> ResponseReturnValue:
        """Do a confirmed batch; a mixed one does what it can and names what it did not."""
        key = request.form.get("action", "")
        if key in self.asks_again and (answer := require_fresh_sign_in()) is not None:  # type: ignore[attr-defined]
            return answer
        versions: dict[int, int | None] = {}
        for text in request.form.getlist("rowid"):
            pk = self.datamodel.clean_pk(text)  # type: ignore[attr-defined]
            if pk is None:
                abort(400)
            versions[pk] = _version(request.form.get(f"version_{pk}"))
        if not versions or len(versions) > MAX_BATCH:
            raise RefusedError("batch_too_large", most=MAX_BATCH)
        nonce, opened_at = read_form_key(request.form.get("form_key", ""))
        result = apply_batch(
            db.session(),
            case_office(),
            versions,
            key,
            current_actor(),
            now=request_time(),
            opened_at=opened_at,
            reason=request.form.get("reason", ""),
        )
        if not spend_form_key(db.session(), nonce, key):
            raise RefusedError("form_used")
        db.session.commit()
        label = next(m.label for m in the_sop().transitions if m.key == key)
        if result.done:
            flash(
                ngettext(
                    "%(num)d case was moved on.", "%(num)d cases were moved on.", len(result.done)
                ),
                "success",
            )
        return render_template(
            "aduan/batch_result.html",
            title=str(label),
            done=result.done,
            refused=[(number, error_sentence(error)) for number, error in result.refused],
            appbuilder=self.appbuilder,  # type: ignore[attr-defined]
        )

    # --- the clock ---

    @expose("/start/<pk>", methods=["POST"])
    @has_access
    @permission_name("work")
    def start(self, pk: str) -> ResponseReturnValue:
        """*Kerjakan*: the work clock starts, the case is mine, its form opens."""
        item = self.get_or_404(pk)  # type: ignore[attr-defined]
        start_work(
            db.session(),
            the_sop(),
            item,
            current_actor(),
            now=request_time(),
            take_over=request.form.get("take_over") == "1",
        )
        db.session.commit()
        return redirect(url_for(f"{self.endpoint}.work", pk=pk), 303)  # type: ignore[attr-defined]

    @expose("/pause/<pk>", methods=["POST"])
    @has_access
    @permission_name("pause")
    def pause(self, pk: str) -> ResponseReturnValue:
        """The clock of this case stands still, for a reason."""
        item = self.get_or_404(pk)  # type: ignore[attr-defined]
        run = open_run(db.session(), item)
        if run is None:
            raise RefusedError("pause_without_clock")
        form = request.form
        pause_run(
            db.session(),
            the_sop(),
            run,
            current_actor(),
            form.get("reason", ""),
            now=request_time(),
            note=form.get("note", ""),
        )
        db.session.commit()
        flash(_l("The clock of this case stands still."), "success")
        return redirect(url_for(f"{self.endpoint}.show", pk=pk), 303)  # type: ignore[attr-defined]

    @expose("/resume/<pk>", methods=["POST"])
    @has_access
    @permission_name("pause")
    def resume(self, pk: str) -> ResponseReturnValue:
        """The clock of this case goes on."""
        item = self.get_or_404(pk)  # type: ignore[attr-defined]
        require_part(the_sop(), item.step_key, current_actor())
        run = open_run(db.session(), item)
        pause = open_pause(db.session(), run) if run is not None else None
        if pause is not None:
            end_pause(db.session(), pause, current_actor(), now=request_time())
            db.session.commit()
            flash(_l("The clock of this case goes on."), "success")
        return redirect(url_for(f"{self.endpoint}.show", pk=pk), 303)  # type: ignore[attr-defined]


def _move_or_none(sop: Sop, item: Complaint, key: str) -> Transition | None:
    return next((m for m in sop.step(item.step_key).transitions if m.key == key), None)


def _version(text: str | None) -> int | None:
    """The version an officer looked at; None when the page sent none."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return int(text)
