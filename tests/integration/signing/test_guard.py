"""What does not count as signed, and who is no signatory: the transition refuses it everywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from app.models import Complaint, Signatory
from app.services.facts import current_outputs
from app.services.transitions import Office, apply_transition
from app.sop.errors import GuardFailedError
from tests.support.cases import CaseMaker


def signed(**facts: Any) -> Callable[[CaseMaker, Complaint], None]:
    """Signed files that do not count, for what `facts` says of them."""

    def arrange(make_case: CaseMaker, case: Complaint) -> None:
        for output in current_outputs(make_case.session, case):
            document = make_case.attach(case, "signed", "kepala", output_id=output.id)
            document.signature_state = "trusted"
            for name, value in facts.items():
                setattr(document, name, value)

    return arrange


def out_of_office(**dates: date) -> Callable[[CaseMaker, Complaint], None]:
    """All is signed, but who signs is not in office on the day."""

    def arrange(make_case: CaseMaker, case: Complaint) -> None:
        signed()(make_case, case)
        row = make_case.session.scalars(select(Signatory)).one()
        for name, value in dates.items():
            setattr(row, name, value)

    return arrange


def signed_by_another(make_case: CaseMaker, case: Complaint) -> None:
    """All is signed, and somebody else is the signatory of the office."""
    signed()(make_case, case)
    row = make_case.session.scalars(select(Signatory)).one()
    row.user_id = make_case.actor("subkoordinator").id or 0


REFUSED = {
    "a signature nobody has read": (signed(signature_state=None), ["output_unsigned"]),
    "a file without a signature": (signed(signature_state="unsigned"), ["output_unsigned"]),
    "a file changed after signing": (signed(signature_state="changed"), ["output_unsigned"]),
    "a file that was replaced": (signed(replaced_at=datetime.now(UTC)), ["output_unsigned"]),
    "not yet in office": (
        out_of_office(valid_from=date(2100, 1, 1)),
        ["signatory_not_in_office"],
    ),
    "no longer in office": (out_of_office(valid_to=date(2020, 1, 1)), ["signatory_not_in_office"]),
    "another is in office": (signed_by_another, ["signatory_not_in_office"]),
}


@pytest.mark.parametrize(("arrange", "codes"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_with_its_reason(
    make_case: CaseMaker,
    office: Office,
    arrange: Callable[[CaseMaker, Complaint], None],
    codes: list[str],
) -> None:
    case = make_case("signing")
    arrange(make_case, case)
    make_case.session.commit()
    with pytest.raises(GuardFailedError) as refused:
        apply_transition(
            make_case.session,
            office,
            case,
            "sign",
            make_case.actor("kepala"),
            now=make_case.now(case),
        )
    make_case.session.rollback()
    assert list(dict.fromkeys(problem.code for problem in refused.value.problems)) == codes
    make_case.session.refresh(case)
    assert case.step_key == "signing"


def test_an_unknown_issuer_is_said_and_refuses_nothing(
    make_case: CaseMaker, office: Office
) -> None:
    case = make_case("signing")
    signed(signature_state="unknown_issuer")(make_case, case)
    make_case.move(case, "sign")
    assert case.step_key == "printing"
