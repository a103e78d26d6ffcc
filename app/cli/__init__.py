"""The command line: `flask sop …`, `flask release`, `flask case …`, `flask stats …`."""

from __future__ import annotations

from flask import Flask

from app.cli.accounts import account_group
from app.cli.audit import audit_group
from app.cli.backup import backup_command, backup_key_command, restore_command
from app.cli.cases import case_group
from app.cli.data import data_group
from app.cli.maintenance import release_command, seed_group, tidy_command
from app.cli.messages import messages_group, worker_command
from app.cli.papers import papers_group
from app.cli.partitions import partitions_group
from app.cli.search import search_group
from app.cli.sop import sop_group
from app.cli.statistics import stats_group
from app.cli.verifying import verify_command


def register_commands(app: Flask) -> None:
    """Add our commands to Flask's."""
    for command in (sop_group, case_group, seed_group, release_command, tidy_command):
        app.cli.add_command(command)
    for command in (
        backup_command,
        backup_key_command,
        restore_command,
        verify_command,
        data_group,
    ):
        app.cli.add_command(command)
    for command in (
        messages_group,
        worker_command,
        papers_group,
        search_group,
        stats_group,
        audit_group,
        partitions_group,
    ):
        app.cli.add_command(command)
    app.cli.add_command(account_group)
