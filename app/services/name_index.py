"""Keeping the words of names in line with the names: a listener, and a way to make them anew."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import delete, event, inspect, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models import CaseWord, Complaint, NameWord
from app.sop.words import name_words

#: Pairs in one statement; two values each stay below what SQLite takes.
CHUNK = 5000
_WORDS: Any = NameWord.__table__
_PAIRS: Any = CaseWord.__table__


def _note_names(session: Session, flush_context: object) -> None:
    """After each flush: the words of new and corrected names, in two or three statements."""
    gone: list[tuple[str, int]] = []
    added: list[tuple[str, int]] = []
    for item in session.new:
        if isinstance(item, Complaint):
            added += [(word, item.id) for word in set(name_words(item.applicant_name))]
    for item in session.dirty:
        if isinstance(item, Complaint):
            change: Any = inspect(item).attrs.applicant_name.history
            if not change.has_changes():
                continue
            now = set(name_words(item.applicant_name))
            # The old name may not have been loaded; then the table itself knows its words.
            before = (
                set(name_words(change.deleted[0]))
                if change.deleted
                else set(
                    session.scalars(select(CaseWord.word).where(CaseWord.complaint_id == item.id))
                )
            )
            added += [(word, item.id) for word in now - before]
            gone += [(word, item.id) for word in before - now]
    for at in range(0, len(gone), CHUNK):
        pair = tuple_(_PAIRS.c.word, _PAIRS.c.complaint_id)
        session.execute(delete(_PAIRS).where(pair.in_(gone[at : at + CHUNK])))
    for at in range(0, len(added), CHUNK):
        _add(session, added[at : at + CHUNK])


def _add(session: Session, pairs: list[tuple[str, int]]) -> None:
    """New pairs of word and case; the words in one order, so that nobody waits in a circle."""
    insert: Any = (
        postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    )
    # First the pairs: who waits for a rebuild then holds no word that it wants to replace.
    rows = [{"word": word, "complaint_id": case} for word, case in sorted(pairs)]
    session.execute(insert(_PAIRS).values(rows).on_conflict_do_nothing())
    counts = Counter(word for word, _case in pairs)
    words = insert(_WORDS).values(
        [{"word": word, "cases": counts[word]} for word in sorted(counts)]
    )
    session.execute(
        words.on_conflict_do_update(
            index_elements=[_WORDS.c.word],
            set_={"cases": _WORDS.c.cases + words.excluded.cases},
        )
    )


def rebuild(session: Session) -> int:
    """Make all words anew from the names, for rows that came by another way; answers how many.

    The caller commits.
    """
    postgres = session.get_bind().dialect.name == "postgresql"
    if postgres:  # SQLite has one writer at a time; here a registration waits until we are done
        session.execute(text("LOCK TABLE case_word, name_word IN EXCLUSIVE MODE"))
    session.execute(delete(_PAIRS))
    session.execute(delete(_WORDS))
    counts: Counter[str] = Counter()
    last = total = 0
    while True:
        rows = session.execute(
            select(Complaint.id, Complaint.applicant_name)
            .where(Complaint.id > last)
            .order_by(Complaint.id)
            .limit(CHUNK)
        ).all()
        if not rows:
            break
        last = rows[-1][0]
        found = [(word, key) for key, name in rows for word in sorted(set(name_words(name)))]
        counts.update(word for word, _key in found)
        total += len(found)
        _copy(session, _PAIRS, ("word", "complaint_id"), found)
    words = [(word, counts[word]) for word in sorted(counts)]
    for at in range(0, len(words), CHUNK):
        _copy(session, _WORDS, ("word", "cases"), words[at : at + CHUNK])
    if postgres:
        session.execute(text("ANALYZE name_word, case_word"))  # else its first plans are guesses
    return total


def _copy(session: Session, table: Any, columns: tuple[str, ...], rows: list[Any]) -> None:
    """Many rows by the fastest way that a database has."""
    if not rows:
        return
    if session.get_bind().dialect.name == "postgresql":
        raw: Any = session.connection().connection.dbapi_connection
        with raw.cursor().copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    session.execute(table.insert(), [dict(zip(columns, row, strict=True)) for row in rows])


def install() -> None:
    """Put the listener on every session; calling it twice changes nothing."""
    if not event.contains(Session, "after_flush", _note_names):
        event.listen(Session, "after_flush", _note_names)


install()
