"""Every operation against its floor: asked by turns, over the same kind of server, in one run."""

from __future__ import annotations

import json
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from pathlib import Path
from statistics import median
from typing import Any, Final

from sqlalchemy import update

from app.models import Account
from benchmarks.load import Loaded
from benchmarks.serving import Visitor, serving

WARM_UP: Final = 4
_FORM_KEY: Final = re.compile(rb'name="form_key" value="([^"]+)"')


@dataclass(frozen=True)
class Statement:
    """One bare statement with the parameters of each variant.

    With a `shape` it reads cells of the roll-up, which are drawn with the statements after it;
    else the first names the `page` of `floor_pages` that shows the rows of all.
    """

    sql: str
    params: Sequence[Sequence[Any]] = ()
    shape: str = ""
    page: str = ""


@dataclass(frozen=True)
class Pair:
    """An operation of the panel and the statements that are its floor.

    `goal` is how many times the floor it may take; `steady` whether its cost must not grow with
    the number of cases. A pair with `moves` writes: each call takes one case of that list. `words`
    are searched for in the list, whose address the search form leads to; `box` are typed into the
    box of the top bar.
    """

    name: str
    user: str
    urls: Sequence[str]
    floor: Sequence[Statement]
    goal: float = 3.0
    steady: bool = True
    moves: Sequence[int] = ()
    words: Sequence[str] = ()
    box: Sequence[str] = ()
    #: The number of the page to which a link of those pages leads, as people come to it.
    follow: int = 0


@dataclass
class Measured:
    """What both took, in milliseconds."""

    pair: Pair
    ours: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    #: The panel asked again and again, as nobody asks anything between: for what grows with an office.
    #: By turns the floor of a large office takes away more of the processor's caches than a small one's.
    alone: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """How many times the floor: the middle of the panel over the middle of the floor."""
        return median(self.ours) / median(self.floor)

    @property
    def cost(self) -> float:
        """What the quickest quarter takes, asked alone; what writes is asked by turns only."""
        return quick(self.alone or self.ours)

    @property
    def quick_ratio(self) -> float:
        """The same of the quickest quarter of both, which other work on the machine disturbs least."""
        return quick(self.ours) / quick(self.floor)


def quick(values: Sequence[float]) -> float:
    """What three of four calls took longer than."""
    return sorted(values)[len(values) // 4]


def versus(office: Loaded, pairs: Sequence[Pair], repeats: int, processes: int) -> list[Measured]:
    """Time all pairs with so many server processes and as many visitors at once."""
    url = office.engine.url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aduan-floor-")))
        spec = {_slug(pair.name): [vars(statement) for statement in pair.floor] for pair in pairs}
        (folder / "spec.json").write_text(json.dumps(spec, default=str), encoding="utf-8")
        environment = {
            "BENCH_FOLDER": str(office.app.instance_path),
            "BENCH_URL": url,
            "FLOOR_SPEC": str(folder / "spec.json"),
        }
        # One server for each, as a proxy would spread them: of several processes that share a port
        # the first takes all connections as long as it is not busy.
        ports = [
            [
                stack.enter_context(serving(name, 1, environment))
                for name in ("serving:panel()", "floor:make_floor()")
            ]
            for _ in range(processes)
        ]
        measured = [Measured(pair) for pair in pairs]
        for item in measured:
            visitors = [_signed_in(item.pair, both) for both in ports]
            # Each came on a device that nobody knows; the first would be told so on every page.
            with office.engine.begin() as connection:
                connection.execute(update(Account).values(unseen_session_id=None))
            _together(item, visitors, repeats)
        return measured


def _signed_in(pair: Pair, ports: Sequence[int]) -> tuple[Visitor, Visitor]:
    """Who asks the panel, and who asks the floor."""
    panel, floor = (Visitor(port) for port in ports)
    panel.sign_in(pair.user)
    return panel, floor


def _together(item: Measured, visitors: Sequence[tuple[Visitor, Visitor]], repeats: int) -> None:
    """All visitors ask at once, each by turns here and there."""
    failures: list[BaseException] = []
    moves = list(item.pair.moves)
    lock = threading.Lock()

    def case() -> int:
        with lock:
            return moves.pop()

    def visit(panel: Visitor, floor: Visitor) -> None:
        try:
            calls = list(_calls(item.pair, panel))
            for ours, bare in _turns(item.pair, calls, panel, floor, repeats, case):
                with lock:
                    item.ours.append(ours)
                    item.floor.append(bare)
            alone = [_timed(calls[n % len(calls)]) for n in range(repeats)] if calls else []
            with lock:
                item.alone += alone
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=visit, args=both) for both in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _turns(
    pair: Pair,
    calls: Sequence[Callable[[], object]],
    panel: Visitor,
    floor: Visitor,
    repeats: int,
    case: Callable[[], int],
) -> Iterator[tuple[float, float]]:
    slug = _slug(pair.name)
    for number in range(-WARM_UP, repeats):
        if pair.moves:
            ours = _timed(_move(panel, case()))
            bare = case()
            base = _timed(partial(floor.post, f"/move/{bare}", {"user": pair.user}))
        else:
            variant = number % len(calls)
            ours = _timed(calls[variant])
            base = _timed(lambda variant=variant: floor.get(f"/{slug}?i={variant}"))  # type: ignore[misc]
        if number >= 0:
            yield ours, base


def _calls(pair: Pair, panel: Visitor) -> Iterator[Callable[[], object]]:
    """The requests of a pair in turn, ready to be made."""
    token = panel.token("/complaints/list/") if pair.words or pair.box else ""
    for words in pair.box:
        yield partial(panel.post, "/search/find", {"csrf_token": token, "q": words})
    for words in pair.words:
        panel.post("/search/", {"csrf_token": token, "q": words})
        yield partial(panel.get, panel.location)
    for address in pair.urls:
        if pair.follow:
            found = re.search(
                rb'href="([^"]*[?&;]page_\w+=%d[&"][^"]*)"' % pair.follow, panel.get(address)
            )
            assert found is not None, address
            address = unescape(found[1].decode())
        yield partial(panel.get, address)


def _move(panel: Visitor, case: int) -> Callable[[], object]:
    """The case is open on the screen; only the press of the button is timed."""
    page = panel.get(f"/complaints/show/{case}")
    key = _FORM_KEY.search(page)
    data = {
        "csrf_token": panel.token(f"/complaints/show/{case}"),
        "form_key": key[1].decode() if key else "",
    }
    return lambda: panel.post(f"/complaints/action/submit_certification/{case}", data)


def _timed(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name)


def table(runs: Mapping[tuple[str, int, int], Sequence[Measured]]) -> str:
    """All runs as one table: rows are operations, columns the runs (database, cases, processes)."""
    keys = list(runs)
    head = [
        f"{name}, {cases:,} cases, {n} process{'es' if n > 1 else ''}" for name, cases, n in keys
    ]
    lines = [
        "| operation | goal | " + " | ".join(head) + " |",
        "|---|---:|" + "---|" * len(keys),
    ]
    for place, item in enumerate(runs[keys[0]]):
        cells = []
        for key in keys:
            found = runs[key][place]
            mark = "**" if found.ratio > item.pair.goal else ""
            cells.append(
                f"{mark}{found.ratio:.1f}×{mark} ({median(found.ours):.1f} / {median(found.floor):.1f} ms),"
                f" {found.quick_ratio:.1f}×"
            )
        lines.append(f"| {item.pair.name} | {item.pair.goal:g}× | " + " | ".join(cells) + " |")
    lines += ["", *growth(runs)]
    return "\n".join(lines)


def growth(runs: Mapping[tuple[str, int, int], Sequence[Measured]]) -> list[str]:
    """How much the cost of each operation grew from the smallest to the largest office."""
    lines: list[str] = []
    for database in dict.fromkeys(key[0] for key in runs):
        sizes = sorted({key[1] for key in runs if key[0] == database and key[2] == 1})
        if len(sizes) < 2:
            continue
        small, large = (runs[database, size, 1] for size in (sizes[0], sizes[-1]))
        grown = [(b.cost / a.cost, a.pair) for a, b in zip(small, large, strict=True)]
        worst = ", ".join(
            f"{pair.name} {factor:.2f}×" for factor, pair in sorted(grown, key=lambda g: -g[0])[:6]
        )
        over = [pair.name for factor, pair in grown if factor > 1.5 and pair.steady]
        lines.append(
            f"{database}, from {sizes[0]:,} to {sizes[-1]:,} cases: most grew {worst}."
            + (f" Over 1.5×: {', '.join(over)}." if over else "")
        )
    return lines


def misses(runs: Mapping[tuple[str, int, int], Sequence[Measured]]) -> list[str]:
    """Which operations take more times the floor than they may."""
    return [
        f"{key[0]}, {key[1]:,} cases, {key[2]}: {item.pair.name} {item.ratio:.1f}×"
        for key, found in runs.items()
        for item in found
        if item.ratio > item.pair.goal
    ]
