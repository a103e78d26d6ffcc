"""Holidays and working hours."""

from __future__ import annotations

from datetime import date, time
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Holiday, WorkingHours
from tests.support.reference import add, count, edit


def test_a_holiday_is_shown_as_people_write_it_and_may_go(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    holiday = session.scalars(select(Holiday).where(Holiday.day == date(2026, 8, 17))).one()
    page = admin.get(f"/reference/holidays/show/{holiday.id}").text
    assert "Senin, 17 Agustus 2026" in page
    assert f"/reference/holidays/delete/{holiday.id}" in page
    before = count(session, Holiday)
    assert admin.get(f"/reference/holidays/delete/{holiday.id}").status_code == 405
    assert post(admin, f"/reference/holidays/delete/{holiday.id}").status_code == 303
    assert count(session, Holiday) == before - 1


def test_a_holiday_keeps_its_own_day_when_edited(
    admin: FlaskClient, post: Any, session: Session
) -> None:
    holiday = session.scalars(select(Holiday).where(Holiday.day == date(2026, 8, 17))).one()
    data = {"day": "2026-08-17", "name": "HUT RI", "kind": "libur_nasional", "certainty": "tetap"}
    assert edit(post, admin, "holidays", holiday.id, data).status_code == 303
    session.expire_all()
    assert holiday.name == "HUT RI"


def test_holidays_are_found_by_year(admin: FlaskClient) -> None:
    page = admin.get("/reference/holidays/list/?q=2025").text
    assert "2025" in page
    assert "Desember 2027" not in page


def test_ramadan_has_hours_of_its_own(admin: FlaskClient, post: Any, session: Session) -> None:
    answer = add(
        post, admin, "working_hours", weekday="0", valid_from="2027-02-08", valid_to="2027-03-09"
    )
    assert answer.status_code == 303
    row = session.scalars(select(WorkingHours).where(WorkingHours.valid_from.is_not(None))).one()
    assert (row.weekday, row.opens, row.valid_to) == (0, time(8), date(2027, 3, 9))
    page = admin.get("/reference/working_hours/list/").text
    assert "8 Feb 2027 – 9 Mar 2027" in page
    assert "08.00" in page


def test_the_last_day_of_the_week_stays(admin: FlaskClient, post: Any, session: Session) -> None:
    rows = list(session.scalars(select(WorkingHours).order_by(WorkingHours.weekday)))
    keys = [row.id for row in rows]
    for pk in keys:
        assert post(admin, f"/reference/working_hours/delete/{pk}").status_code == 303
    assert count(session, WorkingHours) == 1
    last = session.scalars(select(WorkingHours)).one()
    data = {
        "weekday": str(last.weekday),
        "opens": "08:00",
        "closes": "12:00",
        "valid_from": "2027-02-08",
        "valid_to": "2027-03-09",
    }
    assert edit(post, admin, "working_hours", last.id, data).status_code == 422
    session.expire_all()
    assert session.scalars(select(WorkingHours)).one().valid_from is None
