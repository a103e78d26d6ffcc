"""Two roles of PostgreSQL: an owner who changes the schema, and the panel, which only adds history."""

from __future__ import annotations

import re
from typing import Final

from app.services.partitions import BY_YEARS

#: The panel may add to these and read them; nothing else.
APPEND_ONLY: Final = ("audit_event",)
#: The panel may add to these, and blot out what retention takes from them; no row is removed.
KEPT_ROWS: Final = {"case_event": ("reason", "details", "by_name")}
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def grant_statements(owner: str, panel: str, *, database: str, schema: str = "public") -> list[str]:
    """The statements, for a superuser, that give each role exactly what it needs.

    Run them again after a release that adds tables.

    Raises:
        ValueError: a name that would need quoting, or one role for both.
    """
    for name in (owner, panel, database, schema):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no plain name (small letters, digits and _)")
    if owner == panel:
        raise ValueError("the owner and the panel must be two roles")
    found = [
        *(_role(name) for name in (owner, panel)),
        f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {panel}",
        f"GRANT ALL ON SCHEMA {schema} TO {owner}",
        f"GRANT USAGE ON SCHEMA {schema} TO {panel}",
        f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {owner}, {panel}",
        _own_everything(owner, schema),
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {panel}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {panel}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema}"
        f" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {panel}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema}"
        f" GRANT USAGE, SELECT ON SEQUENCES TO {panel}",
    ]
    found += [_leave_partitions(table, panel, schema) for table in BY_YEARS]
    for table in (*APPEND_ONLY, *KEPT_ROWS):
        found.append(f"REVOKE ALL ON {schema}.{table} FROM {panel}, PUBLIC")
        found.append(f"GRANT SELECT, INSERT ON {schema}.{table} TO {panel}")
    for table, columns in KEPT_ROWS.items():
        found.append(f"GRANT UPDATE ({', '.join(columns)}) ON {schema}.{table} TO {panel}")
    found.append(f"REVOKE ALL ON {schema}.alembic_version FROM {panel}")
    found.append(f"GRANT SELECT ON {schema}.alembic_version TO {panel}")
    return found


def _leave_partitions(table: str, panel: str, schema: str) -> str:
    """The way to a partition is its table; the statement for all tables has opened another."""
    return (
        "DO $$ DECLARE part record; BEGIN FOR part IN SELECT i.inhrelid::regclass AS name"  # noqa: S608
        f" FROM pg_inherits i WHERE i.inhparent = '{schema}.{table}'::regclass"
        f" LOOP EXECUTE 'REVOKE ALL ON ' || part.name::text || ' FROM {panel}, PUBLIC'; END LOOP; END $$"
    )


def _role(name: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}')"
        f" THEN CREATE ROLE {name} LOGIN; END IF; END $$"
    )


def _own_everything(owner: str, schema: str) -> str:
    """Tables, sequences of no table, and functions of ours change hands; extensions stay."""
    return (  # of names that were looked at before
        "DO $$ DECLARE item record; BEGIN"  # noqa: S608
        " FOR item IN SELECT c.oid::regclass AS name, c.relkind FROM pg_class c"
        f" WHERE c.relnamespace = '{schema}'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"
        f" LOOP EXECUTE 'ALTER TABLE ' || item.name::text || ' OWNER TO {owner}'; END LOOP;"
        " FOR item IN SELECT p.oid::regprocedure AS name FROM pg_proc p"
        f" WHERE p.pronamespace = '{schema}'::regnamespace"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
        f" LOOP EXECUTE 'ALTER ROUTINE ' || item.name::text || ' OWNER TO {owner}'; END LOOP;"
        " END $$"
    )
