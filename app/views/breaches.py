"""The breach register: what failed, whom it was told to, and how much of the 72 hours is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from flask import Response, abort, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from wtforms.validators import Optional

from app.access import current_actor, current_permissions
from app.extensions import db
from app.formats import local_datetime
from app.models import Breach
from app.services.breaches import (
    FIELDS,
    WHOM,
    Notice,
    changes_of,
    mistakes_of,
    note_version,
    notice_of,
    notice_paper,
    open_breaches,
)
from app.services.papers import PaperError, render
from app.services.papers.frame import Printing
from app.views.base import OfficeModelView
from app.views.document_file import FILE_POLICIES
from app.views.export import content_disposition
from app.views.formbase import CheckedTogether
from app.views.forms.fields import LocalTimeField
from app.views.interface import OfficeInterface
from app.views.office import request_time
from app.views.validators import Needed, WholeNumberField, long_text_field, text_field

#: The most people one entry can be about; there are fewer Indonesians.
_MOST_PERSONS: Final = 300_000_000
_MISTAKES: Final[Mapping[str, Any]] = {
    "not_yet": _l("This lies in the future."),
    "after_known": _l("It cannot be known before it happened."),
    "before_known": _l("Nobody can be told before it was known."),
    "how_missing": _l("Write how they were told: the number of the letter, by which way."),
    "when_missing": _l("Write when they were told."),
}
_NOTICES: Final[Mapping[str, Any]] = {"authority": _l("Authority"), "persons": _l("Persons")}
_TONES: Final = {
    "running": "warn", "overdue": "late", "told": "ok", "told_late": "late", "nobody": "neutral",
}  # fmt: skip


def moment_field(label: Any, *, needed: bool = False, hint: Any = "") -> LocalTimeField:
    """A moment on the office's clock, to the minute."""
    return LocalTimeField(
        label,
        description=hint,
        validators=[Needed() if needed else Optional()],
        render_kw={"class": "input-mid", "max": "2100-12-31T23:59"},
    )


class BreachForm(CheckedTogether):
    """What the law wants to be said, and whom it was said to."""

    title = text_field(_l("In a few words"), 160, hint=_l("No names and no NIK, here and below."))
    known_at = moment_field(
        _l("Known since"),
        needed=True,
        hint=_l(
            "When somebody of the office first knew: 3 × 24 hours run from here, day and night."
        ),
    )
    happened_at = moment_field(_l("Happened"), hint=_l("Empty while it is not known."))
    what = long_text_field(_l("What happened"), 4000, needed=True)
    data = long_text_field(
        _l("Which data"), 2000, needed=True, hint=_l("For example: photographs of family cards.")
    )
    persons = WholeNumberField(
        _l("How many persons"),
        low=0,
        high=_MOST_PERSONS,
        description=_l("Empty while it is not known; 0 when nobody's data were touched."),
        validators=[Optional()],
    )
    measures = long_text_field(_l("What is done about it"), 4000, needed=True)
    contact = text_field(
        _l("Whom to ask"),
        200,
        needed=False,
        hint=_l("Printed on the notices: name, telephone, room."),
    )
    authority_told_at = moment_field(_l("Authority told"))
    authority_how = text_field(
        _l("How the authority was told"), 200, needed=False, hint=_l("Number of the letter, way.")
    )
    persons_told_at = moment_field(_l("Persons told"))
    persons_how = text_field(_l("How the persons were told"), 200, needed=False)

    def mistakes(self) -> Iterator[tuple[str, str]]:
        said = {name: self[name].data for name in FIELDS}
        for field, code in mistakes_of(said, request_time()).items():
            if not self[field].errors:
                yield field, str(_MISTAKES[code])


def notice_words(notice: Notice) -> str:
    """Where a notice stands, in words: `47 hours 12 minutes left`."""
    if notice.state == "told":
        return str(_("told in time"))
    if notice.state == "nobody":
        return str(_("nobody to tell"))
    span = _span(notice.span)
    if notice.state == "told_late":
        return str(_("told, %(span)s too late", span=span))
    if notice.state == "overdue":
        return str(_("OVERDUE by %(span)s", span=span))
    return str(_("%(span)s left", span=span))


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    return str(_("%(hours)s h %(minutes)s min", hours=minutes // 60, minutes=minutes % 60))


def notice_badge(notice: Notice) -> Markup:
    """The same as a badge, with whom it is for."""
    return Markup('<span class="badge badge-{}">{}: {}</span>').format(
        _TONES[notice.state], str(_NOTICES[notice.whom]), notice_words(notice)
    )


def breach_warnings() -> list[dict[str, Any]]:
    """For the home page: each failure of which somebody still has to be told; for who may see them."""
    if ("can_list", "Breach") not in current_permissions():
        return []
    may_open, now = ("can_show", "Breach") in current_permissions(), request_time()
    return [
        {
            "title": breach.title,
            "url": url_for("BreachView.show", pk=breach.id)
            if may_open
            else url_for("BreachView.list"),
            "late": any(notice.state == "overdue" for notice in notices),
            "words": " · ".join(
                f"{_NOTICES[notice.whom]}: {notice_words(notice)}"
                for notice in notices
                if notice.open
            ),
            "deadline": local_datetime(notices[0].deadline),
        }
        for breach in open_breaches(db.session())
        for notices in [_notices(breach, now)]
    ]


def _notices(breach: Breach, now: datetime) -> list[Notice]:
    return [notice_of(breach, whom, now) for whom in WHOM]


class BreachView(OfficeModelView):
    """Entries are added and changed, never removed; what they said before stays on their page."""

    datamodel = OfficeInterface(Breach, eager=("recorded_by",))
    class_permission_name = "Breach"
    route_base = "/breaches"
    exclude_route_methods: ClassVar[set[str]] = {"delete", "download", "action", "action_post"}
    list_title = _l("Breach register")
    show_title = _l("Data breach")
    add_title = _l("Record a data breach")
    edit_title = _l("Change the record")
    show_template = "aduan/breach_show.html"
    add_form = edit_form = BreachForm
    label_columns: ClassVar[dict[str, Any]] = {
        "title": _l("In a few words"),
        "known_at": _l("Known since"),
        "happened_at": _l("Happened"),
        "deadline": _l("To be told until"),
        "notices": _l("Told?"),
        "what": _l("What happened"),
        "data": _l("Which data"),
        "persons": _l("How many persons"),
        "measures": _l("What is done about it"),
        "contact": _l("Whom to ask"),
        "authority_told_at": _l("Authority told"),
        "authority_how": _l("How the authority was told"),
        "persons_told_at": _l("Persons told"),
        "persons_how": _l("How the persons were told"),
        "recorded_at": _l("Recorded"),
        "recorded_by": _l("Recorded by"),
    }
    list_columns: ClassVar[list[str]] = ["title", "known_at", "persons", "deadline", "notices"]
    order_columns: ClassVar[list[str]] = ["known_at"]
    base_order = ("known_at", "desc")
    show_columns: ClassVar[list[str]] = [
        "title", "what", "data", "persons", "measures", "contact", "happened_at", "known_at",
        "authority_told_at", "authority_how", "persons_told_at", "persons_how", "recorded_at",
        "recorded_by",
    ]  # fmt: skip
    show_fieldsets: ClassVar[list[Any]] = [
        (_l("What happened"), {"fields": show_columns[:6]}),
        (_l("When, and who was told"), {"fields": show_columns[6:]}),
    ]
    edit_fieldsets: ClassVar[list[Any]] = [
        (_l("What happened"), {"fields": list(FIELDS[:8])}),
        (_l("Who was told"), {"fields": list(FIELDS[8:])}),
    ]
    add_fieldsets: ClassVar[list[Any]] = edit_fieldsets
    edit_columns: ClassVar[list[str]] = list(FIELDS)
    add_columns: ClassVar[list[str]] = list(FIELDS)
    text_columns = ("title",)
    empty_title = _l("No data breach recorded")
    empty_text = _l(
        "Record one as soon as somebody knows of it: the law gives 3 × 24 hours to tell the persons"
        " concerned and the authority."
    )

    def cell(self, item: Breach, column: str) -> Any:
        """Moments by the office's clock, the countdown in words."""
        if column == "notices":
            return Markup(" ").join(notice_badge(n) for n in _notices(item, request_time()))
        if column == "deadline":
            return local_datetime(notice_of(item, "authority", request_time()).deadline)
        if column == "persons":
            return _("not known yet") if item.persons is None else item.persons
        if column == "recorded_by":
            return item.recorded_by.get_full_name() if item.recorded_by else ""
        return super().cell(item, column)

    def show_extra(self, item: Breach) -> dict[str, Any]:
        """The countdown, the notices to print, and what the entry said before."""
        now = request_time()
        return {
            "notices": [
                {
                    "label": _NOTICES[notice.whom],
                    "words": notice_words(notice),
                    "tone": _TONES[notice.state],
                    "late": notice.state in ("overdue", "told_late"),
                    "deadline": notice.deadline,
                    "print_url": self._own_url("notice", pk=item.id, to=notice.whom)
                    if self.may("can_print")
                    else None,
                }
                for notice in _notices(item, now)
            ],
            "history": [
                {
                    "at": version.at,
                    "by": version.by.get_full_name() if version.by else "",
                    "changes": [
                        (self.label_columns[name], _words(name, old), _words(name, new))
                        for name, old, new in changes
                    ],
                }
                for version, changes in changes_of(item)
            ],
        }

    def save_new(self, form: Any, item: Breach) -> None:
        """A new entry, with what it says kept as its first version."""
        item.recorded_at, item.recorded_by_id = request_time(), current_actor().id
        super().save_new(form, item)
        note_version(db.session(), item, current_actor(), request_time(), new=True)

    def save_changes(self, form: Any, item: Breach) -> None:
        """A changed entry; what it said before stays."""
        super().save_changes(form, item)
        note_version(db.session(), item, current_actor(), request_time(), new=False)

    @expose("/notice/<pk>", methods=["GET"])
    @has_access
    @permission_name("print")
    def notice(self, pk: str) -> ResponseReturnValue:
        """The written notice as PDF: `?to=authority`, the default, or `?to=persons`."""
        whom = request.args.get("to", "authority")
        if whom not in WHOM:
            abort(404)
        breach: Breach = self.get_or_404(pk)
        now, folder = request_time(), current_app.config["PAPERS_PATH"]
        printing = Printing(actor=current_actor(), now=now, demo=bool(current_app.config["DEMO"]))
        data = notice_paper(db.session(), printing, breach, whom)  # type: ignore[arg-type]
        name = f"pemberitahuan-{breach.id}-{whom}.pdf"
        db.session.rollback()  # drawing takes a while: no transaction stays open for it
        try:
            pdf = render("breach_notice", data, folder=folder, now=now)
        except PaperError as error:
            current_app.logger.error("paper breach_notice: %s", error)
            raise
        response = Response(pdf, mimetype="application/pdf")
        response.headers.update(
            {
                "Content-Security-Policy": FILE_POLICIES["application/pdf"],
                "Content-Disposition": content_disposition("inline", name),
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
                "Cross-Origin-Resource-Policy": "same-origin",
            }
        )
        return response


def _words(name: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if name.endswith("_at"):
        try:
            return local_datetime(datetime.fromisoformat(str(value)))
        except ValueError:
            return str(value)
    return str(value)
