"""Who signs for the office, and each batch of signing

Revision: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "signatory",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("nip", sa.String(length=18), nullable=False),
        sa.Column("nik", sa.String(length=16), nullable=False),
        sa.Column("rank", sa.String(length=60), nullable=False),
        sa.Column("position", sa.String(length=160), nullable=False),
        sa.Column("capacity", sa.String(length=10), nullable=False),
        sa.Column("decree_number", sa.String(length=80), nullable=False),
        sa.Column("decree_date", sa.Date(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("certificate", sa.String(length=80), nullable=False),
        sa.CheckConstraint("capacity IN ('definitif', 'plt', 'plh')", name="ck_signatory_capacity"),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="ck_signatory_dates"),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_signatory_user", "signatory", ["user_id", "valid_from"])
    op.create_table(
        "signing_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("signatory_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["signatory_id"],
            ["signatory.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("public_id"),
    )
    op.create_index("ix_signing_batch_user_id", "signing_batch", ["user_id"])
    op.create_table(
        "signing_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("case_version", sa.Integer(), nullable=False),
        sa.Column("output_id", sa.Integer(), nullable=True),
        sa.Column("draft_id", sa.Integer(), nullable=True),
        sa.Column("signed_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("error", sa.String(length=40), nullable=False),
        sa.Column("error_params", sa.JSON(), nullable=False),
        sa.Column("remote_id", sa.String(length=80), nullable=False),
        sa.Column("moved", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'remote', 'unknown', 'signed', 'failed', 'released')",
            name="ck_signing_state",
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["signing_batch.id"],
        ),
        sa.ForeignKeyConstraint(
            ["complaint_id"],
            ["complaint.id"],
        ),
        sa.ForeignKeyConstraint(
            ["draft_id"],
            ["document.id"],
        ),
        sa.ForeignKeyConstraint(
            ["output_id"],
            ["case_output.id"],
        ),
        sa.ForeignKeyConstraint(
            ["signed_id"],
            ["document.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("batch_id", "position"),
    )
    op.create_index("ix_signing_complaint", "signing_item", ["complaint_id"])
    op.create_index(
        "uq_signing_outstanding",
        "signing_item",
        ["output_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('sending', 'remote', 'unknown')"),
        postgresql_where=sa.text("state IN ('sending', 'remote', 'unknown')"),
    )


def downgrade():
    op.drop_table("signing_item")
    op.drop_table("signing_batch")
    op.drop_table("signatory")
