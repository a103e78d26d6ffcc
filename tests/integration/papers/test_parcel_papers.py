"""Address labels and the courier's list, read back from their PDFs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.models import Courier, Dispatch, Region
from app.services.papers.words import long_day
from tests.support.moments import office_day

A6 = (105, 148)


def refusal(client, url: str) -> tuple[int, str]:
    answer = client.get(url, headers={"Accept": "application/json"})
    return answer.status_code, answer.json["error"]


# --- labels ---------------------------------------------------------------------------------------


def test_a_label_has_the_number_as_a_barcode_the_address_and_the_phone(
    make_case, printed, session
) -> None:
    region = session.scalars(select(Region).where(Region.kind == "desa")).first()
    case = make_case(
        "dispatch",
        applicant_name="Kartini Pemohonwati",
        address="Jalan Contoh Nomor Tujuh",
        phone="+6281200000007",
        kecamatan_code=region.parent_code,
        region_code=region.code,
    )
    paper = printed(f"/papers/labels?ids={case.id}")
    assert paper.sizes == [A6]
    assert paper.codes() == {("Code128", case.number)}
    for words in (
        "Kartini Pemohonwati",
        "081200000007",
        "Jalan Contoh Nomor Tujuh",
        region.name,
        f"Kec. {region.parent.name}",
        region.postal_code,
        "Pengirim Dinas Kependudukan dan Pencatatan Sipil",
        case.number,
    ):
        assert words in paper.text, words
    assert case.nik not in paper.text


def test_labels_come_in_the_order_asked_for_each_once(make_case, printed) -> None:
    cases = [make_case("intake") for _ in range(3)]
    order = [cases[2], cases[0], cases[1]]
    ids = ",".join(str(case.id) for case in [*order, order[0]])
    paper = printed(f"/papers/labels?ids={ids}")
    assert paper.sizes == [A6] * 3
    for page, case in enumerate(order):
        assert paper.codes(page) == {("Code128", case.number)}


def test_ids_may_also_come_one_by_one(make_case, printed) -> None:
    one, two = make_case("intake"), make_case("intake")
    assert len(printed(f"/papers/labels?ids={one.id}&ids={two.id}").pages) == 2


@pytest.mark.both
def test_a_parcel_on_its_way_is_labelled_as_it_was_sent(make_case, printed, session) -> None:
    case = make_case("done", address="Alamat lama")
    parcel = case.dispatches[-1]
    parcel.address, parcel.recipient = "Alamat yang dicatat saat kirim", "Penerima Lain"
    session.commit()
    text = printed(f"/papers/labels?ids={case.id}").text
    for words in ("Alamat yang dicatat", "Penerima Lain", parcel.tracking_number):
        assert words in text
    assert "Alamat lama" not in text


def test_a_parcel_that_came_back_says_nothing_about_the_next_one(
    make_case, printed, session
) -> None:
    case = make_case("done", address="Alamat yang sudah dibetulkan")
    parcel = case.dispatches[-1]
    parcel.address, parcel.status, parcel.return_reason = "Alamat salah", "returned", "Pindah"
    session.commit()
    text = printed(f"/papers/labels?ids={case.id}").text
    assert "Alamat yang sudah dibetulkan" in text
    assert "Alamat salah" not in text
    assert parcel.tracking_number not in text


def test_a_case_without_an_address_gets_a_line_to_write_on(make_case, printed, session) -> None:
    case = make_case("intake")
    case.address, case.kecamatan_code, case.phone = "", None, ""
    session.commit()
    paper = printed(f"/papers/labels?ids={case.id}")
    assert "………" in paper.text
    assert paper.sizes == [A6]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ("", (422, "paper_no_label")),
        (",,", (422, "paper_no_label")),
        ("x", (404, "404")),
        ("1;drop", (404, "404")),
        ("-1", (404, "404")),
        ("99999999999", (404, "404")),
        ("4000000000", (404, "404")),
        ("424242", (404, "not_found")),
        (",".join(str(n) for n in range(1, 102)), (422, "batch_too_large")),
        ("1," * 3000, (404, "404")),
    ],
    ids=[
        "none", "only commas", "a letter", "more than numbers", "a negative", "too long",
        "beyond any key", "nobody's", "a hundred and one", "endless",
    ],
)  # fmt: skip
def test_what_is_no_batch_of_labels_is_refused(login, ids, expected) -> None:
    assert refusal(login("petugas"), f"/papers/labels?ids={ids}") == expected


def test_one_case_that_is_not_there_stops_the_whole_batch(make_case, login) -> None:
    case = make_case("intake")
    assert refusal(login("petugas"), f"/papers/labels?ids={case.id},424242")[0] == 404


def test_a_hundred_labels_take_few_statements(make_case, login, session, sql_count) -> None:
    one = make_case("done")
    ids = [one.id, *(make_case.register(by="petugas").id for _ in range(99))]
    session.commit()
    client = login("petugas")
    with sql_count() as statements:
        answer = client.get("/papers/labels?ids=" + ",".join(map(str, ids)))
    assert answer.status_code == 200
    telling = [statement for statement in statements if "audit_event" in statement]
    assert len(telling) <= 2, "all labels of a sheet are told in one row"
    assert len(statements) - len(telling) <= 6


# --- the courier's list ---------------------------------------------------------------------------


@pytest.fixture
def courier(session) -> Courier:
    return session.scalars(select(Courier).where(Courier.code == "pos")).one()


def sent_on(case) -> str:
    return office_day(case.dispatches[-1].sent_at).isoformat()


def test_the_list_names_each_parcel_and_has_a_place_for_both_signatures(
    make_case, printed, courier
) -> None:
    cases = [make_case("done") for _ in range(3)]
    day = sent_on(cases[0])
    paper = printed(f"/papers/manifest?courier={courier.id}&day={day}")
    assert paper.sizes == [(210, 297)]
    parcels = [case.dispatches[-1] for case in cases]
    for words in (
        "DAFTAR SERAH TERIMA KIRIMAN",
        courier.name,
        long_day(parcels[0].sent_at),
        "3 (tiga)",
        "Yang menyerahkan",
        "Yang menerima",
        *(case.number for case in cases),
        *(parcel.tracking_number for parcel in parcels),
        *(parcel.recipient for parcel in parcels),
    ):
        assert words in paper.text, words
    assert cases[0].address not in paper.text
    assert cases[0].phone not in paper.text


def test_a_parcel_of_another_day_or_courier_is_not_on_the_list(
    make_case, printed, login, courier, session
) -> None:
    here, other_day, other_courier = (make_case("done") for _ in range(3))
    other_day.dispatches[-1].sent_at -= timedelta(days=1)
    second = session.scalars(select(Courier).where(Courier.id != courier.id)).first()
    other_courier.dispatches[-1].courier_id = second.id
    session.commit()
    text = printed(f"/papers/manifest?courier={courier.id}&day={sent_on(here)}").text
    assert here.number in text
    assert other_day.number not in text
    assert other_courier.number not in text


@pytest.mark.both
def test_the_day_is_the_offices_day(make_case, printed, login, courier, session) -> None:
    case = make_case("done")
    parcel: Dispatch = case.dispatches[-1]
    # 23.30 UTC is half past six the next morning in Batang.
    parcel.sent_at = parcel.sent_at.replace(hour=23, minute=30)
    session.commit()
    utc_day = parcel.sent_at.date()
    url = f"/papers/manifest?courier={courier.id}&day="
    assert case.number in printed(url + (utc_day + timedelta(days=1)).isoformat()).text
    assert refusal(login("petugas"), url + utc_day.isoformat()) == (422, "paper_no_parcels")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (404, "404")),
        ("courier=x", (404, "404")),
        ("courier=424242", (404, "not_found")),
        ("courier=1&day=kemarin", (404, "404")),
        ("courier=1&day=0001-01-01", (404, "404")),
        ("courier=1&day=9999-12-31", (404, "404")),
        ("courier=1&day=2020-02-30", (404, "404")),
        ("courier=1&day=2020-02-02", (422, "paper_no_parcels")),
    ],
)
def test_a_list_of_nothing_is_refused(login, query, expected) -> None:
    assert refusal(login("petugas"), f"/papers/manifest?{query}") == expected
