"""The papers the office prints: typst templates in `app/papers`, filled with the facts of a case.

`engine` turns a template and its data into a PDF; `casepapers`, `letters` and `parcels` gather the
data; `codes` draws QR codes and barcodes; `words` holds what the papers say in Indonesian.
"""

from app.services.papers.engine import MESSAGES, PAPERS, PaperError, render

__all__ = ["MESSAGES", "PAPERS", "PaperError", "render"]
