"""The audit log: append only, every row sealed together with the one before it.

from app.services.audit import record

record(session, "file_downloaded", actor_id=actor.id, subject="document:4f2…")
session.commit()          # written here, in the same transaction
"""

from app.services.audit.kinds import GROUPS, KINDS
from app.services.audit.recording import Origin, origin, record

__all__ = ["GROUPS", "KINDS", "Origin", "origin", "record"]
