"""What lists of a case's parts share: the way to the case, and names only for those who may."""

from __future__ import annotations

from flask import g, url_for
from markupsafe import Markup, escape

from app.access import current_actor, current_permissions
from app.models import Complaint
from app.sop.identity import mask


def case_url(complaint: Complaint) -> str | None:
    """The page of a case, None for those who may not open cases."""
    if ("can_show", "Complaint") not in current_permissions():
        return None
    return url_for("ComplaintView.show", pk=complaint.id)


def case_link(complaint: Complaint) -> Markup:
    """The number of a case as a link to its page."""
    url = case_url(complaint)
    if url is None:
        return escape(complaint.number)
    return Markup('<a class="nowrap" href="{}">{}</a>').format(url, complaint.number)


def case_number_link(pk: int, number: str) -> Markup:
    """The same for a line of a list, which knows no more of its case; the address is made once."""
    if "case_address" not in g:
        allowed = ("can_show", "Complaint") in current_permissions()
        g.case_address = url_for("ComplaintView.show", pk=0).removesuffix("0") if allowed else None
    if g.case_address is None:
        return escape(number)
    # The key is a number, the address made of our own words.
    return Markup(f'<a class="nowrap" href="{g.case_address}{pk:d}">{escape(number)}</a>')  # noqa: S704


def personal(text: str) -> str:
    """A name, address or phone number for those who may see personal data, else its first letter."""
    return text if current_actor().can("see_personal") else mask(text, first=1, last=0)
