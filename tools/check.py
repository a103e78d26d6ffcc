"""Everything that must hold before a change goes in, apart from the tests: `make check`.

    python tools/check.py [word …]      only the checks whose name contains one of the words

All checks run, so that one round shows all that is wrong; the last line counts them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
FLASK = [sys.executable, "-m", "flask", "--app", "app"]
# The settings of the person at the terminal have no part in a check.
OWN_SETTINGS = ("DATABASE_URL", "DEMO", "ADUAN_ENV", "SECRET_KEY", "SOP_FILE", "STORE_URL", "HTTPS")

CHECKS: dict[str, list[list[str]]] = {
    "lint": [[str(BIN / "ruff"), "check", "--quiet", "--output-format=concise"]],
    "format": [[str(BIN / "ruff"), "format", "--check", "--quiet", "--output-format=concise"]],
    "types": [[str(BIN / "mypy"), "--no-error-summary"]],
    "imports run one way": [[str(BIN / "lint-imports"), "--no-logo"]],
    "SOP compiles": [[*FLASK, "sop", "check"]],
    "translations complete": [[sys.executable, "tools/i18n.py", "check"]],
    "dependencies without a known weakness": [[sys.executable, "tools/audit.py"]],
    "migrations match the models": [[*FLASK, "db", "upgrade"], [*FLASK, "db", "check"]],
}


def run(commands: list[list[str]]) -> str:
    """Run the commands of one check in a fresh instance folder; return what a failure printed."""
    with tempfile.TemporaryDirectory(prefix="aduan-check-") as folder:
        environment = {k: v for k, v in os.environ.items() if k not in OWN_SETTINGS}
        environment |= {"INSTANCE_PATH": folder, "DEMO": "0", "PYTHONWARNINGS": "ignore"}
        for command in commands:
            done = subprocess.run(
                command,
                check=False,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                return (done.stdout + done.stderr).strip() or f"ended with {done.returncode}"
            if done.stdout.startswith("audit: "):  # what could not be asked is said all the same
                print(f"       {done.stdout.strip()}")
    return ""


def main(words: list[str]) -> None:
    """Run the checks and end with status 1 when any failed."""
    failed = []
    for name, commands in CHECKS.items():
        if words and not any(word in name for word in words):
            continue
        began = time.monotonic()
        problem = run(commands)
        print(f"{'FAILED' if problem else 'ok':6} {name} ({time.monotonic() - began:.1f} s)")
        if problem:
            print("\n".join(f"       {line}" for line in problem.splitlines()), flush=True)
            failed.append(name)
    if failed:
        sys.exit(f"check: {len(failed)} failed: {', '.join(failed)}")


if __name__ == "__main__":
    main(sys.argv[1:])
