"""The rows of the queue as text that is safe on a page, made before the template runs.

Fifty rows of macros cost more than everything else on the page together.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from flask import current_app, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup, escape

from app.access import current_actor
from app.formats import days_left, duration, local, local_datetime, short_date
from app.models import Category
from app.services.queue import ANSWER_DAYS, ANSWER_WARNING_DAYS, Entry, Queue
from app.views.complaint import shown_name
from app.views.labels import labels_of
from app.views.office import request_time

#: A due date this near is marked.
DUE_SOON: Final = 3
_GAP: Final = "0row0"


def queue_rows(queue: Queue, *, ticks: bool) -> Markup:
    """The rows of a page; one button stands out: what I have begun, else the first free case.

    Args:
        ticks: whether each begins with a box to choose it for a batch.
    """
    page = _Page(queue, ticks=ticks)
    rows, first_free = [], True
    for entry in queue.entries:
        free = entry.mine or not entry.holder
        rows.append(page.row(entry, primary=entry.mine or (first_free and free)))
        first_free = first_free and not free
    return Markup("\n").join(map(Markup, rows))


class _Page:
    """What all rows of one page share: words, addresses, icons, what the reader may do.

    Pieces and cells are plain text whose words were escaped where they were put in; the whole is
    markup.
    """

    def __init__(self, queue: Queue, *, ticks: bool) -> None:
        actor = current_actor()
        self.ticks = ticks
        self.on_waiting = queue.step is not None and not queue.step.clock
        self.one_step = queue.step is not None
        self.today = local(request_time()).date()
        self.may_work = actor.can("can_work")
        self.show = _address("show") if actor.can("can_show") else None
        self.start = _address("start")
        self.categories = {
            key: _line(escape(label), "muted") for key, label in labels_of(Category).items()
        }
        parts: dict[str, Any] = current_app.jinja_env.globals
        self.badge, icon = parts["part_badge"], parts["part_icon"]
        self.go_on, self.begin = icon("play") + escape(_("Go on")), escape(_("Work on it"))
        self.confidential = self.badge(_("confidential"), "warn", "eye-off")
        self.standing = _line(self.badge(_("clock stands still"), "warn", "pause"))
        self.not_begun = _line(escape(_("not begun")))
        # With their gaps: they are filled for each row.
        self.round, self.waited = _("round %(number)d"), _("waited %(time)s")
        self.standard = _("standard %(minutes)d min")
        self.used, self.used_of = _("%(used)s min"), _("%(used)s of %(standard)s min")
        self.states = {
            "ok": escape(_("within the standard")),
            "warn": escape(_("close to the standard")),
            "late": escape(_("over the standard")),
        }
        #: Cells that come again: the same date is due on many rows, the same number of days waited.
        self.dues: dict[date, str] = {}
        self.answers: dict[int, str] = {}
        self.choose = _("Choose %(name)s")
        since = escape(_("Since") if self.one_step else _("Step"))
        work = escape(_("No answer for") if self.on_waiting else _("Work so far"))
        due = escape(_("Due"))
        self.heads = (
            f'<td data-label="{since}"><div>',
            f'</div></td><td data-label="{work}"><div>',
            f'</div></td><td data-label="{due}"><div>',
        )

    def row(self, entry: Entry, *, primary: bool) -> str:
        """One case."""
        number = str(escape(entry.case.number))
        since, work, due = self.heads
        cells = (
            f'<td class="row-title">{self._title(entry, number)}</td>{since}{self._since(entry)}'
        )
        if self.on_waiting:
            cells = f"{cells}{work}{self._answer(entry)}"
        else:
            cells = f"{cells}{work}{self._work(entry)}{due}{self._due(entry.due)}"
        tick = self._tick(entry.case.id, number) if self.ticks else ""
        css = ' class="queue-mine"' if entry.mine else ""
        return (
            f"<tr{css}>{tick}{cells}</div></td>"
            f'<td class="row-actions queue-do">{self._do(entry, number, primary)}</td></tr>'
        )

    def _tick(self, pk: int, number: str) -> str:
        """The box by which the case is chosen for a batch."""
        choose = escape(self.choose) % {"name": Markup(number)}  # noqa: S704
        return (
            '<td class="check-cell"><label class="check-box">'
            f'<input type="checkbox" name="rowid" value="{pk}" data-check>'
            f'<span class="sr-only">{choose}</span></label></td>'
        )

    def _title(self, entry: Entry, number: str) -> str:
        case = entry.case
        text = f'<a href="{self.show(case.id)}">{number}</a>' if self.show else number
        if case.round > 1:
            text = f"{text}{self.badge(self.round % {'number': case.round}, 'info')}"
        if case.confidential:
            text = f"{text}{self.confidential}"
        category = self.categories.get(case.category_id, "")
        return f"{text} {_line(escape(shown_name(case)))}{category}"

    def _since(self, entry: Entry) -> str:
        moment = entry.since.isoformat(timespec="minutes")
        time = f'<time datetime="{moment}">{escape(local_datetime(entry.since))}</time>'
        where = "" if self.one_step else _line(escape(entry.step.label), "strong")
        return f"{where}{_line(time, 'nowrap')}"

    def _work(self, entry: Entry) -> str:
        """Work beside its standard."""
        clocks = entry.clocks
        if clocks is None:
            return ""
        if entry.started:
            text = self._share(clocks.work, entry.standard)
        else:
            text = self.not_begun
            if entry.standard:
                standard = escape(self.standard % {"minutes": entry.standard})
                text = f"{text}{_line(standard, 'muted')}"
        waited = escape(self.waited % {"time": duration(clocks.wait)})
        standing = self.standing if entry.standing else ""
        return f"{text}{_line(waited, 'muted')}{standing}"

    def _share(self, seconds: int, standard: int | None) -> str:
        """Minutes used beside the standard, as `ui.share` draws them."""
        used = round(seconds / 60)
        if not standard:
            words, tone, percent = escape(self.used % {"used": used}), "none", 0
            state = ""
        else:
            percent = round(100 * (seconds / 60) / standard)
            tone = "ok" if percent < 80 else "warn" if percent <= 100 else "late"
            words = escape(self.used_of % {"used": used, "standard": standard})
            state = (
                f'<span class="share-state">{percent}%'
                f'<span class="sr-only"> {self.states[tone]}</span></span>'
            )
        return (
            f'<div class="share share-{tone}"><div class="share-words"><span>{words}</span>{state}'
            f'</div><div class="share-track" aria-hidden="true">'
            f'<span class="share-bar w-{min(percent, 100)}"></span></div></div>'
        )

    def _answer(self, entry: Entry) -> str:
        """How long the applicant has not answered."""
        days = (self.today - local(entry.since).date()).days
        found = self.answers.get(days)
        if found is None:
            late = days >= ANSWER_DAYS
            tone = "late" if late else "warn" if days >= ANSWER_WARNING_DAYS else "neutral"
            icon = None if tone == "neutral" else "hourglass"
            text = self.badge(ngettext("%(num)d day", "%(num)d days", days), tone, icon)
            if late:
                words = _(
                    "Longer than %(days)d days: it may be closed as withdrawn.", days=ANSWER_DAYS
                )
                text = f"{text}{_line(escape(words), 'muted')}"
            found = self.answers[days] = str(text)
        return found

    def _due(self, due: date) -> str:
        found = self.dues.get(due)
        if found is None:
            left = (due - self.today).days
            words, day = days_left(due, self.today), escape(short_date(due))
            if left > DUE_SOON:
                text = f"{_line(day, 'nowrap')}{_line(escape(words), 'muted')}"
            else:
                badge = self.badge(words, "late" if left < 0 else "warn", "clock")
                text = f"{badge}{_line(day, 'muted nowrap')}"
            found = self.dues[due] = text
        return found

    def _do(self, entry: Entry, number: str, primary: bool) -> str:
        """The one button, or with whom the case is."""
        if entry.holder and not entry.mine:
            who = escape(_("with %(who)s", who=entry.holder))
            return f'<span class="queue-holder">{who}</span>'
        if not self.may_work:
            return ""
        return (
            f'<button type="submit" class="btn btn-{"primary" if primary else "default"} btn-sm"'
            f' form="start" formaction="{self.start(entry.case.id)}">'
            f"{self.go_on if entry.mine else self.begin}</button>"
            f'<span class="sr-only">{number}</span>'
        )


def _line(text: str, classes: str = "") -> str:
    """A line of a cell; its words are escaped already."""
    css = f"queue-line {classes}" if classes else "queue-line"
    return f'<span class="{css}">{text}</span>'


def _address(method: str) -> Callable[[int], str]:
    """The addresses of a screen of cases by their keys, all from one pattern."""
    before, _gap, after = url_for(f"ComplaintView.{method}", pk=_GAP).partition(_GAP)
    start, end = str(escape(before)), str(escape(after))
    return lambda pk: f"{start}{pk}{end}"
