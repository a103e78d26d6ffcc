"""What the panel keeps of an account beside FAB's own user row."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UTCDateTime


class Account(Model):
    """Session version and first-password flag of a user (FAB's table stays untouched)."""

    __tablename__ = "account"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True
    )
    # Raised at sign-out, password change and deactivation: every older cookie is then dead.
    session_version: Mapped[int] = mapped_column(Integer, nullable=False, default=1)
    must_change_password: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    locale: Mapped[str] = mapped_column(String(2), nullable=False, default="")
    password_changed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # A password that an administrator gave out works until then.
    password_expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # A sign-in from a device that was not known, until its owner has said that he saw it; no
    # foreign key, so that the two tables need not wait for each other.
    unseen_session_id: Mapped[int | None] = mapped_column(Integer)
