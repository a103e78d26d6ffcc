"""Step 2: what the operator saw in SIAK, what differs, and the papers the case is to end with."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app.models import CaseEvent
from app.services.casework import SiakResult, record_siak, save_answer
from app.services.facts import current_checks, current_siak
from app.sop.definition import Transition
from app.sop.guards import Problem
from app.views.forms.choices import kind_label
from app.views.forms.work_base import labels_of
from app.views.forms.work_fields import Line, OneRadio, Paragraph, Ticks
from app.views.forms.work_outputs import OutputsForm

#: Data that differ most often, by the word that is stored; anything else is written out.
DATA: Final = (
    ("nama", _l("Name")),
    ("nik", _l("NIK")),
    ("nomor_kk", _l("KK number")),
    ("tempat_lahir", _l("Place of birth")),
    ("tanggal_lahir", _l("Date of birth")),
    ("jenis_kelamin", _l("Sex")),
    ("alamat", _l("Address")),
    ("nama_ayah", _l("Father's name")),
    ("nama_ibu", _l("Mother's name")),
    ("status_kawin", _l("Marital status")),
    ("agama", _l("Religion")),
    ("pekerjaan", _l("Occupation")),
    ("golongan_darah", _l("Blood type")),
)
RESULTS: Final = (("match", _l("Yes, the data match")), ("mismatch", _l("No, the data differ")))
#: What a transition's guard says of the result that the officer means by pressing it.
_MEANT: Final = {"siak_match_recorded": "match", "siak_mismatch_recorded": "mismatch"}


def data_label(word: str) -> str:
    """A stored difference in the reader's language; what was written out stays as it is."""
    return next((str(label) for key, label in DATA if key == word), word)


class SiakForm(OutputsForm):
    """*Ya* with a draft, *tidak* with what differs, or an answer where no paper is needed."""

    template: ClassVar[str] = "aduan/work/siak_check.html"
    compares_numbers: ClassVar[bool] = True
    keeps_facts: ClassVar[bool] = True
    reason_label: ClassVar[Any] = _l("Reason")
    places = {
        "siak_not_recorded": "result",
        "siak_is_mismatch": "result",
        "siak_is_match": "result",
        "draft_reference_missing": "draft_reference",
        "differences_missing": "differences",
        "answer_missing": "answer",
        "category_needs_document": "answer",
    }

    def load(self) -> None:
        super().load()
        session, complaint = self.desk.session, self.complaint
        self.checks = current_checks(session, complaint)
        self.last = current_siak(session, complaint)
        saved = session.scalars(
            select(CaseEvent)
            .where(CaseEvent.complaint_id == complaint.id)
            .order_by(CaseEvent.id.desc())
            .limit(1)
        ).first()
        #: Papers ticked in a saved form: they are asked for only when the case goes back.
        self.asked: list[str] = []
        if saved is not None and saved.kind == "saved":
            asked = saved.details.get("ask_again")
            self.asked = [str(key) for key in asked] if isinstance(asked, list) else []

    def fields(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "result": OneRadio(_("Do the data in SIAK match the papers?"), RESULTS),
            "draft_reference": Line(
                _("Reference of the draft biodata"),
                80,
                description=_("As SIAK shows it."),
                render_kw={"class": "input-mid"},
            ),
            "differences": Ticks(_("Which data differ?"), DATA),
            "other_difference": Line(_("Something else that differs"), 120),
            "ask_again": Ticks(
                _("Which papers should the applicant bring again?"),
                [(str(check.kind_id), kind_label(check.kind)) for check in self.checks],
            ),
            "siak_note": Paragraph(_("Note on the SIAK check"), 1_000, rows=2),
            **self.output_fields(),
        }
        if self.complaint.category.allows_answer:
            found["answer"] = Paragraph(
                _("Answer to the applicant"),
                4_000,
                rows=4,
                description=_("With it a case of this category can end without a document."),
            )
        return found

    def fill(self) -> dict[str, Any]:
        known = {key for key, _label in DATA}
        last = self.last
        differences = list(last.differences) if last else []
        return {
            "result": last.result if last else "",
            "draft_reference": last.draft_reference if last else "",
            "differences": [word for word in differences if word in known],
            "other_difference": "; ".join(word for word in differences if word not in known),
            "ask_again": self.asked,
            "siak_note": last.note if last else "",
            "answer": self.complaint.answer,
            **self.output_values(),
        }

    def meant(self, move: Transition | None) -> str:
        """The result: what was chosen, else what the pressed button says."""
        if self.form.result.data or move is None:
            return self.form.result.data or ""
        return next((_MEANT[guard] for guard in move.guards if guard in _MEANT), "")

    def check(self, move: Transition | None) -> dict[str, str]:
        self.form.result.data = self.meant(move)
        return self.output_errors() if self.form.result.data == "match" else {}

    def save(self, move: Transition | None) -> None:
        desk, form = self.desk, self.form
        seen = self._seen(move)
        if seen is not None and (self._is_new(seen) or seen.ask_again):
            record_siak(desk.session, desk.office, self.complaint, seen, desk.actor, now=desk.now)
        if form.result.data == "match":
            self.save_outputs()
        if "answer" in form and form.answer.data != self.complaint.answer:
            save_answer(desk.session, desk.office, self.complaint, form.answer.data, desk.actor)

    def _seen(self, move: Transition | None) -> SiakResult | None:
        form = self.form
        if not form.result.data:
            return None
        # Papers are asked for only when the case really goes back to the applicant.
        back = move is not None and "siak_mismatch_recorded" in move.guards
        asked = form.ask_again.data if back else ()
        return SiakResult(
            form.result.data,
            draft_reference=form.draft_reference.data or "",
            differences=tuple(self.differences()),
            note=form.siak_note.data or "",
            ask_again=frozenset(int(key) for key in asked or ()),
        )

    def differences(self) -> list[str]:
        """What differs, as it is stored."""
        other = (self.form.other_difference.data or "").strip()
        return [*(self.form.differences.data or []), *([other] if other else [])]

    def _is_new(self, seen: SiakResult) -> bool:
        last = self.last
        if last is None or last.result != seen.result or last.note != seen.note.strip():
            return True
        if seen.result == "match":
            return last.draft_reference != seen.draft_reference.strip()
        return list(last.differences) != list(seen.differences)

    def place_of(self, problem: Problem) -> str | None:
        # Who recorded that the data differ is not asked for the draft of a match.
        if problem.code == "draft_reference_missing" and self.form.result.data == "mismatch":
            return None
        return super().place_of(problem)

    def draft(self) -> dict[str, object]:
        return {"ask_again": list(self.form.ask_again.data or [])}

    def details(self, move: Transition) -> dict[str, object]:
        if "siak_mismatch_recorded" not in move.guards:
            return {}
        asked = set(self.form.ask_again.data or [])
        papers = [check.kind for check in self.checks if str(check.kind_id) in asked]
        return {"differences": self.differences(), "ask_again": labels_of(papers)}
