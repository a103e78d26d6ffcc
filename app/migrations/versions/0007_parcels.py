"""Second parcels, news of a parcel, and after how many days it is asked after

Revision: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("dispatch", sa.Column("returned_at", sa.DateTime(timezone=True)))
    op.add_column(
        "dispatch", sa.Column("attempt", sa.Integer(), nullable=False, server_default="1")
    )
    op.add_column(
        "dispatch", sa.Column("news", sa.String(length=200), nullable=False, server_default="")
    )
    op.add_column("dispatch", sa.Column("news_at", sa.DateTime(timezone=True)))
    op.add_column("dispatch", sa.Column("old_card_taken", sa.Boolean()))
    op.add_column(
        "office", sa.Column("quiet_days", sa.Integer(), nullable=False, server_default="7")
    )


def downgrade():
    op.drop_column("office", "quiet_days")
    for name in ("old_card_taken", "news_at", "news", "attempt", "returned_at"):
        op.drop_column("dispatch", name)
