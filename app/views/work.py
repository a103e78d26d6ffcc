"""The case page and the work form of each step: what an officer sees, records and decides."""

from __future__ import annotations

from typing import Any

from app.models import Complaint


class WorkMixin:
    """The page of a case and the form in which its present step is worked."""

    def show_extra(self, item: Complaint) -> dict[str, Any]:
        """What the case page shows besides the record."""
        return {}
