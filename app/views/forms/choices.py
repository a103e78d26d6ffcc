"""What a complaint can be chosen from: the office's own rows, and what a screen needs of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from app.models import Category, Channel, Complaint, DocumentKind, Region

#: The output that a first KTP-el is asked for with.
KTP_EL = "ktp_el"


@dataclass(frozen=True)
class CaseChoices:
    """Active rows by their key as a form sends it, in the office's order."""

    channels: Mapping[str, Channel]
    categories: Mapping[str, Category]
    kecamatan: Mapping[str, Region]
    villages: Mapping[str, Region]
    kinds: Mapping[str, DocumentKind]

    @property
    def region_codes(self) -> frozenset[str]:
        """Codes of every kecamatan, for the checks of NIK and KK."""
        return frozenset(self.kecamatan)

    def villages_by_kecamatan(self) -> list[tuple[Region, list[Region]]]:
        """Each kecamatan with its villages, for a select that works without scripts."""
        return [
            (top, [village for village in self.villages.values() if village.parent_code == code])
            for code, top in self.kecamatan.items()
        ]

    def categories_by_class(self) -> list[tuple[str, list[Category]]]:
        """Categories under their legal class, complaints first."""
        return [
            (name, found)
            for name in ("complaint", "oversight", "information")
            if (found := [c for c in self.categories.values() if c.legal_class == name])
        ]

    def for_script(self) -> dict[str, Any]:
        """What the page's script needs of the categories: papers, first KTP-el, confidentiality."""
        return {
            key: {
                "requirements": [
                    {
                        "id": str(item.kind_id),
                        "label": kind_label(item.kind),
                        "required": item.required,
                    }
                    for item in category.requirements
                ],
                "firstKtp": offers_ktp(category),
                "oversight": category.legal_class == "oversight",
            }
            for key, category in self.categories.items()
        }


def load_choices(session: Session, complaint: Complaint | None = None) -> CaseChoices:
    """The active rows; a complaint being corrected keeps its own even when switched off since."""
    own = (
        (
            complaint.channel_id,
            complaint.category_id,
            [code for code in (complaint.kecamatan_code, complaint.region_code) if code],
        )
        if complaint
        else (0, 0, [])
    )
    channels = session.scalars(
        select(Channel)
        .where(or_(Channel.active, Channel.id == own[0]))
        .order_by(Channel.position, Channel.id)
    )
    categories = session.scalars(
        select(Category)
        .where(or_(Category.active, Category.id == own[1]))
        .options(selectinload(Category.requirements), selectinload(Category.outputs))
        .order_by(Category.position, Category.id)
    )
    regions = session.scalars(
        select(Region).where(or_(Region.active, Region.code.in_(own[2]))).order_by(Region.name)
    ).all()
    kinds = session.scalars(
        select(DocumentKind)
        .where(DocumentKind.active, DocumentKind.is_requirement)
        .order_by(DocumentKind.position, DocumentKind.id)
    )
    return CaseChoices(
        channels={str(row.id): row for row in channels},
        categories={str(row.id): row for row in categories},
        kecamatan={row.code: row for row in regions if row.kind == "kecamatan"},
        villages={row.code: row for row in regions if row.kind != "kecamatan"},
        kinds={str(row.id): row for row in kinds},
    )


def kind_label(kind: DocumentKind) -> str:
    """A paper with its form number, by which the counter knows it."""
    return f"{kind} ({kind.form_number})" if kind.form_number else str(kind)


def offers_ktp(category: Category) -> bool:
    """Whether a first KTP-el may come out of a category; only then is it asked about."""
    return any(output.kind.code == KTP_EL for output in category.outputs)
