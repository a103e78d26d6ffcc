"""The signing desk (SOP step 4): what waits, a batch that signs it paper by paper, its results.

Nothing about a batch is remembered in the process: every request goes on from the rows. The
passphrase is handed from the request to the signer and is kept nowhere.
"""

from __future__ import annotations

from app.services.signing.batches import (
    MESSAGES,
    OUTSTANDING,
    SIGN,
    BatchLine,
    batch_lines,
    batch_of,
    recent_batches,
    start_batch,
)
from app.services.signing.bringing import bring_papers, release_unknown
from app.services.signing.items import SigningDesk, settle_stale
from app.services.signing.running import fetch_again, sign_next
from app.services.signing.waiting import (
    WaitingCase,
    WaitingPaper,
    count_waiting,
    waiting_cases,
)

__all__ = [
    "MESSAGES",
    "OUTSTANDING",
    "SIGN",
    "BatchLine",
    "SigningDesk",
    "WaitingCase",
    "WaitingPaper",
    "batch_lines",
    "batch_of",
    "bring_papers",
    "count_waiting",
    "fetch_again",
    "recent_batches",
    "release_unknown",
    "settle_stale",
    "sign_next",
    "start_batch",
    "waiting_cases",
]
