"""Poppler's programs: readers of PDFs that share no code with ours.

`tools/install_test_tools.py` installs them where that is allowed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

PROGRAMS: Final = ("pdfsig", "pdftotext", "pdftoppm", "pdffonts", "pdfinfo")


def missing_programs() -> list[str]:
    """Those of the programs that are not on this machine."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


def run_program(name: str, *arguments: str | Path) -> str:
    """What one of the programs says; without it the test is skipped, with CI=true it fails."""
    if shutil.which(name) is None:
        line = f"no {name} (Debian: apt-get install poppler-utils)"
        if os.environ.get("CI", "").lower() in ("true", "1"):
            pytest.fail(line)
        pytest.skip(line)
    command = [name, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
