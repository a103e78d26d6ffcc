"""Traps 2 and 19: what a view remembers between requests would be another officer's.

Hundreds of mixed requests on eight threads of one process, each checked against its own answer.
"""

from __future__ import annotations

import io
import random
import re
from concurrent.futures import ThreadPoolExecutor
from threading import local

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Category, Channel, Complaint, Document
from tests.integration.test_access_matrix import client_of
from tests.support import samples
from tests.support.cases import CaseMaker
from tests.support.panel import post

THREADS = 8
REQUESTS = 600
CATEGORIES = ("BEDA_DATA", "KK", "KIA", "IKD", "TTE_QR")
CHANNELS = ("whatsapp", "tatap_muka", "instagram")


def rows_of(page: str) -> list[str]:
    """Which records a list page shows, in its order."""
    return list(dict.fromkeys(re.findall(r'href="(/\w+(?:/\w+)?/show/[\w.]+)"', page)))


def questions(make_case: CaseMaker) -> list[tuple[str, str]]:
    """Officer and address of every list that is asked for."""
    category = {code: make_case.id_of(Category, code) for code in CATEGORIES}
    channel = {code: make_case.id_of(Channel, code) for code in CHANNELS}
    view = "/complaints/list/?"
    found = [("petugas", f"{view}_flt_0_category={pk}") for pk in category.values()]
    found += [("operator", f"{view}_flt_0_channel={pk}") for pk in channel.values()]
    found += [
        ("kepala", f"{view}_flt_0_category={category['KK']}&_flt_0_channel={pk}")
        for pk in channel.values()
    ]
    found += [("subkoordinator", f"{view}_flt_0_step={key}") for key in ("intake", "returned")]
    found += [
        (
            "petugas",
            f"{view}_oc_ComplaintView=number&_od_ComplaintView={way}&psize_ComplaintView=10",
        )
        for way in ("asc", "desc")
    ]
    found += [("operator", f"{view}page_ComplaintView={n}&psize_ComplaintView=10") for n in (0, 1)]
    found += [("petugas", f"{view}q=Pemohon%20Contoh%20{n}") for n in (3, 7)]
    found += [("operator", "/documents/list/"), ("operator", "/documents/list/?_flt_0_stage=proof")]
    found += [("admin", f"/users/list/?q={word}") for word in ("siti", "agus", "endang")]
    found += [("admin", f"/reference/regions/list/?q={word}") for word in ("bandar", "tulis")]
    found += [("admin", "/roles/list/"), ("admin", "/reference/couriers/list/?q=pos")]
    return found


def test_trap_02_every_thread_gets_its_own_filters(
    app: Flask, make_case: CaseMaker, session: Session
) -> None:
    for n in range(20):
        category, channel = CATEGORIES[n % 5], CHANNELS[n % 3]
        channel_id = make_case.id_of(Channel, channel)
        step = "returned" if n % 7 == 0 else "intake"
        make_case(step, category=category, channel_id=channel_id, files=n % 4 == 0)
    asked = questions(make_case)
    session.commit()
    app.extensions["before_test_request"].clear()  # the test's session is not the threads' to use

    clients = {key: client_of(app, key) for key, _url in asked}
    expected = {pair: rows_of(clients[pair[0]].get(pair[1]).text) for pair in asked}
    assert len({tuple(rows) for rows in expected.values()}) > len(asked) / 2

    own = local()

    def ask(pair: tuple[str, str]) -> str | None:
        key, url = pair
        if not hasattr(own, "clients"):
            own.clients = {}
        client: FlaskClient = own.clients.setdefault(key, client_of(app, key))
        answer = client.get(url)
        if answer.status_code != 200:
            return f"{url}: {answer.status}"
        rows = rows_of(answer.text)
        return None if rows == expected[pair] else f"{url}: {rows} instead of {expected[pair]}"

    chosen = random.Random(2).choices(asked, k=REQUESTS)
    with ThreadPoolExecutor(THREADS) as pool:
        wrong = [line for line in pool.map(ask, chosen) if line]
    assert wrong == []


def test_trap_19_what_threads_add_lies_with_its_own_parent(
    app: Flask, make_case: CaseMaker, session: Session
) -> None:
    cases = [make_case(files=False).id for _ in range(6)]
    session.commit()
    app.extensions["before_test_request"].clear()
    photo = samples.jpeg()

    def attach(number: int) -> tuple[int, str]:
        pk = cases[number % len(cases)]
        name = f"case{pk}-file{number}.jpg"
        client = client_of(app, ("petugas", "petugas2", "operator")[number % 3])
        form = {"files": (io.BytesIO(photo), name), "stage": "requirement"}
        answer = post(client, f"/documents/attach/{pk}", form, content_type="multipart/form-data")
        return answer.status_code, name

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(attach, range(48)))
    assert {status for status, _name in answers} == {303}
    session.rollback()
    rows = session.execute(
        select(Document.original_name, Document.complaint_id).join(Complaint)
    ).all()
    assert sorted(name for name, _pk in rows) == sorted(name for _status, name in answers)
    assert [row for row in rows if not row[0].startswith(f"case{row[1]}-")] == []


def test_trap_19_no_view_changes_while_it_answers(world_app: Flask) -> None:
    """The attributes of every view are the same before and after an officer looked around."""
    views = world_app.extensions["appbuilder"].baseviews

    def state() -> dict[str, dict[str, int]]:
        return {
            f"{type(view).__name__}": {
                name: id(value) for name, value in vars(view).items() if name != "_filters"
            }
            for view in views
        }

    before = state()
    for key, url in (
        ("petugas", "/complaints/list/?q=x&_flt_0_category=1&page_ComplaintView=2"),
        ("petugas", "/complaints/add"),
        ("petugas", "/complaints/edit/1"),
        ("operator", "/complaints/work/3"),
        ("admin", "/users/list/?q=siti&_oc_UserDBModelView=username"),
        ("admin", "/users/edit/2"),
        ("admin", "/roles/edit/2"),
        ("kabid", "/charts/steps/"),
    ):
        assert client_of(world_app, key).get(url).status_code == 200, url
    after = state()
    changed = [
        f"{view}.{name}"
        for view, values in after.items()
        for name, identity in values.items()
        if before[view].get(name) != identity
    ]
    assert changed == []
