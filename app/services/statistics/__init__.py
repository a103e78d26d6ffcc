"""Numbers about many cases, read from a roll-up that each case's own transaction keeps exact.

`facts` says what one case adds, `keeping` writes it when the case's transaction commits,
`counting` finds the same facts again in the tables, and `reading` answers for a period.
"""

from app.services.statistics.classes import (
    Spread,
    class_bound,
    classes,
    percentile,
    ranked,
    spread,
    within,
)
from app.services.statistics.facts import UNKNOWN_DIFFERENCE, Counts, Dims, Fact
from app.services.statistics.keeping import note, write
from app.services.statistics.reading import (
    Asked,
    read,
    read_all,
    read_all_by,
    read_all_split,
    read_by,
    read_split,
)
from app.services.statistics.rebuilding import Difference, check, is_missing, rebuild
from app.services.statistics.scope import DIMS, Scope, day_bounds

__all__ = [
    "DIMS",
    "UNKNOWN_DIFFERENCE",
    "Asked",
    "Counts",
    "Difference",
    "Dims",
    "Fact",
    "Scope",
    "Spread",
    "check",
    "class_bound",
    "classes",
    "day_bounds",
    "is_missing",
    "note",
    "percentile",
    "ranked",
    "read",
    "read_all",
    "read_all_by",
    "read_all_split",
    "read_by",
    "read_split",
    "rebuild",
    "spread",
    "within",
    "write",
]
