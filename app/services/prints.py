"""One print of one paper: numbered, judged, and its blank card booked with it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.models import CaseOutput, Complaint, PrintRun
from app.services.actor import Actor
from app.services.blanks import use_blank
from app.services.facts import printed_well
from app.services.visibility import ensure_visible
from app.sop.errors import RefusedError
from app.sop.text import N_

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "print_result_unknown": N_("Say whether %(label)s was printed well or spoiled."),
    "reprint_needs_reason": N_(
        "%(label)s was printed well already. Say why it is printed once more."
    ),
}
RESULTS: Final = ("good", "spoiled")


def record_print(
    session: Session,
    complaint: Complaint,
    output: CaseOutput,
    result: str,
    actor: Actor,
    *,
    now: datetime,
    reason: str = "",
    reprint_reason: str = "",
) -> PrintRun:
    """Count one print of one paper; a spoiled one needs its reason and keeps the case here.

    A paper that came out well is printed again only with a reason of its own (`reprint_reason`).
    The caller has claimed the case, so that two prints never get one number.

    Raises:
        RefusedError: a spoiled print or a reprint without a reason, or a paper of another case.
        NoBlankError: it is printed on a card and there is none for it.
    """
    ensure_visible(actor, complaint)
    if output.complaint_id != complaint.id:
        raise RefusedError("output_of_other_case")
    if result not in RESULTS:
        raise RefusedError("print_result_unknown", label=str(output))
    if result == "spoiled" and not reason.strip():
        raise RefusedError("spoiled_needs_reason", label=str(output))
    session.flush()
    session.expire(output, ["prints"])
    if printed_well(output) and not reprint_reason.strip():
        raise RefusedError("reprint_needs_reason", label=str(output))
    run = PrintRun(
        output_id=output.id,
        number=(output.prints[-1].number + 1) if output.prints else 1,
        result=result,
        reason=reason.strip()[:200] if result == "spoiled" else "",
        reprint_reason=reprint_reason.strip()[:200],
        printed_at=now,
        printed_by_id=actor.id,
    )
    output.prints.append(run)
    session.flush()
    use_blank(session, output, run, actor, now=now)
    return run
