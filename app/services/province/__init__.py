"""Recapitulation of a province: an office exports its sums, the province merges them (ADR 0036)."""

from app.services.province.exporting import LEAST, Export, ExportError, export_statistics, pooled
from app.services.province.merging import MergeError, merge_statistics
from app.services.province.signing import SignedError, new_key, public_of, sign, signed_body

__all__ = [
    "LEAST",
    "Export",
    "ExportError",
    "MergeError",
    "SignedError",
    "export_statistics",
    "merge_statistics",
    "new_key",
    "pooled",
    "public_of",
    "sign",
    "signed_body",
]
