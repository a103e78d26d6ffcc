"""The history of a case in words: who did what and when, why, and how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.catalogues import language_of_now
from app.formats import duration, local, local_datetime
from app.models import CaseEvent, StepRun
from app.parts import words
from app.remembered import kept
from app.services.casefile import CaseFile
from app.sop.definition import Sop
from app.sop.errors import NotFoundError
from app.sop.text import Text
from app.views.forms.work_siak import data_label

#: kind of event -> its title, icon and tone.
KINDS: Final[Mapping[str, tuple[Any, str, str]]] = {
    "registered": (_l("Complaint registered"), "inbox", "accent"),
    "imported": (_l("Taken over from a register"), "upload", "accent"),
    "edited": (_l("Facts corrected"), "pencil", "neutral"),
    "saved": (_l("Work saved, not moved on"), "save", "neutral"),
    "files_added": (_l("Files added"), "paperclip", "neutral"),
    "file_replaced": (_l("File replaced"), "files", "neutral"),
    "reprinted": (_l("Document printed once more"), "printer", "neutral"),
    "reprint_spoiled": (_l("Reprint spoiled"), "printer", "warn"),
    "signature_released": (_l("Released to be signed again"), "undo-2", "warn"),
    "parcel_sent": (_l("Parcel on its way"), "truck", "neutral"),
    "parcel_delivered": (_l("Parcel delivered"), "package-check", "ok"),
    "parcel_returned": (_l("Parcel came back"), "undo-2", "warn"),
    "parcel_sent_again": (_l("Parcel sent once more"), "send", "ok"),
    "parcel_news": (_l("News from the courier"), "truck", "neutral"),
}
STATES: Final = {
    "present": _l("there"),
    "unreadable": _l("unreadable"),
    "missing": _l("not there yet"),
    "unchecked": _l("not checked yet"),
}
FIELDS: Final = {
    "channel_id": _l("Channel"),
    "category_id": _l("Category"),
    "received_at": _l("Received"),
    "applicant_name": _l("Applicant"),
    "text": _l("Complaint"),
    "handle": _l("Account or number"),
    "external_ticket": _l("Ticket number elsewhere"),
    "nik": _l("NIK"),
    "kk_number": _l("KK number"),
    "birth_date": _l("Date of birth"),
    "sex": _l("Sex"),
    "phone": _l("Phone"),
    "email": _l("Email"),
    "address": _l("Address"),
    "kecamatan_code": _l("Kecamatan"),
    "region_code": _l("Village (desa/kelurahan)"),
    "hide_identity": _l("Identity hidden"),
    "needs_first_ktp": _l("First KTP-el"),
}


def history(file: CaseFile, sop: Sop) -> list[dict[str, Any]]:
    """The entries of the timeline, the latest first."""
    closed = file.run_closed_by()
    entries = [entry(event, sop, closed.get(event.id)) for event in file.events]
    return list(reversed(entries))


def entry(event: CaseEvent, sop: Sop, run: StepRun | None = None) -> dict[str, Any]:
    """One event as the timeline shows it."""
    title, icon, tone, way = _told(event, sop)
    _ = words()
    meta: list[tuple[str, str]] = [(_("By"), event.by_name)] if event.by_name else []
    if run is not None:
        counted = (run.wait_seconds, run.work_seconds, run.standard_minutes, run.batch_size)
        meta += _clocks(language_of_now(), *counted)
    return {
        "title": title,
        "icon": icon,
        "tone": tone,
        "time": local_datetime(event.at),
        "datetime": local(event.at).isoformat(timespec="minutes"),
        "way": way,
        "text": event.reason,
        "lists": details(event.details),
        "meta": meta,
        "round": event.round,
    }


#: What hangs on an event, in the order in which it is shown; words are looked up when they are.
_HEADINGS: Final = (
    ("items", _l("Asked for")),
    ("differences", _l("Differs from SIAK")),
    ("ask_again", _l("To be brought again")),
    ("fields", _l("Corrected")),
    ("papers", _l("Documents")),
    ("files", _l("Files")),
)


def details(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What hangs on an event: failed papers, differing data, corrected fields, files."""
    lists: list[dict[str, Any]] = []
    if not found:
        return lists
    for key, heading in _HEADINGS:
        rows = found.get(key)
        if isinstance(rows, list) and rows and not (key == "ask_again" and _is_draft(rows)):
            lists.append({"title": str(heading), "rows": [_row(key, row) for row in rows]})
    if found.get("same_person"):
        title = _("Checked and signed by the same officer, by exception")
        lists.append({"title": title, "rows": [str(found["same_person"])]})
    if found.get("signed_as"):
        lists.append({"title": _("Signed as"), "rows": [str(found["signed_as"])]})
    if isinstance(kept := found.get("register"), Mapping):
        source = _("%(file)s, row %(row)s", file=found.get("file", ""), row=found.get("row", ""))
        rows = [source, *(f"{heading}: {text}" for heading, text in kept.items())]
        lists.append({"title": _("In the register"), "rows": rows})
    if found.get("tracking_number"):
        lists.append({"title": _("Tracking number"), "rows": [str(found["tracking_number"])]})
    return lists


def _is_draft(rows: list[Any]) -> bool:
    """A saved form remembers its ticks by id; they were not asked for yet."""
    return all(isinstance(row, str) for row in rows)


def _row(key: str, row: Any) -> str:
    if key == "fields":
        return str(FIELDS.get(str(row), row))
    if key == "differences":
        return data_label(str(row))
    if not isinstance(row, Mapping):
        return str(row)
    label = str(row.get("label", ""))
    words = str(Text(id=label, en=str(row.get("label_en") or label)))
    if state := row.get("state"):
        words = f"{words}: {STATES.get(str(state), state)}"
    if note := row.get("note"):
        words = f"{words} – {note}"
    return words


def _told(event: CaseEvent, sop: Sop) -> tuple[str, str, str, str]:
    """Title, icon, tone and way of an event; most cases go the same ways."""

    def make() -> tuple[str, str, str, str]:
        if event.kind == "moved":
            title, icon, tone = _move(event, sop)
        else:
            title, icon, tone = KINDS.get(event.kind, (event.kind, "circle-dot", "neutral"))
        return str(title), icon, tone, _way(event, sop)

    ends = (event.transition, event.from_step, event.to_step)
    return kept(("told", language_of_now(), event.kind, *ends), make)


def _move(event: CaseEvent, sop: Sop) -> tuple[str, str, str]:
    move = next((m for m in sop.transitions if m.key == event.transition), None)
    if move is None:  # the SOP has changed since
        return str(event.transition or ""), "arrow-right", "neutral"
    if move.danger:
        return str(move.label), "undo-2", "warn"
    ends = _kind(sop, event.to_step) == "end"
    return str(move.label), "circle-check" if ends else "arrow-right", "ok"


def _way(event: CaseEvent, sop: Sop) -> str:
    if event.kind != "moved":
        return ""
    return f"{step_label(sop, event.from_step)} → {step_label(sop, event.to_step)}"


def step_label(sop: Sop, key: str | None) -> str:
    """A step's short name; its key when the SOP no longer has it."""
    try:
        return str(sop.step(key or "").label)
    except NotFoundError:
        return key or ""


def _kind(sop: Sop, key: str | None) -> str:
    try:
        return sop.step(key or "").kind
    except NotFoundError:
        return ""


@lru_cache(maxsize=5000)
def _clocks(
    language: str, wait: int | None, work: int | None, standard: int | None, batch: int
) -> list[tuple[str, str]]:
    """How long a stay took; the language is that of the words."""
    words = duration(work)
    if standard:
        words = _("%(used)s (standard %(standard)s)", used=words, standard=duration(standard * 60))
    found = [(_("Waited"), duration(wait)), (_("Worked"), words)]
    if batch > 1:
        together = ngettext("%(num)d case at once", "%(num)d cases at once", batch)
        found.append((_("Batch"), together))
    return found
