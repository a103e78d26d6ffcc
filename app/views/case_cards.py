"""The cards of a case's page, each drawn in one pass.

Functions and not templates: a page has a dozen, and a macro with its block costs more than all that
stands in it. What people wrote goes through `escape` or `shown`; what `_` says is the catalogue's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from flask import current_app, request
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from app.catalogues import language_of_now
from app.formats import duration, local_date, local_datetime
from app.gaps import Gapped, new_gap
from app.parts import card, page_header, share, shown, words
from app.remembered import kept
from app.views.case_drawing import lane, timeline
from app.views.case_page import CasePage

_GAPS: Final = tuple(map(new_gap, ("pk", "token", "version", "key", "holder")))
_PK, _TOKEN, _VERSION, _KEY, _HOLDER = _GAPS


class Drawing:
    """What the parts of one page share: the case, the words, and what draws icons and badges."""

    def __init__(self, page: CasePage, new_key: Callable[[], str]) -> None:
        self.page, self.case, self.file = page, page.case, page.file
        parts: Mapping[str, Any] = current_app.jinja_env.globals
        self.icon, self.badge = parts["part_icon"], parts["part_badge"]
        self._new_key = new_key
        self.say = words()

    @cached_property
    def form_key(self) -> str:
        """One key for all forms of the page, made when one has a place for it."""
        return self._new_key()

    @cached_property
    def token(self) -> str:
        """The session's, for all forms of the page."""
        return generate_csrf()

    def officer(self, user_id: int | None) -> str:
        """` · ` and who it was, escaped; nothing when nobody was."""
        return f" · {escape(self.file.officer(user_id))}" if user_id else ""

    def round_of(self, number: int) -> str:
        """Which round of the case."""
        _ = self.say
        return _("Round %(number)s") % {"number": number}


class CaseCards(Drawing):
    """The cards for who looks at the page."""

    def header(self, back_url: str | None) -> Markup:
        """Number, name and category, and what the officer may do."""
        _, case = self.say, self.case
        came = {"channel": str(case.channel), "time": local_datetime(case.received_at)}
        return page_header(
            case.number,
            subtitle=f"{self.page.name} · {case.category}",
            back_url=back_url,
            back_label=_("All complaints"),
            eyebrow=_("%(channel)s, received %(time)s") % came,
            actions=self.actions(),
        )

    def badges(self) -> Markup:
        """What has to be seen first."""
        drawn = [f"{self.badge(said, tone, icon)} " for said, tone, icon in self.page.badges]
        return Markup(f'<p class="case-badges">{"".join(drawn)}</p>')  # noqa: S704

    def lane(self) -> Markup:
        """The strip of the SOP's steps."""
        return card(body=lane(self.page), cls="case-lane")

    def actions(self) -> Markup:
        """What the officer may do with the case now.

        Cases at the same step, held alike, offer the same to the same rights: that is drawn once,
        with gaps for what is of one case and one session.
        """
        page = self.page
        held = "mine" if page.mine else "other" if page.held_by_other else ""
        quick = [offer.move.key for offer in page.quick]
        key = (
            "case actions", language_of_now(), request.script_root, page.step.key, page.may_work,
            held, *(offer.move.key for offer in page.offers), "quick", *quick,
            page.may_edit, page.may_pause, self.file.standing_pause is None,
        )  # fmt: skip

        def draw() -> Gapped:
            text = current_app.jinja_env.get_template("aduan/case/actions.html").render(
                page=page,
                sop=page.sop,
                pk=_PK,
                holder=_HOLDER,
                hidden={"version": _VERSION, "form_key": _KEY},
            )
            # Imported macros take it from the application, whatever they are handed.
            return Gapped.cut(text.replace(self.token, _TOKEN), _GAPS)

        return self._filled(kept(key, draw))

    def _filled(self, drawn: Gapped) -> Markup:
        return drawn.filled(
            {
                _PK: str(self.case.id),
                _TOKEN: self.token,
                _VERSION: str(self.case.version),
                _KEY: escape(self.form_key) if _KEY in drawn.pieces else "",
                _HOLDER: escape(self.page.holder),
            }
        )

    # --- what the case is about ---

    def complaint(self) -> Markup:
        """What the applicant wrote, and what he was answered."""
        _, case = self.say, self.case
        body = f'<p class="case-text pre-line">{escape(case.text)}</p>\n'
        if case.answer:
            title = _("Answer to the applicant")
            body += f'<h3>{title}</h3><p class="case-text pre-line">{escape(case.answer)}</p>\n'
        return self._card(_("Complaint"), "complaint", body)

    def checks(self) -> Markup:
        """The papers that were asked for, and in what state each is."""
        if not self.file.checks:
            return Markup("")
        _ = self.say
        supporting = _("supporting")
        lines = []
        for check in self.file.checks:
            kind = check.kind
            more = ""
            if kind.form_number:
                more = f' <span class="muted">({escape(kind.form_number)})</span>'
            if not check.required:
                more += f' <span class="muted small">{supporting}</span>'
            note = f'<span class="item-note">{escape(check.note)}</span>' if check.note else ""
            lines.append(
                f'<li><span class="item-name">{escape(kind)}{more}</span>\n'
                f"{self.state_badge(check.state)}\n{note}</li>\n"
            )
        return self._items(_("Completeness"), "papers", lines)

    def state_badge(self, state: str) -> Markup:
        """In what state a paper is."""
        _ = self.say
        if state == "present":
            return self.badge(_("There"), "ok", "check")
        if state == "unreadable":
            return self.badge(_("Unreadable"), "late", "eye-off")
        if state == "missing":
            return self.badge(_("Not there yet"), "late", "x")
        return self.badge(_("Not checked yet"), "neutral", "circle-help")

    def siak(self) -> Markup:
        """What each check at SIAK has found, the latest first."""
        if not self.file.siak_checks:
            return Markup("")
        _ = self.say
        biodata, lines = _("Draft biodata"), []
        for check in reversed(self.file.siak_checks):
            if check.result == "match":
                draft = escape(check.draft_reference or "–")
                found = f'{biodata}: <span class="mono">{draft}</span>'
                badge = self.badge(_("Matches"), "ok", "check")
            else:
                found = escape(", ".join(self.page.differences[check.id]) or "–")
                badge = self.badge(_("Differs"), "late", "x")
            when = local_datetime(check.checked_at)
            if self.case.round > 1:
                when += f" · {self.round_of(check.round)}"
            note = ""
            if check.note:
                note = f'<span class="item-note pre-line">{escape(check.note)}</span>'
            lines.append(
                f'<li><span class="item-name">{found}\n<span class="muted small">{when}</span></span>\n'
                f"{badge}{note}</li>\n"
            )
        return self._items(_("SIAK check"), "siak", lines)

    # --- beside it ---

    def now(self) -> Markup:
        """Where the case is and who has it."""
        _, page = self.say, self.page
        body = f'<p class="strong now-step">{escape(page.step.label)}</p>\n'
        if page.holder:
            since = {"name": page.holder, "time": local_datetime(page.held_since)}
            held = _("%(name)s, since %(time)s") % since
            body += f"<p>{held}</p>\n"
        elif page.step.kind == "activity":
            free = _("Nobody works on it yet.")
            body += f'<p class="muted">{free}</p>\n'
        here = _("Here since %(time)s") % {"time": local_datetime(self.case.step_since)}
        body += f'{self.clocks()}<p class="muted small">{here}</p>\n'
        return self._card(_("At this step"), "now", body)

    def clocks(self) -> Markup:
        """Both clocks of the present stay."""
        clock, run = self.page.clocks, self.file.open_run
        if clock is None or run is None:
            return Markup("")
        _ = self.say
        wait = _("Waited before that: %(time)s") if run.started_at else _("Waiting for %(time)s")
        work = share(clock.work / 60, run.standard_minutes or 0, _("Work"))
        return Markup(  # noqa: S704
            f'<div class="case-clocks">\n{work}'
            f'<p class="muted small">{wait % {"time": duration(clock.wait)}}</p>\n</div>\n'
        )

    def applicant(self, back: str = "show") -> Markup:
        """Who it is about, as far as the officer may know it."""
        _, page, case = self.say, self.page, self.case
        rows = [
            draw_fact(_("Name"), shown(page.name)),
            draw_fact(_("NIK"), self.number(page.shown(case.nik), case.nik)),
            draw_fact(_("KK number"), self.number(page.shown(case.kk_number), case.kk_number)),
        ]
        if case.birth_date:
            born = local_date(case.birth_date) if page.personal else "•••"
            rows.append(draw_fact(_("Date of birth"), shown(born)))
        if case.sex:
            sex = {"L": _("Male"), "P": _("Female")}.get(case.sex)
            rows.append(draw_fact(_("Sex"), shown(sex)))
        rows += [
            draw_fact(_("Phone"), shown(page.shown(case.phone, first=0, last=3))),
            draw_fact(_("Email"), shown(page.shown(case.email, first=1, last=0))),
            draw_fact(_("Address"), shown(page.place)),
        ]
        reveal = self._reveal(back) if page.may_reveal else ""
        return Markup(f"{draw_facts(rows)}{reveal}")  # noqa: S704

    def number(self, text: str, whole: str) -> str:
        """A number, and beside it what copies it when it is shown in full."""
        if not text:
            return shown("")
        copied = self.copy_button(whole) if self.page.revealed and whole else ""
        return f'<span class="mono">{escape(text)}</span>{copied}'

    def copy_button(self, text: str) -> str:
        """What copies a number."""
        _ = self.say
        copy, copied = _("Copy"), _("Copied")
        return (
            ' <button type="button" class="btn btn-quiet btn-sm js-only no-print"'
            f' data-copy="{escape(text)}" data-copied="{copied}">{copy}'
            f'<span class="sr-only"> {escape(text)}</span></button>'
        )

    def _reveal(self, back: str) -> Markup:
        """The form that asks for the numbers in full, drawn once."""

        def draw() -> Gapped:
            text = current_app.jinja_env.get_template("aduan/case/reveal.html").render(
                pk=_PK, back=back
            )
            return Gapped.cut(text.replace(self.token, _TOKEN), _GAPS)

        return self._filled(kept(("reveal", language_of_now(), request.script_root, back), draw))

    def applicant_card(self) -> Markup:
        """The same as a card."""
        _ = self.say
        return self._card(_("Applicant"), "applicant", self.applicant())

    def data(self) -> Markup:
        """How the complaint came, and where else it has a number."""
        _, case, page = self.say, self.case, self.page
        rows = [
            draw_fact(_("Category"), shown(str(case.category))),
            draw_fact(_("Channel"), shown(str(case.channel))),
        ]
        if case.handle:
            handle = shown(page.shown(case.handle, first=2, last=2))
            rows.append(draw_fact(_("Account or number"), handle))
        if case.external_ticket:
            rows.append(draw_fact(_("Ticket number elsewhere"), shown(case.external_ticket)))
        if case.needs_first_ktp:
            rows.append(draw_fact(_("First KTP-el"), _("The applicant has never had one")))
        registered = f"{local_datetime(case.registered_at)}{self.officer(case.registered_by_id)}"
        rows.append(draw_fact(_("Registered"), registered))
        return self._card(_("Complaint data"), "data", draw_facts(rows))

    def due(self) -> Markup:
        """The dates that the law sets."""
        _, rows = self.say, []
        for label, day, left, tone in self.page.due_dates:
            badge = f" {self.badge(left, tone)}" if left else ""
            rows.append(draw_fact(escape(label), f"{day}{badge}"))
        return self._card(_("Legal dates"), "due", draw_facts(rows))

    def papers(self, offered: Sequence[tuple[str, str, str]]) -> Markup:
        """What the office may print about the case; each opens as a PDF of its own."""
        if not offered:
            return Markup("")
        _ = self.say
        opens = _("(PDF, opens in a new tab)")
        lines = [
            f'<li><a href="{escape(url)}" target="_blank" rel="noopener">{self.icon(icon)}'
            f'<span>{escape(name)}</span><span class="sr-only"> {opens}</span></a></li>\n'
            for name, url, icon in offered
        ]
        body = f'<ul class="paper-links">\n{"".join(lines)}</ul>\n'
        return self._card(_("Papers to print"), "papers-to-print", body, cls="no-print")

    def messages(self, rows: Sequence[Mapping[str, Any]]) -> Markup:
        """What the applicant was told, and what an officer still has to send himself."""
        if not rows:
            return Markup("")
        _ = self.say
        body = f'<ul class="message-list">\n{"".join(map(self._message, rows))}</ul>\n'
        return self._card(_("Messages to the applicant"), "messages", body)

    def _message(self, row: Mapping[str, Any]) -> str:
        _, item = self.say, row["item"]
        occasion, way, state = escape(row["occasion"]), escape(row["way"]), row["state"]
        written = f" · {escape(local_datetime(item.created_at))}" if item.state != "sent" else ""
        text = f'<p class="small">{escape(row["outcome"])}</p>\n' if row["outcome"] else ""
        if row["body"]:
            read = _("Read it")
            text += (
                f'<details class="message-text"><summary>{read}<span class="sr-only">: {occasion}, {way}</span>'
                f'</summary><p class="message-body">{escape(row["body"])}</p></details>\n'
            )
        if row["choices"] or row["open_url"]:
            macros: Any = current_app.jinja_env.get_template("aduan/message_parts.html").module
            text = f"{text}{macros.decisions(row)}"
        return (
            f'<li>\n<p class="message-head"><span class="strong">{self.icon(row["way_icon"], "icon-sm")}{occasion}</span>'
            f" {self.badge(state['words'], state['tone'], state['icon'])}</p>\n"
            f'<p class="muted small">{way} · {escape(row["recipient"])}{written}</p>\n{text}</li>\n'
        )

    def history(self) -> Markup:
        """What happened, the latest first."""
        _ = self.say
        return self._card(_("History"), "history", timeline(self.page.history))

    def _items(self, title: Markup, key: str, lines: Sequence[str]) -> Markup:
        return self._card(title, key, f'<ul class="item-list">\n{"".join(lines)}</ul>\n')

    def _card(self, title: Markup, key: str, body: str, cls: str = "", tools: str = "") -> Markup:
        # Body and tools are put together here from what is escaped.
        return card(title, id=key, cls=cls, tools=Markup(tools), body=Markup(body))  # noqa: S704


def draw_fact(label: str, value: str) -> str:
    """One pair of a list of facts; both are safe on a page."""
    return f"<div><dt>{label}</dt><dd>{value}</dd></div>"


def draw_facts(rows: Sequence[str], narrow: bool = True) -> str:
    """A list of them."""
    css = "facts facts-narrow" if narrow else "facts"
    return f'<dl class="{css}">{"".join(rows)}</dl>\n'
