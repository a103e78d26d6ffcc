"""Pin requirements/*.in into requirements/*.txt, with hashes and without any host name.

    python tools/lock.py [--upgrade]

One lock serves Linux, macOS and Windows and every Python from 3.11 on (`--universal`). The
development lock is constrained by the runtime lock, so the two never disagree.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "requirements"
UV = Path(sys.executable).with_name("uv")
OPTIONS = [
    "--generate-hashes",
    "--universal",
    "--python-version=3.11",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-config",
    "--custom-compile-command=make lock",
    "--quiet",
]
LOCKS: tuple[tuple[str, list[str]], ...] = (
    ("base", []),
    ("dev", ["--constraint=base.txt"]),
    ("process-mining", []),
)
# An index, a local folder or a direct address in a lock would tie it to one machine.
FOREIGN = re.compile(r"://|^--(index|extra-index|find-links|trusted)| @ ", re.MULTILINE)


def main(arguments: list[str]) -> None:
    """Compile all locks and refuse to leave one that names a place."""
    for name, more in LOCKS:
        command = [str(UV), "pip", "compile", *OPTIONS, *more, *arguments]
        subprocess.run([*command, f"{name}.in", "-o", f"{name}.txt"], cwd=FOLDER, check=True)
        found = FOREIGN.search((FOLDER / f"{name}.txt").read_text(encoding="utf-8"))
        if found:
            sys.exit(f"lock: {name}.txt names a place: {found[0]}")
        print(f"requirements/{name}.txt")


if __name__ == "__main__":
    main(sys.argv[1:])
