"""Yesterday's register, brought in from a spreadsheet: read, look through, take over as a whole."""

from __future__ import annotations

from typing import Final

from app.services.importing.columns import MESSAGES as COLUMN_MESSAGES
from app.services.importing.repeated import MESSAGES as REPEATED_MESSAGES
from app.services.importing.rows import MESSAGES as ROW_MESSAGES
from app.services.importing.runs import MESSAGES as RUN_MESSAGES
from app.services.importing.sheet import MESSAGES as SHEET_MESSAGES
from app.services.importing.values import MESSAGES as VALUE_MESSAGES

#: code -> English sentence with %(name)s placeholders.
MESSAGES: Final[dict[str, str]] = {
    **SHEET_MESSAGES,
    **COLUMN_MESSAGES,
    **VALUE_MESSAGES,
    **ROW_MESSAGES,
    **REPEATED_MESSAGES,
    **RUN_MESSAGES,
}
