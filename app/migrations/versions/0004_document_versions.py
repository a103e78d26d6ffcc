"""Versions of a file, the pages of a PDF, and what its signature said

Revision: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATES = (
    "signature_state IS NULL OR signature_state IN"
    " ('trusted', 'unknown_issuer', 'changed', 'unsigned')"
)


def upgrade():
    with op.batch_alter_table("document") as batch:
        batch.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
        batch.add_column(sa.Column("replaces_id", sa.Integer()))
        batch.add_column(sa.Column("replaced_at", sa.DateTime(timezone=True)))
        batch.add_column(sa.Column("pages", sa.Integer()))
        batch.add_column(sa.Column("signature_state", sa.String(length=16)))
        batch.create_foreign_key("fk_document_replaces", "document", ["replaces_id"], ["id"])
        batch.create_check_constraint("ck_document_signature", STATES)
    # The default was for the rows that were there; the program always names a revision.
    with op.batch_alter_table("document") as batch:
        batch.alter_column("revision", server_default=None)
    given = sa.text("replaces_id IS NOT NULL")
    op.create_index(
        "uq_document_replaces",
        "document",
        ["replaces_id"],
        unique=True,
        sqlite_where=given,
        postgresql_where=given,
    )
    op.create_table(
        "document_signature",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("signer", sa.String(length=200), nullable=False),
        sa.Column("issuer", sa.String(length=200), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("timestamped", sa.Boolean(), nullable=False),
        sa.Column("intact", sa.Boolean(), nullable=False),
        sa.Column("issuer_known", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["document.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("document_id", "position"),
    )


def downgrade():
    op.drop_table("document_signature")
    op.drop_index("uq_document_replaces", "document")
    with op.batch_alter_table("document") as batch:
        batch.drop_constraint("ck_document_signature", type_="check")
        batch.drop_constraint("fk_document_replaces", type_="foreignkey")
        for name in ("signature_state", "pages", "replaced_at", "replaces_id", "revision"):
            batch.drop_column(name)
