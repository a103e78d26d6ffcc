"""The form of a complaint: what an officer types, checked as `app.sop.identity` says.

An error stands beside its field and blocks; a warning is only told (domain, "Numbers").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Form
from wtforms.validators import ValidationError

from app.errors import sentence
from app.formats import OFFICE_ZONE, number
from app.models import Complaint
from app.services.complaints import ComplaintData
from app.sop.identity import (
    Finding,
    check_kk,
    check_name,
    check_nik,
    check_phone,
    normalise_phone,
)
from app.views.forms.choices import CaseChoices
from app.views.forms.fields import (
    NEEDED_CHOICE,
    NEEDED_TEXT,
    NO_SUCH_CHOICE,
    DayField,
    LocalTimeField,
    Needed,
    OneOf,
    PlainString,
    PlainText,
    at_most,
    printable,
)

#: A message older than this is a slip in the year, not a late registration.
OLDEST_RECEIPT: Final = timedelta(days=2 * 366)
LONGEST_TEXT: Final = 8_000
_FIRST_BIRTH: Final = date(1900, 1, 1)
#: What people put between the digits of a NIK or KK number.
_DIGIT_MARKS: Final = re.compile(r"[\s.\-\u2010-\u2015\u200b-\u200e\u202a-\u202e\u2060\ufeff]+")
SEXES: Final = (("L", _l("Male")), ("P", _l("Female")))


class ComplaintForm(Form):  # type: ignore[misc]
    """Everything of a complaint but its papers and files."""

    channel = OneOf(_l("Came in through"), validators=[Needed(NEEDED_CHOICE)])
    handle = PlainString(_l("Account or number"), validators=[printable, at_most(120)])
    external_ticket = PlainString(
        _l("Ticket number elsewhere"), validators=[printable, at_most(60)]
    )
    received_at = LocalTimeField(_l("Received on"))

    applicant_name = PlainString(
        _l("Name"), validators=[printable, Needed(NEEDED_TEXT), at_most(120)]
    )
    nik = PlainString(_l("NIK"), validators=[printable])
    kk_number = PlainString(_l("KK number"), validators=[printable])
    birth_date = DayField(_l("Date of birth"))
    sex = OneOf(_l("Sex"))
    phone = PlainString(_l("Phone"), validators=[printable])
    email = PlainString(_l("Email"), validators=[printable, at_most(254)])
    address = PlainString(_l("Address"), validators=[printable, at_most(300)])
    kecamatan = OneOf(_l("Kecamatan"))
    region = OneOf(_l("Village (desa/kelurahan)"))

    category = OneOf(_l("Category"), validators=[Needed(NEEDED_CHOICE)])
    text = PlainText(
        _l("The complaint, as written or told"),
        validators=[printable, Needed(NEEDED_TEXT), at_most(LONGEST_TEXT)],
    )
    hide_identity = BooleanField(_l("Keep the applicant's identity hidden"))
    needs_first_ktp = BooleanField(_l("The applicant has never had a KTP-el"))

    def __init__(
        self,
        formdata: Any = None,
        *,
        now: datetime,
        choices: CaseChoices | None = None,
        complaint: Complaint | None = None,
        known_regions: Collection[str] = frozenset(),
    ) -> None:
        self.now = now
        self.choices = choices
        self.complaint = complaint
        self.known_regions = known_regions or (choices.region_codes if choices else frozenset())
        before = _values(complaint) if complaint else {}
        super().__init__(formdata, data=before)
        if formdata is not None and "shown" not in formdata:
            # What a script left out keeps its value; a page says that it showed every field.
            for name in before.keys() - formdata.keys():
                self._fields[name].process(None, before[name])
        self.nik.data = _DIGIT_MARKS.sub("", self.nik.data or "")
        self.kk_number.data = _DIGIT_MARKS.sub("", self.kk_number.data or "")
        if not findings_block(check_phone(self.phone.data or "")):
            self.phone.data = normalise_phone(self.phone.data or "")

    # --- what is wrong ---

    def validate_channel(self, field: OneOf) -> None:
        """A channel the office still uses."""
        assert self.choices
        _among(field, self.choices.channels)

    def validate_category(self, field: OneOf) -> None:
        """A category the office still uses."""
        assert self.choices
        _among(field, self.choices.categories)

    def validate_sex(self, field: OneOf) -> None:
        """L, P or not said."""
        _among(field, dict(SEXES))

    def validate_kecamatan(self, field: OneOf) -> None:
        """A kecamatan of the regency."""
        assert self.choices
        _among(field, self.choices.kecamatan)

    def validate_region(self, field: OneOf) -> None:
        """A village of the kecamatan; a village alone names its kecamatan too."""
        assert self.choices
        _among(field, self.choices.villages)
        if not field.data:
            return
        parent = self.choices.villages[field.data].parent_code
        if not self.kecamatan.data:
            self.kecamatan.data = parent or ""
        elif parent != self.kecamatan.data:
            raise ValidationError(_("This village lies in another kecamatan."))

    def validate_received_at(self, field: LocalTimeField) -> None:
        """Never in the future, and not so long ago that the year must be wrong."""
        moment = field.data
        if moment is None or self._receipt_kept():
            return
        # Compared on the wall clock: the years 1 and 9999 have no place in UTC.
        typed, here = moment.replace(tzinfo=None), self.now.astimezone(OFFICE_ZONE)
        if typed > here.replace(tzinfo=None):
            raise ValidationError(sentence("received_in_future"))
        if typed < (here - OLDEST_RECEIPT).replace(tzinfo=None):
            raise ValidationError(_("This is more than two years ago. Look at the year."))

    def validate_birth_date(self, field: DayField) -> None:
        """A day somebody alive may have been born on."""
        if field.data is None:
            return
        if field.data > self.now.astimezone(OFFICE_ZONE).date():
            raise ValidationError(_("The date of birth lies in the future."))
        if field.data < _FIRST_BIRTH:
            raise ValidationError(_("This is too long ago for a date of birth."))

    def validate_nik(self, field: PlainString) -> None:
        """What is impossible in a NIK."""
        _refuse(field, self.findings()["nik"])

    def validate_kk_number(self, field: PlainString) -> None:
        """What is impossible in a KK number."""
        _refuse(field, self.findings()["kk_number"])

    def validate_phone(self, field: PlainString) -> None:
        """What is no phone number."""
        _refuse(field, self.findings()["phone"])

    def validate_email(self, field: PlainString) -> None:
        """What is no email address; whether its domain exists is not asked."""
        if not field.data:
            return
        address = email_address(field.data)
        if address is None:
            raise ValidationError(_("This is not an email address."))
        field.data = address

    def findings(self) -> dict[str, list[Finding]]:
        """Errors and warnings about the numbers and the name, empty lists where all is well."""
        place = self.region.data or self.kecamatan.data or None
        nik, kk = self.nik.data, self.kk_number.data
        return {
            "applicant_name": check_name(self.applicant_name.data or ""),
            "nik": check_nik(
                nik,
                birth_date=self.birth_date.data,
                sex=self.sex.data,
                region_code=place,
                known_regions=self.known_regions,
            )
            if nik
            else [],
            "kk_number": check_kk(kk, region_code=place, known_regions=self.known_regions)
            if kk
            else [],
            "phone": check_phone(self.phone.data or ""),
        }

    def warnings(self) -> dict[str, list[str]]:
        """What does not block but is worth a second look, as sentences by field."""
        return {
            name: [sentence(one.code, one.params) for one in found if one.level == "warning"]
            for name, found in self.findings().items()
        }

    # --- what it says ---

    def to_data(self) -> ComplaintData:
        """The complaint as the services want it, of a form that validated."""
        assert self.choices
        channel = self.choices.channels[self.channel.data]
        received = self.received_at.data or self.now
        if self.complaint is not None and (self._receipt_kept() or self.received_at.data is None):
            received = self.complaint.received_at  # with its seconds
        elif self.complaint is None and channel.in_person:
            received = self.now
        return ComplaintData(
            channel_id=channel.id,
            category_id=int(self.category.data),
            received_at=received,
            applicant_name=self.applicant_name.data,
            text=self.text.data,
            handle=self.handle.data,
            external_ticket=self.external_ticket.data,
            nik=self.nik.data,
            kk_number=self.kk_number.data,
            birth_date=self.birth_date.data,
            sex=self.sex.data,
            phone=self.phone.data,
            email=self.email.data,
            address=self.address.data,
            kecamatan_code=self.kecamatan.data or None,
            region_code=self.region.data or None,
            hide_identity=bool(self.hide_identity.data),
            needs_first_ktp=bool(self.needs_first_ktp.data),
        )

    def _receipt_kept(self) -> bool:
        """Whether the time of receipt is still that of the complaint, to the minute."""
        if self.complaint is None or self.received_at.data is None:
            return False
        before = self.complaint.received_at.astimezone(OFFICE_ZONE)
        return bool(
            before.replace(second=0, microsecond=0, tzinfo=None)
            == self.received_at.data.replace(second=0, tzinfo=None)
        )


def email_address(text: str) -> str | None:
    """The address in its usual spelling, None for what is none; nothing is looked up."""
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def findings_block(found: Collection[Finding]) -> bool:
    """Whether one of the findings is an error."""
    return any(one.level == "error" for one in found)


def text_counter() -> str:
    """The longest text, as the page says it."""
    return number(LONGEST_TEXT)


def _values(complaint: Complaint) -> dict[str, Any]:
    plain = (
        "handle", "external_ticket", "received_at", "applicant_name", "nik", "kk_number",
        "birth_date", "sex", "phone", "email", "address", "text", "hide_identity",
        "needs_first_ktp",
    )  # fmt: skip
    return {
        **{name: getattr(complaint, name) for name in plain},
        "channel": complaint.channel_id,
        "category": complaint.category_id,
        "kecamatan": complaint.kecamatan_code,
        "region": complaint.region_code,
    }


def _among(field: OneOf, rows: Mapping[str, Any]) -> None:
    if field.data and field.data not in rows:
        field.data = ""
        raise ValidationError(str(NO_SUCH_CHOICE))


def _refuse(field: PlainString, found: Collection[Finding]) -> None:
    errors = [sentence(one.code, one.params) for one in found if one.level == "error"]
    if errors:
        field.errors.extend(errors[:-1])
        raise ValidationError(errors[-1])
