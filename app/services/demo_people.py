"""The people of the demo office: fictional officers and applicants (design, domain: NIK 9900–9999)."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Account, Role, Signatory, User
from app.services.actor import Actor, load_actor
from app.services.complaints import ComplaintData
from app.services.seed_roles import load_roles
from app.sop.errors import SopError

#: Serials that no registry office gives out this high; they mark an invented NIK or KK.
FIRST_SERIAL: Final = 9900
#: The demo's head took office before the first of its cases.
_IN_OFFICE_SINCE: Final = timedelta(days=400)
WOMAN: Final = 40


@dataclass(frozen=True)
class Officer:
    """One officer of the demo office, with what he may do."""

    username: str
    role: str
    actor: Actor


@dataclass(frozen=True)
class Person:
    """A fictional applicant; `number` (from 1) makes his NIK, KK and telephone number."""

    number: int
    name: str
    sex: str
    born: date
    region: str
    street: str

    @property
    def kecamatan(self) -> str:
        """The code of the kecamatan of the desa he lives in."""
        return self.region.rpartition(".")[0]

    @property
    def nik(self) -> str:
        """A NIK that is well formed and belongs to nobody."""
        day = self.born.day + (WOMAN if self.sex == "P" else 0)
        return f"{self._six}{day:02}{self.born:%m%y}{FIRST_SERIAL + self.number:04}"

    @property
    def kk_number(self) -> str:
        """A family card of the same serial, recorded on some day of 2019."""
        return (
            f"{self._six}{self.number % 28 + 1:02}{self.number % 12 + 1:02}19{9900 + self.number}"
        )

    @property
    def phone(self) -> str:
        """A number out of a block that is not given out: 0812-0000-00nn."""
        return f"081200000{self.number:03}"

    @property
    def account(self) -> str:
        """The name he goes by on a social network."""
        return "".join(self.name.lower().split()[:2])

    @property
    def _six(self) -> str:
        return self.kecamatan.replace(".", "")


def read_people(path: Path) -> list[Person]:
    """The applicants of `people.csv`, in its order."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Person(
                number,
                row["name"],
                row["sex"],
                date.fromisoformat(row["born"]),
                row["region"],
                row["street"],
            )
            for number, row in enumerate(csv.DictReader(file), 1)
        ]


def add_officers(
    session: Session,
    folder: Path,
    *,
    now: datetime,
    password: str,
    hash_password: Callable[[str], str],
) -> list[Officer]:
    """The officers of `demo/officers.toml`, signing in with one password they need not change.

    Raises:
        SopError: a role of the file is not in the database.
    """
    data = tomllib.loads((folder / "demo" / "officers.toml").read_text(encoding="utf-8"))
    labels = {spec.key: spec.label.id for spec in load_roles(folder / "roles.toml")}
    roles = {role.name: role for role in session.scalars(select(Role))}
    naive = now.replace(tzinfo=None)  # FAB's own columns know no zone
    hashed = hash_password(password)  # slow on purpose, so once
    users: list[tuple[str, User]] = []
    for row in data["officer"]:
        role = roles.get(labels.get(row["role"], ""))
        if role is None:
            raise SopError("demo_role_missing", role=row["role"])
        user = User(
            username=row["username"],
            first_name=row["name"][0],
            last_name=row["name"][1],
            email=f"{row['username']}@contoh.example",
            active=True,
            password=hashed,
            roles=[role],
            created_on=naive,
            changed_on=naive,
        )
        session.add(user)
        users.append((row["role"], user))
        if facts := row.get("signatory"):
            begun = now.date() - _IN_OFFICE_SINCE
            session.add(Signatory(user=user, valid_from=begun, **facts))
    session.flush()
    for _role, user in users:
        session.add(Account(user_id=user.id, session_version=1, must_change_password=False))
    session.flush()
    return [Officer(user.username, role, load_actor(session, user)) for role, user in users]


def describe(
    person: Person,
    *,
    channel: tuple[int, str],
    category_id: int,
    received_at: datetime,
    text: str,
    known: bool,
    **more: Any,
) -> ComplaintData:
    """What the officer writes down of an applicant.

    Args:
        person: who complains.
        channel: its id and code.
        category_id: what about.
        received_at: when the message came.
        text: in the applicant's words.
        known: whether he gave NIK, KK and the rest; for a mere question he does not.
        more: further fields of `ComplaintData`.
    """
    channel_id, code = channel
    email = f"{person.account}@contoh.example"
    handles = {
        "tatap_muka": "",
        "whatsapp": person.phone,
        "telepon": person.phone,
        "email": email,
        "web": email,
        "sp4n_lapor": person.name,
    }
    identity: dict[str, Any] = {}
    if known:
        identity = {
            "nik": person.nik,
            "kk_number": person.kk_number,
            "birth_date": person.born,
        }
    return ComplaintData(
        channel_id=channel_id,
        category_id=category_id,
        received_at=received_at,
        applicant_name=person.name,
        text=text,
        handle=handles.get(code, f"@{person.account}"),
        external_ticket=f"9{person.number:06}" if code == "sp4n_lapor" else "",
        sex=person.sex,
        phone=person.phone,
        email=email if code in ("email", "web") else "",
        address=person.street,
        kecamatan_code=person.kecamatan,
        region_code=person.region,
        **identity,
        **more,
    )
