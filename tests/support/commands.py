"""Commands as the administrator types them."""

from __future__ import annotations

from click.testing import Result
from flask import Flask


def run(app: Flask, *args: str) -> Result:
    """A command as the administrator types it."""
    return app.test_cli_runner().invoke(args=list(args))
