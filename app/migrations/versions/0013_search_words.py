"""The words of names in tables of their own, and indexes for what people read out

A trigram index over a million names answers a frequent part of a name by reading every match, and
a misspelt one not at all. The distinct words of all names are few: parts and misspellings are
looked for among those, and the cases of a word are read newest first from an ordered index.

Revision: 0013
Revises: 0012
"""

import re
import unicodedata
from collections import Counter

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CHUNK = 5000
WORD = sa.String(40).with_variant(sa.String(40, collation="C"), "postgresql")
TRIGGERS = {
    "name_word_search_insert": (
        "AFTER INSERT ON name_word BEGIN INSERT INTO name_word_search(rowid, padded)"
        " VALUES (new.id, '  ' || new.word || ' '); END"
    ),
    "name_word_search_delete": (
        "AFTER DELETE ON name_word BEGIN DELETE FROM name_word_search WHERE rowid = old.id; END"
    ),
}
#: What 0002 made, for the way back.
OLD_TRIGGERS = {
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
INSIDE = re.compile(r"['`´\u2018\u2019\u02bb\u02bc]")
LETTERS = re.compile(r"[^\W_]+")


def upgrade():
    connection = op.get_bind()
    name_word = op.create_table(
        "name_word",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("word", WORD, nullable=False, unique=True),
        sa.Column("cases", sa.Integer(), nullable=False),
    )
    case_word = op.create_table(
        "case_word",
        sa.Column("word", WORD, primary_key=True),
        sa.Column(
            "complaint_id",
            sa.Integer(),
            sa.ForeignKey("complaint.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sqlite_with_rowid=False,
    )
    if connection.dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE name_word_search USING fts5(padded, tokenize='trigram')")
        for name, body in TRIGGERS.items():
            op.execute(f"CREATE TRIGGER {name} {body}")
        for name in OLD_TRIGGERS:
            op.execute(f"DROP TRIGGER IF EXISTS {name}")
        op.execute("DROP TABLE IF EXISTS complaint_search")
    else:
        op.execute("DROP INDEX IF EXISTS ix_complaint_name_trgm")
    _fill(connection, name_word, case_word)
    op.create_index("ix_case_word_complaint_id", "case_word", ["complaint_id"])
    op.create_index("ix_complaint_handle", "complaint", ["handle"])
    op.create_index("ix_complaint_ticket", "complaint", ["external_ticket"])
    if connection.dialect.name != "sqlite" and _has_trigrams(connection):
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.execute("CREATE INDEX ix_name_word_trgm ON name_word USING gin (word gin_trgm_ops)")


def downgrade():
    connection = op.get_bind()
    op.drop_index("ix_complaint_ticket", "complaint")
    op.drop_index("ix_complaint_handle", "complaint")
    op.drop_index("ix_case_word_complaint_id", "case_word")
    op.drop_table("case_word")
    if connection.dialect.name == "sqlite":
        for name in TRIGGERS:
            op.execute(f"DROP TRIGGER IF EXISTS {name}")
        op.execute("DROP TABLE name_word_search")
        op.execute(
            "CREATE VIRTUAL TABLE complaint_search USING fts5("
            "applicant_name, content='complaint', content_rowid='id', tokenize='trigram')"
        )
        for name, body in OLD_TRIGGERS.items():
            op.execute(f"CREATE TRIGGER {name} {body}")
        op.execute("INSERT INTO complaint_search(complaint_search) VALUES ('rebuild')")
    elif _has_trigrams(connection):
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.execute(
            "CREATE INDEX ix_complaint_name_trgm ON complaint"
            " USING gin (applicant_name gin_trgm_ops)"
        )
    op.drop_table("name_word")


def _fill(connection, name_word, case_word):
    """The words of the names that are there, some thousands of cases at a time."""
    counts = Counter()
    last = 0
    while True:
        rows = connection.execute(
            sa.text(
                "SELECT id, applicant_name FROM complaint WHERE id > :last ORDER BY id LIMIT :most"
            ),
            {"last": last, "most": CHUNK},
        ).all()
        if not rows:
            break
        last = rows[-1][0]
        found = [(key, word) for key, name in rows for word in sorted(set(_words(name)))]
        counts.update(word for _key, word in found)
        if found:
            values = [{"word": word, "complaint_id": key} for key, word in found]
            connection.execute(case_word.insert(), values)
    words = [{"word": word, "cases": counts[word]} for word in sorted(counts)]
    for at in range(0, len(words), CHUNK):
        connection.execute(name_word.insert(), words[at : at + CHUNK])


def _words(name):
    """As the application parts names at this revision; a migration never imports it."""
    spread = unicodedata.normalize("NFKD", INSIDE.sub("", name).casefold())
    text = "".join(letter for letter in spread if not unicodedata.combining(letter))
    return [word[:40] for word in LETTERS.findall(text)[:12]]


def _has_trigrams(connection):
    """A server without the extension still works: it reads the few words one by one.

    `trusted` means that the owner of the database may create it (PostgreSQL 13 and later).
    """
    return connection.scalar(
        sa.text(
            "SELECT count(*) FROM pg_available_extension_versions v"
            " WHERE v.name = 'pg_trgm' AND (v.installed OR v.trusted"
            " OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))"
        )
    )
