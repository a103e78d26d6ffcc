"""The exception of a small office from the separation of duties: its reason and its last day

Revision: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "office",
        sa.Column("same_person_reason", sa.String(300), nullable=False, server_default=""),
    )
    op.add_column("office", sa.Column("same_person_until", sa.Date(), nullable=True))


def downgrade():
    op.drop_column("office", "same_person_until")
    op.drop_column("office", "same_person_reason")
