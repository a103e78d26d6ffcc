"""The stamp of rights and reference data, renewed by triggers in the transaction of each change

What a worker remembers of roles and of the office's lists holds while the stamp is the same.
Triggers, not code, renew it: a change made by hand in the database counts as well.

Revision: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = (
    "ab_group",
    "ab_group_role",
    "ab_permission",
    "ab_permission_view",
    "ab_permission_view_role",
    "ab_role",
    "ab_user_group",
    "ab_user_role",
    "ab_view_menu",
    "category",
    "channel",
    "courier",
    "document_kind",
    "holiday",
    "office",
    "region",
    "sop_step",
    "working_hours",
)
EVENTS = ("INSERT", "UPDATE", "DELETE")
RENEW = "BEGIN UPDATE stamp SET value = lower(hex(randomblob(16))); END"


def upgrade():
    op.create_table(
        "stamp",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("INSERT INTO stamp (id, value) VALUES (1, lower(hex(randomblob(16))))")
        for table in TABLES:
            for event in EVENTS:
                op.execute(
                    f"CREATE TRIGGER stamp_{table}_{event.lower()} AFTER {event} ON {table} {RENEW}"
                )
        return
    op.execute("INSERT INTO stamp (id, value) VALUES (1, md5(clock_timestamp()::text))")
    op.execute(
        "CREATE FUNCTION renew_stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE stamp SET value = md5(random()::text || clock_timestamp()::text"
        " || txid_current()::text || pg_backend_pid()::text); RETURN NULL; END $$"
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER stamp_{table} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION renew_stamp()"
        )


def downgrade():
    if op.get_bind().dialect.name == "sqlite":
        for table in TABLES:
            for event in EVENTS:
                op.execute(f"DROP TRIGGER IF EXISTS stamp_{table}_{event.lower()}")
    else:
        for table in TABLES:
            op.execute(f"DROP TRIGGER IF EXISTS stamp_{table} ON {table}")
        op.execute("DROP FUNCTION IF EXISTS renew_stamp()")
    op.drop_table("stamp")
