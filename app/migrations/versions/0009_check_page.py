"""The PIN of a receipt and the code of a paper, for the public check page

Revision: 0009
Revises: 0008
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 5000


def _fill(name, column, make):
    """Give every row that was there before a value of its own."""
    connection = op.get_bind()
    table = sa.table(name, sa.column("id", sa.Integer), sa.column(column, sa.String))
    row, value = sa.bindparam("row"), sa.bindparam("value")
    change = sa.update(table).where(table.c.id == row).values({column: value})
    last = 0
    while True:
        page = sa.select(table.c.id).where(table.c.id > last).order_by(table.c.id)
        ids = connection.scalars(page.limit(ROWS_AT_ONCE)).all()
        if not ids:
            return
        connection.execute(change, [{"row": key, "value": make()} for key in ids])
        last = ids[-1]


def upgrade():
    # No batch for `complaint`: rebuilding the table would drop the triggers of the name search.
    op.add_column(
        "complaint",
        sa.Column("check_pin", sa.String(length=8), nullable=False, server_default=""),
    )
    op.add_column("case_output", sa.Column("check_code", sa.String(length=24)))
    _fill("complaint", "check_pin", lambda: f"{secrets.randbelow(1_000_000):06d}")
    _fill("case_output", "check_code", lambda: secrets.token_urlsafe(16))
    with op.batch_alter_table("case_output") as batch:
        batch.alter_column("check_code", existing_type=sa.String(length=24), nullable=False)
        batch.create_unique_constraint("uq_case_output_check_code", ["check_code"])


def downgrade():
    with op.batch_alter_table("case_output") as batch:
        batch.drop_constraint("uq_case_output_check_code", type_="unique")
        batch.drop_column("check_code")
    op.drop_column("complaint", "check_pin")
