"""The register of failures to protect personal data

Revision: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "breach",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("title", sa.String(160), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True)),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("persons", sa.Integer()),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.Column("contact", sa.String(200), nullable=False),
        sa.Column("authority_told_at", sa.DateTime(timezone=True)),
        sa.Column("authority_how", sa.String(200), nullable=False),
        sa.Column("persons_told_at", sa.DateTime(timezone=True)),
        sa.Column("persons_how", sa.String(200), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.CheckConstraint("persons IS NULL OR persons >= 0", name="ck_breach_persons"),
    )
    op.create_index("ix_breach_known_at", "breach", ["known_at"])
    op.create_table(
        "breach_version",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("breach_id", sa.Integer(), sa.ForeignKey("breach.id"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.Column("said", sa.JSON(), nullable=False),
    )
    op.create_index("ix_breach_version_breach_id", "breach_version", ["breach_id"])


def downgrade():
    op.drop_table("breach_version")
    op.drop_table("breach")
