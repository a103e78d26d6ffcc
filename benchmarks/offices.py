"""`python -m benchmarks.offices`: what one PostgreSQL server carries, by the number of its offices.

Each office has its own database and one process that sends, without a pause, what the panel sends for six
cases from the form to their ends (`tests/data/recorded`: every statement that writes, with its values). It is
rolled back each time, so that the next round begins the same: the disk's wait at some forty commits comes on
top (`pg_test_fsync` tells it), and so does reading. The panel's own work (Python, templates, PDF) is not in it:
this is the server's part alone, with this program on the same machine.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from tests.support import panel, recorded
from tests.support.postgres import Server, postgres_server

#: What a busy office does: 120 complaints received on a working day of 7.5 hours.
BUSY_CASES_PER_SECOND = 120 / (7.5 * 3600)


def main() -> None:
    """Measure 1, 2, 4 … offices and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offices", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    with postgres_server() as server, tempfile.TemporaryDirectory() as folder:
        template = server.create_database()
        panel.make_template(Path(folder), server.url(template))
        numbers = _sequences(server, template)
        names = [server.create_database(template=template) for _ in range(max(options.offices))]
        print(
            "| offices at once | cases a second | busy offices that is | slowest round of six cases |"
        )
        print("|---|---|---|---|")
        for count in options.offices:
            rounds, slowest = _measure(server, names[:count], numbers, options.seconds)
            cases = rounds * len(recorded.PLACES) / options.seconds
            busy = int(cases / BUSY_CASES_PER_SECOND)
            print(f"| {count} | {cases:.0f} | {busy:,} | {slowest * 1000:.0f} ms |", flush=True)
        with psycopg.connect(_plain(server.url(names[0])), autocommit=True) as one:
            print(
                f"\nan empty office: {_size(one) / 1e6:.0f} MB on disk; PostgreSQL {server.version}"
            )
        for name in [*names, template]:
            server.drop_database(name)


def _measure(
    server: Server, names: list[str], numbers: list[Any], seconds: float
) -> tuple[int, float]:
    with multiprocessing.get_context("spawn").Pool(len(names)) as pool:
        work = [(_plain(server.url(name)), numbers, seconds) for name in names]
        found = pool.starmap(send, work)
    return sum(rounds for rounds, _slowest in found), max(slowest for _rounds, slowest in found)


def send(url: str, numbers: list[Any], seconds: float) -> tuple[int, float]:
    """One office: how many rounds it got through, and the slowest."""
    statements = recorded.load("postgresql")["worked"]
    rounds, slowest = 0, 0.0
    with psycopg.connect(url) as office:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            began = time.perf_counter()
            _round(office, statements, numbers)
            slowest = max(slowest, time.perf_counter() - began)
            rounds += 1
    return rounds, slowest


def _round(office: psycopg.Connection[Any], statements: Any, numbers: list[Any]) -> None:
    with office.cursor() as cursor:
        for name, value, called in numbers:
            cursor.execute("SELECT setval(%s, %s, %s)", [name, value, called])
        for text, values, many in statements:
            (cursor.executemany if many else cursor.execute)(text, values)
        office.rollback()


def _sequences(server: Server, name: str) -> list[Any]:
    """Where the numbers of a new office stand; a rollback does not put them back."""
    with psycopg.connect(_plain(server.url(name))) as office:
        return office.execute(
            "SELECT schemaname || '.' || sequencename, coalesce(last_value, 1),"
            " last_value IS NOT NULL FROM pg_sequences"
        ).fetchall()


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def _size(office: psycopg.Connection[Any]) -> int:
    row = office.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    main()
