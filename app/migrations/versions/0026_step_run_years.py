"""The step records in a partition for each year of their case, on PostgreSQL

`case_year` is the year in the number of the case: known when the run is written, and never another one.
Every row gets that value, so every row is written once; it is written into its year right away. What
comes without a year (the release before) lands in the default part and moves to its year within the
same statement. `make_year_partitions` makes the years to come, of the audit log as well.

SQLite keeps its table and gets the column.

Revision: 0026
Revises: 0025
"""

# ruff: noqa: S608 - put together of this module's own words

import sqlalchemy as sa
from alembic import context, op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

OLD = (
    "id, complaint_id, step_key, round, entered_at, started_at, finished_at, started_by_id,"
    " finished_by_id, transition, reason, standard_minutes, batch_size, wait_seconds, work_seconds"
)
COLUMNS = (
    "id integer NOT NULL DEFAULT nextval('step_run_id_seq'), complaint_id integer NOT NULL,"
    " step_key varchar(40) NOT NULL, round integer NOT NULL,"
    " entered_at timestamp with time zone NOT NULL, started_at timestamp with time zone,"
    " finished_at timestamp with time zone, started_by_id integer, finished_by_id integer,"
    " transition varchar(40), reason text NOT NULL, standard_minutes integer,"
    " batch_size integer NOT NULL, wait_seconds integer, work_seconds integer"
)
CHECKS = (
    "CONSTRAINT ck_work CHECK (work_seconds IS NULL OR work_seconds >= 0),"
    " CONSTRAINT ck_wait CHECK (wait_seconds IS NULL OR wait_seconds >= 0)"
)
INDEXES = {
    "ix_step_run_chart": "(finished_at, step_key, work_seconds, wait_seconds, standard_minutes)",
    "ix_step_run_complaint_id": "(complaint_id)",
    "ix_step_run_finished_by_id": "(finished_by_id)",
    "ix_step_run_queue": "(step_key, entered_at) WHERE finished_at IS NULL",
}
KEYS = {
    "complaint_id": "complaint (id)",
    "finished_by_id": "ab_user (id)",
    "started_by_id": "ab_user (id)",
    "step_key": "sop_step (key)",
}
#: PGD-2026-000001; 0 where a number does not say a year.
YEAR = "coalesce(substring(c.number FROM '^[^-]*-([0-9]{4})-')::integer, 0)"
YEAR_SQLITE = (
    "coalesce((SELECT CAST(substr(c.number, instr(c.number, '-') + 1, 4) AS INTEGER)"
    " FROM complaint c WHERE c.id = {of}"
    " AND substr(c.number, instr(c.number, '-') + 1) GLOB '[0-9][0-9][0-9][0-9]-*'), 0)"
)
TRIGGERS = (
    f"""
CREATE FUNCTION run_to_its_year() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE year integer;
BEGIN
    SELECT {YEAR} INTO year FROM complaint c WHERE c.id = NEW.complaint_id;
    IF year <> 0 THEN
        UPDATE step_run SET case_year = year WHERE id = NEW.id AND case_year = 0;
    END IF;
    RETURN NULL;
END $$
""",
    "CREATE TRIGGER run_to_its_year AFTER INSERT ON step_run_default FOR EACH ROW"
    " WHEN (NEW.case_year = 0) EXECUTE FUNCTION run_to_its_year()",
    # A key of which one half is unknown is not held against anything: this half is never unknown.
    """
CREATE FUNCTION pause_of_its_year() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.case_year := NULL;
    IF NEW.step_run_id IS NOT NULL THEN
        SELECT case_year INTO NEW.case_year FROM step_run WHERE id = NEW.step_run_id;
        IF NOT FOUND THEN
            RAISE foreign_key_violation USING MESSAGE = format('there is no run %s', NEW.step_run_id);
        END IF;
    END IF;
    RETURN NEW;
END $$
""",
    "CREATE TRIGGER pause_of_its_year BEFORE INSERT OR UPDATE OF step_run_id, case_year ON pause"
    " FOR EACH ROW EXECUTE FUNCTION pause_of_its_year()",
)
PAUSE_KEY = (
    "ALTER TABLE pause ADD CONSTRAINT pause_step_run_id_fkey FOREIGN KEY (step_run_id, case_year)"
    " REFERENCES step_run (id, case_year)"
)
#: All at once or not at all, and waited for less long than it takes to notice a deadlock: of the panel
#: that goes on nobody is stopped for it.
ALONE = """
DO $$
DECLARE usual text := current_setting('lock_timeout');
BEGIN
    FOR attempt IN 1 .. 200 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', '400ms', true);
            LOCK TABLE ab_user, complaint, sop_step, step_run, pause IN ACCESS EXCLUSIVE MODE;
            PERFORM set_config('lock_timeout', usual, true);
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.3);
        END;
    END LOOP;
    RAISE lock_not_available USING MESSAGE = 'the tables are busy: try again';
END $$
"""
#: What others write waits for less than it takes to notice a deadlock: who makes years gives up first.
MAKE = """
CREATE FUNCTION make_year_partitions(parent text, ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    this_year integer := extract(year FROM now() AT TIME ZONE 'UTC');
    made integer := 0; year integer; newest integer; part text; span text; bounds text; moved boolean;
    lacking integer[]; stood integer[]; item record;
BEGIN
    IF parent NOT IN ('audit_event', 'step_run') THEN RAISE EXCEPTION 'no table of years'; END IF;
    IF ahead NOT BETWEEN 0 AND 10 THEN RAISE EXCEPTION 'from 0 to 10 years ahead'; END IF;
    FOR look IN 1 .. 2 LOOP
        SELECT max(substring(c.relname FROM '[0-9]+$')::integer) INTO newest FROM pg_inherits i
            JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = parent::regclass;
        SELECT coalesce(array_agg(y ORDER BY y), '{}') INTO lacking FROM (
            SELECT generate_series(coalesce(newest + 1, this_year), this_year + ahead) AS y
            UNION  -- years gone by, of a backup from elsewhere or of a demo in January
            SELECT DISTINCT case_year FROM step_run_default
                WHERE parent = 'step_run' AND case_year BETWEEN 1000 AND this_year + ahead) t;
        IF cardinality(lacking) = 0 THEN RETURN 0; END IF;
        IF look = 2 THEN EXIT; END IF;
        IF parent = 'step_run' THEN  -- in the order of those who write; its keys need all of them
            LOCK TABLE complaint, ab_user, sop_step, pause IN SHARE ROW EXCLUSIVE MODE;
        ELSE
            PERFORM pg_advisory_xact_lock(720016);
        END IF;
    END LOOP;
    FOREACH year IN ARRAY lacking LOOP
        part := format('%s_%s', parent, year);
        IF parent = 'audit_event' THEN
            bounds := format('FROM (''%s-01-01 00:00+00'') TO (''%s-01-01 00:00+00'')', year, year + 1);
            span := format('at >= ''%s-01-01 00:00+00'' AND at < ''%s-01-01 00:00+00''', year, year + 1);
        ELSE
            bounds := format('IN (%s)', year);
            span := format('case_year = %s', year);
        END IF;
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %s)', parent || '_default', span)
            INTO moved;
        IF moved THEN
            IF parent = 'step_run' THEN  -- what refers to a run lets go of it while it moves
                EXECUTE format('SELECT array_agg(p.id) FROM pause p WHERE p.%s', span) INTO stood;
                ALTER TABLE pause DISABLE TRIGGER pause_of_its_year;
                UPDATE pause SET case_year = NULL WHERE id = ANY (stood);
            END IF;
            EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, parent || '_default');
        END IF;
        -- Made apart and then attached: reading and writing go on.
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
            part, parent);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES %s', parent, part, bounds);
        IF moved THEN
            EXECUTE format('INSERT INTO %I SELECT * FROM %I WHERE %s', parent, parent || '_default',
                span);
            EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', parent || '_default');
            EXECUTE format('DELETE FROM %I WHERE %s', parent || '_default', span);
            EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', parent || '_default');
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I DEFAULT', parent, parent || '_default');
            IF parent = 'step_run' THEN
                UPDATE pause SET case_year = year WHERE id = ANY (stood);
                ALTER TABLE pause ENABLE TRIGGER pause_of_its_year;
            END IF;
        END IF;
        IF parent = 'audit_event' THEN
            EXECUTE format('CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON %I'
                ' FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', part);
        END IF;
        -- Nobody but the parent's own grants leads to a partition, whatever a role gets by default.
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
#: The name by which the release before asks.
MAKE_AUDIT = """
CREATE FUNCTION make_audit_partitions(ahead integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $$ SELECT make_year_partitions('audit_event', ahead) $$
"""
#: Who might do something with the table may do it still, and reaches no part by itself.
RIGHTS = """
DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT c.oid::regclass AS name, a.grantee FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.relname ~ '^step_run(_default|_[0-9]+)?$' AND c.relnamespace = 'public'::regnamespace
        AND a.grantee <> c.relowner LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', item.name, CASE item.grantee WHEN 0 THEN 'PUBLIC'
            ELSE quote_ident(pg_get_userbyid(item.grantee)) END);
    END LOOP;
    FOR item IN SELECT a.grantee, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = 'step_run_plain'::regclass AND a.grantee <> c.relowner LOOP
        EXECUTE format('GRANT %s ON step_run TO %s', item.privilege_type, CASE item.grantee
            WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(item.grantee)) END);
    END LOOP;
END $$
"""


def upgrade():
    if op.get_bind().dialect.name == "sqlite":
        _one_table()
    else:
        _parts()


def _one_table():
    column = sa.Column("case_year", sa.Integer(), nullable=False, server_default="0")
    op.add_column("step_run", column)
    op.execute(f"UPDATE step_run SET case_year = {YEAR_SQLITE.format(of='step_run.complaint_id')}")
    op.execute(
        "CREATE TRIGGER run_to_its_year AFTER INSERT ON step_run WHEN NEW.case_year = 0 BEGIN"
        f" UPDATE step_run SET case_year = {YEAR_SQLITE.format(of='NEW.complaint_id')}"
        " WHERE id = NEW.id; END"
    )


def _parts():
    connection = op.get_bind()
    op.execute(ALONE)
    op.execute("ALTER TABLE pause DROP CONSTRAINT pause_step_run_id_fkey")
    op.execute("ALTER TABLE step_run RENAME TO step_run_plain")
    op.execute("ALTER SEQUENCE step_run_id_seq OWNED BY NONE")
    year = "case_year integer NOT NULL DEFAULT 0"
    op.execute(f"CREATE TABLE step_run ({COLUMNS}, {year}, {CHECKS}) PARTITION BY LIST (case_year)")
    op.execute("CREATE TABLE step_run_default PARTITION OF step_run DEFAULT")
    first, last = connection.execute(
        sa.text(
            f"SELECT coalesce(min(y), this), greatest(max(y), this) FROM"
            f" (SELECT extract(year FROM now() AT TIME ZONE 'UTC')::integer AS this) t"
            f" LEFT JOIN (SELECT {YEAR} AS y FROM complaint c) c ON y > 0 GROUP BY this"
        )
    ).one()
    for year in range(first, last + 1):
        op.execute(f"CREATE TABLE step_run_{year} PARTITION OF step_run FOR VALUES IN ({year})")
    listed = ", ".join(f"r.{name.strip()}" for name in OLD.split(","))
    op.execute(
        f"INSERT INTO step_run ({OLD}, case_year) SELECT {listed}, {YEAR}"
        " FROM step_run_plain r JOIN complaint c ON c.id = r.complaint_id"
    )
    op.execute(RIGHTS)
    op.execute("DROP TABLE step_run_plain")
    op.execute("ALTER SEQUENCE step_run_id_seq OWNED BY step_run.id")
    op.execute("ALTER TABLE step_run ADD PRIMARY KEY (id, case_year)")
    # As strong as without the year, since one case has one.
    op.execute(
        "CREATE UNIQUE INDEX uq_step_run_open ON step_run (complaint_id, case_year)"
        " WHERE finished_at IS NULL"
    )
    _indexes_and_keys()
    op.execute("ALTER TABLE pause ADD COLUMN case_year integer")
    op.execute(
        "UPDATE pause SET case_year = r.case_year FROM step_run r WHERE r.id = pause.step_run_id"
    )
    op.execute(PAUSE_KEY)
    for statement in TRIGGERS:
        op.execute(statement)
    op.execute(MAKE)
    op.execute("DROP FUNCTION make_audit_partitions(integer)")
    op.execute(MAKE_AUDIT)
    op.execute("SELECT make_year_partitions('step_run', 1)")
    op.execute("ANALYZE step_run")


def _indexes_and_keys():
    for name, columns in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON step_run {columns}")
    for column, target in KEYS.items():
        op.execute(
            f"ALTER TABLE step_run ADD CONSTRAINT step_run_{column}_fkey FOREIGN KEY ({column})"
            f" REFERENCES {target}"
        )


def downgrade():
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER run_to_its_year")
        op.execute("ALTER TABLE step_run DROP COLUMN case_year")
        return
    op.execute("DROP FUNCTION make_audit_partitions(integer)")
    op.execute("DROP FUNCTION make_year_partitions(text, integer)")
    op.execute(context.script.get_revision("0024").module.MAKE)
    op.execute("DROP TRIGGER pause_of_its_year ON pause")
    op.execute("ALTER TABLE pause DROP CONSTRAINT pause_step_run_id_fkey")
    op.execute("ALTER TABLE pause DROP COLUMN case_year")
    op.execute("ALTER SEQUENCE step_run_id_seq OWNED BY NONE")
    op.execute(f"CREATE TABLE step_run_plain ({COLUMNS}, {CHECKS})")
    op.execute(f"INSERT INTO step_run_plain ({OLD}) SELECT {OLD} FROM step_run")
    op.execute("DROP TABLE step_run")
    op.execute("ALTER TABLE step_run_plain RENAME TO step_run")
    op.execute("ALTER SEQUENCE step_run_id_seq OWNED BY step_run.id")
    op.execute("ALTER TABLE step_run ADD PRIMARY KEY (id)")
    op.execute(
        "CREATE UNIQUE INDEX uq_step_run_open ON step_run (complaint_id) WHERE finished_at IS NULL"
    )
    _indexes_and_keys()
    op.execute(
        "ALTER TABLE pause ADD CONSTRAINT pause_step_run_id_fkey FOREIGN KEY (step_run_id)"
        " REFERENCES step_run (id)"
    )
    for name in ("run_to_its_year", "pause_of_its_year"):
        op.execute(f"DROP FUNCTION {name}()")
