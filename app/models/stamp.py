"""A word that changes whenever what a process may remember of the database changes."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model


class Stamp(Model):
    """The one stamp of rights and reference data; triggers renew it in the writer's transaction.

    It is random, never a number that counts: the same stamp means the same content, also after
    a backup was brought back.
    """

    __tablename__ = "stamp"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[str] = mapped_column(String(32), nullable=False)


#: The tables whose every change renews the stamp: what roles allow, and what the office keeps to
#: choose from and to count time with.
STAMPED = (
    "ab_group",
    "ab_group_role",
    "ab_permission",
    "ab_permission_view",
    "ab_permission_view_role",
    "ab_role",
    "ab_user_group",
    "ab_user_role",
    "ab_view_menu",
    "category",
    "channel",
    "courier",
    "document_kind",
    "holiday",
    "merged_office",
    "office",
    "region",
    "role_rule",
    "sop_step",
    "working_hours",
)
