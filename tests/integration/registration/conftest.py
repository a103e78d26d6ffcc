"""The registration form, filled in and sent."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from app.models import Category, CategoryRequirement, Channel, Role
from tests.support.registration import ADD, KK, NIK, WIB, the_case


@pytest.fixture
def ids(session):
    """Keys of the rows that the form refers to, by their code."""

    def look_up(model, code):
        return str(session.scalars(select(model.id).where(model.code == code)).one())

    return look_up


@pytest.fixture
def filled(session, ids):
    """A registration that nothing is wrong with; changes by name."""

    def make(papers="present", **changes):
        category = changes.pop("category_code", "BEDA_DATA")
        values = {
            "channel": ids(Channel, changes.pop("channel_code", "whatsapp")),
            "handle": "0812-0000-0007",
            "received_at": f"{datetime.now(WIB) - timedelta(hours=3):%Y-%m-%dT%H:%M}",
            "applicant_name": "Budi Contoh",
            "nik": NIK,
            "kk_number": KK,
            "phone": "0812-0000-0007",
            "email": "",
            "address": "Jl. Contoh No. 1",
            "kecamatan": "33.25.01",
            "region": "33.25.01.2001",
            "category": ids(Category, category),
            "text": "Nama ibu saya salah di KK.",
            **changes,
        }
        if papers:
            for item in session.scalars(
                select(CategoryRequirement)
                .join(CategoryRequirement.category)
                .where(Category.code == category)
            ):
                values.setdefault(f"check_{item.kind_id}", papers)
        return MultiDict((name, value) for name, value in values.items() if value is not None)

    return make


@pytest.fixture
def sent(login, csrf):
    """Send the form as an officer; a dict of lists becomes repeated fields."""

    def send(values, *, who="petugas", url=ADD, then="save", client=None, files=()):
        client = client or login(who)
        data = MultiDict(values)
        data.setdefault("then", then)
        data.add("csrf_token", csrf(client))
        for name, content in files:
            data.add("files", (io.BytesIO(content), name))
        return client.post(url, data=data, content_type="multipart/form-data")

    return send


@pytest.fixture
def without(session):
    """Take a permission away from the complaints officers, as the role screen does."""

    def take(permission, view="Complaint"):
        role = session.scalars(select(Role).where(Role.name == "Petugas Pengaduan")).one()
        role.permissions = [
            pair
            for pair in role.permissions
            if (pair.permission.name, pair.view_menu.name) != (permission, view)
        ]
        session.commit()

    return take


@pytest.fixture
def case(session, sent, filled):
    """A case that was registered through the form."""
    assert sent(filled()).status_code == 303
    return the_case(session)
