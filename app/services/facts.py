"""The facts of a case as the SOP's guards want them: read from the tables, judged nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any, Final, cast

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, selectinload

from app.models import (
    CaseOutput,
    Complaint,
    Dispatch,
    Document,
    DocumentKind,
    PrintRun,
    RequirementCheck,
    SiakCheck,
)
from app.sop.guards import (
    CaseFacts,
    DispatchFact,
    OutputFact,
    RequirementFact,
    RequirementState,
    SiakFact,
)
from app.sop.text import Text

#: States of a signature with which a paper counts as signed.
INTACT: Final = frozenset({"trusted", "unknown_issuer"})
#: Days an applicant has to complete a returned file (UU 25/2009, practice: editable later).
ANSWER_DAYS = timedelta(days=30)


def case_facts(
    session: Session, complaint: Complaint, *, signatory_in_office: bool = False
) -> CaseFacts:
    """Everything the guards may look at, fresh from the database, of the case's present round.

    `signatory_in_office` is of who acts, so the caller says it; unsaid, nobody may sign.
    """
    session.flush()
    return facts_from(
        complaint,
        checks=current_checks(session, complaint),
        siak=current_siak(session, complaint),
        outputs=current_outputs(session, complaint),
        dispatch=current_dispatch(session, complaint),
        signatory_in_office=signatory_in_office,
    )


def facts_on_demand(
    session: Session,
    complaint: Complaint,
    *,
    signatory_in_office: bool = False,
    checked_by_actor: bool = False,
) -> CaseFacts:
    """The same, each fact read when a guard looks at it.

    A move that asks for nothing but its papers reads nothing but its papers.
    """
    session.flush()
    return cast(
        CaseFacts, _FactsOnDemand(session, complaint, signatory_in_office, checked_by_actor)
    )


class _FactsOnDemand:
    """The same facts as `CaseFacts`, each read once and only when it is asked for."""

    answer_overdue = CaseFacts.answer_overdue

    def __init__(
        self,
        session: Session,
        complaint: Complaint,
        signatory_in_office: bool,
        checked_by_actor: bool,
    ) -> None:
        self._session, self._complaint = session, complaint
        self.has_contact = _has_contact(complaint)
        self.phone, self.email = complaint.phone, complaint.email
        self.answer = complaint.answer
        self.needs_first_ktp = complaint.needs_first_ktp
        self.signatory_in_office = signatory_in_office
        self.checked_by_actor = checked_by_actor

    @cached_property
    def requirements(self) -> tuple[RequirementFact, ...]:
        """The completeness list."""
        return _requirements(current_checks(self._session, self._complaint))

    @cached_property
    def siak(self) -> SiakFact | None:
        """The latest SIAK check."""
        return _siak(current_siak(self._session, self._complaint))

    @property
    def category_allows_answer(self) -> bool:
        """Whether an answer is enough for cases of this category."""
        return self._complaint.category.allows_answer

    @cached_property
    def outputs(self) -> tuple[OutputFact, ...]:
        """The papers."""
        rows = self._session.execute(
            _OUTPUTS, {"case": self._complaint.id, "of_round": self._complaint.round}
        )
        return tuple(
            OutputFact(
                label=f"{Text(id=row[0], en=row[1] or row[0])} {row[2]}".strip(),
                needs_signature=row[3],
                signed=row[4] in INTACT,
                printed=row[5] == "good",
            )
            for row in rows
        )

    @cached_property
    def dispatch(self) -> DispatchFact | None:
        """The parcel."""
        return _dispatch(current_dispatch(self._session, self._complaint))


def facts_from(
    complaint: Complaint,
    *,
    checks: Sequence[RequirementCheck],
    siak: SiakCheck | None,
    outputs: Sequence[CaseOutput],
    dispatch: Dispatch | None,
    signatory_in_office: bool = False,
) -> CaseFacts:
    """The same from rows at hand; each belongs to the case's present round."""
    return CaseFacts(
        requirements=_requirements(checks),
        has_contact=_has_contact(complaint),
        phone=complaint.phone,
        email=complaint.email,
        siak=_siak(siak),
        answer=complaint.answer,
        category_allows_answer=complaint.category.allows_answer,
        outputs=_outputs(outputs),
        needs_first_ktp=complaint.needs_first_ktp,
        dispatch=_dispatch(dispatch),
        signatory_in_office=signatory_in_office,
    )


def current_checks(session: Session, complaint: Complaint) -> list[RequirementCheck]:
    """The completeness list of a case, in the office's order."""
    return list(
        session.scalars(
            select(RequirementCheck)
            .where(RequirementCheck.complaint_id == complaint.id)
            .order_by(RequirementCheck.position, RequirementCheck.id)
            .execution_options(populate_existing=True)
        )
    )


def current_outputs(session: Session, complaint: Complaint) -> list[CaseOutput]:
    """The papers this round of the case ends with, with their files and prints."""
    return list(
        session.scalars(
            select(CaseOutput)
            .where(
                CaseOutput.complaint_id == complaint.id,
                CaseOutput.round == complaint.round,
                CaseOutput.dropped_at.is_(None),
            )
            .options(
                selectinload(CaseOutput.documents).load_only(
                    Document.stage, Document.replaced_at, Document.signature_state
                ),
                selectinload(CaseOutput.prints).load_only(PrintRun.result),
            )
            .order_by(CaseOutput.id)
            .execution_options(populate_existing=True)
        )
    )


def signed_document(output: CaseOutput) -> Document | None:
    """The file that makes a paper signed: the present one, its signature read and intact.

    An issuer that our list does not know is said on the page and refuses nothing; a file that was
    changed, or whose signature nobody has read, does not count.
    """
    return signed_among(output.documents)


def signed_among(documents: Iterable[Document]) -> Document | None:
    """The same from the files of one paper at hand, in the order in which they came."""
    present = [d for d in documents if d.stage == "signed" and d.replaced_at is None]
    if present and present[-1].signature_state in INTACT:
        return present[-1]
    return None


def printed_well(output: CaseOutput) -> bool:
    """A paper is printed when its latest print came out well."""
    return bool(output.prints) and output.prints[-1].result == "good"


def current_siak(session: Session, complaint: Complaint) -> SiakCheck | None:
    """The latest SIAK check of the present round."""
    return session.scalars(
        select(SiakCheck)
        .where(SiakCheck.complaint_id == complaint.id, SiakCheck.round == complaint.round)
        .order_by(SiakCheck.id.desc())
        .limit(1)
    ).first()


def current_dispatch(session: Session, complaint: Complaint) -> Dispatch | None:
    """The latest parcel of the present round."""
    return session.scalars(
        select(Dispatch)
        .where(Dispatch.complaint_id == complaint.id, Dispatch.round == complaint.round)
        .order_by(Dispatch.id.desc())
        .limit(1)
    ).first()


def _has_contact(complaint: Complaint) -> bool:
    return bool(complaint.applicant_name.strip() and complaint.address.strip())


def _requirements(checks: Iterable[RequirementCheck]) -> tuple[RequirementFact, ...]:
    return tuple(
        RequirementFact(
            check.kind.code,
            str(check.kind),
            check.required,
            cast(RequirementState, check.state),
        )
        for check in checks
    )


def _outputs(outputs: Iterable[CaseOutput]) -> tuple[OutputFact, ...]:
    return tuple(
        OutputFact(
            label=str(output),
            needs_signature=output.kind.needs_signature,
            signed=signed_document(output) is not None,
            printed=printed_well(output),
        )
        for output in outputs
    )


def _siak(check: SiakCheck | None) -> SiakFact | None:
    if check is None:
        return None
    result = "match" if check.result == "match" else "mismatch"
    return SiakFact(result, check.draft_reference, tuple(check.differences))  # type: ignore[arg-type]


def _dispatch(dispatch: Dispatch | None) -> DispatchFact | None:
    if dispatch is None:
        return None
    return DispatchFact(
        courier=dispatch.courier.name,
        tracking_number=dispatch.tracking_number,
        has_proof=dispatch.proof_id is not None,
    )


def _output_facts() -> Any:
    """The papers of a round with what the guards ask of each, in one statement.

    The same rules as `signed_among` and `printed_well`: the present signed file, the latest print.
    """
    output, kind = CaseOutput.__table__.c, DocumentKind.__table__.c
    document, print_run = Document.__table__.c, PrintRun.__table__.c
    signature = (
        select(document.signature_state)
        .where(
            document.output_id == output.id,
            document.stage == "signed",
            document.replaced_at.is_(None),
        )
        .order_by(document.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    latest_print = (
        select(print_run.result)
        .where(print_run.output_id == output.id)
        .order_by(print_run.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            kind.label_id,
            kind.label_en,
            output.reference,
            kind.needs_signature,
            signature,
            latest_print,
        )
        .join_from(CaseOutput.__table__, DocumentKind.__table__, kind.id == output.kind_id)
        .where(
            output.complaint_id == bindparam("case"),
            output.round == bindparam("of_round"),
            output.dropped_at.is_(None),
        )
        .order_by(output.id)
    )


_OUTPUTS: Final = _output_facts()
