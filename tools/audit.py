"""Ask whether a dependency of the panel has a known weakness: part of `make check`.

    python tools/audit.py

A found one fails. Where the list of weaknesses cannot be asked (no network, or a mirror without
it) this says so and fails nothing: a check that is red for the network's sake is soon not read.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [
    sys.executable, "-m", "pip_audit", "--requirement", "requirements/base.txt", "--require-hashes",
    "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "15",
]  # fmt: skip


def found(report: str) -> list[str] | None:
    """The weaknesses of a report, a line each; None when it is no report at all."""
    try:
        packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    return [
        f"{package['name']} {package['version']}: {weakness['id']}, mended in"
        f" {', '.join(weakness['fix_versions']) or 'no release yet'}"
        for package in packages
        for weakness in package.get("vulns", ())
    ]


def passed_over(report: str) -> int:
    """How many packages nobody could be asked about."""
    return sum("skip_reason" in package for package in json.loads(report)["dependencies"])


def verdict(report: str, complaint: str = "") -> tuple[int, str]:
    """The status to end with, and what is said."""
    weak = found(report)
    if weak is None:
        why = (complaint.strip().splitlines() or ["no answer"])[-1][:200]
        return 0, f"audit: the list of weaknesses could not be asked ({why}); nothing is known"
    if weak:
        return 1, "\n".join(weak)
    if skipped := passed_over(report):
        return 0, f"audit: {skipped} packages could not be looked up; of them nothing is known"
    return 0, "audit: no known weakness"


def main() -> None:
    """Fail on a weakness, say so when nobody could be asked."""
    done = subprocess.run(COMMAND, check=False, cwd=ROOT, capture_output=True, text=True)
    status, words = verdict(done.stdout, done.stderr)
    print(words)
    sys.exit(status)


if __name__ == "__main__":
    main()
