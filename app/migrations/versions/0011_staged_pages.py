"""Pages of an uploaded PDF, counted when it is checked

Revision: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("staged_upload", sa.Column("pages", sa.Integer(), nullable=True))


def downgrade():
    with op.batch_alter_table("staged_upload") as table:
        table.drop_column("pages")
