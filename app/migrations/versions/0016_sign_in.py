"""Sessions, known devices, wrong tries, second factors, and what is demanded of a role

Revision: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

EVENTS = ("INSERT", "UPDATE", "DELETE")
RENEW = "BEGIN UPDATE stamp SET value = lower(hex(randomblob(16))); END"


def _user():
    return sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], ondelete="CASCADE")


def upgrade():
    op.create_table(
        "sign_in_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.Column("new_device", sa.Boolean(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=300), nullable=False),
        _user(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_sign_in_session_user", "sign_in_session", ["user_id", "started_at"])
    op.create_table(
        "known_device",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        _user(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "token_hash", name="uq_known_device"),
    )
    op.create_index("ix_known_device_token", "known_device", ["token_hash"])
    op.create_table(
        "sign_in_throttle",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_sign_in_throttle_last", "sign_in_throttle", ["last_at"])
    op.create_table(
        "second_factor",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        _user(),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        _user(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "code_hash", name="uq_recovery_code"),
    )
    op.create_table(
        "role_rule",
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["ab_role.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("role_id"),
    )
    op.add_column("account", sa.Column("password_expires_at", sa.DateTime(timezone=True)))
    op.add_column("account", sa.Column("unseen_session_id", sa.Integer()))
    if op.get_bind().dialect.name == "sqlite":
        for event in EVENTS:
            op.execute(
                f"CREATE TRIGGER stamp_role_rule_{event.lower()} AFTER {event} ON role_rule {RENEW}"
            )
        return
    op.execute(
        "CREATE TRIGGER stamp_role_rule AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON role_rule"
        " FOR EACH STATEMENT EXECUTE FUNCTION renew_stamp()"
    )


def downgrade():
    op.drop_column("account", "unseen_session_id")
    op.drop_column("account", "password_expires_at")
    # A trigger goes with its table.
    for table in (
        "role_rule",
        "recovery_code",
        "second_factor",
        "sign_in_throttle",
        "known_device",
        "sign_in_session",
    ):
        op.drop_table(table)
