"""The keys that seal the personal data of every test office: the same ones in every process.

A database template of PostgreSQL outlives the process that made it, and is opened by the next.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

#: Published with the tests, so they protect nothing.
KEY: Final = {
    "id": "7e57ab1e",
    "column": "7e57" * 16,
    "search": "ab1e" * 16,
    "files": "AGE-SECRET-KEY-18DRKKZDLZN355JUPKNX4ULYCWJ02H3YNYC2EV98A7AXTG28XQUVQVA0GH3",
}


@cache
def keys_file() -> Path:
    """The file of keys, made once in this process and thrown away at its end."""
    folder = Path(tempfile.mkdtemp(prefix="aduan-keys-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "data_keys"
    path.write_text(json.dumps({"keys": [KEY]}), encoding="ascii")
    path.chmod(0o600)
    return path
