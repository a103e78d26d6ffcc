"""The files of a case in the order in which the case lives: brought, drafted, signed, printed, sent.

Each present file stands once, its earlier versions under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from flask_babel import gettext as _

from app.models import CaseOutput, Document, PrintRun
from app.services.casefile import CaseFile
from app.services.versions import why_not_replaceable


@dataclass(frozen=True)
class FileRow:
    """A present file with the versions it has replaced, the latest first."""

    document: Document
    title: str
    earlier: tuple[Document, ...]
    may_replace: bool


@dataclass
class PaperFiles:
    """One paper that the case ends with, from its draft to its prints."""

    output: CaseOutput
    drafts: list[FileRow] = field(default_factory=list)
    signed: list[FileRow] = field(default_factory=list)

    @property
    def prints(self) -> list[PrintRun]:
        """Every print of it, numbered."""
        return self.output.prints


@dataclass
class CaseFiles:
    """All files of a case, grouped."""

    requirements: list[FileRow] = field(default_factory=list)
    papers: list[PaperFiles] = field(default_factory=list)
    #: Drafts of no paper named so far.
    drafts: list[FileRow] = field(default_factory=list)
    signed: list[FileRow] = field(default_factory=list)
    proofs: list[FileRow] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any((self.requirements, self.papers, self.drafts, self.signed, self.proofs))


def group_files(file: CaseFile, *, may_replace: bool, may_see_parcels: bool = True) -> CaseFiles:
    """Group what the case file holds; reads nothing."""
    row = _rows(file.documents, may_replace)
    present = [document for document in file.documents if document.replaced_at is None]
    found = CaseFiles()
    order = {check.kind_id: place for place, check in enumerate(file.checks)}
    brought = [document for document in present if document.stage == "requirement"]
    brought.sort(key=lambda item: (order.get(item.kind_id or 0, len(order)), item.id))
    found.requirements = [
        row(item, str(item.kind) if item.kind else _("Other file")) for item in brought
    ]
    papers = {
        output.id: PaperFiles(output)
        for output in file.outputs
        if output.dropped_at is None
        or any(item.output_id == output.id for item in present)
        or output.prints
    }
    by_kind = {(paper.output.round, paper.output.kind_id): paper for paper in papers.values()}
    for item in present:
        if item.stage not in ("draft", "signed"):
            continue
        paper = papers.get(item.output_id or 0)
        if paper is None and item.stage == "draft":
            # A draft may have come before its paper was named.
            paper = by_kind.get((item.round, item.kind_id or 0))
        if paper is None:
            rows = found.drafts if item.stage == "draft" else found.signed
            rows.append(row(item, str(item.kind) if item.kind else _("Draft")))
        else:
            rows = paper.drafts if item.stage == "draft" else paper.signed
            rows.append(row(item, ""))
    for paper in papers.values():
        if paper.signed:  # what was signed stays beside its signature
            paper.drafts = [replace(draft, may_replace=False) for draft in paper.drafts]
    found.papers = list(papers.values())
    parcels = {parcel.proof_id: parcel for parcel in file.dispatches} if may_see_parcels else {}
    for item in present:
        if item.stage == "proof":
            parcel = parcels.get(item.id)
            found.proofs.append(
                row(item, parcel.tracking_number if parcel else _("Proof of dispatch"))
            )
    return found


def _rows(documents: Iterable[Document], may_replace: bool) -> Callable[[Document, str], FileRow]:
    by_id = {document.id: document for document in documents}

    def row(document: Document, title: str) -> FileRow:
        earlier = []
        before = by_id.get(document.replaces_id or 0)
        while before is not None and before not in earlier:
            earlier.append(before)
            before = by_id.get(before.replaces_id or 0)
        allowed = may_replace and not why_not_replaceable(document)
        return FileRow(document, title, tuple(earlier), allowed)

    return row
