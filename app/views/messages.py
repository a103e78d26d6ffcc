"""Messages to applicants: what was sent to whom, what failed and why, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final
from urllib.parse import quote

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from markupsafe import Markup
from sqlalchemy import select

from app.access import current_actor, current_permissions
from app.auditing import audit_now
from app.datakeys import ring
from app.errors import sentence
from app.extensions import db
from app.formats import local_datetime
from app.models import Complaint, Message
from app.navigation import safe_back
from app.services.messages.deciding import (
    cancel,
    choices_of,
    confirm_sent,
    send_again,
)
from app.services.search import case_condition
from app.services.visibility import visible_through
from app.sop.errors import RefusedError
from app.sop.identity import mask
from app.views.base import OfficeModelView
from app.views.case_parts import case_link, case_url
from app.views.formkeys import new_form_key, read_form_key, spend_form_key
from app.views.interface import OfficeInterface
from app.views.office import request_time
from app.views.searching import PrivateSearchMixin

OCCASIONS: Final[Mapping[str, Any]] = {
    "receipt": _l("Receipt"),
    "returned": _l("Returned, with the list"),
    "finished": _l("Finished, with the tracking number"),
    "answered": _l("Answered without a document"),
}
WAYS: Final[Mapping[str, tuple[Any, str]]] = {
    "email": (_l("E-mail"), "mail"),
    "whatsapp": (_l("WhatsApp"), "message-circle"),
}
#: state -> words, tone, icon.
STATES: Final[Mapping[str, tuple[Any, str, str]]] = {
    "offered": (_l("To be sent by you"), "accent", "send"),
    "queued": (_l("Waiting to be sent"), "info", "hourglass"),
    "claimed": (_l("Being sent"), "info", "hourglass"),
    "handing": (_l("Being sent"), "info", "hourglass"),
    "unclear": (_l("Unclear whether it arrived"), "warn", "circle-help"),
    "failed": (_l("Not sent"), "late", "circle-x"),
    "sent": (_l("Sent"), "ok", "check"),
    "cancelled": (_l("Not needed"), "neutral", "ban"),
}


class MessageView(PrivateSearchMixin, OfficeModelView):
    """The log of messages; officers confirm, repeat and cancel, nobody writes one by hand."""

    datamodel = OfficeInterface(
        Message, row_rule=visible_through(Message.complaint), eager=("complaint", "sent_by")
    )
    class_permission_name = "Message"
    route_base = "/messages"
    exclude_route_methods: ClassVar[set[str]] = {
        "add", "edit", "delete", "download", "action", "action_post",
    }  # fmt: skip
    list_title = _l("Messages to applicants")
    show_title = _l("Message")
    show_template = "aduan/message_show.html"
    label_columns: ClassVar[dict[str, Any]] = {
        "created_at": _l("Written"),
        "complaint": _l("Case"),
        "occasion": _l("Occasion"),
        "way": _l("Way"),
        "recipient": _l("Sent to"),
        "state": _l("Status"),
    }
    list_columns: ClassVar[list[str]] = [
        "created_at", "complaint", "occasion", "recipient", "state",
    ]  # fmt: skip
    show_columns: ClassVar[list[str]] = ["created_at"]
    add_columns: ClassVar[list[str]] = ["body"]
    edit_columns: ClassVar[list[str]] = ["body"]
    search_columns: ClassVar[list[str]] = ["state", "way", "occasion"]
    order_columns: ClassVar[list[str]] = ["created_at"]
    base_order = ("created_at", "desc")
    text_columns = ("recipient",)
    text_label = _l("Case number or address")
    filter_columns = ("state", "way", "occasion")
    choices: ClassVar[Mapping[str, Sequence[tuple[str, Any]]]] = {
        "state": tuple(
            (key, words) for key, (words, _tone, _icon) in STATES.items() if key != "claimed"
        ),
        "way": tuple((key, words) for key, (words, _icon) in WAYS.items()),
        "occasion": tuple(OCCASIONS.items()),
    }
    empty_title = _l("No message yet")
    empty_text = _l(
        "A message appears here when a complaint is registered, returned or finished and its"
        " applicant has an e-mail address or a mobile number."
    )

    # --- looking ---

    def text_condition(self, model: Any, text: str) -> Any:
        """A case's number; for who may see personal data also the whole address."""
        may = current_actor().can("see_personal")
        fitting = select(Complaint.id).where(
            case_condition(db.session(), text, personal=may, now=request_time())
        )
        of_case = Message.complaint_id.in_(fitting)
        if not may:
            return of_case
        return of_case | Message.recipient_digest.in_(ring().digests("recipient", [text]))

    def cell(self, item: Message, column: str) -> Any:
        """Addresses only for those who may see personal data; the state as a badge."""
        if column == "created_at":
            return Markup('<span class="nowrap">{}</span>').format(local_datetime(item.created_at))
        if column == "complaint":
            return case_link(item.complaint)
        if column == "occasion":
            return str(OCCASIONS[item.occasion])
        if column == "recipient":
            return Markup('{}<br><span class="muted small">{}</span>').format(
                recipient_words(item), WAYS[item.way][0]
            )
        if column == "state":
            words, tone, _icon = STATES[item.state]
            badge = Markup('<span class="badge badge-{}">{}</span>').format(tone, words)
            more = outcome(item)
            return (
                badge + Markup('<br><span class="muted small">{}</span>').format(more)
                if more
                else badge
            )
        return super().cell(item, column)

    def may(self, permission: str) -> bool:
        """The permission to change a message decides about it; there is no form to edit one."""
        return permission != "can_edit" and super().may(permission)

    def item_title(self, item: Message) -> str:
        """A message has no name of its own."""
        return f"{OCCASIONS[item.occasion]} · {WAYS[item.way][0]}"

    def show_extra(self, item: Message) -> dict[str, Any]:
        """The message as it goes out, what became of it, and what may be decided."""
        return {
            "row": shown(item),
            "case_url": case_url(item.complaint),
            "list_url": self._own_url("list") if self.may("can_list") else None,
            "facts": [(label, value) for label, value in _facts(item) if value is not None],
        }

    # --- deciding ---

    @expose("/whatsapp/<pk>", methods=["GET"])
    @has_access
    @permission_name("edit")
    def whatsapp(self, pk: str) -> ResponseReturnValue:
        """Open WhatsApp with the number and the text: no page of ours holds the number."""
        item = self.get_or_404(pk)
        if not waits_for_whatsapp(item):
            raise RefusedError("message_changed")
        current_actor().require("see_personal")
        audit_now(
            "personal_data_revealed",
            f"complaint:{item.complaint.number}",
            {"field": "phone", "reason": f"whatsapp {item.occasion}"},
        )
        return redirect(whatsapp_url(item))

    @expose("/sent/<pk>", methods=["POST"])
    @has_access
    @permission_name("edit")
    def sent(self, pk: str) -> ResponseReturnValue:
        """The officer says that it went out."""
        return self._decide(
            pk,
            lambda item: confirm_sent(db.session(), item, current_actor(), request_time()),
            _("Noted as sent."),
        )

    @expose("/again/<pk>", methods=["POST"])
    @has_access
    @permission_name("edit")
    def again(self, pk: str) -> ResponseReturnValue:
        """Once more, to the address that the case has now."""
        return self._decide(
            pk,
            lambda item: send_again(db.session(), item, current_actor(), request_time()),
            _("It will be sent again."),
        )

    @expose("/cancel/<pk>", methods=["POST"])
    @has_access
    @permission_name("edit")
    def cancel(self, pk: str) -> ResponseReturnValue:
        """It is not needed any more."""
        return self._decide(
            pk,
            lambda item: cancel(db.session(), item, current_actor()),
            _("The message will not be sent."),
        )

    def _decide(
        self, pk: str, decide: Callable[[Message], None], words: str
    ) -> ResponseReturnValue:
        item = self.get_or_404(pk)
        nonce, _opened = read_form_key(request.form.get("form_key", ""))
        if not spend_form_key(db.session(), nonce):  # a double click: done already
            return redirect(safe_back(), 303)
        decide(item)
        db.session.commit()
        flash(words, "success")
        return redirect(safe_back(), 303)


# --- a message in words, for its own page and for the page of its case ---


def shown(item: Message) -> dict[str, Any]:
    """Everything that a page shows of a message for the present officer."""
    words, tone, icon = STATES[item.state]
    may_edit = ("can_edit", "Message") in current_permissions()
    may_read = current_actor().can("see_personal")
    if item.occasion == "finished":  # it tells of the parcel
        may_read = may_read and ("can_show", "Dispatch") in current_permissions()
    return {
        "item": item,
        "id": item.id,
        "occasion": OCCASIONS[item.occasion],
        "way": WAYS[item.way][0],
        "way_icon": WAYS[item.way][1],
        "state": {"words": words, "tone": tone, "icon": icon},
        "recipient": recipient_words(item),
        "outcome": outcome(item),
        "body": item.body if may_read else None,
        "subject": item.subject if may_read else None,
        "choices": choices_of(item) if may_edit else (),
        "open_url": url_for("MessageView.whatsapp", pk=item.id)
        if may_read and may_edit and waits_for_whatsapp(item)
        else None,
        "new_key": new_form_key,
    }


def case_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The messages of a case for its page, the latest first; none for who may not list them."""
    if ("can_list", "Message") not in current_permissions():
        return []
    return [shown(item) for item in reversed(messages)]


def waits_for_whatsapp(item: Message) -> bool:
    """Whether an officer is to send it on WhatsApp."""
    return item.way == "whatsapp" and item.state == "offered"


def whatsapp_url(item: Message) -> str:
    """The address that opens WhatsApp with the message typed in; on no page of ours."""
    return f"https://wa.me/{quote(item.recipient)}?text={quote(item.body)}"


def recipient_words(item: Message) -> str:
    """The address as people write it, masked: enough to tell two of them apart."""
    if item.way == "whatsapp":
        return mask(f"0{item.recipient[2:]}", first=4, last=3)
    name, at, server = item.recipient.partition("@")
    return mask(name, first=1, last=0) + at + server


def outcome(item: Message) -> str:
    """When it was sent and by whom, or why not and when it is tried again."""
    reason = sentence(item.error, item.error_params) if item.error else ""
    # Mail servers repeat the address that they refuse.
    reason = reason.replace(item.recipient, recipient_words(item))
    if item.state == "sent":
        return _when_who(item.sent_at, item.sent_by)
    if item.state == "queued" and item.attempts:
        tried = ngettext("Tried once.", "Tried %(num)d times.", item.attempts)
        again = _("Again at %(time)s.", time=local_datetime(item.next_at))
        return f"{tried} {reason} {again}"
    return reason


def _facts(item: Message) -> list[tuple[str, Any]]:
    return [
        (_("Case"), case_link(item.complaint)),
        (_("Sent to"), recipient_words(item)),
        (_("Written"), _when_who(item.created_at, item.created_by)),
        (_("Sent"), _when_who(item.sent_at, item.sent_by) if item.sent_at else None),
        (_("Attempts"), item.attempts if item.way == "email" and item.attempts else None),
    ]


def _when_who(moment: Any, who: Any) -> str:
    words = local_datetime(moment)
    return f"{words} · {who.get_full_name()}" if who is not None else words
