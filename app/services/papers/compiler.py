"""A program of its own that turns one template of the office into a PDF, and can do nothing else.

It is started with an empty environment and with the way to the internet closed, reads the folder
it is told, and writes the PDF: whatever a template may think of, it finds no settings, no keys and
nobody to send them to. It stands beside the panel and imports nothing of it.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime


def main() -> int:
    """Read a job as JSON, write a PDF; at a mistake write what the compiler says, and end with 3."""
    import typst

    job = json.load(sys.stdin.buffer)
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=True, font_paths=job["fonts"]
    )
    said: dict[str, str | None]
    try:
        pdf = typst.compile(
            job["template"],
            root=job["root"],
            font_paths=fonts,
            sys_inputs={"data": job["data"]},
            timestamp=datetime.fromtimestamp(job["moment"], UTC),
            # Packages are looked for here alone, and there is nothing.
            package_path=job["nowhere"],
            package_cache_path=job["nowhere"],
        )
    except typst.TypstError as error:
        said = {"message": error.message, "diagnostic": error.diagnostic}
    except RuntimeError as error:  # a template that is no text, or a file that is not there
        said = {"message": str(error), "diagnostic": None}
    else:
        sys.stdout.buffer.write(pdf)
        return 0
    sys.stdout.write(json.dumps(said))
    return 3


if __name__ == "__main__":
    sys.exit(main())
