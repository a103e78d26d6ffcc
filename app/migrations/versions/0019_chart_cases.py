"""Indexes by which the cases behind a number of a chart are found

Ends and deliveries are written once. Legal dates rise with the rows: on PostgreSQL, where each move
of a case writes every B-tree of its row, they get block range indexes.

Revision: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

DUES = ("completeness_due", "decision_due", "class_due")
ONCE = (
    ("ix_complaint_closed", "complaint", "closed_at"),
    ("ix_dispatch_delivered", "dispatch", "delivered_at"),
)


def upgrade():
    for name, table, column in ONCE:
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, table, [column, "id"], sqlite_where=there, postgresql_where=there)
    for due in DUES:
        op.create_index(f"ix_complaint_{due}", "complaint", [due], postgresql_using="brin")
    op.create_index("ix_case_event_to", "case_event", ["to_step", "at"])


def downgrade():
    op.drop_index("ix_case_event_to", "case_event")
    for due in DUES:
        op.drop_index(f"ix_complaint_{due}", "complaint")
    for name, table, _column in ONCE:
        op.drop_index(name, table)
