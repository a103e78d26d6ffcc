"""A province's copy of its offices' statistics: sums without persons, kept by office

Revision: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

EVENTS = ("INSERT", "UPDATE", "DELETE")
RENEW = "BEGIN UPDATE stamp SET value = lower(hex(randomblob(16))); END"


def upgrade():
    op.create_table(
        "merged_office",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("public_key", sa.String(64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "merged_cell",
        sa.Column("office", sa.String(20), nullable=False),
        sa.Column("series", sa.String(12), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("item", sa.String(40), nullable=False),
        sa.Column(
            "counts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(["office"], ["merged_office.name"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("office", "series", "start", "item"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for event in EVENTS:
            op.execute(
                f"CREATE TRIGGER stamp_merged_office_{event.lower()} AFTER {event}"
                f" ON merged_office {RENEW}"
            )
        return
    op.execute(
        "CREATE TRIGGER stamp_merged_office AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE"
        " ON merged_office FOR EACH STATEMENT EXECUTE FUNCTION renew_stamp()"
    )


def downgrade():
    # Their triggers go with them.
    op.drop_table("merged_cell")
    op.drop_table("merged_office")
