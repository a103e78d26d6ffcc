"""Parcels through the services: no doubled number, no lost parcel, a second one for what came back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.formats import local
from app.models import CaseEvent, Dispatch, Document, Message
from app.services.actor import Actor
from app.services.desk import (
    find_cases,
    returned_parcels,
    sent_on,
)
from app.services.dispatching import (
    Parcel,
    create_dispatch,
    send_again,
    set_status,
)
from app.services.transitions import Office, apply_transition
from app.sop.errors import NotAllowedError, NotFoundError, RefusedError, WrongStepError
from tests.support.parcels import parcel_of, without

pytestmark = pytest.mark.both


# --- the first parcel ----------------------------------------------------------------------------


def test_a_number_in_use_is_refused_and_names_the_case_only_to_who_may_know_of_it(
    session: Session, office: Office, make_case: Any, actor: Any, written: Any
) -> None:
    first = make_case("done", hide_identity=True)
    taken = parcel_of(session, first).tracking_number
    case = make_case("dispatch")
    proof = make_case.attach(case, "proof", "petugas")
    petugas, now = actor("petugas"), datetime.now(UTC)
    spaced = f" {taken[:3].lower()} {taken[3:7]}-{taken[7:]} "
    for who, code in (
        (petugas, "tracking_number_taken"),
        (without(petugas, "see_confidential"), "tracking_number_taken_elsewhere"),
    ):
        with pytest.raises(RefusedError) as refused:
            create_dispatch(session, office, case, written(spaced), proof, who, now=now)
        assert refused.value.code == code
        assert (first.number in str(refused.value.params)) == (code == "tracking_number_taken")
    assert session.scalars(select(Dispatch.id)).all() == [parcel_of(session, first).id]


@pytest.mark.parametrize("number", ["PGD-2026-000123", "pgd 2026 000123", "PGD2026000123"])
def test_the_label_scanned_twice_is_no_tracking_number(
    session: Session, office: Office, make_case: Any, actor: Any, written: Any, number: str
) -> None:
    case = make_case("dispatch")
    proof = make_case.attach(case, "proof", "petugas")
    with pytest.raises(RefusedError) as refused:
        create_dispatch(
            session, office, case, written(number), proof, actor("petugas"), now=datetime.now(UTC)
        )
    assert refused.value.code == "tracking_number_is_case"


def test_each_parcel_has_its_own_proof(
    session: Session, office: Office, came_back: Dispatch, actor: Any, written: Any
) -> None:
    with pytest.raises(RefusedError) as refused:
        send_again(
            session,
            office,
            came_back,
            written(),
            came_back.proof,
            actor("petugas"),
            now=datetime.now(UTC),
        )
    assert refused.value.code == "proof_used"


# --- once more -----------------------------------------------------------------------------------


def test_what_came_back_is_sent_once_more_without_reopening_its_case(
    session: Session, office: Office, came_back: Dispatch, make_case: Any, actor: Any, written: Any
) -> None:
    case, petugas, now = came_back.complaint, actor("petugas"), datetime.now(UTC)
    before = (case.step_key, case.round, case.closed_at, len(case.runs))
    proof = make_case.attach(case, "proof", "petugas")
    again = send_again(
        session, office, came_back, written(address="Jl. Baru No. 2"), proof, petugas,
        now=now, expected_version=case.version,
    )  # fmt: skip
    session.commit()
    session.expire_all()
    assert (case.step_key, case.round, case.closed_at, len(case.runs)) == before
    assert (again.attempt, again.round, again.status) == (2, case.round, "sent")
    assert again.address == "Jl. Baru No. 2"
    assert again.proof_id != came_back.proof_id
    assert came_back.status == "returned", "the first parcel keeps what became of it"
    event = session.scalars(select(CaseEvent).order_by(CaseEvent.id.desc())).first()
    assert event is not None
    assert (event.kind, event.details["attempt"]) == ("parcel_sent_again", 2)
    assert event.details["tracking_number"] == again.tracking_number
    told = select(Message).where(Message.complaint_id == case.id, Message.occasion == "finished")
    first, second = session.scalars(told.order_by(Message.id)).all()
    assert came_back.tracking_number in first.body
    assert again.tracking_number in second.body, "the applicant follows the parcel under way"


def refuse_to_send(
    session: Session,
    office: Office,
    earlier: Dispatch,
    parcel: Parcel,
    proof: Document | None,
    who: Actor,
    version: int | None,
) -> str:
    """The code with which sending it once more is refused; nothing of it is kept."""
    savepoint = session.begin_nested()
    refusals = (RefusedError, NotAllowedError, NotFoundError, WrongStepError)
    with pytest.raises(refusals) as refused:
        send_again(
            session, office, earlier, parcel, proof, who,
            now=datetime.now(UTC), expected_version=version,
        )  # fmt: skip
    savepoint.rollback()
    return refused.value.code


def test_only_what_came_back_last_is_sent_once_more(
    session: Session, office: Office, make_case: Any, came_back: Dispatch, actor: Any, written: Any
) -> None:
    case, petugas = came_back.complaint, actor("petugas")
    under_way = parcel_of(session, make_case("done"))
    proof = make_case.attach(case, "proof", "petugas")
    other = make_case.attach(under_way.complaint, "proof", "petugas")

    def code(
        earlier: Dispatch, with_proof: Document | None, who: Actor, version: Any = None
    ) -> str:
        return refuse_to_send(session, office, earlier, written(), with_proof, who, version)

    assert code(under_way, other, petugas) == "parcel_not_returned"
    assert code(came_back, None, petugas) == "proof_missing"
    assert code(came_back, other, petugas) == "proof_missing"
    assert code(came_back, proof, without(petugas, "send")) == "not_allowed"
    assert code(came_back, proof, petugas, case.version - 1) == "changed_by_other"
    send_again(session, office, came_back, written(), proof, petugas, now=datetime.now(UTC))
    third = make_case.attach(case, "proof", "petugas")
    assert code(came_back, third, petugas) == "parcel_not_returned"


def test_after_reopening_the_papers_are_sent_by_the_new_round(
    session: Session, office: Office, make_case: Any, came_back: Dispatch, actor: Any, written: Any
) -> None:
    case = came_back.complaint
    proof = make_case.attach(case, "proof", "petugas")
    apply_transition(
        session, office, case, "reopen", actor("subkoordinator"),
        now=datetime.now(UTC), reason="Nama salah cetak",
    )  # fmt: skip
    code = refuse_to_send(session, office, came_back, written(), proof, actor("petugas"), None)
    assert code == "parcel_not_returned"
    assert returned_parcels(session, actor("petugas")) == []


def test_a_hidden_case_is_not_there(
    session: Session, office: Office, make_case: Any, actor: Any, written: Any
) -> None:
    case = make_case("done", hide_identity=True)
    parcel, who = parcel_of(session, case), without(actor("petugas"), "see_confidential")
    assert refuse_to_send(session, office, parcel, written(), None, who, None) == "not_found"
    assert find_cases(session, office.sop, who, case.number) == []
    assert find_cases(session, office.sop, who, parcel.tracking_number) == []
    today = local(parcel.sent_at).date()
    assert sent_on(session, who, today) == []
    assert len(sent_on(session, actor("petugas"), today)) == 1


# --- what became of it ---------------------------------------------------------------------------


def test_once_sent_again_the_first_parcel_cannot_arrive_after_all(
    session: Session, office: Office, make_case: Any, came_back: Dispatch, actor: Any, written: Any
) -> None:
    petugas, now = actor("petugas"), datetime.now(UTC)
    seen = came_back.version
    proof = make_case.attach(came_back.complaint, "proof", "petugas")
    again = send_again(session, office, came_back, written(), proof, petugas, now=now)
    session.commit()
    for version, kind, code in (
        (came_back.version, RefusedError, "parcel_sent_again"),
        (seen, RefusedError, "parcel_sent_again"),
    ):
        with pytest.raises(kind) as refused:
            set_status(
                session, came_back, "delivered", petugas,
                now=now, expected_version=version, received_by="Sri",
            )  # fmt: skip
        assert refused.value.code == code
        assert refused.value.params["number"] == again.tracking_number
        session.rollback()


def test_returned_on_a_day_between_sending_and_now(
    session: Session, make_case: Any, actor: Any
) -> None:
    parcel, petugas = parcel_of(session, make_case("done")), actor("petugas")
    now = datetime.now(UTC)

    def returned(at: datetime | None) -> None:
        set_status(
            session, parcel, "returned", petugas, now=now,
            expected_version=parcel.version, returned_at=at, return_reason="Pindah",
        )  # fmt: skip

    for wrong in (parcel.sent_at - timedelta(days=1), now + timedelta(minutes=1)):
        with pytest.raises(RefusedError) as refused:
            returned(wrong)
        assert refused.value.code == "returned_at_impossible"
    returned(None)
    assert parcel.returned_at == now
    day = parcel.sent_at + timedelta(hours=1)
    returned(day)
    assert parcel.returned_at == day


@pytest.mark.parametrize("taken", [True, False, None])
def test_the_old_card_belongs_to_a_delivery(
    session: Session, make_case: Any, actor: Any, taken: bool | None
) -> None:
    parcel, petugas = parcel_of(session, make_case("done")), actor("petugas")
    now = datetime.now(UTC)
    set_status(
        session, parcel, "delivered", petugas, now=now, expected_version=parcel.version,
        received_by="Sri", relation="istri", old_card_taken=taken,
    )  # fmt: skip
    assert parcel.old_card_taken is taken
    set_status(
        session, parcel, "returned", petugas, now=now, expected_version=parcel.version,
        old_card_taken=True, return_reason="Salah orang",
    )  # fmt: skip
    assert (parcel.old_card_taken, parcel.relation, parcel.delivered_at) == (None, "", None)
