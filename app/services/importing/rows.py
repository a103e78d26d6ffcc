"""What a row of a register says, and every cell of it that cannot be taken over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Category, Channel, Region
from app.services.complaints import ComplaintData
from app.services.importing.columns import BY_KEY, plain
from app.services.importing.sheet import Cell
from app.services.importing.values import CellError, digits_of, moment_of, text_of
from app.sop.definition import Sop
from app.sop.identity import check_kk, check_nik, check_phone, normalise_phone
from app.sop.text import N_

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "import_choice_unknown": N_("%(value)s is not in the list of the office."),
    "import_status_unknown": N_(
        "%(value)s is no status we know: proses, selesai, selesai tanpa dokumen or ditolak."
    ),
    "import_region_unknown": N_(
        "%(value)s is not a place of this regency. Leave the cell blank when it lies outside; the"
        " address keeps it."
    ),
    "import_village_ambiguous": N_("There are several %(value)s; fill in the kecamatan."),
    "import_sex_unknown": N_("Write L or P."),
    "import_no_email": N_("This is not an email address."),
    "import_finished_missing": N_("A finished complaint needs the day on which it was finished."),
    "import_finished_open": N_("There is a finishing day, but the status says it is open."),
    "import_finished_early": N_("It was finished before it was received."),
    "import_in_future": N_("This lies in the future."),
    "import_too_old": N_("This is more than ten years ago. Look at the year."),
}

OLDEST: Final = timedelta(days=3653)
#: Status of a register -> where the complaint then is; "" is the beginning of the SOP.
_STATUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "": (
        "", "proses", "dalam proses", "diproses", "sedang diproses", "baru", "masuk", "menunggu",
        "pending", "belum", "belum selesai", "tindak lanjut", "terbuka", "open",
    ),
    "done": (
        "selesai", "sudah selesai", "tuntas", "dikirim", "terkirim", "selesai dikirim", "diambil",
        "sudah diambil", "done", "closed",
    ),
    "resolved": ("selesai tanpa dokumen", "tanpa dokumen", "dijawab", "terjawab", "sudah dijawab"),
    "withdrawn": ("ditolak", "tolak", "dicabut", "batal", "dibatalkan", "ditarik"),
}  # fmt: skip
_PLACE_OF: Final = {plain(name): place for place, names in _STATUSES.items() for name in names}
_SEXES: Final = {
    "l": "L", "lk": "L", "laki": "L", "lakilaki": "L", "pria": "L", "m": "L",
    "p": "P", "pr": "P", "perempuan": "P", "wanita": "P", "f": "P",
}  # fmt: skip
_CHANNEL_ALSO: Final = {
    "wa": "whatsapp", "ig": "instagram", "fb": "facebook", "datang": "tatap_muka",
    "datanglangsung": "tatap_muka", "langsung": "tatap_muka", "loket": "tatap_muka",
    "offline": "tatap_muka", "luring": "tatap_muka", "telp": "telepon", "tiktok": "tiktok",
}  # fmt: skip


@dataclass(frozen=True)
class CellProblem:
    """One cell that cannot be taken over: row as in Excel, heading, and why."""

    row: int
    column: str
    code: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ImportedCase:
    """One row as a complaint; `place` is where it ends, "" for an open one."""

    row: int
    data: ComplaintData
    place: str
    closed_at: datetime | None
    #: What the register says besides, by heading: berkas, petugas, disposisi …
    kept: Mapping[str, str]


class Reference:
    """The office's lists as a register may name them: by code, by label, in either language."""

    def __init__(self, session: Session) -> None:
        self.channels = _named(session, Channel)
        for alias, code in _CHANNEL_ALSO.items():
            if plain(code) in self.channels:
                self.channels.setdefault(alias, self.channels[plain(code)])
        self.categories = _named(session, Category)
        self.districts: dict[str, str] = {}
        self.villages: dict[str, list[tuple[str, str | None]]] = {}
        for region in session.scalars(select(Region).where(Region.active.is_(True))):
            name = plain(region.name)
            if region.kind == "kecamatan":
                self.districts[name] = region.code
            else:
                self.villages.setdefault(name, []).append((region.code, region.parent_code))


def _named(session: Session, model: type[Channel] | type[Category]) -> dict[str, int]:
    rows = session.execute(
        select(model.id, model.code, model.label_id, model.label_en)
        .where(model.active.is_(True))
        .order_by(model.position.desc())
    )
    return {name: row[0] for row in rows for name in map(plain, (row[3], row[2], row[1])) if name}


class RowReader:
    """Reads rows one after the other; `problems` collects what is wrong with them."""

    def __init__(
        self, reference: Reference, sop: Sop, places: Mapping[str, int], *, now: datetime
    ) -> None:
        self.reference, self.places, self.now = reference, places, now
        self.steps = {step.key for step in sop.steps}
        self.problems: list[CellProblem] = []

    def read(self, number: int, cells: Sequence[Cell]) -> ImportedCase | None:
        """The complaint of a row; None when one of its cells cannot be taken over."""
        row = _Row(number, cells, self)
        case = row.case()
        self.problems += row.problems
        return None if row.problems else case


class _Row:
    def __init__(self, number: int, cells: Sequence[Cell], reader: RowReader) -> None:
        self.number, self.cells, self.reader = number, cells, reader
        self.problems: list[CellProblem] = []

    # --- cells ---

    def cell(self, key: str) -> Cell:
        """What stands in a column; blank where the register has none."""
        at = self.reader.places.get(key)
        return self.cells[at] if at is not None and at < len(self.cells) else None

    def wrong(self, key: str, code: str, **params: Any) -> None:
        self.problems.append(CellProblem(self.number, BY_KEY[key].heading, code, params))

    def take(self, key: str, read: Callable[[Any], Any], default: Any = "") -> Any:
        """Read a cell; what is wrong with it is noted, and the default goes on."""
        try:
            found = read(self.cell(key))
        except CellError as error:
            self.wrong(key, error.code, **error.params)
            return default
        return default if found is None else found

    def text(self, key: str, most: int, *, lines: bool = False) -> str:
        before = len(self.problems)
        found = str(self.take(key, lambda value: text_of(value, most=most, lines=lines)))
        if not found and BY_KEY[key].needed and len(self.problems) == before:
            self.wrong(key, "cell_needed")
        return found

    # --- the complaint ---

    def case(self) -> ImportedCase:
        received = self.received()
        place, closed = self.end(received)
        district, village = self.region()
        data = ComplaintData(
            channel_id=self.choice("channel", self.reader.reference.channels),
            category_id=self.choice("category", self.reader.reference.categories),
            received_at=received or self.reader.now,
            applicant_name=self.text("name", 120),
            text=self.text("text", 8_000, lines=True),
            external_ticket=self.text("register_number", 60),
            nik=self.number_of("nik"),
            kk_number=self.number_of("kk"),
            sex=self.sex(),
            phone=self.phone(),
            email=self.email(),
            address=self.text("address", 300),
            kecamatan_code=district,
            region_code=village,
        )
        kept = {
            BY_KEY[key].heading: found
            for key in BY_KEY
            if BY_KEY[key].kept and (found := self.text(key, 2_000, lines=True))
        }
        return ImportedCase(self.number, data, place, closed, kept)

    def received(self) -> datetime | None:
        before = len(self.problems)
        clock = self.take("time", lambda value: value, None)
        found: datetime | None = self.take("day", lambda value: moment_of(value, None), None)
        if found is not None and clock not in (None, ""):
            found = self.take("time", lambda value: moment_of(found, value), found)
        if found is None:
            if len(self.problems) == before:
                self.wrong("day", "cell_needed")
            return None
        if found > self.reader.now:
            self.wrong("day", "import_in_future")
        elif found < self.reader.now - OLDEST:
            self.wrong("day", "import_too_old")
        return found

    def end(self, received: datetime | None) -> tuple[str, datetime | None]:
        """Where the complaint is now, and since when it is finished."""
        status = self.text("status", 60)
        closed: datetime | None = self.take("finished", moment_of, None)
        place = _PLACE_OF.get(plain(status))
        if place is None or (place and place not in self.reader.steps):
            self.wrong("status", "import_status_unknown", value=status)
            return "", None
        if not place:
            if closed is not None:
                self.wrong("finished", "import_finished_open")
            return "", None
        if closed is None:
            if not any(problem.column == BY_KEY["finished"].heading for problem in self.problems):
                self.wrong("finished", "import_finished_missing")
        elif closed > self.reader.now:
            self.wrong("finished", "import_in_future")
        elif received is not None and closed.date() < received.date():
            self.wrong("finished", "import_finished_early")
        elif received is not None:
            closed = max(closed, received)  # a day without a time begins at midnight
        return place, closed

    def choice(self, key: str, rows: Mapping[str, int]) -> int:
        text = self.text(key, 160)
        if not text:
            return 0
        found = rows.get(plain(text))
        if found is None:
            self.wrong(key, "import_choice_unknown", value=text)
        return found or 0

    def region(self) -> tuple[str | None, str | None]:
        """Kecamatan and village; a village alone names its kecamatan when there is only one."""
        lists = self.reader.reference
        district_name, village_name = self.text("district", 80), self.text("village", 80)
        district = lists.districts.get(plain(district_name).removeprefix("kecamatan"))
        if district_name and district is None:
            self.wrong("district", "import_region_unknown", value=district_name)
            return None, None
        if not village_name:
            return district, None
        name = plain(village_name)
        found = lists.villages.get(name) or lists.villages.get(
            name.removeprefix("desa").removeprefix("kelurahan"), []
        )
        found = [pair for pair in found if district is None or pair[1] == district]
        if len(found) == 1:
            return found[0][1], found[0][0]
        code = "import_village_ambiguous" if found else "import_region_unknown"
        self.wrong("village", code, value=village_name)
        return district, None

    def number_of(self, key: str) -> str:
        found = str(self.take(key, digits_of))
        check = check_nik if key == "nik" else check_kk
        for one in check(found) if found else ():
            if one.level == "error":
                self.wrong(key, one.code, **one.params)
        return found

    def sex(self) -> str:
        text = self.text("sex", 20)
        found = _SEXES.get(plain(text), "")
        if text and not found:
            self.wrong("sex", "import_sex_unknown")
        return found

    def phone(self) -> str:
        text = self.text("phone", 40).lstrip("'")
        if any(one.level == "error" for one in check_phone(text)):
            self.wrong("phone", "phone_impossible")
            return ""
        return normalise_phone(text)

    def email(self) -> str:
        text = self.text("email", 254)
        if not text:
            return ""
        try:
            return validate_email(text, check_deliverability=False).normalized
        except EmailNotValidError:
            self.wrong("email", "import_no_email")
            return ""
