"""Parcels and who works with them at the dispatch desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Courier, Dispatch
from app.services.dispatching import Parcel, set_status
from app.services.uploads import stage_upload
from tests.support import samples
from tests.support.parcels import Window, parcel_of


@pytest.fixture
def written(session: Session) -> Callable[..., Parcel]:
    """A parcel as an officer writes it; what is named is changed."""
    courier = session.scalars(select(Courier.id).where(Courier.code == "pos")).one()

    def make(number: str = "P9900000000001", **changes: Any) -> Parcel:
        return Parcel(**{
            "courier_id": courier,
            "tracking_number": number,
            "recipient": "Pemohon Contoh",
            "address": "Jl. Contoh No. 1, Batang",
            "phone": "+6281200000001",
            **changes,
        })  # fmt: skip

    return make


@pytest.fixture
def came_back(session: Session, make_case: Any, actor: Any) -> Dispatch:
    """A parcel that the courier brought back."""
    parcel = parcel_of(session, make_case("done"))
    set_status(
        session,
        parcel,
        "returned",
        actor("petugas"),
        now=datetime.now(UTC),
        expected_version=parcel.version,
        return_reason="Alamat tidak ditemukan",
    )
    session.commit()
    return parcel


@pytest.fixture
def pos(session: Session) -> int:
    return session.scalars(select(Courier.id).where(Courier.code == "pos")).one()


@pytest.fixture
def upload(session: Session, store: Any, user: Any) -> Callable[..., str]:
    """`upload("petugas")`: the token of a photo that this officer has just taken."""

    def stage(who: str = "petugas") -> str:
        staged = stage_upload(
            session,
            store,
            user_id=user(who).id,
            filename="resi.jpg",
            data=samples.jpeg(),
            now=datetime.now(UTC),
        )
        session.commit()
        return staged.token

    return stage


@pytest.fixture
def window(login: Any, post: Any) -> Callable[..., Window]:
    return lambda who="petugas": Window(login(who), post)
