"""The one search box of the top bar, and lists whose search words stand in no address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from flask import abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from limits import parse_many

from app.access import current_actor
from app.catalogues import language_of_now
from app.extensions import db
from app.limits import hit as count_try
from app.remembered import kept
from app.services.search import Found, Hit, Reason, clean_words, find_cases
from app.views.addresses import address
from app.views.office import request_time
from app.views.private_words import url_words

#: Cases that the box shows; all of them are one step away in the list.
MOST_HITS: Final = 8
#: A person who types sends six requests a second at most, and thinks in between.
TRIES: Final = parse_many("150 per 10 second; 4000 per hour")
#: Far more than the box takes.
LONGEST_QUESTION: Final = 4096
#: Why a case was found, said before what fitted; a name or a number says it by itself.
REASON_WORDS: Final[Mapping[Reason, Any]] = {
    "nik": _l("NIK"),
    "kk": _l("KK number"),
    "phone": _l("Phone"),
    "tracking": _l("Tracking number"),
    "ticket": _l("External ticket"),
    "handle": _l("Account"),
    "similar_name": _l("Similar name"),
}
_KEPT: Final = re.compile(r"_flt_\d_[a-z_]{1,40}|_o[cd]_[A-Za-z]{1,40}|psize_[A-Za-z]{1,40}")


class SearchView(BaseView):  # type: ignore[misc]
    """Cases while typing; asked by POST, for what people type here is a NIK or a name."""

    route_base = "/search"
    class_permission_name = "Complaint"
    default_view = "find"

    @expose("/", methods=["POST"])
    @has_access
    @permission_name("list")
    def index(self) -> ResponseReturnValue:
        """The box sent as a form: to the case if it can be no other, else to the list."""
        _refuse_too_much()
        words = clean_words(request.form.get("q", ""))
        if not words:
            return redirect(url_for("ComplaintView.list"), 303)
        actor = current_actor()
        if actor.can("can_show"):
            found = find_cases(db.session(), actor, words, now=request_time(), limit=2)
            if len(found.hits) == 1 and found.hits[0].exact and found.hits[0].reason == "number":
                return redirect(url_for("ComplaintView.show", pk=found.hits[0].id), 303)
        return redirect(url_for("ComplaintView.list", q=url_words(words)), 303)

    @expose("/find", methods=["POST"])
    @has_access
    @permission_name("list")
    def find(self) -> ResponseReturnValue:
        """The likeliest cases, as the part of a page that the box shows."""
        _refuse_too_much()
        actor = current_actor()
        words = clean_words(request.form.get("q", ""))
        found = find_cases(db.session(), actor, words, now=request_time(), limit=MOST_HITS)
        # Not `render_template`: what every page is told (menu, office) is not wanted here.
        return current_app.jinja_env.get_template("aduan/find.html").render(
            words=words,
            hits=found.hits,
            more=found.more,
            say=_say(found),
            reasons=REASON_WORDS,
            personal=actor.can("see_personal"),
            case_url=lambda hit: _case_url(hit, may_show=actor.can("can_show")),
            all_url=_all_url(found),
        )


class PrivateSearchMixin:
    """A list whose search words are posted and stand in its address sealed (ASVS 14.2.1)."""

    private_search: ClassVar[bool] = True

    @expose("/search", methods=["POST"])
    @has_access
    @permission_name("list")
    def search(self) -> ResponseReturnValue:
        """Take the words and the filters; the list itself is then an address like any other."""
        _refuse_too_much()
        kept = {
            key: value
            for key, value in request.form.items()
            if value and len(value) <= 100 and _KEPT.fullmatch(key)
        }
        words = url_words(request.form.get("q", ""))
        if words:
            kept["q"] = words
        return redirect(url_for(f"{self.endpoint}.list", **kept), 303)  # type: ignore[attr-defined]


def _refuse_too_much() -> None:
    if (request.content_length or 0) > LONGEST_QUESTION:
        abort(413)
    if not count_try(TRIES, "search", str(current_actor().id)):
        abort(429)


def _case_url(hit: Hit, *, may_show: bool) -> str:
    if may_show:
        return address("ComplaintView.show", "pk", hit.id)
    return address("ComplaintView.list", "q", hit.number)


def _all_url(found: Found) -> str | None:
    """The list of everything that fits; cases of like names alone are not in it."""
    if not found.hits or all(hit.reason == "similar_name" for hit in found.hits):
        return None
    return address("ComplaintView.list", "q", url_words(found.asked.words))


def _say(found: Found) -> str:
    """What a screen reader says of an answer."""
    count = len(found.hits)
    if found.more:
        return _("More than %(count)s cases. Use the arrow keys.", count=count)
    if not count:
        return _("No case found.")
    return kept(
        ("cases found", language_of_now(), count),
        lambda: ngettext(
            "%(num)s case. Use the arrow keys.", "%(num)s cases. Use the arrow keys.", count
        ),
    )
