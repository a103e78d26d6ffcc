"""Room for sealed personal data and what it is found by

The columns keep their names. What stands in them is sealed afterwards by the release step, which
has the keys; until then the panel reads it in clear. To go back, run `flask data decrypt` first:
the release before cannot read what is sealed, so the wider columns stay.

Revision: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

#: Table, column, its length before.
SEALED = (
    ("complaint", "handle", 120),
    ("complaint", "nik", 16),
    ("complaint", "kk_number", 16),
    ("complaint", "phone", 20),
    ("complaint", "email", 254),
    ("complaint", "address", 300),
    ("dispatch", "address", 300),
    ("dispatch", "phone", 20),
    ("message", "recipient", 254),
    ("signatory", "nik", 16),
)
#: Index, the column it was of, the digest that it is of now.
INDEXES = (
    ("ix_complaint_nik", "nik", "nik_digest"),
    ("ix_complaint_kk", "kk_number", "kk_digest"),
    ("ix_complaint_phone", "phone", "phone_digest"),
    ("ix_complaint_handle", "handle", "handle_digest"),
)


def upgrade():
    op.create_table(
        "data_key_use",
        sa.Column("key_id", sa.String(8), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_id"),
    )
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps any length in any column
        for table, column, length in SEALED:
            op.alter_column(table, column, type_=sa.Text(), existing_type=sa.String(length))
    for name, _before, digest in INDEXES:
        op.add_column("complaint", sa.Column(digest, sa.LargeBinary(16)))
        op.drop_index(name, "complaint")
        op.create_index(name, "complaint", [digest])
    op.add_column("message", sa.Column("recipient_digest", sa.LargeBinary(16)))
    op.create_index("ix_message_recipient", "message", ["recipient_digest"])


def downgrade():
    op.drop_index("ix_message_recipient", "message")
    op.drop_column("message", "recipient_digest")
    for name, before, digest in INDEXES:
        op.drop_index(name, "complaint")
        op.drop_column("complaint", digest)
        op.create_index(name, "complaint", [before])
    op.drop_table("data_key_use")
