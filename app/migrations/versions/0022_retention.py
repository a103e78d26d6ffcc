"""How long the data of a finished case are kept, and when they were erased

Revision: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("office", sa.Column("retention_months", sa.Integer()))
    op.add_column("complaint", sa.Column("erased_at", sa.DateTime(timezone=True)))
    still = sa.text("closed_at IS NOT NULL AND erased_at IS NULL")
    op.create_index(
        "ix_complaint_retention",
        "complaint",
        ["closed_at"],
        sqlite_where=still,
        postgresql_where=still,
    )


def downgrade():
    op.drop_index("ix_complaint_retention", "complaint")
    op.drop_column("complaint", "erased_at")
    op.drop_column("office", "retention_months")
