"""The form of the dispatch desk: one parcel after another, the hands on scanner and camera."""

from __future__ import annotations

from typing import Any

from flask import url_for
from werkzeug.datastructures import MultiDict

from app.models import Dispatch, Document
from app.services.desk import Errand, last_courier
from app.services.dispatching import send_again
from app.views.forms.work_base import Desk
from app.views.forms.work_dispatch import LABEL, DispatchForm


class DeskForm(DispatchForm):
    """The parcel of a case that was scanned, sent for the first time or once more.

    The courier is that of the officer's last parcel. Who may not see personal data sends to what
    the case says, without seeing it.
    """

    def __init__(
        self, desk: Desk, errand: Errand, posted: MultiDict[str, str] | None = None
    ) -> None:
        self.errand = errand
        self.shows_label = desk.actor.can("see_personal")
        super().__init__(desk, posted)

    def fields(self) -> dict[str, Any]:
        fields = super().fields()
        if not self.shows_label:
            for name in LABEL:
                del fields[name]
        return fields

    def tracking_look(self) -> dict[str, str]:
        return {
            **super().tracking_look(),
            "data-check-url": url_for("DispatchDeskView.check"),
            "data-scan-then": "proof",
            "autocapitalize": "characters",
            "spellcheck": "false",
        }

    def fill(self) -> dict[str, Any]:
        start = super().fill()
        if (earlier := self.errand.returned) is not None:
            start |= {name: getattr(earlier, name) for name in LABEL}
        if self.posted is None:
            start["courier"] = self._courier()
        return start

    def label(self) -> dict[str, Any]:
        return super().label() if self.shows_label else self.fill()

    def record(self, proof: Document | None) -> Dispatch:
        """The first parcel of this round, or the one after that which came back."""
        desk, earlier = self.desk, self.errand.returned
        if earlier is None:
            return super().record(proof)
        return send_again(
            desk.session,
            desk.office,
            earlier,
            self.parcel(),
            proof,
            desk.actor,
            now=desk.now,
        )

    def _courier(self) -> int | None:
        found = last_courier(self.desk.session, self.desk.actor, self.desk.now)
        return found if any(courier.id == found for courier in self.couriers) else None
