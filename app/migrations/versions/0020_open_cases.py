"""An index of the open cases alone

Few cases are open, however many there ever were. What is open now was counted by reading all of
them. A move does not touch this index; the end of a case does.

Revision: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade():
    still = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_complaint_open",
        "complaint",
        ["received_at"],
        sqlite_where=still,
        postgresql_where=still,
    )


def downgrade():
    op.drop_index("ix_complaint_open", "complaint")
