"""Step 6: the parcel, its tracking number and the proof that it was handed over."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select
from wtforms.validators import ValidationError

from app.errors import sentence
from app.models import Courier, Dispatch, Document
from app.services.dispatching import (
    SENDING_GUARD,
    Parcel,
    clean_tracking_number,
    create_dispatch,
    fits_hint,
)
from app.sop.definition import Transition
from app.sop.identity import check_phone, normalise_phone
from app.views.forms.fields import NEEDED_CHOICE, NEEDED_TEXT
from app.views.forms.work_base import WorkForm
from app.views.forms.work_fields import FilesField, Line, OneRow, Rupiah

#: The fields that stand on the label.
LABEL = ("recipient", "address", "phone")


def _phone(form: Any, field: Any) -> None:
    """What is no phone number is refused; a good one is written the usual way."""
    for finding in check_phone(field.data or ""):
        if finding.level == "error":
            raise ValidationError(sentence(finding.code, finding.params))
    field.data = normalise_phone(field.data or "")


class DispatchForm(WorkForm):
    """There is no dispatch record without its proof, so it is written only when the case is sent."""

    template: ClassVar[str] = "aduan/work/dispatch.html"
    fills_in: ClassVar[str] = "phone address"
    places = {
        "dispatch_missing": "tracking_number",
        "courier_missing": "courier",
        "tracking_number_missing": "tracking_number",
        "tracking_number_taken": "tracking_number",
        "tracking_number_taken_elsewhere": "tracking_number",
        "tracking_number_is_case": "tracking_number",
        "proof_missing": "proof",
        "proof_used": "proof",
    }

    def load(self) -> None:
        self.couriers = list(
            self.desk.session.scalars(
                select(Courier).where(Courier.active).order_by(Courier.position, Courier.id)
            )
        )

    def fields(self) -> dict[str, Any]:
        return {
            "courier": OneRow(
                _("Courier"),
                [(courier.id, courier.name) for courier in self.couriers],
                render_kw={"class": "input-mid"},
            ),
            "service": Line(
                _("Service"), 40, description=_("Regular, express, cash on delivery …")
            ),
            "tracking_number": Line(
                _("Tracking number (resi)"),
                40,
                description=_("As printed on the receipt; blanks and dashes do not matter."),
                render_kw=self.tracking_look(),
            ),
            "cost": Rupiah(
                _("Paid to the courier (Rp)"),
                description=_("The document itself is free of charge."),
            ),
            "recipient": Line(_("Recipient"), 120),
            "address": Line(_("Address"), 300),
            "phone": Line(_("Phone on the label"), 20, checks=[_phone]),
            "proof": FilesField(
                _("Proof of dispatch: photo or PDF of the receipt"), stage="proof", need=True
            ),
        }

    def tracking_look(self) -> dict[str, str]:
        """How the box for the tracking number behaves: it is checked while it is typed."""
        return {
            "class": "input-digits",
            "data-check-url": url_for("ComplaintView.tracking"),
            "data-check-with": "courier",
        }

    def fill(self) -> dict[str, Any]:
        case = self.complaint
        places = [case.address, *(str(p) for p in (case.region, case.kecamatan) if p is not None)]
        return {
            "recipient": case.applicant_name,
            "address": ", ".join(part for part in places if part)[:300],
            "phone": case.phone,
        }

    def check(self, move: Transition | None) -> dict[str, str]:
        if move is None:
            return {"": _("Nothing is kept here until the parcel is sent.")}
        if SENDING_GUARD not in move.guards:
            return {}
        form = self.form
        errors: dict[str, str] = {}
        if form.courier.row_id is None:
            errors["courier"] = str(NEEDED_CHOICE)
        if not clean_tracking_number(form.tracking_number.data or ""):
            errors["tracking_number"] = str(NEEDED_TEXT)
        for name in ("recipient", "address"):
            if name in form and not (form[name].data or "").strip():
                errors[name] = str(NEEDED_TEXT)
        if not form.proof.tokens:
            errors["proof"] = sentence("proof_missing")
        return errors

    def save(self, move: Transition | None) -> None:
        if move is None or SENDING_GUARD not in move.guards:
            return
        proofs = self.attach(self.form.proof)
        self.sent = self.record(proofs[0] if proofs else None)

    def record(self, proof: Document | None) -> Dispatch:
        """Write the parcel itself."""
        desk = self.desk
        return create_dispatch(
            desk.session,
            desk.office,
            self.complaint,
            self.parcel(),
            proof,
            desk.actor,
            now=desk.now,
        )

    def parcel(self) -> Parcel:
        """What was typed."""
        form, label = self.form, self.label()
        return Parcel(
            courier_id=form.courier.row_id,
            tracking_number=form.tracking_number.data,
            recipient=label["recipient"],
            address=label["address"],
            phone=label["phone"] or "",
            service=form.service.data or "",
            cost=form.cost.data,
        )

    def label(self) -> dict[str, Any]:
        """To whom it goes, as typed."""
        return {name: self.form[name].data for name in LABEL}

    def details(self, move: Transition) -> dict[str, object]:
        if SENDING_GUARD not in move.guards:
            return {}
        return {"tracking_number": clean_tracking_number(self.form.tracking_number.data or "")}

    def remarks(self) -> list[str]:
        courier = next((c for c in self.couriers if c.id == self.form.courier.row_id), None)
        number = clean_tracking_number(self.form.tracking_number.data or "")
        return tracking_remarks(courier, number)


def tracking_remarks(courier: Courier | None, number: str) -> list[str]:
    """What looks odd about a tracking number; formats overlap, so it never blocks."""
    if courier is None or not number or fits_hint(courier, number):
        return []
    return [
        _(
            "%(number)s does not look like a number of %(courier)s. Compare it with the receipt.",
            number=number,
            courier=courier.name,
        )
    ]
