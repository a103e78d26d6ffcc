"""The numbers as a table, on the terminal and in docs/performance.md."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import text

from benchmarks.load import Loaded
from benchmarks.operations import Timed
from benchmarks.plans import Finding

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
FLOOR_BEGIN, FLOOR_END = "<!-- floor: begin -->", "<!-- floor: end -->"
LOAD_BEGIN, LOAD_END = "<!-- first load: begin -->", "<!-- first load: end -->"
#: The issue's limit of a page before its assets.
MOST_BYTES: Final = 150_000


@dataclass(frozen=True)
class Run:
    """One database of one size, with everything that was timed on it."""

    backend: str
    version: str
    cases: int
    rows: int
    load_seconds: float
    timed: Sequence[Timed]
    scans: Sequence[Finding]

    @property
    def misses(self) -> list[str]:
        """What does not keep the limits of the issue."""
        found = [
            f"{item.operation.name}: {max(item.statements)} statements"
            for item in self.timed
            if item.operation.limit is not None and max(item.statements) > item.operation.limit
        ]
        found += [
            f"{item.operation.name}: {item.size} bytes"
            for item in self.timed
            if item.size > MOST_BYTES
        ]
        return found


def version_of(office: Loaded) -> str:
    """The database and its version, as people say it."""
    if office.backend == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    with office.engine.connect() as connection:
        return f"PostgreSQL {connection.scalar(text('SHOW server_version'))}".split(" (")[0]


def table(run: Run) -> str:
    """One run as a table that is as readable in a terminal as on a page."""
    lines = [
        f"**{run.version}, {run.cases:,} complaints** ({run.rows:,} rows,"
        f" loaded in {run.load_seconds:.0f} s)",
        "",
        "| operation | median ms | p95 ms | SQL | kB of HTML |",
        "|---|---:|---:|---:|---:|",
    ]
    for item in run.timed:
        size = f"{item.size / 1000:.1f}" if item.status < 300 else "–"
        lines.append(
            f"| {item.operation.name} | {item.median:.1f} | {item.p95:.1f}"
            f" | {max(item.statements)} | {size} |"
        )
    lines.append("")
    lines += [f"- over the limit: {miss}" for miss in run.misses]
    lines += [
        f"- {scan.operation}: {scan.how}: `{scan.table}` (`{scan.statement}`)" for scan in run.scans
    ]
    if not run.scans:
        lines.append("No statement reads a big table without an index.")
    return "\n".join(lines)


def machine() -> str:
    """The machine in one line; the numbers mean little without it."""
    model = platform.processor() or platform.machine()
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        names = [line for line in info.splitlines() if line.startswith("model name")]
        model = f"{len(names)} × {names[0].partition(': ')[2]}" if names else model
    except OSError:
        pass
    return f"Python {platform.python_version()}, {platform.system()}, {model}"


def write(runs: Sequence[Run], page: Path = PAGE) -> None:
    """Put the tables between the marks of the page; everything around them stays."""
    tables = "\n\n".join(table(run) for run in runs)
    _put(page, BEGIN, END, f"Measured on: {machine()}, one process.\n\n{tables}")


def write_versus(text: str, page: Path = PAGE) -> None:
    """The same for the comparison with the floor."""
    _put(page, FLOOR_BEGIN, FLOOR_END, f"Measured on: {machine()}.\n\n{text}")


def write_first_load(text: str, page: Path = PAGE) -> None:
    """The same for the first load in a browser."""
    _put(page, LOAD_BEGIN, LOAD_END, f"Measured on: {machine()}.\n\n{text}")


def _put(page: Path, begin: str, end: str, text: str) -> None:
    """Replace what stands between two marks.

    Raises:
        ValueError: the page has no marks.
    """
    head, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _old, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page} has no {begin} and {end}")
    page.write_text(f"{head}{begin}\n\n{text}\n\n{end}{tail}", encoding="utf-8")
