"""The public check page: a number with its PIN, or the QR code of a paper; nobody signs in.

Guessing is held up twice (`app.limits`): per address, and per case number whether there is such a
case or not. Several processes without Redis allow as many tries more; with six digits and a few
dozen tries a day that stays far from a guess.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

from flask import current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from limits import parse_many

from app.extensions import db
from app.limits import hit
from app.services.checkpage import (
    PIN_DIGITS,
    STEP_WORDS,
    CaseAnswer,
    PaperState,
    check_case,
    check_paper,
    normal_number,
)
from app.views.office import the_sop

#: Tries from one address (one household of IPv6), with a PIN.
TRIES_OF_ADDRESS: Final = parse_many("10 per minute; 60 per hour")
#: Tries for one number, from wherever they come; the applicant's own are among them.
TRIES_OF_NUMBER: Final = parse_many("10 per hour; 30 per day")
#: Codes of papers asked for from one address; a code itself cannot be guessed (128 bits).
CODES_OF_ADDRESS: Final = parse_many("30 per minute; 300 per hour")
_LONGEST: Final = 40
#: What is said of a paper: icon, tone, title, what it means, what its date is, in a few words.
VERDICTS: Final[Mapping[PaperState, Mapping[str, Any]]] = {
    "signed": {
        "icon": "circle-check",
        "tone": "ok",
        "title": _l("This paper is one of ours"),
        "text": _l("The office issued it and signed it electronically."),
        "date": _l("Signed on"),
        "short": _l("signed"),
    },
    "printed": {
        "icon": "circle-check",
        "tone": "ok",
        "title": _l("This paper is one of ours"),
        "text": _l("The office issued it. This kind of paper bears no electronic signature."),
        "date": _l("Printed on"),
        "short": _l("printed"),
    },
    "in_work": {
        "icon": "clock",
        "tone": "warn",
        "title": _l("This paper is not issued yet"),
        "text": _l("The office is working on it; a paper with this code does not count yet."),
        "date": "",
        "short": _l("being made"),
    },
    "replaced": {
        "icon": "triangle-alert",
        "tone": "late",
        "title": _l("This paper was replaced"),
        "text": _l("The office made a later paper of this kind; this one no longer counts."),
        "date": _l("Replaced on"),
        "short": _l("replaced"),
    },
    "withdrawn": {
        "icon": "circle-x",
        "tone": "late",
        "title": _l("This paper was withdrawn"),
        "text": _l("The office took it back; it does not count."),
        "date": _l("Withdrawn on"),
        "short": _l("withdrawn"),
    },
}


class CheckView(BaseView):  # type: ignore[misc]
    """Where a case stands and whether a paper is ours, for everybody; holds no personal data."""

    route_base = "/check"
    default_view = "index"

    @expose("/", methods=["GET", "POST"])
    def index(self) -> ResponseReturnValue:
        """The form; with number and PIN, the answer. Nothing is written."""
        if request.method == "GET":
            return self._page(number=request.args.get("number", "")[:_LONGEST])
        number = request.form.get("number", "")[:_LONGEST]
        pin = request.form.get("pin", "")[:_LONGEST]
        if not number.strip() or not pin.strip():
            return self._page(number=number, error=_("Type both the number and the PIN.")), 422
        address_free = hit(TRIES_OF_ADDRESS, "check-address", _address())
        if not address_free or not hit(TRIES_OF_NUMBER, "check-number", normal_number(number)):
            return self._too_many(number)
        answer = check_case(db.session(), the_sop(), number, pin)
        if answer is None:
            error = _("This number and this PIN do not belong together. Look at your receipt.")
            return self._page(number=number, error=error), 422
        return self._page(number=number, answer=answer, words=_words(answer))

    @expose("/<code>", methods=["GET"])
    def paper(self, code: str) -> ResponseReturnValue:
        """What the QR code of a paper leads to."""
        if not hit(CODES_OF_ADDRESS, "check-code", _address()):
            return self._too_many("")
        paper = check_paper(db.session(), code)
        verdict = VERDICTS[paper.state] if paper else None
        page = render_template("aduan/check/paper.html", paper=paper, verdict=verdict)
        return page, 200 if paper else 404

    def _page(self, **values: Any) -> str:
        shown = {"error": "", "answer": None, "words": "", **values}
        return render_template(
            "aduan/check/case.html", pin_digits=PIN_DIGITS, verdicts=VERDICTS, **shown
        )

    def _too_many(self, number: str) -> ResponseReturnValue:
        error = _("There were too many tries. Wait an hour, or ask the office.")
        return self._page(number=number, error=error), 429


def check_url(code: str) -> str:
    """The address that the QR code of a paper holds: `PUBLIC_URL`, else that of this request."""
    base: str = current_app.config["PUBLIC_URL"]
    path = url_for("CheckView.paper", code=code)
    return f"{base}{path}" if base else url_for("CheckView.paper", code=code, _external=True)


def _words(answer: CaseAnswer) -> str:
    return _(answer.words) if answer.words in STEP_WORDS.values() else str(answer.label)


def _address() -> str:
    """Who asks: an address, or the /64 of an IPv6 one, of which a household has many."""
    text = request.remote_addr or ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if address.version == 4:
        return text
    return str(ipaddress.ip_network(f"{address}/64", strict=False))
