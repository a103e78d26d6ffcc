"""Finding cases by what people read out: a number, NIK, phone, tracking number, part of a name."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, Select, false, select, text, union
from sqlalchemy.orm import Session

from app.models import Complaint, Dispatch
from app.services.dispatching import clean_tracking_number
from app.sop.identity import normalise_phone

#: Trigram indexes answer from three letters on; shorter words are looked up as beginnings.
TRIGRAM = 3


def case_condition(session: Session, words: str, *, personal: bool) -> ColumnElement[bool]:
    """The condition that a case fits what was typed; every way to find it has an index behind it.

    Personal data (name, NIK, KK, phone) is looked into only with the right to see it, else the
    search box would answer what the page hides.
    """
    words = words.strip()
    branches: list[ColumnElement[bool]] = []
    found: list[Select[Any]] = []
    if re.fullmatch(r"(?i)pgd[-\s]?\d{0,4}[-\s]?\d{0,6}", words):
        branches.append(_number(words))
    elif re.fullmatch(r"\d{1,6}", words):
        branches.append(_serial(int(words)))
    tracking = clean_tracking_number(words)
    if 6 <= len(tracking) <= 40 and re.fullmatch(r"[A-Z0-9]+", tracking):
        found.append(select(Dispatch.complaint_id).where(Dispatch.tracking_number == tracking))
    if personal:
        if re.fullmatch(r"\d{16}", words):
            branches += [Complaint.nik == words, Complaint.kk_number == words]
        elif re.fullmatch(r"\+?[\d\s-]{9,16}", words):
            branches.append(Complaint.phone == normalise_phone(words))
        if re.search(r"[^\W\d]", words):
            branches.append(_name(session, words))
    if len(branches) == 1 and not found:
        return branches[0]
    # Each way is asked by itself: of several under one OR, PostgreSQL would use no index at all.
    found += [select(Complaint.id).where(branch) for branch in branches]
    return Complaint.id.in_(union(*found)) if found else false()


def _number(words: str) -> ColumnElement[bool]:
    digits = re.sub(r"[^\d]", "", words)
    year, serial = digits[:4], digits[4:]
    if len(year) == 4 and serial:
        return Complaint.number == f"PGD-{year}-{int(serial):06d}"
    return _begins(Complaint.number, f"PGD-{year}" if year else "PGD-")


def _serial(serial: int) -> ColumnElement[bool]:
    """The running number alone, of any year since the panel may exist."""
    return Complaint.number.in_([f"PGD-{year}-{serial:06d}" for year in range(2020, 2051)])


def _begins(column: Any, start: str) -> ColumnElement[bool]:
    """A range instead of LIKE: it uses the plain index on both databases."""
    condition: ColumnElement[bool] = (column >= start) & (column < start + "\uffff")
    return condition


def _name(session: Session, words: str) -> ColumnElement[bool]:
    if len(words) < TRIGRAM:
        return _begins(Complaint.applicant_name, words.title())
    if session.get_bind().dialect.name == "sqlite":
        phrase = '"' + words.replace('"', '""') + '"'
        found = text("SELECT rowid FROM complaint_search WHERE applicant_name MATCH :phrase")
        return Complaint.id.in_(found.bindparams(phrase=phrase).columns(Complaint.id))
    return Complaint.applicant_name.icontains(words, autoescape=True)
