"""Indexes for what people look up, and one that answers the chart by itself

SQLite does not use a partial index (`nik <> ''`) for `nik = ?`, so the NIK's becomes a plain one.
A family card, a telephone number and a proof of dispatch had none.

Revision: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CHART = ["finished_at", "step_key", "work_seconds", "wait_seconds"]


def upgrade():
    op.drop_index("ix_complaint_nik", "complaint")
    op.create_index("ix_complaint_nik", "complaint", ["nik"])
    op.create_index("ix_complaint_kk", "complaint", ["kk_number"])
    op.create_index("ix_complaint_phone", "complaint", ["phone"])
    op.create_index("ix_dispatch_proof", "dispatch", ["proof_id"])
    op.drop_index("ix_step_run_chart", "step_run")
    op.create_index("ix_step_run_chart", "step_run", [*CHART, "standard_minutes"])


def downgrade():
    op.drop_index("ix_step_run_chart", "step_run")
    op.create_index("ix_step_run_chart", "step_run", CHART)
    op.drop_index("ix_dispatch_proof", "dispatch")
    op.drop_index("ix_complaint_phone", "complaint")
    op.drop_index("ix_complaint_kk", "complaint")
    op.drop_index("ix_complaint_nik", "complaint")
    given = sa.text("nik <> ''")
    op.create_index(
        "ix_complaint_nik", "complaint", ["nik"], sqlite_where=given, postgresql_where=given
    )
