"""Signing in: sessions, known devices, wrong tries, and the second factor.

Secrets of cookies stand here only as hashes: who reads the database cannot sign in with it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UTCDateTime
from app.models.sealed import Sealed


class SignInSession(Model):
    """One sign-in of a user, until it is ended or runs out."""

    __tablename__ = "sign_in_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(
        ForeignKey("ab_user.id", ondelete="CASCADE"), nullable=False
    )
    token_hash: Mapped[str] = mapped_column(String(64), nullable=False, unique=True)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    # Written at most once a minute, after the answer was sent.
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # Whether a second factor was asked for and given.
    second_factor: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    # Whether the browser had never signed this user in before.
    new_device: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    address: Mapped[str] = mapped_column(String(64), nullable=False, default="")
    agent: Mapped[str] = mapped_column(String(300), nullable=False, default="")

    __table_args__ = (Index("ix_sign_in_session_user", "user_id", "started_at"),)


class KnownDevice(Model):
    """A browser from which a user has signed in completely; its cookie lasts half a year."""

    __tablename__ = "known_device"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(
        ForeignKey("ab_user.id", ondelete="CASCADE"), nullable=False
    )
    token_hash: Mapped[str] = mapped_column(String(64), nullable=False)
    first_seen_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)

    __table_args__ = (
        UniqueConstraint("user_id", "token_hash", name="uq_known_device"),
        Index("ix_known_device_token", "token_hash"),
    )


class SignInThrottle(Model):
    """Wrong tries of one account, device or address; the key is a keyed hash of which."""

    __tablename__ = "sign_in_throttle"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    blocked_until: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (Index("ix_sign_in_throttle_last", "last_at"),)


class SecondFactor(Model):
    """The authenticator app of a user; it counts from the moment its first code was right."""

    __tablename__ = "second_factor"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True
    )
    # The user's id and the secret: sealed with a key outside the database, worth nothing elsewhere.
    secret: Mapped[str] = mapped_column(Sealed("second_factor.secret"), nullable=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # The step of the last code that was taken: no code, and none before it, counts again.
    last_step: Mapped[int] = mapped_column(BigInteger, nullable=False, default=0)


class RecoveryCode(Model):
    """One of the codes for the day the telephone is lost; each works once."""

    __tablename__ = "recovery_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(
        ForeignKey("ab_user.id", ondelete="CASCADE"), nullable=False
    )
    code_hash: Mapped[str] = mapped_column(String(64), nullable=False)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("user_id", "code_hash", name="uq_recovery_code"),)


class RoleRule(Model):
    """What the office demands of a role at sign-in."""

    __tablename__ = "role_rule"

    role_id: Mapped[int] = mapped_column(
        ForeignKey("ab_role.id", ondelete="CASCADE"), primary_key=True
    )
    second_factor: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
