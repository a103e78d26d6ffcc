"""What is offered for a case that has ended for good, most of all one whose year is in an archive:
nothing that would be refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.models import CaseEvent, Complaint, Document, StepRun
from app.services.documents import NewFile, attach_to_case
from app.services.ended import why_ended
from app.services.personal import erase_chosen, export_chosen
from app.services.printing import start_reprint
from app.services.storage import Store
from app.services.transitions import Office
from app.services.versions import replace_document
from app.sop.errors import RefusedError
from tests.integration.trust.test_archived_runs import (
    LATER,
    NOW,
    OLD,
    day,
    lane_of,
    old,  # noqa: F401
    take_out,
)
from tests.support.cases import CaseMaker
from tests.support.documents import attach_file, stage_file

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("backend", ["postgres"], indirect=True),
]
#: What is said of a closed way, the way that is open, and the one that must not be named.
ARCHIVED, ANEW, AGAIN = "ada di arsip", "daftarkan sebagai pengaduan baru", "; dapat dibuka kembali"
FILES_AGAIN = "setelah pengaduan dibuka kembali"
REASON = "Surat permohonan nomor 12 dari pemohon"


def of_step(session: Session, step: str, year: int = OLD) -> Complaint:
    found = select(Complaint).where(
        Complaint.step_key == step, Complaint.number.like(f"%-{year}-%")
    )
    return session.scalars(found.order_by(Complaint.id.desc())).first()  # type: ignore[return-value]


@pytest.fixture
def archived(session: Session, old: Complaint, make_case: CaseMaker) -> Complaint:  # noqa: F811
    """A case with files, sent in a year that is in an archive."""
    make_case("withdrawn", at=day(LATER))
    session.commit()
    take_out(session)
    return old


def code_of(session: Session, office: Office, case: Complaint) -> str | None:
    refusal = why_ended(session, office.sop, case)
    return refusal.code if refusal is not None else None


# --- what is said ---------------------------------------------------------------------------------


def test_only_a_way_that_is_open_is_named(
    session: Session, archived: Complaint, office: Office
) -> None:
    assert code_of(session, office, archived) == "case_archived"
    assert code_of(session, office, of_step(session, "withdrawn")) == "case_archived"
    assert code_of(session, office, of_step(session, "withdrawn", LATER)) == "case_over"
    assert code_of(session, office, of_step(session, "done", LATER)) == "case_finished"
    assert code_of(session, office, of_step(session, "certification", NOW.year)) is None
    session.execute(update(Complaint).where(Complaint.id == archived.id).values(erased_at=NOW))
    session.refresh(archived)
    assert code_of(session, office, archived) == "case_erased"


@pytest.mark.parametrize(
    ("step", "year", "said", "unsaid"),
    [
        pytest.param("done", OLD, (ARCHIVED, ANEW), (AGAIN, FILES_AGAIN), id="archived"),
        pytest.param("withdrawn", LATER, (ANEW,), (ARCHIVED, AGAIN, FILES_AGAIN), id="withdrawn"),
        pytest.param("done", LATER, (FILES_AGAIN,), (ARCHIVED, ANEW), id="may be opened again"),
    ],
)
def test_the_page_to_add_files_says_what_can_be_done(
    session: Session, archived: Complaint, login: Callable[[str], FlaskClient],
    step: str, year: int, said: tuple[str, ...], unsaid: tuple[str, ...],
) -> None:  # fmt: skip
    case = of_step(session, step, year)
    page = login("petugas").get(f"/documents/attach/{case.id}")
    assert page.status_code == 200
    assert [words for words in said if words not in page.text] == []
    assert [words for words in unsaid if words in page.text] == []
    assert 'name="files"' not in page.text


def test_who_would_correct_it_is_told(
    session: Session, archived: Complaint, login: Callable[[str], FlaskClient]
) -> None:
    client = login("petugas")
    page = client.get(f"/complaints/edit/{archived.id}", follow_redirects=True)
    assert page.request.path == f"/complaints/show/{archived.id}"
    assert page.text.count(ANEW) == 1, "once is enough"
    assert AGAIN not in page.text
    withdrawn = of_step(session, "withdrawn", LATER).id
    page = client.get(f"/complaints/edit/{withdrawn}", follow_redirects=True)
    assert page.text.count(ANEW) == 1
    assert AGAIN not in page.text


def test_who_would_replace_a_file_is_told(
    session: Session, archived: Complaint, login: Callable[[str], FlaskClient]
) -> None:
    kept = session.scalars(
        select(Document).where(Document.complaint_id == archived.id).limit(1)
    ).one()
    page = login("petugas").get(f"/documents/replace/{kept.public_id}")
    assert ARCHIVED in page.text
    assert AGAIN not in page.text
    assert 'name="files"' not in page.text


def test_there_is_no_form_to_open_it_again(
    session: Session, archived: Complaint, login: Callable[[str], FlaskClient]
) -> None:
    client = login("subkoordinator")
    page = client.get(f"/complaints/work/{archived.id}", follow_redirects=True)
    assert page.request.path == f"/complaints/show/{archived.id}"
    assert ANEW in page.text
    late = client.get(f"/complaints/work/{of_step(session, 'done', LATER).id}")
    assert 'value="reopen"' in late.text


def test_nor_for_one_whose_data_were_erased(
    session: Session, archived: Complaint, login: Callable[[str], FlaskClient]
) -> None:
    case = of_step(session, "done", LATER)
    session.execute(update(Complaint).where(Complaint.id == case.id).values(erased_at=NOW))
    session.commit()
    page = login("subkoordinator").get(f"/complaints/work/{case.id}", follow_redirects=True)
    assert page.request.path == f"/complaints/show/{case.id}"
    assert "Data dihapus" in page.text


def test_a_case_from_a_register_of_that_year_is_not_opened_again_either(
    session: Session, old: Complaint, make_case: CaseMaker, login: Callable[[str], FlaskClient]  # noqa: F811
) -> None:  # fmt: skip
    """It has no step times of its own, and none can be added to a year that is elsewhere."""
    case = make_case("done", at=day(OLD))
    session.execute(delete(StepRun).where(StepRun.complaint_id == case.id))
    session.execute(
        update(CaseEvent)
        .where(CaseEvent.complaint_id == case.id, CaseEvent.kind == "moved")
        .values(kind="imported")
    )
    session.commit()
    client = login("subkoordinator")
    address = f"/complaints/show/{case.id}"
    assert f"/complaints/work/{case.id}#reopen" in client.get(address).text
    take_out(session)
    page = client.get(address).text
    assert "#reopen" not in page
    assert ARCHIVED in page


def test_every_case_stands_where_it_stood(
    session: Session, old: Complaint, login: Callable[[str], FlaskClient]  # noqa: F811
) -> None:  # fmt: skip
    client = login("subkoordinator")
    cases = session.scalars(select(Complaint).where(Complaint.number.like(f"%-{OLD}-%"))).all()

    def lanes() -> dict[str, str]:
        return {
            case.number: lane_of(client.get(f"/complaints/show/{case.id}").text) for case in cases
        }

    before = lanes()
    take_out(session)
    assert lanes() == before


# --- what is refused whoever asks -----------------------------------------------------------------


def test_the_services_refuse_in_the_same_words(
    session: Session, store: Store, archived: Complaint, office: Office,
    actor: Callable[[str], Any], user: Callable[[str], Any],
) -> None:  # fmt: skip
    kept = attach_file(session, store, archived, user("petugas"))
    staged = stage_file(session, store, user("petugas"), "kk2.jpg", b"")
    by = actor("petugas")
    with pytest.raises(RefusedError) as added:
        attach_to_case(session, office.sop, archived, [NewFile(staged)], "requirement", by, now=NOW)
    with pytest.raises(RefusedError) as replaced:
        replace_document(session, office.sop, kept, staged, by, reason="Buram", now=NOW)
    assert (added.value.code, replaced.value.code) == ("case_archived", "case_archived")
    assert added.value.params == {"year": OLD}


# --- what goes on ---------------------------------------------------------------------------------


def test_its_papers_its_parcel_and_its_files_open(
    session: Session, archived: Complaint, login: Callable[[str], FlaskClient]
) -> None:
    client = login("petugas")
    parcel = archived.dispatches[-1].id
    kept = [document.id for document in archived.documents]
    for address in (
        f"/papers/receipt/{archived.id}", f"/papers/draft/{archived.id}",
        f"/dispatches/show/{parcel}", f"/dispatches/edit/{parcel}",
        *(f"/documents/show/{document}" for document in kept),
    ):  # fmt: skip
        assert client.get(address).status_code == 200, address
    assert kept


def test_it_is_printed_once_more(
    session: Session, store: Store, archived: Complaint, actor: Callable[[str], Any]
) -> None:
    (output,) = [output for output in archived.outputs if output.prints][:1]
    batch = start_reprint(
        session, store, output, "Pemohon kehilangan", actor("operator"), now=NOW, opened_at=NOW
    )
    assert len(batch.items) == 1


def test_its_data_are_handed_out_and_erased(
    session: Session, store: Store, archived: Complaint, actor: Callable[[str], Any]
) -> None:
    by = actor("subkoordinator")
    kept = export_chosen(session, by, [archived], REASON)
    assert archived.number in str(kept)
    done = erase_chosen(session, store, by, [archived], REASON, NOW, sure=True)
    assert done == (1, 0)
