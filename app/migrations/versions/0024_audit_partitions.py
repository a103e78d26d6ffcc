"""The audit log in a partition for each year, on PostgreSQL

The table as it is becomes the first partition, without copying a row. `make_audit_partitions` makes
those of the years to come; it runs with its owner's rights, so that the panel's role, which may change
nothing of the log, can have it done ahead. What comes without a partition lands in the default one,
and is moved when its year is made. SQLite keeps its one table.

Revision: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

COLUMNS = (
    "id integer NOT NULL, at timestamp with time zone NOT NULL, kind varchar(40) NOT NULL,"
    " actor_id integer, subject varchar(80) NOT NULL, detail text NOT NULL,"
    " address varchar(45) NOT NULL, request_id varchar(64) NOT NULL, mac varchar(64) NOT NULL"
)
INDEXES = {
    "ix_audit_event_at": "at",
    "ix_audit_event_actor": "actor_id, id",
    "ix_audit_event_kind": "kind, id",
    "ix_audit_event_subject": "subject, id",
}
#: Nobody but the parent's own grants leads to a partition, whatever a role gets by default.
MAKE = """
CREATE FUNCTION make_audit_partitions(ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    this_year integer := extract(year FROM now() AT TIME ZONE 'UTC');
    made integer := 0; newest integer; part text; span text; moved boolean;
    item record;
BEGIN
    IF ahead NOT BETWEEN 0 AND 10 THEN RAISE EXCEPTION 'from 0 to 10 years ahead'; END IF;
    SELECT max(substring(c.relname FROM '[0-9]+$')::integer) INTO newest FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit_event'::regclass;
    IF newest >= this_year + ahead THEN RETURN 0; END IF;
    PERFORM pg_advisory_xact_lock(720016);
    SELECT max(substring(c.relname FROM '[0-9]+$')::integer) INTO newest FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit_event'::regclass;
    FOR year IN newest + 1 .. this_year + ahead LOOP
        part := format('audit_event_%s', year);
        span := format('at >= ''%s-01-01 00:00+00'' AND at < ''%s-01-01 00:00+00''', year, year + 1);
        EXECUTE format('SELECT EXISTS (SELECT FROM audit_event_default WHERE %s)', span) INTO moved;
        IF moved THEN ALTER TABLE audit_event DETACH PARTITION audit_event_default; END IF;
        -- Made apart and then attached: reading and writing go on.
        EXECUTE format('CREATE TABLE %I (LIKE audit_event)', part);
        EXECUTE format('ALTER TABLE audit_event ATTACH PARTITION %I'
            ' FOR VALUES FROM (''%s-01-01 00:00+00'') TO (''%s-01-01 00:00+00'')',
            part, year, year + 1);
        IF moved THEN
            EXECUTE format('INSERT INTO audit_event SELECT * FROM audit_event_default WHERE %s', span);
            EXECUTE 'ALTER TABLE audit_event_default DISABLE TRIGGER USER';
            EXECUTE format('DELETE FROM audit_event_default WHERE %s', span);
            EXECUTE 'ALTER TABLE audit_event_default ENABLE TRIGGER USER';
            ALTER TABLE audit_event ATTACH PARTITION audit_event_default DEFAULT;
        END IF;
        EXECUTE format('CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON %I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', part);
        FOR item IN SELECT DISTINCT a.grantee FROM pg_class c, aclexplode(c.relacl) a
            WHERE c.oid = part::regclass AND a.grantee <> c.relowner LOOP
            EXECUTE format('REVOKE ALL ON %I FROM %s', part, CASE item.grantee WHEN 0 THEN 'PUBLIC'
                ELSE quote_ident(pg_get_userbyid(item.grantee)) END);
        END LOOP;
        made := made + 1;
    END LOOP;
    RETURN made;
END $$
"""
#: The parent takes what roles might do with the table, and its parts lose it.
RIGHTS = """
DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT DISTINCT a.grantee FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid IN ('audit_event'::regclass, 'audit_event_default'::regclass)
        AND a.grantee <> c.relowner LOOP
        EXECUTE format('REVOKE ALL ON audit_event, audit_event_default FROM %s', CASE item.grantee
            WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(item.grantee)) END);
    END LOOP;
    FOR item IN SELECT a.grantee, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = '{first}'::regclass AND a.grantee <> c.relowner LOOP
        EXECUTE format('GRANT %s ON audit_event TO %s', item.privilege_type, CASE item.grantee
            WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(item.grantee)) END);
        EXECUTE format('REVOKE ALL ON {first} FROM %s', CASE item.grantee
            WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(item.grantee)) END);
    END LOOP;
END $$
"""


def guard(table, *, rows):
    if rows:  # a partition gets its own from the parent
        op.execute(
            f"CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        f"CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def upgrade():
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        return
    op.execute("LOCK TABLE audit_event IN ACCESS EXCLUSIVE MODE")
    year = connection.scalar(
        sa.text(
            "SELECT greatest(extract(year FROM now() AT TIME ZONE 'UTC')::integer,"
            " (SELECT extract(year FROM max(at) AT TIME ZONE 'UTC')::integer FROM audit_event))"
        )
    )
    first = f"audit_event_until_{year}"
    for trigger in ("audit_event_no_change", "audit_event_no_truncate"):
        op.execute(f"DROP TRIGGER {trigger} ON audit_event")
    op.execute(f"ALTER TABLE audit_event RENAME TO {first}")
    op.execute(f"ALTER TABLE {first} DROP CONSTRAINT audit_event_pkey")
    op.execute(f"ALTER TABLE {first} ADD PRIMARY KEY (id, at)")
    for name in INDEXES:
        op.execute(f"ALTER INDEX {name} RENAME TO {name.replace('event', f'event_until_{year}')}")
    op.execute(
        f"CREATE TABLE audit_event ({COLUMNS}, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)"
    )
    for name, columns in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON audit_event ({columns})")
    op.execute(
        f"ALTER TABLE audit_event ATTACH PARTITION {first}"
        f" FOR VALUES FROM (MINVALUE) TO ('{year + 1}-01-01 00:00+00')"
    )
    op.execute("CREATE TABLE audit_event_default PARTITION OF audit_event DEFAULT")
    guard("audit_event", rows=True)
    for part in (first, "audit_event_default"):
        guard(part, rows=False)
    op.execute(RIGHTS.replace("{first}", first))
    op.execute(MAKE)
    op.execute("SELECT make_audit_partitions(1)")


def downgrade():
    if op.get_bind().dialect.name == "sqlite":
        return
    op.execute("DROP FUNCTION make_audit_partitions(integer)")
    op.execute(f"CREATE TABLE audit_event_plain ({COLUMNS}, PRIMARY KEY (id))")
    op.execute("INSERT INTO audit_event_plain SELECT * FROM audit_event")
    op.execute("DROP TABLE audit_event")
    op.execute("ALTER TABLE audit_event_plain RENAME TO audit_event")
    op.execute("ALTER INDEX audit_event_plain_pkey RENAME TO audit_event_pkey")
    for name, columns in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON audit_event ({columns})")
    guard("audit_event", rows=True)
