"""What is kept of step records that lie in an archive

Revision: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "archived_year",
        sa.Column("year", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("pauses", sa.Integer(), nullable=False),
        sa.Column("file", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "archived_run",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("complaint_id", sa.Integer(), sa.ForeignKey("complaint.id"), nullable=False),
        sa.Column("case_year", sa.Integer(), sa.ForeignKey("archived_year.year"), nullable=False),
        sa.Column("step_key", sa.String(40), sa.ForeignKey("sop_step.key"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("work_seconds", sa.Integer(), nullable=False),
        sa.Column("wait_seconds", sa.Integer(), nullable=False),
        sa.Column("standard_minutes", sa.Integer()),
        sa.Column("finished_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
    )
    op.create_index("ix_archived_run_finished", "archived_run", ["finished_at"])
    op.create_table(
        "archived_pause",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("complaint_id", sa.Integer(), sa.ForeignKey("complaint.id"), nullable=False),
        sa.Column("case_year", sa.Integer(), sa.ForeignKey("archived_year.year"), nullable=False),
        sa.Column("step_key", sa.String(40), sa.ForeignKey("sop_step.key"), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_archived_pause_complaint_id", "archived_pause", ["complaint_id"])


def downgrade():
    op.drop_table("archived_pause")
    op.drop_table("archived_run")
    op.drop_table("archived_year")
