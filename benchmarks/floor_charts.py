"""What a chart page shows, from the cells alone: the numbers of its tables and of its drawing.

The floor of a chart. The cells come by one bare statement and are added up and ranked by the same
arithmetic as in the panel, so that the difference between the two is the page, not the sum. What
else stands in the tables (open now, names) comes by bare statements too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from app.services.statistics import Counts, ranked, spread
from app.services.statistics.scope import start_of
from app.services.statistics.totals import added_up

Rows = Sequence[Sequence[Any]]
#: Of each question (a series, or a period of it) by key: the numbers of each item.
Found = dict[int, dict[Any, dict[str, Counts]]]
Shape = Callable[[Found, Sequence[Rows]], list[list[list[Any]]]]
_DATES: Final = (("n", "met", "late"), "class")
#: The pages that want a few numbers: of each series which, and of which item alone.
ONLY: Final[Mapping[str, Mapping[str, tuple[Any, ...]]]] = {
    "sorts": {
        "arrival": (("n",), None),
        "ended": (("n",), None, True),
        "due": _DATES,
        "ahead": _DATES,
    },
    "lanes": {"run": (("n", "work", "wait"), None)},
}
HALF, TENTHS = (1, 2), (9, 10)
BOX: Final = ((1, 10), (1, 4), HALF, (3, 4), TENTHS)


def draw(shape: str, results: Sequence[Rows]) -> list[list[list[Any]]]:
    """The tables of a page: `results` are the cells and what its other statements answered."""
    shape, _space, grain = shape.partition(" ")
    if shape in ONLY:
        names = dict.fromkeys(name for only, *_rest in ONLY[shape].values() for name in only)
        return SHAPES[shape](_numbers(results[0], list(names)), results[1:])
    texts: dict[int, dict[Any, dict[str, tuple[list[str], list[str]]]]] = {}
    for row in results[0]:
        key = _stretch(grain, row[5]) if grain else row[1]
        items = texts.setdefault(row[0], {}).setdefault(key, {})
        items.setdefault(row[2], ([], []))[row[4] < 0].append(row[3])
    found = {
        place: {
            key: {item: added_up(*both) for item, both in items.items()}
            for key, items in part.items()
        }
        for place, part in texts.items()
    }
    return SHAPES[shape](found, results[1:])


def _numbers(rows: Rows, names: Sequence[str]) -> Found:
    """Cells of which a page wants a few numbers: added up in the database, as the panel's are."""
    found: Found = {}
    for place, value, item, *numbers in rows:
        counts = found.setdefault(place, {}).setdefault(value, {}).setdefault(item, {})
        for name, number in zip(names, numbers, strict=True):
            counts[name] = counts.get(name, 0) + (number or 0)
    return found


def _stretch(grain: str, day: Any) -> date:
    """The week or month that a day's cells are of."""
    return start_of(grain, date.fromisoformat(day) if isinstance(day, str) else day)


def _one(found: Found, place: int = 0) -> Mapping[str, Counts]:
    return found.get(place, {}).get("", {})


def _steps(found: Found, others: Sequence[Rows]) -> list[list[list[Any]]]:
    """Each step's numbers and its five percentiles."""
    now = {row[0]: row[1:] for row in others[0]}
    numbers, boxes = [], []
    for key, label, standard in others[1]:
        counts = _one(found).get(key, {})
        kinds = spread(counts)
        work, wait = kinds.get("w", ()), kinds.get("q", ())
        n, judged = counts.get("n", 0), counts.get("judged", 0)
        within = counts.get("within", 0)
        share = within / judged if judged else None
        ranks = (*ranked(work, HALF, TENTHS), share, judged - within, *ranked(wait, HALF, TENTHS))
        numbers.append([label, standard, n, *ranks, *now.get(key, (0, 0))])
        boxes.append([label, *ranked(work, *BOX)])
    return [numbers, boxes]


def _waits(found: Found, others: Sequence[Rows]) -> list[list[list[Any]]]:
    """Each step's averages and percentiles of wait and work."""
    now = {row[0]: row[1:] for row in others[0]}
    rows = []
    for key, label, _standard in others[1]:
        counts = _one(found).get(key, {})
        kinds = spread(counts)
        n, wait, work = counts.get("n", 0), counts.get("wait", 0), counts.get("work", 0)
        means = [wait / n, work / n, wait / (wait + work or 1)] if n else [None] * 3
        ranks = [*ranked(kinds.get("q", ()), HALF, TENTHS), *ranked(kinds.get("w", ()), HALF)]
        rows.append([label, n, *means, *ranks, *now.get(key, (0, 0))[1:]])
    return [rows]


def _living(found: Found, others: Sequence[Rows]) -> list[list[list[Any]]]:
    """The steps, and every class of work for the standards that are tried on the page."""
    classes = [[key, list(spread(counts).get("w", ()))] for key, counts in _one(found).items()]
    return [_steps(found, others)[0], classes]


def _weeks(found: Found, others: Sequence[Rows]) -> list[list[list[Any]]]:
    """Each week's arrivals, ends and medians."""
    rows = []
    for start in sorted({key for part in found.values() for key in part}):
        steps = found.get(0, {}).get(start, {}).values()
        kinds = [spread(counts) for counts in steps]
        medians = [ranked(kind.get("w", ()), HALF)[0] or 0 for kind in kinds]
        usual = [max(kind["s"], key=lambda item: item[1])[0] for kind in kinds if "s" in kind]
        judged = _sum(steps, "judged")
        share = _sum(steps, "within") / judged if judged else None
        came, ended = (_sum(found.get(n, {}).get(start, {}).values(), "n") for n in (1, 2))
        work = (_sum(steps, "n"), sum(medians), sum(usual), share)
        rows.append([start.isoformat(), came, ended, *work])
    return [rows]


def _hours(found: Found, others: Sequence[Rows]) -> list[list[list[Any]]]:
    """Hours down, weekdays across."""
    counts = _one(found).get("", {})
    rows = [[counts.get(f"h{day}-{hour}", 0) for day in range(7)] for hour in range(24)]
    return [[[hour, *row, sum(row)] for hour, row in enumerate(rows)]]


def _sorts(found: Found, others: Sequence[Rows]) -> list[list[list[Any]]]:
    """What came in, was finished, is open and kept its legal date, of each sort."""
    now = {str(row[0] or ""): row[1] for row in others[0]}
    rows = []
    for value, label in [*others[1], ("", "")]:
        came, ended, due = (found.get(n, {}).get(str(value), {}) for n in range(3))
        legal = due.get("class", {})
        ahead = found.get(3, {}).get(str(value), {}).get("class", {})
        undecided = ahead.get("n", 0) - ahead.get("met", 0) - ahead.get("late", 0)
        judged, kept = legal.get("n", 0) - undecided, legal.get("met", 0)
        both = (_sum(came.values(), "n"), _sum(ended.values(), "n"))
        share = kept / judged if judged else None
        rows.append([label, *both, now.get(str(value), 0), judged, kept, share])
    return [sorted(rows, key=lambda row: -row[1])]


def _returns(found: Found, others: Sequence[Rows]) -> list[list[list[Any]]]:
    """Moves back, papers that failed, data that differ."""
    merged: Counts = {}
    for counts in _one(found).values():
        for name, number in counts.items():
            merged[name] = merged.get(name, 0) + number
    labels = {row[0]: row[1] for row in others[0]}
    papers: dict[str, list[Any]] = {}
    for name, number in merged.items():
        if name[0] == "i":
            code, _colon, state = name[1:].rpartition(":")
            papers.setdefault(code, [labels.get(code), 0, 0])[1 + (state == "missing")] = number
    differs = [[name[1:], number] for name, number in merged.items() if name[0] == "d"]
    moves = [[key, counts.get("n", 0)] for key, counts in _one(found).items()]
    return [moves, sorted(papers.values(), key=lambda row: -row[1] - row[2]), differs]


def _rounds(found: Found, others: Sequence[Rows]) -> list[list[list[Any]]]:
    """Rounds down, ends across."""
    ends = {end: dict(spread(counts).get("r", [])) for end, counts in _one(found).items()}
    rounds = sorted({number for kinds in ends.values() for number in kinds})
    return [[[n, *(kinds.get(n, 0) for kinds in ends.values())] for n in rounds]]


def _couriers(found: Found, others: Sequence[Rows]) -> list[list[list[Any]]]:
    """Each courier's parcels and hours."""
    rows = []
    for key, name in others[0]:
        out, there = _one(found, 0).get(str(key), {}), _one(found, 1).get(str(key), {})
        ranks = ranked(spread(there).get("c", []), HALF, TENTHS)
        n = there.get("n", 0)
        mean = there.get("hours", 0) / n if n else None
        rows.append([name, out.get("n", 0), out.get("returned", 0), n, *ranks, mean])
    return [rows]


def _lanes(found: Found, others: Sequence[Rows]) -> list[list[list[Any]]]:
    """Each lane's sums."""
    now = {row[0]: row[1:] for row in others[0]}
    lanes: dict[str, list[Any]] = {}
    for key, lane in others[1]:
        counts = _one(found).get(key, {})
        row = lanes.setdefault(lane, [lane, 0, 0, 0, 0, 0])
        numbers = (*(counts.get(name, 0) for name in ("n", "work", "wait")), *now.get(key, (0, 0)))
        for place, number in enumerate(numbers, start=1):
            row[place] += number
    return [list(lanes.values())]


def _dates(found: Found, others: Sequence[Rows]) -> list[list[list[Any]]]:
    """Each kind of date: kept, late, missed, still to come."""
    rows = []
    for kind in ("completeness", "class", "decision"):
        due, ahead = _one(found, 0).get(kind, {}), _one(found, 1).get(kind, {})
        n, met, late = (due.get(name, 0) for name in ("n", "met", "late"))
        coming = ahead.get("n", 0) - ahead.get("met", 0) - ahead.get("late", 0)
        rows.append([kind, n, met, late, n - met - late - coming, coming])
    return [rows]


def _sum(items: Iterable[Counts], name: str) -> int:
    return sum(counts.get(name, 0) for counts in items)


SHAPES: Final[dict[str, Shape]] = {
    "steps": _steps,
    "waits": _waits,
    "living": _living,
    "weeks": _weeks,
    "hours": _hours,
    "sorts": _sorts,
    "returns": _returns,
    "rounds": _rounds,
    "couriers": _couriers,
    "lanes": _lanes,
    "dates": _dates,
}
