"""How a row of the audit log is sealed: its `mac` covers its content and the row before it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final

#: What the first row follows.
BEGINNING: Final = "0" * 64
#: What is sealed, in this order.
SEALED: Final = ("id", "at", "kind", "actor_id", "subject", "detail", "address", "request_id")


def seal(key: bytes, before: str, row: Mapping[str, Any]) -> str:
    """The HMAC-SHA256 of a row that follows the row sealed by `before`."""
    values = {**row, "at": row["at"].astimezone(UTC).isoformat(timespec="microseconds")}
    content = json.dumps(
        [before, *(values[name] for name in SEALED)], ensure_ascii=False, separators=(",", ":")
    )
    return hmac.new(key, content.encode(), hashlib.sha256).hexdigest()
