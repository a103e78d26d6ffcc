"""How the database answers each statement: which reads a whole big table, without any index."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Connection, Engine

from benchmarks.operations import Timed

#: Tables that grow with the number of complaints.
BIG: Final = (
    "complaint", "requirement_check", "siak_check", "step_run", "case_event", "case_output",
    "document", "print_run", "dispatch", "pause",
)  # fmt: skip
_SCAN: Final = re.compile(r"SCAN (\w+)(?! USING)(?!.*USING .*INDEX)")


def table_of(name: str) -> str:
    """A table's name where a plan names one of its parts."""
    return re.sub(r"_(?:[0-9]{4}|default)$", "", name)


@dataclass(frozen=True)
class Finding:
    """One big table that a statement of an operation reads as a whole."""

    operation: str
    table: str
    how: str
    statement: str


def full_scans(engine: Engine, timed: Sequence[Timed]) -> list[Finding]:
    """Every statement that reads a big table without an index, each once."""
    found: dict[tuple[str, str, str], Finding] = {}
    with engine.connect() as connection:
        for item in timed:
            for statement, parameters in item.sql:
                for table, how in _reads(connection, statement, parameters):
                    finding = Finding(item.operation.name, table, how, _short(statement))
                    found.setdefault((item.operation.name, table, finding.statement), finding)
        connection.rollback()
    return list(found.values())


def _reads(connection: Connection, statement: str, parameters: Any) -> Iterator[tuple[str, str]]:
    if not re.match(r"\s*(SELECT|WITH|UPDATE|DELETE)\b", statement, re.IGNORECASE):
        return
    cursor = connection.connection.cursor()
    try:
        if connection.dialect.name == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            names = _aliases(statement)
            for row in cursor.fetchall():
                scan = _SCAN.match(row[3])
                if scan and names.get(scan[1], scan[1]) in BIG:
                    yield names.get(scan[1], scan[1]), "reads the whole table"
        else:
            # What is read in order although it costs a fortune has no index that could serve it.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            (plan,) = cursor.fetchall()[0]
            plan = json.loads(plan) if isinstance(plan, str) else plan
            yield from _sequential(plan[0]["Plan"])
    finally:
        cursor.close()


def _sequential(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Big tables of a PostgreSQL plan that are read as a whole, index or not."""
    kind, table = node["Node Type"], table_of(node.get("Relation Name", ""))
    # A walk along an index that asks a subquery about each row is a full read in disguise.
    asks = "SubPlan" in node.get("Filter", "") and "Index Cond" not in node
    if table in BIG and (kind == "Seq Scan" or ("Scan" in kind and asks)):
        yield table, "reads the whole table"
    for child in node.get("Plans", ()):
        yield from _sequential(child)


def _aliases(statement: str) -> dict[str, str]:
    """What a statement calls its tables: SQLite's plan names the alias."""
    pairs = re.findall(r"(?<![.\w])(\w+)\s+AS\s+(\w+)", statement, re.IGNORECASE)
    return {alias: table for table, alias in pairs if table in BIG}


def _short(statement: str) -> str:
    line = " ".join(statement.split())
    cut = line.upper().find(" FROM ")
    return (("SELECT …" + line[cut:]) if line.upper().startswith("SELECT") and cut > 0 else line)[
        :220
    ]
