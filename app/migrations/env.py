"""Alembic's environment: FAB's tables and ours are one metadata."""

from __future__ import annotations

from logging.config import fileConfig
from typing import Any, Literal

from alembic import context
from flask import current_app

config = context.config
if config.config_file_name is not None and config.attributes.get("configure_logger", False):
    fileConfig(config.config_file_name)

migrate = current_app.extensions["migrate"]
target_metadata = migrate.db.metadata


def render_item(type_: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    """Our column types by their plain names: a migration never imports the application."""
    if type_ == "type" and type(item).__name__ == "UTCDateTime":
        return "sa.DateTime(timezone=True)"
    if type_ == "type" and type(item).__name__ in ("Sealed", "Digest"):
        return "sa.Text()" if type(item).__name__ == "Sealed" else "sa.LargeBinary(16)"
    return False


def compare_type(
    context: Any, inspected: Any, column: Any, inspected_type: Any, metadata_type: Any
) -> bool | None:
    """SQLite keeps a text of any length in any column: a sealed one needs no other type there."""
    sealed = type(metadata_type).__name__ == "Sealed"
    return False if sealed and context.dialect.name == "sqlite" else None


def include_name(name: str | None, type_: str, parent_names: Any) -> bool:
    """Search indexes are made by hand for each database and are no part of the models."""
    if type_ == "table":  # nor are the partitions, which come and go with the years
        apart = ("complaint_search", "name_word_search", "audit_event_", "step_run_")
        return not (name or "").startswith(apart)
    return not (type_ == "index" and name in ("ix_complaint_name_trgm", "ix_name_word_trgm"))


def include_object(
    item: Any, name: str | None, type_: str, reflected: bool, compare_to: Any
) -> bool:
    """Keys that PostgreSQL has together with the year of the case, since its parts are by that."""
    if context.get_context().dialect.name != "postgresql":
        return True
    if type_ == "column" and item.table.name == "pause":
        return name != "case_year"
    if type_ == "foreign_key_constraint" and item.table.name == "pause":
        return "step_run_id" not in item.column_keys
    return not (type_ == "index" and name == "uq_step_run_open")


def run_offline() -> None:
    """Write the SQL instead of running it."""
    context.configure(
        url=str(migrate.db.engine.url), target_metadata=target_metadata, literal_binds=True
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Run the migrations over the application's own engine."""
    connection = config.attributes.get("connection")
    if connection is not None:
        _run(connection)
        return
    with migrate.db.engine.connect() as fresh:
        _run(fresh)


def _run(connection: Any) -> None:
    sqlite = connection.dialect.name == "sqlite"
    if connection.dialect.name == "postgresql":
        # A migration may take longer than any request.
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.commit()
    if sqlite:
        # Batch mode rebuilds tables; with foreign keys on, dropping the old one would cascade.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.commit()
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        render_item=render_item,
        include_name=include_name,
        include_object=include_object,
        render_as_batch=True,
        compare_type=compare_type,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if sqlite:
        connection.commit()
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        connection.commit()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
