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
CHART = ("finished_at", "step_key", "work_seconds", "wait_seconds", "standard_minutes")


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
    _ticket(sa.text("external_ticket <> ''"))
    _queue("step_key", "entered_at", "started_at", "finished_at")
    _chart(sa.text("finished_at IS NOT NULL"))


def downgrade():
    _chart(None)
    _queue("step_key", "entered_at")
    _ticket(None)
    for name in OPEN:
        op.drop_index(f"ix_complaint_open_{name}", "complaint")


def _ticket(where):
    op.drop_index("ix_complaint_ticket", "complaint")
    op.create_index(
        "ix_complaint_ticket",
        "complaint",
        ["external_ticket"],
        sqlite_where=where,
        postgresql_where=where,
    )


def _queue(*columns):
    runs = sa.text("finished_at IS NULL")
    op.drop_index("ix_step_run_queue", "step_run")
    op.create_index(
        "ix_step_run_queue", "step_run", columns, sqlite_where=runs, postgresql_where=runs
    )


def _chart(where):
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_step_run_chart", "step_run")
        op.create_index("ix_step_run_chart", "step_run", CHART, sqlite_where=where)
