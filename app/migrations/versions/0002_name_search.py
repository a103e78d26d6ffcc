"""Find part of a name through an index: FTS5 trigram on SQLite, pg_trgm on PostgreSQL

Revision: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TRIGGERS = {
    "complaint_search_insert": (
        "AFTER INSERT ON complaint BEGIN "
        "INSERT INTO complaint_search(rowid, applicant_name) VALUES (new.id, new.applicant_name); "
        "END"
    ),
    "complaint_search_delete": (
        "AFTER DELETE ON complaint BEGIN "
        "INSERT INTO complaint_search(complaint_search, rowid, applicant_name) "
        "VALUES ('delete', old.id, old.applicant_name); END"
    ),
    "complaint_search_update": (
        "AFTER UPDATE OF applicant_name ON complaint BEGIN "
        "INSERT INTO complaint_search(complaint_search, rowid, applicant_name) "
        "VALUES ('delete', old.id, old.applicant_name); "
        "INSERT INTO complaint_search(rowid, applicant_name) VALUES (new.id, new.applicant_name); "
        "END"
    ),
}


def upgrade():
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE complaint_search USING fts5("
            "applicant_name, content='complaint', content_rowid='id', tokenize='trigram')"
        )
        for name, body in TRIGGERS.items():
            op.execute(f"CREATE TRIGGER {name} {body}")
        op.execute("INSERT INTO complaint_search(complaint_search) VALUES ('rebuild')")
    elif _has_trigrams(connection):
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.execute(
            "CREATE INDEX ix_complaint_name_trgm ON complaint"
            " USING gin (applicant_name gin_trgm_ops)"
        )


def downgrade():
    if op.get_bind().dialect.name == "sqlite":
        for name in TRIGGERS:
            op.execute(f"DROP TRIGGER IF EXISTS {name}")
        op.execute("DROP TABLE complaint_search")
    else:
        # The extension stays: another schema of the database may use it.
        op.execute("DROP INDEX IF EXISTS ix_complaint_name_trgm")


def _has_trigrams(connection):
    """A server without the extension still works: the search then reads the names one by one.

    `trusted` means that the owner of the database may create it (PostgreSQL 13 and later).
    """
    return connection.scalar(
        sa.text(
            "SELECT count(*) FROM pg_available_extension_versions v"
            " WHERE v.name = 'pg_trgm' AND (v.installed OR v.trusted"
            " OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))"
        )
    )
