"""What the desk finds and lists: what is scanned, what waits, what came back, what is quiet."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.formats import local
from app.models import Dispatch
from app.services.actor import Actor
from app.services.desk import (
    desk_counts,
    errand_of,
    find_cases,
    last_courier,
    quiet_parcels,
    returned_parcels,
    waiting_cases,
)
from app.services.dispatching import (
    note_news,
    set_status,
)
from app.services.transitions import Office
from app.sop.errors import NotAllowedError, RefusedError, WrongStepError
from tests.support.parcels import parcel_of, without

pytestmark = pytest.mark.both


# --- news and quiet parcels ----------------------------------------------------------------------


def test_news_are_noted_of_what_is_under_way(session: Session, make_case: Any, actor: Any) -> None:
    parcel, petugas, now = (
        parcel_of(session, make_case("done")),
        actor("petugas"),
        datetime.now(UTC),
    )

    def note(words: str, who: Actor = petugas, version: int | None = None) -> None:
        seen = parcel.version if version is None else version
        note_news(session, parcel, words, who, now=now, expected_version=seen)

    for words, who, version, code in (
        ("  ", petugas, None, "news_missing"),
        ("Di gudang", without(petugas, "can_edit"), None, "not_allowed"),
        ("Di gudang", petugas, 0, "record_changed"),
    ):
        with pytest.raises((RefusedError, NotAllowedError, WrongStepError)) as refused:
            note(words, who, version)
        assert refused.value.code == code
    note("  Tiba di Kantor Pos Batang ")
    assert (parcel.news, parcel.news_at) == ("Tiba di Kantor Pos Batang", now)
    set_status(
        session, parcel, "delivered", petugas,
        now=now, expected_version=parcel.version, received_by="Sri",
    )  # fmt: skip
    with pytest.raises(RefusedError) as late:
        note("Masih di jalan")
    assert late.value.code == "parcel_settled"


def test_a_parcel_is_quiet_after_whole_days_without_news(
    session: Session, make_case: Any, actor: Any
) -> None:
    petugas = actor("petugas")
    parcel = parcel_of(session, make_case("done"))
    parcel.sent_at = datetime(2026, 5, 31, 18, 0, tzinfo=UTC)  # 1 June in Jakarta
    session.flush()

    def quiet(day: int, *, days: int = 7) -> list[int]:
        found = quiet_parcels(session, petugas, date(2026, 6, day), days)
        assert desk_counts(session, petugas, date(2026, 6, day), days)[1] == len(found)
        return [one.id for one in found]

    assert quiet(7) == []
    assert quiet(8) == [parcel.id]
    assert quiet(8, days=8) == []
    parcel.news, parcel.news_at = "Di jalan", datetime(2026, 6, 5, 1, 0, tzinfo=UTC)
    session.flush()
    assert quiet(11) == []
    assert quiet(12) == [parcel.id]
    parcel.status, parcel.return_reason = "returned", "Pindah"
    session.flush()
    assert quiet(30) == []


# --- the desk ------------------------------------------------------------------------------------


def test_the_desk_finds_a_case_by_what_a_scanner_types(
    session: Session, office: Office, make_case: Any, actor: Any
) -> None:
    case = make_case("dispatch", applicant_name="Wulan Contoh", nik="3325014502909904")
    make_case("intake")
    petugas, sop = actor("petugas"), office.sop
    year, serial = case.number[4:8], case.number[9:]
    paper = case.outputs[0].check_code
    for text in (
        case.number, case.number.lower(), f" {case.number} ", f"PGD{year}{serial}",
        f"pgd/{year}/{serial}", str(int(serial)), f"https://aduan.example/check/{paper}",
    ):  # fmt: skip
        assert find_cases(session, sop, petugas, text) == [case], text
    for text in (
        "", " ", "Wulan", "3325014502909904", "PGD", "PGD-2026", "PGD-1999-000001", "9" * 50,
        "😀", "\x00", "%", "PGD-2026-000001'--", f"/check/{paper}x",
    ):  # fmt: skip
        assert find_cases(session, sop, petugas, text) == [], text


def test_a_parcel_is_found_by_its_number_and_what_to_do_with_it(
    session: Session, office: Office, make_case: Any, came_back: Dispatch, actor: Any
) -> None:
    petugas, sop = actor("petugas"), office.sop
    ready, early = make_case("dispatch"), make_case("printing")
    assert find_cases(session, sop, petugas, came_back.tracking_number.lower()) == [
        came_back.complaint
    ]
    errands = [errand_of(session, sop, case) for case in (ready, early, came_back.complaint)]
    assert [(e.move.key if e.move else "", e.returned) for e in errands] == [
        ("send", None),
        ("", None),
        ("", came_back),
    ]
    assert [errand.open for errand in errands] == [True, False, True]
    assert errands[0].papers
    assert waiting_cases(session, sop, petugas) == (1, [ready])
    assert [parcel.id for parcel in returned_parcels(session, petugas)] == [came_back.id]
    assert desk_counts(session, petugas, local(datetime.now(UTC)).date(), 90) == (1, 0)


def test_the_courier_of_the_last_parcel_is_offered(
    session: Session, make_case: Any, actor: Any
) -> None:
    petugas, now = actor("petugas"), datetime.now(UTC)
    assert last_courier(session, petugas, now) is None
    parcel = parcel_of(session, make_case("done"))
    assert last_courier(session, petugas, now) == parcel.courier_id
    assert last_courier(session, actor("petugas2"), now) is None, "each officer has his own"
    parcel.courier.active = False
    session.flush()
    assert last_courier(session, petugas, now) is None
