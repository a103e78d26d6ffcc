"""What each guard refuses, one row per refusal, and what it lets pass."""

from dataclasses import replace

import pytest

from app.sop.guards import (
    GUARDS,
    MESSAGES,
    CaseFacts,
    DispatchFact,
    OutputFact,
    RequirementFact,
    SiakFact,
    problems_of,
)

KK = RequirementFact("kk", "KK", required=True, state="present")
SCHOOL = RequirementFact("ijazah", "Ijazah", required=False, state="missing")
OUT = OutputFact("Kartu Keluarga", needs_signature=True, signed=True, printed=True)
SENT = DispatchFact("pos", "P2506020001", has_proof=True)


@pytest.mark.parametrize(
    ("guard", "facts", "expected"),
    [
        pytest.param(
            "file_complete",
            {"requirements": (KK, SCHOOL)},
            [],
            id="a missing optional item does not hold the file",
        ),
        pytest.param(
            "file_complete",
            {"requirements": (replace(KK, state="missing"), SCHOOL)},
            ["requirement_missing"],
            id="a missing required item holds it",
        ),
        pytest.param(
            "file_complete",
            {"requirements": (replace(KK, state="unreadable"),)},
            ["requirement_unreadable"],
            id="an unreadable one too",
        ),
        pytest.param(
            "file_complete",
            {"requirements": (replace(KK, state="unchecked"),)},
            ["requirement_unchecked"],
            id="an unchecked one too",
        ),
        pytest.param(
            "contact_present",
            {"has_contact": True, "phone": "081200000001"},
            [],
            id="a phone number is enough",
        ),
        pytest.param(
            "contact_present",
            {"has_contact": True, "email": "a@example.org"},
            [],
            id="an email address is enough",
        ),
        pytest.param(
            "contact_present",
            {"has_contact": True, "phone": " "},
            ["phone_or_email_missing"],
            id="a blank phone number is none",
        ),
        pytest.param(
            "contact_present",
            {},
            ["contact_missing", "phone_or_email_missing"],
            id="nothing is known",
        ),
        pytest.param(
            "items_failed",
            {"requirements": (KK,)},
            ["no_item_failed"],
            id="a complete file is not sent back",
        ),
        pytest.param(
            "items_failed",
            {"requirements": (replace(KK, state="unchecked"),)},
            ["no_item_failed"],
            id="an unchecked file is not sent back",
        ),
        pytest.param(
            "items_failed",
            {"requirements": (KK, SCHOOL)},
            [],
            id="a missing optional item may be asked for",
        ),
        pytest.param(
            "items_failed",
            {"requirements": (replace(KK, state="unreadable"),)},
            [],
            id="an unreadable item is asked for",
        ),
        pytest.param(
            "siak_match_recorded", {}, ["siak_not_recorded"], id="no match without a result"
        ),
        pytest.param(
            "siak_match_recorded",
            {"siak": SiakFact("match", "B-1")},
            [],
            id="a match with its draft",
        ),
        pytest.param(
            "siak_match_recorded",
            {"siak": SiakFact("match", " ")},
            ["draft_reference_missing"],
            id="a blank draft reference is none",
        ),
        pytest.param(
            "siak_match_recorded",
            {"siak": SiakFact("mismatch", "B-1", ("nama",))},
            ["siak_is_mismatch"],
            id="a mismatch does not go on",
        ),
        pytest.param(
            "siak_mismatch_recorded", {}, ["siak_not_recorded"], id="no return without a result"
        ),
        pytest.param(
            "siak_mismatch_recorded",
            {"siak": SiakFact("mismatch", "", ("nama",))},
            [],
            id="a mismatch with its data",
        ),
        pytest.param(
            "siak_mismatch_recorded",
            {"siak": SiakFact("mismatch")},
            ["differences_missing"],
            id="no differing datum",
        ),
        pytest.param(
            "siak_mismatch_recorded",
            {"siak": SiakFact("mismatch", "", (" ",))},
            ["differences_missing"],
            id="a blank datum is none",
        ),
        pytest.param(
            "siak_mismatch_recorded",
            {"siak": SiakFact("match", "B-1", ("nama",))},
            ["siak_is_match"],
            id="a matching record is not returned",
        ),
        pytest.param(
            "answer_allowed",
            {"category_allows_answer": True, "answer": "Sudah aktif."},
            [],
            id="an answer of a category that allows it",
        ),
        pytest.param(
            "answer_allowed",
            {"category_allows_answer": True, "answer": " "},
            ["answer_missing"],
            id="a blank answer is none",
        ),
        pytest.param(
            "answer_allowed",
            {"answer": "Sudah aktif."},
            ["category_needs_document"],
            id="a category that needs a document",
        ),
        pytest.param("outputs_named", {}, ["outputs_unnamed"], id="no output document"),
        pytest.param("outputs_named", {"outputs": (OUT,)}, [], id="an output document"),
        pytest.param("first_ktp", {}, ["has_ktp_already"], id="has a KTP-el"),
        pytest.param("first_ktp", {"needs_first_ktp": True}, [], id="has no KTP-el yet"),
        pytest.param(
            "signatory_in_office", {}, ["signatory_not_in_office"], id="nobody signs unsaid"
        ),
        pytest.param("signatory_in_office", {"signatory_in_office": True}, [], id="a signatory"),
        pytest.param(
            "checked_by_another",
            {"checked_by_actor": True},
            ["checked_by_signer"],
            id="who checked signs",
        ),
        pytest.param("checked_by_another", {}, [], id="who checked is another"),
        pytest.param("outputs_signed", {}, ["outputs_unnamed"], id="nothing to sign"),
        pytest.param("outputs_signed", {"outputs": (OUT,)}, [], id="all signed"),
        pytest.param(
            "outputs_signed",
            {"outputs": (OUT, replace(OUT, signed=False))},
            ["output_unsigned"],
            id="one of two is unsigned",
        ),
        pytest.param(
            "outputs_signed",
            {"outputs": (replace(OUT, needs_signature=False, signed=False),)},
            [],
            id="a kind that needs no signature",
        ),
        pytest.param("outputs_printed", {}, ["outputs_unnamed"], id="nothing to print"),
        pytest.param("outputs_printed", {"outputs": (OUT,)}, [], id="all printed"),
        pytest.param(
            "outputs_printed",
            {"outputs": (OUT, replace(OUT, printed=False))},
            ["output_unprinted"],
            id="one of two is unprinted",
        ),
        pytest.param("dispatch_with_proof", {}, ["dispatch_missing"], id="no dispatch record"),
        pytest.param("dispatch_with_proof", {"dispatch": SENT}, [], id="a dispatch with its proof"),
        pytest.param(
            "dispatch_with_proof",
            {"dispatch": replace(SENT, has_proof=False)},
            ["proof_missing"],
            id="no dispatch without proof",
        ),
        pytest.param(
            "dispatch_with_proof",
            {"dispatch": DispatchFact("", " ", has_proof=True)},
            ["courier_missing", "tracking_number_missing"],
            id="no courier and no number",
        ),
    ],
)
def test_guard(guard: str, facts: dict[str, object], expected: list[str]) -> None:
    problems = GUARDS[guard](CaseFacts(**facts))  # type: ignore[arg-type]
    assert [problem.code for problem in problems] == expected
    assert all(str(problem) for problem in problems)


def test_a_problem_names_the_item() -> None:
    (problem,) = GUARDS["file_complete"](CaseFacts(requirements=(replace(KK, state="missing"),)))
    assert problem.params == {"kind": "kk", "label": "KK"}
    assert str(problem) == "KK is not there yet."


def test_all_guards_of_a_transition_speak_at_once() -> None:
    facts = CaseFacts(requirements=(replace(KK, state="missing"),), has_contact=True)
    found = problems_of(("file_complete", "contact_present"), facts)
    assert [problem.code for problem in found] == ["requirement_missing", "phone_or_email_missing"]


def test_every_code_has_one_sentence() -> None:
    assert all(sentence.endswith(".") for sentence in MESSAGES.values())
