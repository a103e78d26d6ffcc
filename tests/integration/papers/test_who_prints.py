"""Who gets a paper, what the page of a case offers, and what a broken template answers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import select

from app.models import Role
from tests.support.looking import changes, dump
from tests.support.moments import office_day
from tests.support.panel import engine_of
from tests.support.papers import PrintedPaper

#: Every paper with the step at which a case has it.
PAPERS = {
    "/papers/receipt/{id}": "intake",
    "/papers/receipt/{id}?size=80mm": "intake",
    "/papers/return-slip/{id}": "returned",
    "/papers/draft/{id}": "certification",
    "/papers/labels?ids={id}": "dispatch",
}
every_paper = pytest.mark.parametrize(("url", "step"), PAPERS.items(), ids=PAPERS)


def take(session, role: str, permission: str) -> None:
    row = session.scalars(select(Role).where(Role.name == role)).one()
    row.permissions = [held for held in row.permissions if held.permission.name != permission]
    session.commit()


@every_paper
def test_without_personal_data_there_is_no_paper(make_case, login, session, url, step) -> None:
    case = make_case(step)
    take(session, "Petugas Pengaduan", "see_personal")
    answer = login("petugas").get(url.format(id=case.id))
    assert answer.status_code == 403
    assert case.applicant_name not in answer.text
    assert case.check_pin not in answer.text


@every_paper
def test_without_the_right_to_print_there_is_no_paper(make_case, login, session, url, step) -> None:
    case = make_case(step)
    take(session, "Petugas Pengaduan", "can_print")
    assert login("petugas").get(url.format(id=case.id)).status_code == 403


@every_paper
@pytest.mark.parametrize("who", ["kepala", "kabid", "admin"])
def test_who_prints_nothing_gets_nothing(make_case, login, url, step, who) -> None:
    assert login(who).get(url.format(id=make_case(step).id)).status_code == 403


@every_paper
def test_a_confidential_case_has_no_paper_for_who_may_not_know_of_it(
    make_case, login, session, url, step
) -> None:
    case = make_case(step)
    case.confidential = True
    session.commit()
    assert login("petugas").get(url.format(id=case.id)).status_code == 200
    take(session, "Petugas Pengaduan", "see_confidential")
    hidden = login("petugas").get(url.format(id=case.id))
    nothing = login("petugas").get(url.format(id=424242))
    assert hidden.status_code == nothing.status_code == 404


def test_the_couriers_list_leaves_out_who_may_not_be_known(make_case, login, session) -> None:
    shown, hidden = make_case("done"), make_case("done")
    hidden.confidential = True
    session.commit()
    parcel = shown.dispatches[-1]
    url = f"/papers/manifest?courier={parcel.courier_id}&day={office_day(parcel.sent_at)}"
    assert hidden.number in PrintedPaper(login("petugas").get(url).data).text
    take(session, "Petugas Pengaduan", "see_confidential")
    text = PrintedPaper(login("petugas").get(url).data).text
    assert shown.number in text
    assert hidden.number not in text


@every_paper
def test_a_paper_is_kept_by_nobody_and_printing_writes_nothing(
    make_case, login, app, url, step
) -> None:
    case, client = make_case(step), login("petugas")
    before = dump(engine_of(app))
    answer = client.get(url.format(id=case.id))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("inline;")
    assert case.number in answer.headers["Content-Disposition"]
    assert "script" not in answer.headers["Content-Security-Policy"]
    assert changes(before, dump(engine_of(app))) == []


@pytest.mark.parametrize("pk", ["0", "x", "1e3", "99999999999", "%00", "４"])
def test_a_key_that_is_none_leads_nowhere(login, pk) -> None:
    assert login("petugas").get(f"/papers/receipt/{pk}").status_code == 404


def test_there_are_two_sizes_of_receipt(make_case, login) -> None:
    case = make_case("intake")
    assert login("petugas").get(f"/papers/receipt/{case.id}?size=a3").status_code == 404


# --- the page of a case ---------------------------------------------------------------------------


def offered(client, case) -> set[str]:
    html = client.get(f"/complaints/show/{case.id}").text
    return set(re.findall(r'href="(/papers/[a-z-]+)', html))


@pytest.mark.parametrize(
    ("step", "papers"),
    [
        ("intake", {"receipt"}),
        ("returned", {"receipt", "return-slip"}),
        ("siak_check", {"receipt"}),
        ("signing", {"receipt", "draft", "labels"}),
        ("done", {"receipt", "draft", "labels"}),
    ],
)
def test_the_page_of_a_case_offers_the_papers_it_has(make_case, login, step, papers) -> None:
    case = make_case(step)
    client = login("petugas")
    assert offered(client, case) == {f"/papers/{name}" for name in papers}
    for url in re.findall(
        r'href="(/papers/[^"]+)"', client.get(f"/complaints/show/{case.id}").text
    ):
        assert client.get(url.replace("&amp;", "&")).status_code == 200


def test_who_prints_nothing_is_offered_nothing(make_case, login) -> None:
    assert offered(login("kepala"), make_case("signing")) == set()


# --- templates of the office ----------------------------------------------------------------------


@pytest.fixture
def templates(app, tmp_path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    app.config["PAPERS_PATH"] = folder
    return folder


def test_the_offices_own_template_is_printed(make_case, printed, templates) -> None:
    text = '#import "lib.typ": data\nBukti milik kantor #data.number'
    (templates / "receipt.typ").write_text(text, encoding="utf-8")
    case = make_case("intake")
    assert printed(f"/papers/receipt/{case.id}").text == f"Bukti milik kantor {case.number}"


def test_a_broken_template_is_a_sentence_with_its_file_and_line(
    make_case, login, templates, caplog
) -> None:
    (templates / "receipt.typ").write_text("satu\n\n#dua.tiga", encoding="utf-8")
    case, client = make_case("intake"), login("petugas")
    here = f"/complaints/show/{case.id}"
    url = f"/papers/receipt/{case.id}"
    answer = client.get(url, headers={"Referer": f"http://localhost{here}"})
    assert (answer.status_code, answer.location) == (303, here)
    page = client.get(here).text
    assert "receipt.typ" in page
    assert "unknown variable: dua" in page
    assert str(templates) not in page
    assert "receipt.typ" in caplog.text
    asked = client.get(url, headers={"Accept": "application/json"})
    assert (asked.status_code, asked.json["error"]) == (422, "paper_mistake")
    assert "3" in asked.json["message"]


def test_the_command_names_every_mistake(app, templates) -> None:
    run = app.test_cli_runner().invoke
    fine = run(args=["papers", "check"])
    assert fine.exit_code == 0, fine.output
    assert "receipt.typ: fine (as delivered)" in fine.output
    (templates / "receipt.typ").write_text("#satu", encoding="utf-8")
    (templates / "label.typ").write_text('\n#import "@preview/cetz:0.3.0"', encoding="utf-8")
    wrong = run(args=["papers", "check"])
    assert wrong.exit_code == 1
    assert "receipt.typ: receipt.typ, line 1: unknown variable: satu" in wrong.output


def test_the_command_copies_a_template_once(app, templates) -> None:
    run = app.test_cli_runner().invoke
    assert run(args=["papers", "copy", "receipt.typ"]).exit_code == 0
    mine = templates / "receipt.typ"
    mine.write_text("diubah", encoding="utf-8")
    again = run(args=["papers", "copy", "receipt.typ"])
    assert again.exit_code == 1
    assert mine.read_text(encoding="utf-8") == "diubah"
    assert run(args=["papers", "copy", "../config.py"]).exit_code == 2
