"""An import from the file to the cases: looked through first, then all of it or nothing.

What the dry run sees and what the take-over writes are read by the same code, so a row that looked
right cannot be refused for another reason than that the office has changed meanwhile.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.models import ImportRun
from app.services.actor import Actor
from app.services.complaints import NUMBER_PREFIX
from app.services.importing.columns import ignored, places
from app.services.importing.repeated import repeated
from app.services.importing.rows import CellProblem, ImportedCase, Reference, RowReader
from app.services.importing.sheet import read_sheet
from app.services.importing.writing import write_cases
from app.services.numbers import next_numbers
from app.services.storage import Store, StoreError, delete_after_commit, new_key
from app.services.transitions import Office
from app.sop.errors import FileRefusedError, NotFoundError, RefusedError
from app.sop.text import N_

_PUBLIC_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,32}")

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    "import_file_known": N_(
        "This file was taken over already on %(at)s, as %(first)s to %(last)s."
    ),
    "import_gone": N_("This import is finished or was given up. Send the file again."),
    "import_not_clean": N_(
        "Nothing was taken over: %(count)s cells cannot be. Mend them in the spreadsheet and send"
        " it again."
    ),
}

#: Problems that are kept and shown; the rest are counted.
MOST_PROBLEMS: Final = 500


@dataclass(frozen=True)
class DryRun:
    """What a file would bring: its complaints, or every reason why not."""

    sheet: str
    rows: int
    ignored: tuple[str, ...]
    cases: tuple[ImportedCase, ...]
    problems: tuple[CellProblem, ...] = field(default_factory=tuple)

    @property
    def clean(self) -> bool:
        """True when all of it can be taken over."""
        return not self.problems


def look_through(
    session: Session, office: Office, data: bytes, actor: Actor, *, now: datetime
) -> DryRun:
    """Read a register without writing anything; every cell that is wrong is among the problems.

    Raises:
        NotAllowedError: the actor may not import.
        FileRefusedError: it is no register at all (see `sheet` and `columns`).
    """
    actor.require("can_add", "Import")
    grid = read_sheet(data)
    reader = RowReader(Reference(session), office.sop, places(grid.head), now=now)
    cases = [case for number, cells in grid.rows if (case := reader.read(number, cells))]
    problems = reader.problems + list(repeated(session, cases, actor))
    problems.sort(key=lambda problem: problem.row)
    return DryRun(
        grid.sheet, len(grid.rows), tuple(ignored(grid.head)), tuple(cases), tuple(problems)
    )


def stage_import(
    session: Session,
    store: Store,
    data: bytes,
    found: DryRun,
    actor: Actor,
    *,
    file_name: str,
    now: datetime,
) -> ImportRun:
    """Keep a file that was looked through until it is taken over or given up; flushes.

    An earlier file of the same officer that still waits is given up.

    Raises:
        RefusedError: `import_file_known`, the same file was taken over before.
    """
    actor.require("can_add", "Import")
    sha256 = hashlib.sha256(data).hexdigest()
    done = session.scalars(
        select(ImportRun).where(ImportRun.sha256 == sha256, ImportRun.state == "done").limit(1)
    ).first()
    if done is not None:
        numbers = {"first": done.first_number, "last": done.last_number}
        raise RefusedError("import_file_known", at=done.done_at, **numbers)
    waiting = select(ImportRun).where(ImportRun.user_id == actor.id, ImportRun.state == "checked")
    for run in session.scalars(waiting):
        drop_import(session, store, run, actor)
    key = new_key()
    try:
        store.put(key, data)
    except StoreError as error:
        raise FileRefusedError("storage_unavailable") from error
    run = ImportRun(
        public_id=secrets.token_urlsafe(16),
        user_id=actor.id,
        file_name=_safe_name(file_name),
        storage_key=key,
        size=len(data),
        sha256=sha256,
        uploaded_at=now,
        rows=found.rows,
    )
    _note_problems(run, found.problems)
    session.add(run)
    session.flush()
    return run


def own_import(session: Session, public_id: str, actor: Actor) -> ImportRun:
    """An officer's own import; nobody else's rows are his to see.

    Raises:
        NotFoundError: there is none, or it is a colleague's.
    """
    # PostgreSQL takes no NUL in a text, not even to look for it.
    if not _PUBLIC_ID.fullmatch(public_id):
        raise NotFoundError("import", public_id)
    run = session.scalars(
        select(ImportRun).where(ImportRun.public_id == public_id, ImportRun.user_id == actor.id)
    ).one_or_none()
    if run is None:
        raise NotFoundError("import", public_id)
    return run


def drop_import(session: Session, store: Store, run: ImportRun, actor: Actor) -> None:
    """Give up an import; its file goes with the commit. Nothing happens to one that is over."""
    actor.require("can_add", "Import")
    if run.state != "checked":
        return
    if run.storage_key:
        delete_after_commit(session, store, [run.storage_key])
    run.state, run.storage_key, run.problems = "dropped", None, []
    session.flush()


def take_over(
    session: Session,
    office: Office,
    store: Store,
    run_id: int,
    found: DryRun,
    actor: Actor,
    *,
    now: datetime,
) -> list[CellProblem]:
    """Write every complaint of a file, or none: problems come back, and the caller rolls back.

    `found` is what `look_through` has read just now, outside the transaction that writes. Numbers
    come first: their row lock makes a second import wait, and then it finds these complaints.

    Raises:
        RefusedError: `import_gone`, it was taken over or given up meanwhile; `import_not_clean`.
    """
    actor.require("can_add", "Import")
    if found.problems or not found.cases:
        raise RefusedError("import_not_clean", count=len(found.problems))
    taken = session.execute(
        update(ImportRun)
        .where(ImportRun.id == run_id, ImportRun.user_id == actor.id, ImportRun.state == "checked")
        .values(state="done", done_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(taken, CursorResult)
    if taken.rowcount != 1:
        raise RefusedError("import_gone")
    numbers = next_numbers(session, NUMBER_PREFIX, now, len(found.cases))
    if problems := list(repeated(session, found.cases, actor)):
        return problems
    run = session.get_one(ImportRun, run_id, populate_existing=True)
    write_cases(session, office, found.cases, numbers, run, actor, now)
    run.first_number, run.last_number = numbers[0], numbers[-1]
    run.problem_count, run.problems = 0, []
    if run.storage_key:
        delete_after_commit(session, store, [run.storage_key])
    run.storage_key = None
    session.flush()
    return []


def note_problems(session: Session, run: ImportRun, problems: Sequence[CellProblem]) -> None:
    """Keep what a later look has found; flushes."""
    _note_problems(run, problems)
    session.flush()


def _note_problems(run: ImportRun, problems: Sequence[CellProblem]) -> None:
    run.problem_count = len(problems)
    run.problems = [
        {"row": one.row, "column": one.column, "code": one.code, "params": one.params}
        for one in problems[:MOST_PROBLEMS]
    ]


def _safe_name(name: str) -> str:
    """A file name for showing: no folder, no control characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:200] or "register"
