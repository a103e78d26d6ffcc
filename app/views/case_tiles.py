"""The cards of a case's page that show files: papers to be issued, parcels, and every file as a tile.

Drawn as in `case_cards`, and for the same reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from flask_babel import ngettext
from markupsafe import Markup, escape

from app.formats import file_size, local_date, local_datetime, number
from app.models import Document, PrintRun
from app.parts import shown
from app.views.addresses import address
from app.views.case_cards import CaseCards, draw_fact, draw_facts
from app.views.case_drawing import file_name, thumb
from app.views.case_files import FileRow, PaperFiles


class CaseTiles(CaseCards):
    """Everything on the page of a case, for who looks at it."""

    def can(self, permission: str, view: str) -> bool:
        """Whether he may do it elsewhere."""
        return self.page.actor.can(permission, view)

    # --- the papers the case ends with ---

    def outputs(self) -> Markup:
        """The papers the case ends with: signed, printed, spoiled."""
        rows = self.page.outputs
        if not rows:
            return Markup("")
        _ = self.say
        lines = [self._output(row["output"], row) for row in rows]
        return self._items(_("Documents to be issued"), "outputs", lines)

    def _output(self, output: Any, row: Any) -> str:
        _, badge, case = self.say, self.badge, self.case
        name = self._paper_name(output)
        if case.round > 1 and output.round != case.round:
            name += f' <span class="muted small">{self.round_of(output.round)}</span>'
        signature = row["signature"]
        if output.kind.needs_signature:
            if row["signed"]:
                badges = badge(_("Signed"), "ok", "signature")
            else:
                badges = badge(_("Not signed yet"), "neutral", "signature")
            if signature:
                badges += self.signature(signature)
        else:
            badges = badge(_("No signature needed"), "neutral")
        if wait := self.file.waits.get(output.id):
            since = _("Waits for a card since %(time)s") % {"time": local_datetime(wait.since)}
            badges = f"{badges}\n{badge(since, 'warn', 'hourglass')}"
        if row["printed"]:
            printed = badge(_("Printed"), "ok", "printer")
        elif output.prints:
            printed = badge(_("Last print spoiled"), "late", "printer")
        else:
            printed = badge(_("Not printed yet"), "neutral", "printer")
        more = ""
        if signature and signature.signatures:
            more = f'<span class="item-note">{self._signers(signature)}</span>\n'
        if output.prints:
            runs = "".join([self._print_run(run) for run in output.prints])
            more += f'<ul class="print-runs item-note">\n{runs}</ul>\n'
            if output.round == case.round and self.can("can_reprint", "Printing"):
                more += self._reprint(output)
        return (
            f'<li><span class="item-name">{name}</span>\n'
            f'<span class="item-badges">\n{badges}\n{printed}</span>\n{more}</li>\n'
        )

    def _paper_name(self, output: Any) -> str:
        reference = ""
        if output.reference:
            reference = f' <span class="mono">{escape(output.reference)}</span>'
        return f"{escape(output.kind)}{reference}"

    def signature(self, document: Document) -> Markup:
        """What reading a signature showed, in words."""
        _, state = self.say, document.signature_state
        if state in ("trusted", "unknown_issuer"):
            drawn: Markup = self.badge(_("intact"), "ok", "shield-check")
            if state == "trusted":
                return drawn
            return drawn + self.badge(_("issuer unknown"), "warn", "triangle-alert")
        if state == "changed":
            return self.badge(_("changed"), "late", "circle-x")
        if state == "unsigned":
            return self.badge(_("not signed"), "late", "circle-x")
        return self.badge(_("signature not read"), "neutral", "shield")

    def _signers(self, document: Document) -> str:
        _, drawn = self.say, []
        for found in document.signatures:
            said = str(_("Signed by %(name)s") % {"name": found.signer or "–"})
            if found.issuer:
                issued = _("issued by %(issuer)s") % {"issuer": found.issuer}
                said += f" · {issued}"
            if found.signed_at:
                said += f" · {local_datetime(found.signed_at)}"
            drawn.append(f'<span class="signer">{said}</span>')
        return "".join(drawn)

    def _print_run(self, run: PrintRun) -> str:
        _ = self.say
        said = _("printed well") if run.result == "good" else _("spoiled")
        why = f" – {escape(run.reason)}" if run.reason else ""
        if run.reprint_reason:
            again = _("reprint: %(reason)s") % {"reason": run.reprint_reason}
            why += f" · {again}"
        when = f"{local_datetime(run.printed_at)}{self.officer(run.printed_by_id)}"
        print_number = _("Print %(number)s") % {"number": run.number}
        return f'<li>{print_number}: {said}{why} <span class="muted">({when})</span></li>'

    def _reprint(self, output: Any) -> str:
        """The form that asks for one more print of a paper."""
        _, field = self.say, f"reprint-{output.id}"
        again, why, go = _("Print once more"), _("Why once more?"), _("To the printer")
        return (
            f'<details class="reprint no-print"><summary>{self.icon("rotate-ccw", "icon-sm")}{again}'
            f'<span class="sr-only"> {escape(output)}</span></summary>\n'
            f'<form method="post" action="{address("PrintingView.reprint", "pk", output.id)}">'
            f'<input type="hidden" name="csrf_token" value="{self.token}">'
            f'<input type="hidden" name="form_key" value="{escape(self.form_key)}">\n'
            f'<div class="field"><label class="field-label" for="{field}">{why}</label>'
            f'<input class="form-control" id="{field}" name="reason" maxlength="200" required autocomplete="off"></div>\n'
            f'<button type="submit" class="btn btn-default">{self.icon("printer")}{go}</button>\n'
            "</form>\n</details>\n"
        )

    # --- what was sent ---

    def parcels(self) -> Markup:
        """Each parcel of the case and what became of it, the latest first."""
        found = self.page.dispatches
        return Markup("").join([self._parcel(one, one is found[0]) for one in found])

    def _parcel(self, parcel: Any, latest: bool) -> Markup:
        _, page = self.say, self.page
        rows = [
            draw_fact(
                _("Courier"),
                shown(parcel.courier.name + (f" · {parcel.service}" if parcel.service else "")),
            ),
            draw_fact(_("Tracking number (resi)"), self._tracking(parcel.tracking_number)),
            draw_fact(_("Sent"), shown(local_datetime(parcel.sent_at))),
            draw_fact(_("Recipient"), shown(parcel.recipient if page.personal else "•••")),
        ]
        address = page.shown(parcel.address, first=3, last=0) if page.personal else "•••"
        rows.append(draw_fact(_("Address"), shown(address)))
        if parcel.cost is not None:
            rows.append(draw_fact(_("Paid to the courier"), f"Rp {number(parcel.cost)}"))
        rows += self._outcome(parcel)
        body = (
            f'<p class="row-gap">{self._parcel_state(parcel)}</p>\n{draw_facts(rows, narrow=False)}'
            f'<p class="desk-parcel-tools no-print">\n{self._parcel_tools(parcel, latest)}</p>\n'
        )
        return self._card(_("Dispatch"), f"dispatch-{parcel.id}", body)

    def _outcome(self, parcel: Any) -> list[str]:
        _, personal = self.say, self.page.personal
        if parcel.status == "sent" and parcel.news:
            news = f"{parcel.news} ({local_date(parcel.news_at)})"
            return [draw_fact(_("Latest news"), shown(news))]
        if parcel.status == "delivered":
            who = parcel.received_by if personal else "•••"
            who += f" ({parcel.relation})" if parcel.relation else ""
            rows = [
                draw_fact(_("Received by"), shown(who)),
                draw_fact(_("Delivered"), shown(local_datetime(parcel.delivered_at))),
            ]
            if parcel.old_card_taken is not None:
                card = _("Handed in") if parcel.old_card_taken else _("Not handed in")
                rows.append(draw_fact(_("The old card"), card))
            return rows
        if parcel.status == "returned":
            rows = [draw_fact(_("Came back because"), shown(parcel.return_reason))]
            if parcel.returned_at:
                rows.append(draw_fact(_("Came back on"), local_date(parcel.returned_at)))
            return rows
        return []

    def _tracking(self, text: str) -> str:
        if not text:
            return shown("")
        return f'<span class="mono">{escape(text)}</span>{self.copy_button(text)}'

    def _parcel_state(self, parcel: Any) -> str:
        _ = self.say
        if parcel.status == "delivered":
            drawn = self.badge(_("Delivered"), "ok", "package-check")
        elif parcel.status == "returned":
            drawn = self.badge(_("Came back"), "warn", "undo-2")
        else:
            drawn = self.badge(_("On its way"), "info", "truck")
        if parcel.attempt > 1:
            again = _("sending no. %(number)d") % {"number": parcel.attempt}
            return f"{drawn} {self.badge(again, 'neutral')}"
        return str(drawn)

    def _parcel_tools(self, parcel: Any, latest: bool) -> str:
        _, case = self.say, self.case
        drawn = ""
        if parcel.status == "sent" and (link := parcel.courier.tracking_link):
            words = _("Courier's page, number copied")
            copied = _("%(number)s copied: paste it there") % {"number": parcel.tracking_number}
            drawn += (
                f'<a class="btn btn-default btn-sm no-print" href="{escape(link)}" target="_blank" rel="noopener noreferrer"'
                f' data-copy-first="{escape(parcel.tracking_number)}" data-copied="{copied}">{self.icon("external-link")}'
                f"<span data-copy-words>{words}</span></a>"
            )
        returned = parcel.status == "returned" and latest and parcel.round == case.round
        if returned and self.can("can_add", "DispatchDesk") and self.can("send", "Complaint"):
            desk = escape(url_for("DispatchDeskView.desk", case=case.number))
            again = _("Send once more")
            drawn += (
                f'<a class="btn btn-primary btn-sm" href="{desk}">{self.icon("send")}{again}</a>'
            )
        if self.can("can_edit", "Dispatch"):
            url = address("DispatchView.edit", "pk", parcel.id)
            update = _("Update what became of it")
            drawn += f'<a class="btn btn-default btn-sm" href="{url}">{self.icon("package-check")}{update}</a>'
        return drawn

    # --- the files ---

    def files(self) -> Markup:
        """Every file of the case: brought, then each paper from its draft to its prints, the proofs."""
        _, page = self.say, self.page
        if not page.may_list_files:
            return Markup("")
        attach = ""
        if self.can("can_add", "Document") and page.step.kind != "end":
            url = address("DocumentView.attach", "pk", self.case.id)
            add = _("Add files")
            attach = (
                f'<a class="btn btn-default btn-sm" href="{url}">{self.icon("paperclip")}{add}</a>'
            )
        groups = page.file_groups
        drawn = [
            self._section(_("From the applicant"), groups.requirements),
            *[self._paper(paper) for paper in groups.papers],
            self._section(_("Drafts"), groups.drafts),
            self._section(_("Signed documents"), groups.signed),
            self._section(_("Proof of dispatch"), groups.proofs),
        ]
        if not groups:
            title, text = _("No files yet"), _("Files are added while the case is worked on.")
            drawn.append(
                f'<div class="empty">{self.icon("paperclip", "icon-xl")}\n<p class="empty-title">{title}</p>'
                f'<p class="empty-text">{text}</p>\n</div>\n'
            )
        return self._card(_("Files"), "files", "".join(drawn), tools=attach)

    def _section(self, title: str, rows: Sequence[FileRow]) -> str:
        if not rows:
            return ""
        return f'<h3 class="files-title">{title}</h3>{self._tiles(rows)}\n'

    def _paper(self, paper: PaperFiles) -> str:
        _, output, case = self.say, paper.output, self.case
        name = self._paper_name(output)
        if case.round > 1 and output.round != case.round:
            name += f' <span class="muted small">{self.round_of(output.round)}</span>'
        if output.dropped_at:
            dropped = self.badge(_("Taken off the case"), "neutral")
            name += f" {dropped}"
        unsigned = _("Not signed yet") if output.kind.needs_signature else _("No signature needed")
        prints = "".join([self._print(run) for run in paper.prints])
        stages = (
            self._stage(_("Draft"), self._tiles(paper.drafts), _("No draft yet")),
            self._stage(_("Signed"), self._tiles(paper.signed), unsigned),
            self._stage(_("Printed"), prints, _("Not printed yet")),
        )
        return (
            f'<section class="paper-files" aria-labelledby="paper-files-{output.id}">\n'
            f'<h3 class="files-title" id="paper-files-{output.id}">{name}</h3>\n'
            f'<ol class="paper-way">\n{"".join(stages)}</ol>\n</section>\n'
        )

    def _stage(self, title: str, drawn: str, nothing: str) -> str:
        body = drawn or f'<p class="paper-nothing">{nothing}</p>'
        return f'<li><p class="paper-stage">{title}</p>{body}</li>\n'

    def _print(self, run: PrintRun) -> str:
        _ = self.say
        if run.result == "good":
            badge = self.badge(_("printed well"), "ok", "printer")
        else:
            badge = self.badge(_("spoiled"), "late", "printer")
        words = _("Print %(number)s") % {"number": run.number}
        when = f"{local_datetime(run.printed_at)}{self.officer(run.printed_by_id)}"
        return (
            f'<p class="paper-print">{badge} {words}\n<span class="file-meta">{when}</span></p>\n'
        )

    def _tiles(self, rows: Sequence[FileRow]) -> str:
        if not rows:
            return ""
        return f'<ul class="files">{"".join(map(self._tile, rows))}</ul>'

    def _tile(self, row: FileRow) -> str:
        _, document, allowed = self.say, row.document, self.can("can_download", "Document")
        title = f'<span class="file-title">{escape(row.title)}</span>\n' if row.title else ""
        badges = ""
        if document.stage == "signed":
            badges = f'<span class="file-badges">{self.signature(document)}</span>\n'
        more = self._earlier(row, allowed) if row.earlier else ""
        if row.may_replace:
            replace = _("Replace")
            url = escape(address("DocumentView.replace", "public_id", document.public_id))
            more += (
                f'<div class="file-actions"><a class="btn btn-quiet btn-sm" href="{url}">{self.icon("files")}{replace}'
                f'<span class="sr-only"> {escape(document.original_name)}</span></a></div>\n'
            )
        return (
            f'<li class="file">\n{thumb(document, allowed)}\n<div class="file-words">\n{title}'
            f"{file_name(document, allowed)}\n{self._meta(document)}{badges}</div>\n{more}</li>\n"
        )

    def _earlier(self, row: FileRow, allowed: bool) -> str:
        _, count, versions = self.say, len(row.earlier), ""
        for before in row.earlier:
            replaced = _("replaced %(time)s") % {"time": local_datetime(before.replaced_at)}
            versions += (
                f"<li>{file_name(before, allowed)}{self._meta(before)}"
                f'<span class="file-meta">{replaced}</span></li>'
            )
        words = escape(ngettext("%(num)d earlier version", "%(num)d earlier versions", count))
        return (
            f'<details class="file-earlier"><summary>{self.icon("history", "icon-sm")}{words}'
            f'<span class="sr-only"> {escape(row.document.original_name)}</span></summary>\n<ul>{versions}</ul>\n</details>\n'
        )

    def _meta(self, document: Document) -> str:
        """How large a file is, and who brought it when."""
        _, what = self.say, file_size(document.size)
        if document.pages:
            pages = ngettext("%(num)d page", "%(num)d pages", document.pages)
            what += f" · {pages}"
        if document.revision > 1:
            version = _("version %(number)s") % {"number": document.revision}
            what += f" · {version}"
        when = f"{local_datetime(document.uploaded_at)}{self.officer(document.uploaded_by_id)}"
        if self.case.round > 1:
            when += f" · {self.round_of(document.round)}"
        return f'<span class="file-meta">{what}</span>\n<span class="file-meta">{when}</span>\n'
