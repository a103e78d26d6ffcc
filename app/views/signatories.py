"""Who signs for the office: the head, and acting heads by decree from–to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy import select

from app.auditing import audit_now
from app.extensions import db
from app.formats import short_date
from app.models import Signatory, User
from app.services.revealing import form_revealed
from app.services.signatories import ACTING, office_day, overlapping, title_of
from app.sop.identity import mask
from app.views.base import OfficeModelView
from app.views.formbase import CheckedTogether
from app.views.formpages import EVERY_CHANGE
from app.views.interface import OfficeInterface
from app.views.office import request_time
from app.views.validators import Matches, choice_field, day_field, text_field

CAPACITIES: tuple[tuple[str, Any], ...] = (
    ("definitif", _l("Definitive")),
    ("plt", _l("Acting, post vacant (Plt.)")),
    ("plh", _l("Acting, head away (Plh.)")),
)
#: More users than these are no office's.
_MOST_USERS = 300


def user_choices() -> list[tuple[int, str]]:
    """The users by name; one who may not sign any more still bears his old entries."""
    rows = db.session.execute(
        select(User.id, User.first_name, User.last_name, User.username)
        .order_by(User.first_name, User.last_name)
        .limit(_MOST_USERS)
    )
    found = [(pk, f"{first} {last} ({name})") for pk, first, last, name in rows]
    # Nobody is proposed: the first of the alphabet would be entered by oversight.
    return [(0, str(_("Choose…"))), *found]


def _user_key(value: Any) -> int:
    return int(value or 0)


class SignatoryForm(CheckedTogether):
    """One capacity of one officer, from a day, to a day."""

    user_id = choice_field(
        _l("User"),
        user_choices,
        coerce=_user_key,
        hint=_l("Only this sign-in can sign with the entry."),
    )
    name = text_field(_l("Name as printed"), 120, hint=_l("With titles."))
    nip = text_field(
        _l("NIP"),
        18,
        needed=False,
        checks=[Matches(r"\d{18}", _l("A NIP has 18 digits."))],
        inputmode="numeric",
        **{"class": "input-mid"},
    )
    nik = text_field(
        _l("NIK"),
        16,
        needed=False,
        checks=[Matches(r"\d{16}", _l("A NIK has 16 digits."))],
        hint=_l("The signature service knows officials by their NIK."),
        inputmode="numeric",
        **{"class": "input-mid"},
    )
    rank = text_field(
        _l("Rank"), 60, needed=False, hint=_l("For example: Pembina Utama Muda, IV/c.")
    )
    position = text_field(
        _l("Official position"), 160, hint=_l("Without Plt. or Plh.: that comes from the capacity.")
    )
    capacity = choice_field(_l("Capacity"), CAPACITIES, default="definitif")
    decree_number = text_field(
        _l("Number of the decree"), 80, needed=False, hint=_l("Needed for Plt. and Plh.")
    )
    decree_date = day_field(_l("Date of the decree"), needed=False)
    valid_from = day_field(_l("Signs from"))
    valid_to = day_field(
        _l("Signs until"), needed=False, hint=_l("The last day. Needed for Plt. and Plh.")
    )
    certificate = text_field(
        _l("Certificate file"),
        80,
        needed=False,
        checks=[
            Matches(
                r"[A-Za-z0-9][A-Za-z0-9._-]*\.(p12|pfx)",
                _l("A file name such as kepala-dinas.p12, without a folder."),
            )
        ],
        hint=_l("Only where this panel signs itself: its name in the folder of certificates."),
        spellcheck="false",
        **{"class": "mono"},
    )

    def mistakes(self) -> Iterator[tuple[str, str]]:
        first, last = self.valid_from.data, self.valid_to.data
        if first and last and last < first:
            yield "valid_to", _("The last day lies before the first.")
        if self.capacity.data in ACTING:
            if not self.decree_number.data:
                yield "decree_number", _("An acting head signs by a decree: write its number.")
            if not self.decree_date.data:
                yield "decree_date", _("An acting head signs by a decree: write its date.")
            if not last:
                yield "valid_to", _("An acting head signs from one day to another.")
        if (self.position.data or "").lower().startswith(("plt", "plh")):
            yield "position", _("Leave Plt. or Plh. out here and choose the capacity.")
        if not self.user_id.errors and not self.user_id.data:
            yield "user_id", _("Choose the user who signs.")
            return
        if self.user_id.errors or not first or (last and last < first):
            return
        other = overlapping(
            db.session(), self.user_id.data, first, last, but_not=getattr(self, "_id", None)
        )
        if other is not None:
            yield (
                "valid_from",
                _(
                    "This user signs in another capacity on some of these days: %(title)s, %(days)s.",
                    title=title_of(other),
                    days=days_of(other),
                ),
            )


def days_of(row: Signatory) -> str:
    """`1 Jan 2026 – 31 Des 2026`, or since when."""
    if row.valid_to is None:
        return str(_("since %(day)s", day=short_date(row.valid_from)))
    return f"{short_date(row.valid_from)} – {short_date(row.valid_to)}"


def _now_badge(row: Signatory) -> Markup:
    today = office_day(request_time())
    if row.valid_to is not None and row.valid_to < today:
        tone, text = "neutral", _("Past")
    elif row.valid_from > today:
        tone, text = "info", _("To come")
    else:
        tone, text = "ok", _("In office")
    return Markup('<span class="badge badge-{}">{}</span>').format(tone, text)


class SignatoryView(OfficeModelView):
    """Signatories; an entry is never deleted, it ends."""

    datamodel = OfficeInterface(Signatory, eager=("user",))
    asks_again = EVERY_CHANGE
    class_permission_name = "Signatory"
    route_base = "/reference/signatories"
    list_title = _l("Signatories")
    show_title = _l("Signatory")
    add_title = _l("Add a signatory")
    edit_title = _l("Edit the signatory")
    add_form = edit_form = SignatoryForm
    label_columns: ClassVar[dict[str, Any]] = {
        "user": _l("User"),
        "user_id": _l("User"),
        "name": _l("Name as printed"),
        "nip": _l("NIP"),
        "nik": _l("NIK"),
        "rank": _l("Rank"),
        "position": _l("Official position"),
        "title": _l("Signs as"),
        "capacity": _l("Capacity"),
        "decree_number": _l("Number of the decree"),
        "decree_date": _l("Date of the decree"),
        "valid_from": _l("Signs from"),
        "valid_to": _l("Signs until"),
        "certificate": _l("Certificate file"),
        "days": _l("Days"),
        "now": _l("Now"),
    }
    list_columns: ClassVar[list[str]] = ["name", "title", "user", "days", "now"]
    order_columns: ClassVar[list[str]] = ["name"]
    show_columns: ClassVar[list[str]] = [
        "user", "name", "nip", "nik", "rank", "title", "capacity", "decree_number", "decree_date",
        "days", "now", "certificate",
    ]  # fmt: skip
    base_order = ("valid_from", "desc")
    search_columns: ClassVar[list[str]] = ["capacity"]
    filter_columns = ("capacity",)
    choices: ClassVar[dict[str, Any]] = {"capacity": CAPACITIES}
    text_columns = ("name", "position", "decree_number")
    edit_fieldsets: ClassVar[list[Any]] = [
        (_l("Who"), {"fields": ["user_id", "name", "nip", "nik", "rank", "position"]}),
        (
            _l("In which capacity"),
            {"fields": ["capacity", "decree_number", "decree_date", "valid_from", "valid_to"]},
        ),
        (_l("Certificate"), {"fields": ["certificate"]}),
    ]
    add_fieldsets: ClassVar[list[Any]] = edit_fieldsets
    edit_columns: ClassVar[list[str]] = [
        name for _title, body in edit_fieldsets for name in body["fields"]
    ]
    add_columns: ClassVar[list[str]] = edit_columns
    empty_title = _l("Nobody signs yet")
    empty_text = _l(
        "Without a signatory no case leaves the signing step. Add the head of the office first."
    )

    def _form_page(self, form: Any, *, new: bool = False, item: Any = None) -> str:
        """The edit form holds the NIK of an official in full: that it was opened is told."""
        subject = f"signatory:{item.id}" if item is not None and item.nik else ""
        page = super()._form_page(form, new=new, item=item)
        if subject and request.method == "GET":
            audit_now(*form_revealed(subject, "signatory", "nik"))
        return page

    def cell(self, item: Signatory, column: str) -> Any:
        """Capacities by their names, the days, and whether they are now; the NIK masked."""
        if column == "title":
            return title_of(item)
        if column == "capacity":
            return str(dict(CAPACITIES).get(item.capacity, item.capacity))
        if column == "user":
            return item.user.get_full_name() if item.user else ""
        if column == "days":
            return days_of(item)
        if column == "now":
            return _now_badge(item)
        if column == "nik":
            return mask(item.nik) if item.nik else ""
        return super().cell(item, column)
