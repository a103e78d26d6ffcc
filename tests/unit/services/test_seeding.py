"""Reference data is loaded once, checked whole, and never overwrites what the office changed."""

import csv
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, func, select
from sqlalchemy.orm import Session

from app.models import (
    Category,
    Channel,
    Courier,
    DocumentKind,
    Holiday,
    Model,
    Office,
    Region,
    SeedRun,
    WorkingHours,
)
from app.services.seeding import FILES, SeedError, seed_reference

SEEDS = Path(__file__).parents[3] / "seed_data"
NOW = datetime(2026, 7, 6, 1, tzinfo=UTC)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    engine = create_engine(f"sqlite:///{tmp_path / 'office.db'}")
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys=ON"))
    Model.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SEEDS, tmp_path / "seed_data"))


def count(session: Session, model: type) -> int:
    return session.scalar(select(func.count()).select_from(model))


def change(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {name}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def mistakes(session: Session, folder: Path) -> list[str]:
    with pytest.raises(SeedError) as refused:
        seed_reference(session, folder, now=NOW)
    assert count(session, SeedRun) == count(session, DocumentKind) == 0, "something was written"
    return [str(mistake) for mistake in refused.value.mistakes]


# --- what a new office gets ---


def test_every_file_is_loaded(session):
    added = seed_reference(session, SEEDS, now=NOW)
    assert added == {
        "blanks.csv": 2,
        "document_kinds.csv": 42,
        "categories.csv": 18,
        "category_requirements.csv": 79,
        "category_outputs.csv": 18,
        "channels.csv": 11,
        "couriers.csv": 8,
        "regions.csv": 263,
        "holidays.csv": 79,
        "working_hours.toml": 5,
        "messages.toml": 8,
        "office.toml": 1,
    }
    assert set(session.scalars(select(SeedRun.name))) == {spec.name for spec in FILES}
    assert session.get(SeedRun, "regions.csv").at == NOW


def test_every_kecamatan_has_its_villages(session):
    seed_reference(session, SEEDS, now=NOW)
    kinds = dict(session.execute(select(Region.kind, func.count()).group_by(Region.kind)).all())
    assert kinds == {"kecamatan": 15, "desa": 239, "kelurahan": 9}
    parents = select(Region.parent_code).where(Region.kind != "kecamatan").distinct()
    assert len(session.scalars(parents).all()) == 15


@pytest.mark.parametrize(
    ("code", "legal_class", "allows_answer"),
    [
        pytest.param("INFORMASI", "information", True, id="a question is answered in 5 days"),
        pytest.param("KK", "complaint", False, id="a family card ends with paper"),
        pytest.param("NIK_TIDAK_AKTIF", "complaint", True, id="an inactive NIK needs no paper"),
        pytest.param("PUNGLI", "oversight", True, id="a levy is oversight"),
    ],
)
def test_a_category_has_its_legal_class(session, code, legal_class, allows_answer):
    seed_reference(session, SEEDS, now=NOW)
    category = session.scalar(select(Category).where(Category.code == code))
    assert (category.legal_class, category.allows_answer) == (legal_class, allows_answer)


@pytest.mark.parametrize("code", ["INFORMASI", "SIKAP_PETUGAS", "PUNGLI"])
def test_nothing_is_required_of_who_asks_or_complains_of_conduct(session, code):
    seed_reference(session, SEEDS, now=NOW)
    category = session.scalar(select(Category).where(Category.code == code))
    assert not [need for need in category.requirements if need.required]


def test_a_category_that_ends_with_paper_only_names_one(session):
    seed_reference(session, SEEDS, now=NOW)
    without = [
        category.code
        for category in session.scalars(select(Category).where(~Category.allows_answer))
        if not category.outputs
    ]
    assert without == []


def test_cards_need_no_signature_and_papers_do(session):
    seed_reference(session, SEEDS, now=NOW)
    outputs = session.scalars(select(DocumentKind).where(DocumentKind.is_output))
    assert {kind.code for kind in outputs if not kind.needs_signature} == {"ktp_el", "kia"}


def test_the_office_has_no_invented_number_or_signatory(session):
    seed_reference(session, SEEDS, now=NOW)
    office = session.scalars(select(Office)).one()
    assert office.name == "Dinas Kependudukan dan Pencatatan Sipil"
    assert (office.sop_number, office.sop_approved_by, office.phone) == ("", "", "")
    assert office.sop_created is office.sop_revised is office.sop_effective is None


def test_only_the_counter_is_in_person_and_has_no_handle(session):
    seed_reference(session, SEEDS, now=NOW)
    for channel in session.scalars(select(Channel)):
        assert channel.in_person == (channel.code == "tatap_muka")
        assert bool(channel.handle_label_id) != channel.in_person


def test_every_courier_hint_is_a_regular_expression(session):
    seed_reference(session, SEEDS, now=NOW)
    for courier in session.scalars(select(Courier)):
        assert re.compile(courier.hint_regex)


def test_the_seed_files_hold_no_personal_name():
    for path in SEEDS.glob("*.*"):
        assert "willopo" not in path.read_text(encoding="utf-8").lower(), path.name


# --- once, and never over the office's own work ---


def test_a_second_run_adds_nothing(session):
    seed_reference(session, SEEDS, now=NOW)
    session.commit()
    assert not any(seed_reference(session, SEEDS, now=NOW).values())


def test_what_the_office_changed_or_removed_stays_so(session):
    seed_reference(session, SEEDS, now=NOW)
    kind = session.scalar(select(DocumentKind).where(DocumentKind.code == "ijazah"))
    kind.label_id, kind.active = "Ijazah terakhir", False
    session.delete(session.scalars(select(Holiday)).first())
    session.scalars(select(Office)).one().name = "Disdukcapil"
    session.commit()
    before = count(session, Holiday)

    seed_reference(session, SEEDS, now=NOW)
    session.expire_all()

    assert (kind.label_id, kind.active) == ("Ijazah terakhir", False)
    assert count(session, Holiday) == before
    assert session.scalars(select(Office)).one().name == "Disdukcapil"


def test_rows_that_exist_by_their_natural_key_are_left_alone(session):
    session.add(
        DocumentKind(code="ijazah", label_id="Punya kami", label_en="", is_requirement=True)
    )
    session.add(WorkingHours(weekday=4, opens=time(7), closes=time(11)))
    session.add(Office(name="Kantor kami", government="Pemerintah"))
    session.flush()

    added = seed_reference(session, SEEDS, now=NOW)

    assert (added["document_kinds.csv"], added["working_hours.toml"]) == (41, 4)
    assert added["office.toml"] == 0
    kind = session.scalar(select(DocumentKind).where(DocumentKind.code == "ijazah"))
    assert kind.label_id == "Punya kami"
    assert session.scalars(select(Office)).one().name == "Kantor kami"


def test_a_file_of_a_later_release_may_name_rows_loaded_before(session, folder):
    seed_reference(session, folder, now=NOW)
    session.delete(session.get(SeedRun, "category_outputs.csv"))
    session.flush()
    with (folder / "category_outputs.csv").open("a") as file:
        file.write("IKD,surat_keterangan\n")
    assert seed_reference(session, folder, now=NOW)["category_outputs.csv"] == 1


def test_a_file_that_was_loaded_is_not_read_again(session, folder):
    seed_reference(session, folder, now=NOW)
    (folder / "couriers.csv").unlink()
    assert seed_reference(session, folder, now=NOW)["couriers.csv"] == 0


# --- every mistake, with file and line ---


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        pytest.param(
            "channels.csv", "in_person", "inperson",
            "channels.csv, line 1: the column in_person is missing", id="a column is missing",
        ),
        pytest.param(
            "channels.csv", "tatap_muka,Tatap muka (datang langsung),In person,true",
            "tatap_muka,Tatap muka,In person,maybe",
            "channels.csv, line 2: in_person: 'maybe' is not true or false", id="no truth value",
        ),
        pytest.param(
            "channels.csv", "tatap_muka,", "tatap muka,",
            "channels.csv, line 2: code: only letters, digits and _ may be used",
            id="a blank in a code",
        ),
        pytest.param(
            "channels.csv", "whatsapp,WhatsApp,WhatsApp,false,", "whatsapp,WhatsApp,false,",
            "channels.csv, line 3: 6 values under 7 columns", id="a value is missing in the row",
        ),
        pytest.param(
            "channels.csv", "instagram,", "whatsapp,",
            "channels.csv, line 4: whatsapp stands on line 3 already", id="a code comes twice",
        ),
        pytest.param(
            "channels.csv", "X (Twitter)", "",
            "channels.csv, line 6: label_id: a value is missing", id="a label is missing",
        ),
        pytest.param(
            "channels.csv", ",20\n", ",99999999999\n",
            "channels.csv, line 3: position: 99999999999 is too large",
            id="a number that PostgreSQL refuses",
        ),
        pytest.param(
            "channels.csv", "Nomor WhatsApp", "Nomor\0WhatsApp",
            r"channels.csv, line 3: handle_label_id: 'Nomor\x00WhatsApp' holds a character that"
            " does not print", id="a null byte",
        ),
        pytest.param(
            "channels.csv", "Nomor WhatsApp", "N" * 61,
            "channels.csv, line 3: handle_label_id: 61 characters, at most 60 fit",
            id="a text too long for its column",
        ),
        pytest.param(
            "categories.csv", "complaint,true", "oversigt,true",
            "categories.csv, line 2: legal_class: 'oversigt' is none of complaint, information,"
            " oversight; did you mean oversight?", id="an unknown legal class",
        ),
        pytest.param(
            "document_kinds.csv", "ijazah,Foto ijazah,Photo of the school diploma,,true,",
            "ijazah,Foto ijazah,Photo of the school diploma,,false,",
            "document_kinds.csv, line 5: ijazah is neither a requirement nor an output",
            id="a kind without use",
        ),
        pytest.param(
            "category_requirements.csv", "BEDA_DATA,ijazah", "BEDA_DATA,ijasah",
            "category_requirements.csv, line 12: kind: there is no ijasah; did you mean ijazah?",
            id="an unknown kind",
        ),
        pytest.param(
            "category_requirements.csv", "BEDA_DATA,ijazah", "BEDA,ijazah",
            "category_requirements.csv, line 12: category: there is no BEDA",
            id="an unknown category",
        ),
        pytest.param(
            "category_requirements.csv", "BEDA_DATA,ijazah", "BEDA_DATA,kia",
            "category_requirements.csv, line 12: kind: kia is not marked is_requirement",
            id="a paper of the office asked of the applicant",
        ),
        pytest.param(
            "category_outputs.csv", "BEDA_DATA,ktp_el", "BEDA_DATA,ijazah",
            "category_outputs.csv, line 5: kind: ijazah is not marked is_output",
            id="a paper of the applicant issued by the office",
        ),
        pytest.param(
            "couriers.csv", r"^\d{12}$", r"^\d{12($",
            "couriers.csv, line 5: hint_regex: not a regular expression", id="a broken hint",
        ),
        pytest.param(
            "couriers.csv", "https://jet.co.id/track", "javascript:alert(1)",
            "couriers.csv, line 4: tracking_page: not a web address", id="a page that is a script",
        ),
        pytest.param(
            "regions.csv", "Silurah,desa,33.25.01,", "Silurah,desa,33.25.02,",
            "regions.csv, line 3: 33.25.01.2001 lies in 33.25.01, not in 33.25.02",
            id="a village in the wrong kecamatan",
        ),
        pytest.param(
            "regions.csv", "33.25.01,Wonotunggal,kecamatan,,\n", "",
            "regions.csv, line 2: parent_code: there is no 33.25.01", id="a kecamatan is missing",
        ),
        pytest.param(
            "holidays.csv", "2025-01-27", "2025-02-30",
            "holidays.csv, line 3: day: '2025-02-30' is not a date such as 2026-08-17",
            id="a day that does not exist",
        ),
        pytest.param(
            "working_hours.toml", "closes = 16:00:00", "closes = 07:00:00",
            "working_hours.toml, line 12: the office closes before it opens", id="hours reversed",
        ),
        pytest.param(
            "working_hours.toml", "break_to = 13:00:00", "break_to = 17:00:00",
            "working_hours.toml, line 12: the break lies outside the opening hours",
            id="a break after closing",
        ),
        pytest.param(
            "working_hours.toml", '"thursday"', '"thurday"',
            "working_hours.toml, line 13: days: 'thurday' is no weekday; did you mean thursday?",
            id="a misspelt day",
        ),
        pytest.param(
            "working_hours.toml", '"friday"', '"monday"',
            "working_hours.toml, line 19: 0 stands on line 12 already", id="a day comes twice",
        ),
        pytest.param(
            "working_hours.toml", "opens = 07:30:00", 'opens = "07:30"',
            "working_hours.toml, line 14: opens: '07:30' is not a time such as 07:30:00",
            id="a time written as text",
        ),
        pytest.param(
            "office.toml", "email =", "emial =",
            "office.toml, line 8: there is no emial here; did you mean email?",
            id="a misspelt key",
        ),
        pytest.param(
            "office.toml", "name = ", "# name = ",
            "office.toml: name: a value is missing", id="an office without a name",
        ),
        pytest.param(
            "office.toml", "government = ", "government == ",
            "office.toml, line 4: Invalid value", id="not TOML",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(session, folder, name, old, new, expected):
    change(folder, name, old, new)
    found = mistakes(session, folder)
    assert [message for message in found if message.startswith(expected)], found


def test_all_mistakes_of_all_files_come_at_once(session, folder):
    (folder / "regions.csv").unlink()
    (folder / "holidays.csv").write_bytes(b"day,name,kind,certainty\n2026-01-01,\xff\xfe,,\n")
    change(folder, "channels.csv", "telegram,", ",")
    change(folder, "office.toml", "https://disdukcapil", "ftp://disdukcapil")
    assert mistakes(session, folder) == [
        "channels.csv, line 8: code: a value is missing",
        "regions.csv: the file is missing",
        "holidays.csv: the file is not UTF-8 text",
        "office.toml, line 9: website: not a web address",
    ]


def test_a_file_saved_by_a_spreadsheet_is_read(session, folder):
    path = folder / "channels.csv"
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([*rows, [""] * len(rows[0])])
    assert seed_reference(session, folder, now=NOW)["channels.csv"] == 11
