"""The words of applicants' names: what the search box looks into instead of the names."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model

#: Words are compared letter by letter on both databases, whatever the server's language is.
WORD = String(40).with_variant(String(40, collation="C"), "postgresql")


class NameWord(Model):
    """One word that names are made of, and in how many cases it stands (about: only a hint).

    There are some ten thousands of them, however many cases: parts of words and misspelt words are
    looked for here, through a trigram index of each database (migration 0013).
    """

    __tablename__ = "name_word"

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(WORD, nullable=False, unique=True)
    cases: Mapped[int] = mapped_column(Integer, nullable=False, default=1)


class CaseWord(Model):
    """That a word stands in the name of a case's applicant; in the order of the cases."""

    __tablename__ = "case_word"

    word: Mapped[str] = mapped_column(WORD, primary_key=True)
    complaint_id: Mapped[int] = mapped_column(
        ForeignKey("complaint.id", ondelete="CASCADE"), primary_key=True, index=True
    )

    __table_args__ = ({"sqlite_with_rowid": False},)
