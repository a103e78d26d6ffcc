"""The roll-up of statistics, and when the applicant of a case could be told of his file

`told_at` is the moment a case first left a step; it is filled in from the runs there are. The
cells of the roll-up are counted by the release step after this, because counting is the
application's business.

Revision: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "stat_cell",
        sa.Column("series", sa.String(12), nullable=False),
        sa.Column("dim", sa.String(12), nullable=False),
        sa.Column("value", sa.String(20), nullable=False),
        sa.Column("grain", sa.String(6), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("item", sa.String(40), nullable=False),
        sa.Column(
            "counts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("series", "dim", "value", "grain", "start", "item"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        # Cells are rewritten all day long: room beside them keeps the new row on its page, and the
        # faster compression, where the server has it, takes a third off each write.
        op.execute("ALTER TABLE stat_cell SET (fillfactor = 50)")
        op.execute(
            "DO $$ BEGIN IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression'"
            " AND 'lz4' = ANY (enumvals)) THEN"
            " ALTER TABLE stat_cell ALTER COLUMN counts SET COMPRESSION lz4; END IF; END $$"
        )
    op.add_column("complaint", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE complaint SET told_at = (SELECT min(step_run.finished_at) FROM step_run"
        " WHERE step_run.complaint_id = complaint.id)"
    )


def downgrade():
    # Not by copying the table, as older SQLites need: other tables refer to it.
    op.execute("ALTER TABLE complaint DROP COLUMN told_at")
    op.drop_table("stat_cell")
