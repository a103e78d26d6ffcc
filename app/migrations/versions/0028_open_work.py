"""Indexes that answer from themselves what is open, and where it stands

What is open now was counted by looking up each open case, of which a large office has thousands. The
counts read an index of the open cases alone now. SQLite takes "not finished" for one value of the
index of finished runs and looks each of them up; it holds finished runs only. The index of tickets
holds tickets only: most cases have none, and PostgreSQL planned each search for a number anew for
fear of meeting them all.

Revision: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

OPEN = {
    "standing": (
        *("step_key", "confidential", "step_since", "assignee_id", "class_due", "decision_due"),
        *("received_at", "id"),
    ),
    "channel": ("channel_id",),
    "category": ("category_id",),
    "kecamatan": ("kecamatan_code",),
}
RUNS = sa.text("finished_at IS NULL")
CHART = ("finished_at", "step_key", "work_seconds", "wait_seconds", "standard_minutes")


TICKET = ["external_ticket"]
QUEUE = ["step_key", "entered_at"]


def upgrade():
    still = sa.text("closed_at IS NULL")
    for name, columns in OPEN.items():
        op.create_index(
            f"ix_complaint_open_{name}",
            "complaint",
            [*columns, "closed_at"],
            sqlite_where=still,
            postgresql_where=still,
        )
    _replace(
        ("ix_complaint_ticket", "complaint", TICKET, sa.text("external_ticket <> ''")),
        ("ix_step_run_queue", "step_run", [*QUEUE, "started_at", "finished_at"], RUNS),
    )
    _chart(sa.text("finished_at IS NOT NULL"))


def downgrade():
    _chart(None)
    _replace(
        ("ix_step_run_queue", "step_run", QUEUE, RUNS),
        ("ix_complaint_ticket", "complaint", TICKET, None),
    )
    for name in OPEN:
        op.drop_index(f"ix_complaint_open_{name}", "complaint")


def _replace(*indexes):
    """Other indexes under the same names. On PostgreSQL reading goes on meanwhile: the old ones step
    aside, and go at the very end, since that keeps everybody out until the transaction is over."""
    postgres = op.get_bind().dialect.name == "postgresql"
    for name, table, columns, where in indexes:
        if postgres:
            op.execute(f"ALTER INDEX {name} RENAME TO {name}_old")
        else:
            op.drop_index(name, table)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    for name, table, _columns, _where in indexes:
        if postgres:
            op.drop_index(f"{name}_old", table)


def _chart(where):
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_step_run_chart", "step_run")
        op.create_index("ix_step_run_chart", "step_run", CHART, sqlite_where=where)
