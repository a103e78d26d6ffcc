"""One PDF of many signed ones, for the printer only: the stored files are never touched."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import ExitStack

import pikepdf

from app.models import Document
from app.services.documents import DamagedFileError, read_file
from app.services.storage import Store


def page_count(store: Store, document: Document) -> int:
    """The pages of a stored PDF, which is proven unchanged and readable by this.

    Raises:
        DamagedFileError: it is lost, changed or no PDF that can be read.
    """
    with _opened(store, document) as pdf:
        return len(pdf.pages)


def combined(store: Store, documents: Sequence[Document]) -> bytes:
    """The pages of the documents one after the other, as each would be printed by itself.

    Stamps of a signature are part of a form; on paper there is none, so what would be printed of
    it becomes part of the page. The result carries no signature: it is not kept and not sent.

    Raises:
        DamagedFileError: a file is lost, changed or no PDF that can be read.
    """
    with ExitStack() as sources:
        out = sources.enter_context(pikepdf.new())
        for document in documents:
            source = sources.enter_context(_opened(store, document))
            source.flatten_annotations("print")
            out.pages.extend(source.pages)
        target = io.BytesIO()
        out.remove_unreferenced_resources()
        out.save(target)
        return target.getvalue()


def _opened(store: Store, document: Document) -> pikepdf.Pdf:
    try:
        return pikepdf.open(io.BytesIO(read_file(store, document)))
    except pikepdf.PdfError as error:
        raise DamagedFileError("file_changed") from error
