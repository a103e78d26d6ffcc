"""The audit log: append only, every row sealed together with the one before it.

from app.services.audit import record

record(session, "file_downloaded", actor_id=actor.id, subject="document:4f2…")
session.commit()          # written here, in the same transaction
"""

from app.services.audit import changes as _changes  # its import lets settings tell of themselves
from app.services.audit.kinds import GROUPS, KINDS
from app.services.audit.recording import Origin, origin, record
from app.services.audit.verifying import Head, broken_rows, current_head

del _changes

__all__ = [
    "GROUPS",
    "KINDS",
    "Head",
    "Origin",
    "broken_rows",
    "current_head",
    "origin",
    "record",
]
