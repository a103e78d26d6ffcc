"""Papers about one case: the receipt, the itemised return slip, the cover of the drafts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseEvent, User
from app.services.casefile import CaseFile
from app.services.facts import ANSWER_DAYS
from app.services.papers.frame import (
    BLANK,
    Printing,
    applicant,
    case_head,
    frame,
    open_file,
    user_name,
)
from app.services.papers.words import DATA, STATES, breakable, day, long_day, moment, shortened
from app.sop.definition import Sop
from app.sop.errors import RefusedError

#: A complaint may run to pages; the receipt repeats its beginning.
_MOST_TEXT = 600
_FAILED = ("missing", "unreadable")


def receipt(session: Session, printing: Printing, pk: int) -> dict[str, Any]:
    """The receipt: who complained of what, when, where, to whom (UU 25/2009, Perpres 76/2013).

    Raises:
        NotAllowedError: the officer may not print papers or see personal data.
        NotFoundError: there is no such case for him.
    """
    file = open_file(session, printing, pk)
    case = file.complaint
    return {
        **frame(session, printing),
        **case_head(case),
        "pin": case.check_pin,
        "applicant": applicant(case, in_full=False),
        "text": breakable(shortened(case.text, _MOST_TEXT)),
        "officer": case.registered_by.get_full_name() if case.registered_by else BLANK,
        "papers": [
            {
                "label": check.kind.label_id,
                "state": check.state,
                "words": STATES[check.state],
                "required": check.required,
            }
            for check in file.checks
            # What nobody has asked about yet is no statement about the file.
            if check.required or check.state != "unchecked"
        ],
        "due": {
            "completeness": day(case.completeness_due),
            "answer": day(case.class_due),
            "decision": day(case.decision_due),
        },
    }


def return_slip(session: Session, printing: Printing, sop: Sop, pk: int) -> dict[str, Any]:
    """What the applicant has to bring, item by item, and until when (SOP steps 1 and 2, tidak).

    Raises:
        NotAllowedError, NotFoundError: as for the receipt.
        RefusedError: the case does not wait for the applicant.
    """
    file = open_file(session, printing, pk)
    case = file.complaint
    if sop.step(case.step_key).kind != "waiting":
        raise RefusedError("paper_not_returned")
    moves = [event for event in file.events if event.to_step == case.step_key]
    last = moves[-1] if moves else None
    details: Mapping[str, Any] = last.details if last else {}
    return {
        **frame(session, printing),
        **case_head(case),
        "applicant": applicant(case, in_full=False),
        "returned": long_day(last.at if last else case.step_since),
        "by": last.by_name if last else BLANK,
        "reason": breakable(last.reason.strip() if last else ""),
        "items": _items(file, last, details),
        "differences": _differences(file, last, details),
        "ask_again": [_label(row) for row in _rows(details, "ask_again") if _label(row)],
        "answer_by": day(case.step_since + ANSWER_DAYS),
    }


def draft_cover(session: Session, printing: Printing, sop: Sop, pk: int) -> dict[str, Any]:
    """The sheet on top of the drafts that go to be certified: what, whose, who has seen it (step 3).

    Raises:
        NotAllowedError, NotFoundError: as for the receipt.
        RefusedError: neither a matching SIAK check nor an output document is there yet.
    """
    file = open_file(session, printing, pk)
    case = file.complaint
    checks = [check for check in file.siak_checks if check.round == case.round]
    siak = checks[-1] if checks and checks[-1].result == "match" else None
    outputs = file.current_outputs
    if siak is None and not outputs:
        raise RefusedError("paper_no_draft")
    names = _names(session, file)
    return {
        **frame(session, printing),
        **case_head(case),
        "applicant": applicant(case, in_full=True),
        "text": breakable(shortened(case.text, _MOST_TEXT)),
        "siak": {
            "reference": breakable(siak.draft_reference) if siak else "",
            "at": moment(siak.checked_at) if siak else "",
            "by": user_name(names, siak.checked_by_id) if siak else "",
            "note": breakable(siak.note) if siak else "",
        },
        "outputs": [
            {
                "label": output.kind.label_id,
                "reference": breakable(output.reference),
                "signed": output.kind.needs_signature,
            }
            for output in outputs
        ],
        "route": _route(file, sop, names),
    }


def _items(
    file: CaseFile, last: CaseEvent | None, details: Mapping[str, Any]
) -> list[dict[str, str]]:
    """The papers that failed, as they were told; those of the list where nothing was noted."""
    noted = _rows(details, "items")
    if noted:
        return [
            {
                "label": _label(row),
                "words": STATES.get(str(row.get("state", "")), ""),
                "note": breakable(str(row.get("note") or "")),
            }
            for row in noted
            if isinstance(row, Mapping)
        ]
    return [
        {"label": check.kind.label_id, "words": STATES[check.state], "note": breakable(check.note)}
        for check in file.checks
        if check.state in _FAILED
    ]


def _differences(
    file: CaseFile, last: CaseEvent | None, details: Mapping[str, Any]
) -> list[dict[str, str]]:
    """The data that differ from SIAK, when that is why the case came back."""
    noted: list[Any] = _rows(details, "differences")
    if not noted and file.siak_checks and last is not None:
        latest = file.siak_checks[-1]
        noted = list(latest.differences) if _led_here(latest.result, last) else []
    return [{"label": breakable(DATA.get(str(word), str(word)))} for word in noted]


def _led_here(result: str, last: CaseEvent) -> bool:
    """A mismatch is the reason unless the papers themselves were incomplete."""
    return result == "mismatch" and not last.details.get("items")


def _rows(details: Mapping[str, Any], key: str) -> list[Any]:
    found = details.get(key)
    return found if isinstance(found, list) else []


def _label(row: Any) -> str:
    """The Indonesian name of a noted paper."""
    return breakable(str(row.get("label", "")) if isinstance(row, Mapping) else str(row))


def _route(file: CaseFile, sop: Sop, names: Mapping[int, str]) -> list[dict[str, str]]:
    """The steps of the sheet, each with who finished it in this round and when."""
    closed = {
        run.step_key: run
        for run in file.runs
        if run.finished_at is not None and run.round == file.complaint.round
    }
    keys = [step.key for step in sop.clock_steps]
    here = file.complaint.step_key
    # A case that was sent back has to pass again what it had passed.
    passed = keys[: keys.index(here)] if here in keys else keys
    rows = []
    for step in sop.clock_steps:
        run = closed.get(step.key)
        done = run is not None and step.key in passed
        rows.append(
            {
                "label": step.label.id,
                "lane": sop.lane(step.actor).label.id,
                "at": moment(run.finished_at) if done and run and run.finished_at else "",
                "by": user_name(names, run.finished_by_id) if done and run else "",
            }
        )
    return rows


def _names(session: Session, file: CaseFile) -> dict[int, str]:
    """The officers who had the case in hand, by one statement."""
    ids = {run.finished_by_id for run in file.runs} | {c.checked_by_id for c in file.siak_checks}
    wanted = [key for key in ids if key is not None]
    if not wanted:
        return {}
    found = session.scalars(select(User).where(User.id.in_(wanted)))
    return {user.id: user.get_full_name() for user in found}
