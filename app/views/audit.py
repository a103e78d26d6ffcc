"""The audit log for IT administrators: looked through, taken along, never changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.access import current_actor
from app.auditing import audit_now
from app.extensions import db
from app.services.audit.kinds import GROUPS, KINDS
from app.services.audit.reading import Found, Sought, each_event, events, people
from app.views.case_history import KINDS as HAPPENED
from app.views.case_history import step_label
from app.views.export import EXPORT_ROWS, Cell, csv_response
from app.views.interface import MAX_ID
from app.views.office import the_sop

PAGE: Final = 50
_LONGEST: Final = 80
_ZONE: Final = ZoneInfo("Asia/Jakarta")
#: Kinds that an administrator should look at first.
_GRAVE: Final = frozenset(
    {
        "sign_in_failed", "sign_in_held_up", "second_factor_failed", "confirm_failed", "refused",
        "duties_exception", "breach_recorded",
    }
)  # fmt: skip
#: What sorts of subjects are called; others are shown as they are kept.
_SORTS: Final[dict[str, Any]] = {
    "audit": _l("Audit log, row"),
    "breach": _l("Data breach"),
    "case": _l("Complaint, key"),
    "category": _l("Category"),
    "channel": _l("Channel"),
    "courier": _l("Courier"),
    "document": _l("File"),
    "document_kind": _l("Document kind"),
    "holiday": _l("Holiday"),
    "office": _l("Office"),
    "print_batch": _l("Print batch"),
    "region": _l("Region"),
    "report": _l("Report"),
    "role": _l("Role"),
    "signatory": _l("Signatory"),
    "sop_step": _l("Step"),
    "user": _l("User"),
}
#: What the facts of a row are called; others are names of columns and stay.
_FACTS: Final[dict[str, Any]] = {
    "columns": _l("fields"),
    "endpoint": _l("page"),
    "field": _l("field"),
    "file": _l("file"),
    "first": _l("first row"),
    "from": _l("from"),
    "given": _l("given"),
    "key": _l("key"),
    "last": _l("last row"),
    "mac": _l("seal"),
    "method": _l("way"),
    "move": _l("action"),
    "name": _l("name"),
    "of": _l("of"),
    "page": _l("page number"),
    "reason": _l("reason"),
    "rows": _l("rows"),
    "second_factor": _l("second factor"),
    "sha256": _l("SHA-256 of the lines"),
    "taken": _l("taken away"),
    "to": _l("to"),
    "version": _l("version"),
    "what": _l("what"),
}


@dataclass
class Filter:
    """What stands in the filter of the page, as it was understood."""

    person: str = ""
    kind: str = ""
    subject: str = ""
    first: date | None = None
    last: date | None = None

    @classmethod
    def read(cls, args: Any) -> Filter:
        """From the address; what cannot be understood is left out."""
        person, kind = args.get("person", ""), args.get("kind", "")
        return cls(
            person=person if _number(person) is not None else "",
            kind=kind if kind in KINDS or _group(kind) else "",
            subject=args.get("subject", "").replace("\x00", "").strip()[:_LONGEST],
            first=_day(args.get("from", "")),
            last=_day(args.get("to", "")),
        )

    def sought(self) -> Sought:
        """The same as the service wants it."""
        return Sought(
            actor_id=_number(self.person),
            kinds=_group(self.kind) or ((self.kind,) if self.kind else ()),
            subject=self.subject,
            since=_midnight(self.first) if self.first else None,
            before=_midnight(self.last + timedelta(days=1)) if self.last else None,
            confidential=current_actor().can("see_confidential"),
        )

    def values(self, **changes: Any) -> dict[str, Any]:
        """The filter as values of an address."""
        found = {
            "person": self.person,
            "kind": self.kind,
            "subject": self.subject,
            "from": self.first.isoformat() if self.first else "",
            "to": self.last.isoformat() if self.last else "",
            **changes,
        }
        return {name: value for name, value in found.items() if value}


class AuditView(BaseView):  # type: ignore[misc]
    """Who did what, when and from where."""

    route_base = "/audit"
    class_permission_name = "Audit"
    default_view = "list"

    @expose("/list/", methods=["GET"])
    @has_access
    def list(self) -> ResponseReturnValue:
        """The newest rows that fit the filter; further ones behind a row."""
        chosen, below = Filter.read(request.args), _number(request.args.get("below", ""))
        session = db.session()
        found = events(session, chosen.sought(), below=below, limit=PAGE + 1)
        rows, more = found[:PAGE], len(found) > PAGE

        def list_url(**changes: Any) -> str:
            return url_for("AuditView.list", **chosen.values(**changes))

        return render_template(
            "aduan/audit.html",
            title=_("Audit log"),
            appbuilder=self.appbuilder,
            rows=[_shown(row) for row in rows],
            chosen=chosen,
            filtered=bool(chosen.values()),
            people=people(session),
            groups=[(f"group-{n}", group, kinds) for n, (group, kinds) in enumerate(GROUPS)],
            next_url=list_url(below=rows[-1].event.id) if more else None,
            first_url=list_url() if below else None,
            all_url=url_for("AuditView.list"),
            csv_url=url_for("AuditView.export", **chosen.values()),
        )

    @expose("/export", methods=["GET"])
    @has_access
    def export(self) -> ResponseReturnValue:
        """The rows of the filter as CSV; that they were taken along is told itself."""
        chosen = Filter.read(request.args)
        found = each_event(db.session(), chosen.sought(), EXPORT_ROWS)

        def lines() -> Iterator[list[Cell]]:
            for row in found:
                event = row.event
                detail = "; ".join(f"{key}: {value}" for key, value in event.details.items())
                yield [
                    event.id, event.at, event.actor_id, row.name, str(_label(event.kind)),
                    _("Confidential case") if row.hidden else event.subject,
                    detail, event.address, event.request_id, event.mac,
                ]  # fmt: skip

        header = [
            _("Number"), _("When"), _("User number"), _("Who"), _("What"), _("Subject"),
            _("Details"), _("Address"), _("Request"), _("Seal"),
        ]  # fmt: skip
        answer = csv_response("audit.csv", header, lines())
        audit_now("audit_exported", "", {k: str(v) for k, v in chosen.values().items()})
        return answer


def _shown(row: Found) -> dict[str, Any]:
    event = row.event
    sort, _colon, key = event.subject.partition(":")
    return {
        "event": event,
        "who": row.name,
        "what": _label(event.kind),
        "grave": event.kind in _GRAVE,
        "details": [
            (_FACTS.get(name_, name_), _value(name_, value))
            for name_, value in event.details.items()
            if value != ""
        ],
        "subject": _subject(row, sort, key),
    }


def _subject(row: Found, sort: str, key: str) -> str:
    if row.hidden:
        return str(_("Confidential case"))
    return key if sort == "complaint" else f"{_SORTS.get(sort, sort)} {key}".strip()


def _value(name: str, value: str | int | bool) -> str:
    """A fact in words; one whose word the SOP no longer has is shown as it stands."""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    text = str(value)
    if name in ("from", "to"):
        return step_label(the_sop(), text)
    if name == "move":
        moves = {move.key: str(move.label) for move in the_sop().transitions}
        return moves.get(text, text)
    return str(HAPPENED[text][0]) if name == "what" and text in HAPPENED else text


def _label(kind: str) -> Any:
    return KINDS.get(kind, kind)


def _group(name: str) -> tuple[str, ...]:
    """The kinds of a group of the select; none for another word."""
    number = name.removeprefix("group-")
    if number == name or not number.isascii() or not number.isdigit() or len(number) > 2:
        return ()
    return tuple(GROUPS[int(number)][1]) if int(number) < len(GROUPS) else ()


def _number(text: str) -> int | None:
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > MAX_ID:
        return None
    return int(text)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return day if day is not None and 2000 <= day.year <= 2099 else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), _ZONE).astimezone(UTC)
