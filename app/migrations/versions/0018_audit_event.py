"""The audit log, which the database itself keeps from being changed

Triggers refuse UPDATE and DELETE (on PostgreSQL TRUNCATE, too). `audit_head` hands out the last row
under a lock that is held until the transaction ends, so that two writers never follow the same row.

Revision: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_audit_event_at", "audit_event", ["at"])
    op.create_index("ix_audit_event_actor", "audit_event", ["actor_id", "id"])
    op.create_index("ix_audit_event_kind", "audit_event", ["kind", "id"])
    op.create_index("ix_audit_event_subject", "audit_event", ["subject", "id"])
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_event_no_{event.lower()} BEFORE {event} ON audit_event"
                " BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'the audit log is never changed'"
        " USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON audit_event"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    # Two statements in one call: the second one's snapshot is taken after the lock (a
    # number that nothing else uses) was given.
    op.execute(
        "CREATE FUNCTION audit_head() RETURNS TABLE (id integer, mac varchar)"
        " LANGUAGE plpgsql VOLATILE AS $$ BEGIN"
        " PERFORM pg_advisory_xact_lock(720016);"
        " RETURN QUERY SELECT a.id, a.mac FROM audit_event a ORDER BY a.id DESC LIMIT 1; END $$"
    )


def downgrade():
    if op.get_bind().dialect.name == "sqlite":
        for event in ("update", "delete"):
            op.execute(f"DROP TRIGGER IF EXISTS audit_event_no_{event}")
    else:
        op.execute("DROP FUNCTION IF EXISTS audit_head()")
        op.execute("DROP TRIGGER IF EXISTS audit_event_no_truncate ON audit_event")
        op.execute("DROP TRIGGER IF EXISTS audit_event_no_change ON audit_event")
        op.execute("DROP FUNCTION IF EXISTS refuse_change()")
    op.drop_table("audit_event")
