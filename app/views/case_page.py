"""What the page of a case says: where it is, what it lacks, what may be done now, what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import problem_sentence
from app.formats import days_left, local, short_date
from app.models import CaseEvent, Complaint, Dispatch, Document
from app.parts import words
from app.services.actor import Actor
from app.services.casefile import CaseFile
from app.services.clocks import Clocks
from app.services.facts import ANSWER_DAYS, printed_well, signed_document
from app.sop.clock import Calendar
from app.sop.definition import Sop, Step, Transition
from app.sop.errors import NotFoundError
from app.sop.guards import ABOUT_THE_ACTOR
from app.sop.identity import mask
from app.views.case_files import CaseFiles, group_files
from app.views.case_history import entry, history
from app.views.forms.work import NOT_FOR_THIS_CASE
from app.views.forms.work_siak import data_label

#: Days before a due date from which it is shown as close.
_CLOSE: Final = 3
STAGES: Final = (
    ("requirement", _l("From the applicant")),
    ("draft", _l("Drafts")),
    ("signed", _l("Signed documents")),
    ("proof", _l("Proof of dispatch")),
)


@dataclass(frozen=True)
class Offer:
    """One transition that the officer may make, and what it still lacks."""

    move: Transition
    problems: tuple[str, ...]
    #: Nothing done here makes it possible for this case.
    never: bool

    @property
    def ready(self) -> bool:
        """Whether the case could take it now."""
        return not self.problems


class CasePage:
    """The page of one case for one officer at one moment; reads nothing, decides nothing."""

    def __init__(
        self,
        file: CaseFile,
        sop: Sop,
        calendar: Callable[[], Calendar],
        actor: Actor,
        now: datetime,
        *,
        revealed: bool = False,
    ) -> None:
        self.file, self.sop, self.actor, self.now = file, sop, actor, now
        self._calendar = calendar
        self.case: Complaint = file.complaint
        self.step: Step = sop.step(self.case.step_key)
        self.personal = actor.can("see_personal")
        #: Numbers and addresses in full: he asked for them with a reason, or his step's work is to
        #: compare them.
        self.revealed = revealed and self.personal

    # --- what may be done ---

    @cached_property
    def offers(self) -> list[Offer]:
        """The transitions of the step that the officer holds, ways forward first."""
        if self.case.erased_at is not None or self.file.archived or self.file.year_archived:
            return []
        mine = [move for move in self.step.transitions if self.actor.can(move.permission)]
        return [self._offer(move) for move in sorted(mine, key=lambda move: move.danger)]

    def _offer(self, move: Transition) -> Offer:
        found = self.file.problems(move)
        if not self.actor.can(move.permission):  # an onlooker is told what the case lacks
            found = tuple(p for p in found if p.code not in ABOUT_THE_ACTOR)
        return Offer(
            move,
            tuple(problem_sentence(problem) for problem in found),
            any(problem.code in NOT_FOR_THIS_CASE for problem in found),
        )

    @cached_property
    def lacking(self) -> list[Offer]:
        """What each way forward lacks; for an onlooker, what the officer in charge still needs."""
        offers = self.offers or [self._offer(move) for move in self.step.transitions]
        forward = [o for o in offers if not o.move.danger and not o.never and o.move.guards]
        return [offer for offer in forward if offer.problems]

    @property
    def quick(self) -> list[Offer]:
        """What can be done from here without a form."""
        return [
            offer
            for offer in self.offers
            if offer.ready and not offer.move.needs_form and not offer.move.reason
        ]

    @property
    def may_work(self) -> bool:
        """Whether the officer has a part in this step."""
        return self.actor.can("can_work") and bool(self.offers)

    @property
    def mine(self) -> bool:
        """Whether the officer has taken the case, and its clock runs."""
        run = self.file.open_run
        return self.case.assignee_id == self.actor.id and (
            run is None or run.started_at is not None
        )

    @property
    def held_by_other(self) -> bool:
        """Whether a colleague works on it."""
        return self.case.assignee_id not in (None, self.actor.id)

    @property
    def holder(self) -> str:
        """Who has taken the case."""
        return self.file.officer(self.case.assignee_id)

    @property
    def held_since(self) -> Any:
        """Since when."""
        run = self.file.open_run
        return run.started_at if run is not None and run.started_at else self.case.step_since

    @property
    def may_edit(self) -> bool:
        """Whether the facts may be corrected."""
        return self.actor.can("can_edit") and self.step.kind != "end"

    @property
    def may_pause(self) -> bool:
        """Whether the officer may let this clock stand still or go on."""
        return (
            self.actor.can("can_pause")
            and self.file.open_run is not None
            and self.actor.can_any(move.key for move in self.step.transitions)
        )

    # --- where it is ---

    @property
    def badges(self) -> Iterator[tuple[str, str, str | None]]:
        """Words, tone and icon of what has to be seen first."""
        case = self.case
        tone = {"waiting": "warn", "end": "ok"}.get(self.step.kind, "accent")
        yield str(self.step.label), tone, None
        if case.round > 1:
            yield _("Round %(number)s", number=case.round), "info", "rotate-ccw"
        if case.confidential:
            yield _("Confidential"), "late", "lock"
        if case.hide_identity:
            yield _("Identity hidden"), "late", "eye-off"
        if self.file.standing_pause is not None:
            yield _("Clock stands still"), "warn", "pause"
        if case.closed_at is None:
            words = _("Due %(day)s", day=short_date(case.class_due))
            tone = self._tone_of(case.class_due)
            yield f"{words} · {self._left(case.class_due)}", tone, "calendar"

    @property
    def due_dates(self) -> list[tuple[str, str, str, str]]:
        """The legal dates with the days left: label, day, words, tone."""
        _, case = words(), self.case
        dates: list[tuple[str, date]] = [
            (_("File complete or not: tell the applicant by"), case.completeness_due),
            (_("Answer by class of complaint"), case.class_due),
            (_("Decision at the latest"), case.decision_due),
        ]
        if self.step.kind == "waiting":
            dates.append((_("Applicant's answer"), local(case.step_since + ANSWER_DAYS).date()))
        if case.closed_at is not None:
            return [(label, short_date(day), "", "neutral") for label, day in dates]
        return [
            (label, short_date(day), self._left(day), self._tone_of(day)) for label, day in dates
        ]

    def _left(self, day: date) -> str:
        return days_left(day, local(self.now).date())

    def _tone_of(self, day: date) -> str:
        left = (day - local(self.now).date()).days
        return "late" if left < 0 else "warn" if left <= _CLOSE else "neutral"

    @cached_property
    def lane_mark(self) -> tuple[int, str]:
        """Where the mark of the strip stands, and what it looks like."""
        return self._place([step.key for step in self.sop.clock_steps])

    @property
    def lane(self) -> list[dict[str, str]]:
        """The SOP's steps and how far the case has come, whatever it went through."""
        steps = self.sop.clock_steps
        at, state = self.lane_mark
        found = []
        for index, step in enumerate(steps):
            mark = "done" if index < at else state if index == at else "todo"
            lane = str(self.sop.lane(step.actor).label)
            found.append({"label": str(step.label), "text": lane, "state": mark})
        return found

    def _place(self, keys: list[str]) -> tuple[int, str]:
        """Where the strip's mark stands and what it looks like."""
        if self.step.key in keys:
            halted = self.file.standing_pause is not None
            return keys.index(self.step.key), "halted" if halted else "current"
        closed = [run for run in self.file.runs if run.step_key in keys]
        if self.file.archived:
            left = [event for event in self.file.events if event.from_step in keys]
            return (
                self._after(keys, left[-1].from_step, left[-1].transition) if left else (0, "done")
            )
        if not closed:
            # Finished without any step of ours: taken over from a register.
            return (-1, "todo") if self.step.kind == "end" else (0, "halted")
        return self._after(keys, closed[-1].step_key, closed[-1].transition)

    def _after(self, keys: list[str], left: str | None, by: str | None) -> tuple[int, str]:
        """The mark of a case that left a step by a move: a return halted it there."""
        assert left is not None
        try:
            moves = self.sop.step(left).transitions
        except NotFoundError:
            moves = ()
        halted = any(move.key == by and move.danger for move in moves)
        return keys.index(left), "halted" if halted else "done"

    # --- clocks ---

    @property
    def clocks(self) -> Clocks | None:
        """Both clocks of the present stay."""
        if self.file.open_run is None:
            return None
        return self.file.clocks(self._calendar(), self.now)

    @property
    def pause_reason(self) -> str:
        """Why the clock stands still."""
        pause = self.file.standing_pause
        if pause is None:
            return ""
        reasons = {reason.key: str(reason.label) for reason in self.sop.pause_reasons}
        return reasons.get(pause.reason, pause.reason)

    # --- who it is about ---

    @property
    def name(self) -> str:
        """The applicant's name, its first letter for who may not see personal data."""
        name = self.case.applicant_name
        return name if self.personal else mask(name, first=1, last=0)

    def shown(self, value: str, *, first: int = 2, last: int = 4) -> str:
        """A personal number or address in full only when it was asked for, else masked."""
        return value if self.revealed or not value else mask(value, first=first, last=last)

    def reveal(self) -> None:
        """Show the numbers in full; who calls it has logged it."""
        self.revealed = self.personal

    @property
    def may_reveal(self) -> bool:
        """Whether the officer may ask for the numbers, and there are any."""
        case = self.case
        if self.revealed or not (self.personal and self.actor.can("can_reveal")):
            return False
        return any((case.nik, case.kk_number, case.phone, case.email, case.address))

    @property
    def place(self) -> str:
        """Address, village and kecamatan; only the kecamatan without the permission."""
        case = self.case
        parts = [case.kecamatan]
        if self.personal:
            address = self.shown(case.address, first=3, last=0)
            parts = [address, case.region, case.kecamatan]  # type: ignore[list-item]
        return ", ".join(str(part) for part in parts if part)

    # --- files and history ---

    @property
    def may_list_files(self) -> bool:
        """Whether the officer may know which files there are."""
        return self.actor.can("can_list", "Document")

    @property
    def dispatches(self) -> list[Dispatch]:
        """The parcels, the latest first, for who may look at them on their own page."""
        return self.file.dispatches[::-1] if self.actor.can("can_show", "Dispatch") else []

    @cached_property
    def file_groups(self) -> CaseFiles:
        """All files for the files part of the page, earlier versions under the present ones."""
        if not self.may_list_files or self.case.erased_at is not None:
            return CaseFiles()
        may_replace = self.actor.can("can_replace", "Document") and self.step.kind != "end"
        return group_files(
            self.file,
            may_replace=may_replace,
            may_see_parcels=self.actor.can("can_show", "Dispatch"),
        )

    @property
    def files(self) -> list[tuple[str, list[Document]]]:
        """The present files by stage, only stages that have any."""
        if not self.may_list_files:
            return []
        return [
            (str(label), found)
            for stage, label in STAGES
            if (found := [d for d in self.file.documents if d.stage == stage and not d.replaced_at])
        ]

    @property
    def differences(self) -> dict[int, list[str]]:
        """What differed at each SIAK check, in words."""
        return {
            check.id: [data_label(word) for word in check.differences]
            for check in self.file.siak_checks
        }

    @property
    def history(self) -> list[dict[str, Any]]:
        """What happened, the latest first."""
        return history(self.file, self.sop)

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """The papers of the case that were not withdrawn, and how far they are."""
        return [
            {
                "output": output,
                "signed": signed_document(output) is not None,
                "signature": next(
                    (
                        document
                        for document in reversed(output.documents)
                        if document.stage == "signed" and document.replaced_at is None
                    ),
                    None,
                ),
                "printed": printed_well(output),
            }
            for output in self.file.outputs
            if output.dropped_at is None
        ]

    @property
    def returned_entry(self) -> dict[str, Any] | None:
        """Why a waiting case waits, as the history says it."""
        found = self.last_return
        return entry(found, self.sop) if found is not None else None

    @property
    def last_return(self) -> CaseEvent | None:
        """The move that brought a waiting case here."""
        if self.step.kind != "waiting":
            return None
        moves = [event for event in self.file.events if event.to_step == self.step.key]
        return moves[-1] if moves else None
