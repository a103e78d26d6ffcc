"""Guards: true facts about a case that a transition asks for.

A guard takes the facts of one case and returns every problem it finds, none when the
fact holds. It decides nothing else and reads nothing else. `MESSAGES` holds the English
sentence of each problem code; views translate it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from app.sop.text import N_

RequirementState = Literal["present", "unreadable", "missing", "unchecked"]


@dataclass(frozen=True)
class Problem:
    """One reason why a transition is not possible yet: a stable code and its parameters."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """English, for logs and tests; pages translate the code."""
        return MESSAGES[self.code] % self.params


#: States of an item that send a file back.
FAILED: Final = frozenset({"missing", "unreadable"})


@dataclass(frozen=True, slots=True)
class RequirementFact:
    """One item of the completeness list and how it was found."""

    kind: str
    label: str
    required: bool
    state: RequirementState


@dataclass(frozen=True, slots=True)
class SiakFact:
    """What the operator saw in SIAK in this round."""

    result: Literal["match", "mismatch"]
    draft_reference: str = ""
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputFact:
    """One document the case is to produce."""

    label: str
    needs_signature: bool
    signed: bool
    printed: bool


@dataclass(frozen=True, slots=True)
class DispatchFact:
    """The dispatch record of the case."""

    courier: str
    tracking_number: str
    has_proof: bool


@dataclass(frozen=True)
class CaseFacts:
    """Everything a guard may look at.

    `has_contact` means that the applicant's name and address are known;
    `answer_overdue` that an applicant let the legal time to answer pass;
    `signatory_in_office` that who acts may sign for the office today;
    `checked_by_actor` that who acts checked this case at SIAK himself, and no exception holds.
    """

    requirements: tuple[RequirementFact, ...] = ()
    has_contact: bool = False
    phone: str = ""
    email: str = ""
    siak: SiakFact | None = None
    answer: str = ""
    category_allows_answer: bool = False
    outputs: tuple[OutputFact, ...] = ()
    needs_first_ktp: bool = False
    dispatch: DispatchFact | None = None
    answer_overdue: bool = False
    signatory_in_office: bool = False
    checked_by_actor: bool = False


Guard = Callable[[CaseFacts], tuple[Problem, ...]]

#: problem code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "requirement_missing": N_("%(label)s is not there yet."),
    "requirement_unreadable": N_("%(label)s cannot be read."),
    "requirement_unchecked": N_("%(label)s has not been checked yet."),
    "contact_missing": N_("The applicant's name and address are not there yet."),
    "phone_or_email_missing": N_("A phone number or an email address is needed."),
    "no_item_failed": N_("Nothing is marked as missing or unreadable."),
    "siak_not_recorded": N_("The result of the SIAK check is not recorded yet."),
    "siak_is_mismatch": N_("The SIAK check was recorded as not matching."),
    "siak_is_match": N_("The SIAK check was recorded as matching; a match is not returned."),
    "draft_reference_missing": N_("The reference of the draft biodata is not there yet."),
    "differences_missing": N_("Which data differ is not recorded yet."),
    "category_needs_document": N_("Cases of this category are not closed without a document."),
    "answer_missing": N_("The answer to the applicant is not written yet."),
    "outputs_unnamed": N_("No output document has been named yet."),
    "has_ktp_already": N_("The applicant has a KTP-el already."),
    "signatory_not_in_office": N_(
        "You are not entered as a signatory of the office for today. The administrator enters who"
        " signs, in which capacity, from when and by which decree."
    ),
    "checked_by_signer": N_(
        "You checked this case at SIAK yourself, so another signatory signs it. A small office may"
        " allow the exception: the administrator writes its reason under Office."
    ),
    "output_unsigned": N_("%(label)s is not signed yet."),
    "output_unprinted": N_("%(label)s is not printed yet."),
    "dispatch_missing": N_("The dispatch record is not there yet."),
    "courier_missing": N_("The courier is not chosen yet."),
    "tracking_number_missing": N_("The tracking number is not there yet."),
    "proof_missing": N_("The proof of dispatch is not there yet."),
}


def file_complete(facts: CaseFacts) -> tuple[Problem, ...]:
    """Every required item is present and readable (SOP step 1, kelengkapan)."""
    return tuple(
        Problem(f"requirement_{item.state}", {"kind": item.kind, "label": item.label})
        for item in facts.requirements
        if item.required and item.state != "present"
    )


def contact_present(facts: CaseFacts) -> tuple[Problem, ...]:
    """The applicant can be reached: name and address, and a phone number or an email."""
    problems = []
    if not facts.has_contact:
        problems.append(Problem("contact_missing"))
    if not facts.phone.strip() and not facts.email.strip():
        problems.append(Problem("phone_or_email_missing"))
    return tuple(problems)


def items_failed(facts: CaseFacts) -> tuple[Problem, ...]:
    """At least one item is missing or unreadable: a complete file is not sent back."""
    if any(item.state in FAILED for item in facts.requirements):
        return ()
    return (Problem("no_item_failed"),)


def siak_match_recorded(facts: CaseFacts) -> tuple[Problem, ...]:
    """SIAK agrees and the draft biodata is named (SOP step 2, ya)."""
    if facts.siak is None:
        return (Problem("siak_not_recorded"),)
    problems = []
    if facts.siak.result != "match":
        problems.append(Problem("siak_is_mismatch"))
    if not facts.siak.draft_reference.strip():
        problems.append(Problem("draft_reference_missing"))
    return tuple(problems)


def siak_mismatch_recorded(facts: CaseFacts) -> tuple[Problem, ...]:
    """SIAK disagrees and the differing data are named (SOP step 2, tidak)."""
    if facts.siak is None:
        return (Problem("siak_not_recorded"),)
    if facts.siak.result != "mismatch":
        return (Problem("siak_is_match"),)
    if not any(name.strip() for name in facts.siak.differences):
        return (Problem("differences_missing"),)
    return ()


def answer_allowed(facts: CaseFacts) -> tuple[Problem, ...]:
    """The category may end with an answer alone, and the answer is written."""
    problems = []
    if not facts.category_allows_answer:
        problems.append(Problem("category_needs_document"))
    if not facts.answer.strip():
        problems.append(Problem("answer_missing"))
    return tuple(problems)


def outputs_named(facts: CaseFacts) -> tuple[Problem, ...]:
    """At least one output document is named (SOP step 3)."""
    return () if facts.outputs else (Problem("outputs_unnamed"),)


def first_ktp(facts: CaseFacts) -> tuple[Problem, ...]:
    """The applicant has not received a KTP-el yet (SOP step 3, second branch)."""
    return () if facts.needs_first_ktp else (Problem("has_ktp_already"),)


def outputs_signed(facts: CaseFacts) -> tuple[Problem, ...]:
    """Every output whose kind needs a signature is signed; no output, nothing to sign."""
    return outputs_named(facts) + tuple(
        Problem("output_unsigned", {"label": output.label})
        for output in facts.outputs
        if output.needs_signature and not output.signed
    )


def signatory_in_office(facts: CaseFacts) -> tuple[Problem, ...]:
    """Who signs is a signatory of the office today, definitive or acting by a decree."""
    return () if facts.signatory_in_office else (Problem("signatory_not_in_office"),)


def checked_by_another(facts: CaseFacts) -> tuple[Problem, ...]:
    """Two pairs of eyes: who signs is not who checked the case at SIAK (separation of duties)."""
    return (Problem("checked_by_signer"),) if facts.checked_by_actor else ()


def outputs_printed(facts: CaseFacts) -> tuple[Problem, ...]:
    """Every output came out of the printer well; no output, nothing to print."""
    return outputs_named(facts) + tuple(
        Problem("output_unprinted", {"label": output.label})
        for output in facts.outputs
        if not output.printed
    )


def dispatch_with_proof(facts: CaseFacts) -> tuple[Problem, ...]:
    """The paper is with a courier, with its tracking number and proof (SOP step 6)."""
    if facts.dispatch is None:
        return (Problem("dispatch_missing"),)
    problems = []
    if not facts.dispatch.courier.strip():
        problems.append(Problem("courier_missing"))
    if not facts.dispatch.tracking_number.strip():
        problems.append(Problem("tracking_number_missing"))
    if not facts.dispatch.has_proof:
        problems.append(Problem("proof_missing"))
    return tuple(problems)


#: Problems of who acts rather than of the case: nobody else is told of them.
ABOUT_THE_ACTOR: Final[frozenset[str]] = frozenset({"signatory_not_in_office", "checked_by_signer"})

#: The guards that ask who signs.
ABOUT_WHO_SIGNS: Final[frozenset[str]] = frozenset({"signatory_in_office", "checked_by_another"})

#: The names the SOP file may use.
GUARDS: Final[dict[str, Guard]] = {
    guard.__name__: guard
    for guard in (
        file_complete,
        contact_present,
        items_failed,
        siak_match_recorded,
        siak_mismatch_recorded,
        answer_allowed,
        outputs_named,
        first_ktp,
        outputs_signed,
        signatory_in_office,
        checked_by_another,
        outputs_printed,
        dispatch_with_proof,
    )
}

#: What a transition may do besides moving the case; services implement each name.
EFFECTS: Final[frozenset[str]] = frozenset({"new_round", "reopen_case", "record_printed"})

#: What a transition may tell the applicant; the office has a text for each.
OCCASIONS: Final = ("returned", "finished", "answered")


def problems_of(names: Iterable[str], facts: CaseFacts) -> tuple[Problem, ...]:
    """Every problem that the named guards find, in the order of the SOP file."""
    return tuple(problem for name in names for problem in GUARDS[name](facts))
