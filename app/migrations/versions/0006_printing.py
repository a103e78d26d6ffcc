"""Print batches, the ledger of blank cards and who waits for one

Revision: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "blank_stock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("balance", sa.Integer(), nullable=False),
        sa.Column("low_level", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("label_id", sa.String(length=160), nullable=False),
        sa.Column("label_en", sa.String(length=160), nullable=False),
        sa.CheckConstraint("balance >= 0", name="ck_blank_balance"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_table(
        "blank_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("blank_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("balance_after", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('received', 'used', 'spoiled', 'counted')", name="ck_blank_entry_kind"
        ),
        sa.CheckConstraint("balance_after >= 0", name="ck_blank_entry_balance"),
        sa.ForeignKeyConstraint(
            ["blank_id"],
            ["blank_stock.id"],
        ),
        sa.ForeignKeyConstraint(
            ["by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["print_run.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id"),
    )
    op.create_index("ix_blank_entry", "blank_entry", ["blank_id", "id"])
    op.create_index("ix_blank_entry_at", "blank_entry", ["blank_id", "kind", "at"])
    op.create_table(
        "blank_wait",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("blank_id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("output_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["blank_id"],
            ["blank_stock.id"],
        ),
        sa.ForeignKeyConstraint(
            ["complaint_id"],
            ["complaint.id"],
        ),
        sa.ForeignKeyConstraint(
            ["output_id"],
            ["case_output.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_blank_wait_open", "blank_wait", ["blank_id", "ended_at", "since", "id"])
    op.create_index(
        "uq_blank_wait_open",
        "blank_wait",
        ["output_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "print_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("public_id"),
    )
    op.create_index("ix_print_batch_open", "print_batch", ["user_id", "closed_at"])
    op.create_table(
        "print_batch_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("output_id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=True),
        sa.Column("first_page", sa.Integer(), nullable=True),
        sa.Column("reprint_reason", sa.String(length=200), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["print_batch.id"],
        ),
        sa.ForeignKeyConstraint(
            ["complaint_id"],
            ["complaint.id"],
        ),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["document.id"],
        ),
        sa.ForeignKeyConstraint(
            ["output_id"],
            ["case_output.id"],
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["print_run.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("batch_id", "position"),
    )
    op.create_index("ix_print_item_output", "print_batch_item", ["output_id"])
    op.add_column(
        "print_run",
        sa.Column("reprint_reason", sa.String(length=200), nullable=False, server_default=""),
    )
    with op.batch_alter_table("document_kind") as batch:
        batch.add_column(sa.Column("blank_id", sa.Integer()))
        batch.create_foreign_key("fk_kind_blank", "blank_stock", ["blank_id"], ["id"])


def downgrade():
    with op.batch_alter_table("document_kind") as batch:
        batch.drop_constraint("fk_kind_blank", type_="foreignkey")
        batch.drop_column("blank_id")
    op.drop_column("print_run", "reprint_reason")
    op.drop_table("print_batch_item")
    op.drop_table("print_batch")
    op.drop_table("blank_wait")
    op.drop_table("blank_entry")
    op.drop_table("blank_stock")
