"""Make sure that there is a Chromium for the browser tests, without asking anything.

Root on Debian gets the package `chromium`. Everybody else gets one line: the browser tests are
then skipped, or with CI=true it is a failure.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.browser import find_browser  # noqa: E402
from tools.bootstrap import apt_install  # noqa: E402


def main() -> None:
    """Find, else install, else say so."""
    if find_browser():
        return
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        print("aduan: installing Chromium for the browser tests …", flush=True)
        # On Ubuntu `chromium` is a snap's shell, which find_browser() does not count.
        apt_install("chromium", "fonts-liberation")
        if find_browser():
            return
    line = "no Chromium for the browser tests (Debian: sudo apt-get install chromium)"
    if os.environ.get("CI", "").lower() in ("true", "1"):
        sys.exit(f"aduan: {line}")
    print(f"aduan: {line}; they will be skipped.", flush=True)


if __name__ == "__main__":
    main()
