"""Text that is kept for many requests, with gaps for what is of one request alone."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from markupsafe import Markup


def new_gap(name: str) -> str:
    """What stands in kept text for something of one request; nobody can guess it and put it in."""
    return f"{name}-{secrets.token_hex(16)}"


class Gapped(NamedTuple):
    """A drawn text: its pieces, every second of which is a gap."""

    pieces: tuple[str, ...]

    @classmethod
    def cut(cls, text: str, gaps: Iterable[str]) -> Gapped:
        """The text cut at its gaps."""
        return cls(tuple(re.split(f"({'|'.join(map(re.escape, gaps))})", text)))

    def filled(self, values: Mapping[str, Any]) -> Markup:
        """The text with its gaps filled; the values must be safe on a page."""
        pieces = list(self.pieces)
        for place in range(1, len(pieces), 2):
            pieces[place] = values[pieces[place]]
        return Markup("".join(pieces))  # noqa: S704 - it was a template's, the values are escaped
