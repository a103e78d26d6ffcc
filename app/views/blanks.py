"""Blank stock: how many cards are left, how long they last, the ledger and the line."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from markupsafe import Markup

from app.access import current_actor
from app.errors import error_sentence
from app.extensions import db
from app.formats import decimal, number
from app.models import BlankStock
from app.services.blank_pace import PACE_DAYS, Pace, paces
from app.services.blanks import MOST_CARDS, book, last_entries, lines, totals, waiting_papers
from app.sop.errors import SopError
from app.views.formkeys import check_form_key, new_form_key, result_of_key, spend_form_key
from app.views.interface import OfficeInterface
from app.views.office import case_office, request_time
from app.views.reference import NAMED_LABELS, NamedForm, ReferenceView, code_field
from app.views.validators import choice_field, number_field, text_field

#: What a line of the ledger is called, and its tone.
KINDS: dict[str, tuple[Any, str]] = {
    "received": (_l("Received"), "ok"),
    "used": (_l("Used"), "neutral"),
    "spoiled": (_l("Damaged"), "late"),
    "counted": (_l("Counted"), "info"),
}
BOOKED = (
    ("received", _l("Cards came in")),
    ("counted", _l("I counted the cards")),
    ("spoiled", _l("Cards were damaged, not by printing")),
)
_LINES = 25
#: Working days after which nobody plans by this figure.
_LONG = 250


class BlankStockEditForm(NamedForm):
    """A kind of blank card; its number is booked, never typed over."""

    low_level = number_field(
        _l("Low from"), 0, MOST_CARDS, default=50, hint=_l("At this number or fewer it is marked.")
    )


class BlankStockAddForm(BlankStockEditForm):
    """A new kind of blank card; it begins with none."""

    code = code_field(BlankStock)


class BookForm(DynamicForm):  # type: ignore[misc]
    """One line of the ledger by hand."""

    kind = choice_field(_l("What happened?"), BOOKED, default="received", width="input-wide")
    quantity = number_field(
        _l("How many"),
        0,
        MOST_CARDS,
        hint=_l("After a count: how many cards there are now."),
    )
    note = text_field(
        _l("Note"),
        200,
        needed=False,
        hint=_l("Delivery note, or why the count differs."),
    )


class BlankStockView(ReferenceView):
    """Blank cards: the list with the pace, the page with ledger and line, and booking."""

    datamodel = OfficeInterface(BlankStock)
    class_permission_name = "BlankStock"
    route_base = "/blank-stock"
    list_title = _l("Blank stock")
    show_title = _l("Blank card")
    add_title = _l("Add a kind of blank card")
    edit_title = _l("Edit the blank card")
    add_form, edit_form = BlankStockAddForm, BlankStockEditForm
    show_template = "aduan/blank_show.html"
    empty_title = _l("No blank card yet")
    empty_text = _l(
        "An administrator adds the cards that the office prints on, such as the KTP-el blank."
    )
    label_columns: ClassVar[dict[str, Any]] = {
        **NAMED_LABELS,
        "balance": _l("Left"),
        "pace": _l("Used a working day"),
        "days": _l("Lasts"),
        "waiting": _l("Wait for a card"),
        "low_level": _l("Low from"),
    }
    list_columns: ClassVar[list[str]] = [
        "label_id", "balance", "pace", "days", "waiting", "active",
    ]  # fmt: skip
    order_columns: ClassVar[list[str]] = ["label_id", "balance"]
    show_columns: ClassVar[list[str]] = ["name_id", "name_en", "code", "low_level", "active"]
    text_columns = ("label_id", "label_en", "code")
    edit_columns: ClassVar[list[str]] = [
        "label_id", "label_en", "low_level", "position", "active",
    ]  # fmt: skip
    add_columns: ClassVar[list[str]] = ["code", *edit_columns]

    def cell(self, item: BlankStock, column: str) -> Any:
        """Numbers with what they mean; the same on the list and on the page."""
        if column == "balance":
            return balance_badge(item)
        if column == "pace":
            return pace_words(_paces().get(item.id, Pace()))
        if column == "days":
            return days_words(item, _paces().get(item.id, Pace()))
        if column == "waiting":
            return number(len(_lines().get(item.id, [])))
        return super().cell(item, column)

    def show_extra(self, item: BlankStock) -> dict[str, Any]:
        """The ledger, the line, and how long the cards last."""
        actor, session = current_actor(), db.session()
        page = _page(request.args.get("page"))
        entries = last_entries(session, item.id, limit=_LINES, page=page)
        # Who may not list cases learns how many wait, not which.
        may_list = actor.can("can_list")
        everyone = waiting_papers(session, item.id)
        seen = [
            (place, wait)
            for place, wait in enumerate(everyone, 1)
            if may_list and (not wait.complaint.confidential or actor.can("see_confidential"))
        ]
        sums = totals(session, item.id)
        pace = _paces().get(item.id, Pace())
        return {
            "balance": balance_badge(item),
            "low": item.balance <= item.low_level,
            "pace": pace_words(pace),
            "lasts": days_words(item, pace),
            "pace_days": PACE_DAYS,
            "sums": [(label, number(abs(sums.get(kind, 0)))) for kind, (label, _tone) in
                     KINDS.items() if kind != "counted"],
            "corrected": sums.get("counted", 0),
            "entries": entries[:_LINES],
            "more": len(entries) > _LINES,
            "page_number": page,
            "kinds": KINDS,
            "line": seen,
            "hidden": len(everyone) - len(seen),
            "waiting": len(everyone),
            "may_open": actor.can("can_show"),
            "may_book": self.may("can_book"),
        }  # fmt: skip

    @expose("/book/<pk>", methods=["GET", "POST"])
    @has_access
    @permission_name("book")
    def book(self, pk: str) -> ResponseReturnValue:
        """One line of the ledger: what came in, a count, or damage."""
        item: BlankStock = self.get_or_404(pk)
        here = url_for("BlankStockView.show", pk=item.id) if self.may("can_show") else "/"
        if request.method == "GET":
            return self._book_page(item, BookForm(formdata=None), here)
        form, key = BookForm(request.form), check_form_key()
        if result_of_key(db.session(), key):
            return redirect(here, 303)
        if form.validate():
            seen = request.form.get("seen_balance", "")
            try:
                entry = book(
                    db.session(),
                    item,
                    form.kind.data,
                    form.quantity.data,
                    current_actor(),
                    now=request_time(),
                    note=form.note.data or "",
                    seen_balance=(
                        int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else -1
                    ),
                )
                left, name = entry.balance_after, str(item)
                again = not spend_form_key(db.session(), key, str(entry.id))
            except SopError as error:
                db.session.rollback()
                item = self.get_or_404(pk)
                form.form_errors = [*form.form_errors, error_sentence(error)]
            else:
                if not again:
                    db.session.commit()
                    text = _("Booked. %(blank)s: %(left)s left.", blank=name, left=number(left))
                    flash(text, "success")
                return redirect(here, 303)
        return self._book_page(item, form, here), 422

    def _book_page(self, item: BlankStock, form: BookForm, back: str) -> str:
        return render_template(
            "aduan/blank_book.html",
            title=_("Book cards"),
            item=item,
            form=form,
            back_url=back,
            hidden={
                "form_key": new_form_key(),
                # A count is compared with the balance that its page shows.
                "seen_balance": item.balance,
            },
            appbuilder=self.appbuilder,
        )


def balance_badge(item: BlankStock) -> Markup:
    """How many are left, marked when they are few or none."""
    if item.balance > item.low_level:
        return Markup("{}").format(number(item.balance))
    tone, words = ("late", _("none left")) if not item.balance else ("warn", _("low"))
    return Markup('{} <span class="badge badge-{}">{}</span>').format(
        number(item.balance), tone, words
    )


def pace_words(pace: Pace) -> str:
    """Cards a working day; a dash while nothing goes."""
    return decimal(pace.per_day, 1 if pace.per_day >= 1 else 2) if pace.gone else ""


def days_words(item: BlankStock, pace: Pace) -> str:
    """How many working days the cards last at the present pace."""
    days = pace.days_left(item.balance)
    if days is None:
        return ""
    if days > _LONG:
        return _("more than a year")
    return ngettext("%(num)d working day", "%(num)d working days", days)


def _paces() -> dict[int, Pace]:
    """The pace of every stock, read once a request."""
    if "blank_paces" not in g:
        g.blank_paces = dict(paces(db.session(), case_office().calendar, request_time()))
    found: dict[int, Pace] = g.blank_paces
    return found


def _lines() -> dict[int, list[int]]:
    """Every line, read once a request."""
    if "blank_lines" not in g:
        g.blank_lines = lines(db.session())
    found: dict[int, list[int]] = g.blank_lines
    return found


def _page(text: str | None) -> int:
    """The page of the ledger, counted from 1 in the URL."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > 6:
        return 0
    return max(0, int(text) - 1)
