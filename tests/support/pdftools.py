"""Poppler's programs: readers of PDFs that share no code with ours.

`tools/install_test_tools.py` installs them where that is allowed.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.support.absent import absent

PROGRAMS: Final = ("pdfsig", "pdftotext", "pdftoppm", "pdffonts", "pdfinfo")


def missing_programs() -> list[str]:
    """Those of the programs that are not on this machine."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


def run_program(name: str, *arguments: str | Path) -> str:
    """What one of the programs says; without it the test is skipped, with CI=true it fails."""
    if shutil.which(name) is None:
        line = f"no {name} (Debian: apt-get install poppler-utils)"
        absent(line)
    command = [name, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
