"""The first load of a page in a real browser: ours and stock FAB's, by turns, with empty caches."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.load import PASSWORD, Loaded
from benchmarks.serving import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Both lists show the same 25 newest cases.
LIST: Final = "/complaints/list/"


@dataclass(frozen=True)
class Line:
    """How a page comes to its reader: the processor's slowness and the network's."""

    name: str
    slowdown: int = 1
    #: Milliseconds there and back, kilobits a second down and up; none of them: this machine's own.
    latency: int = 0
    down: int = 0
    up: int = 0


#: A desk in the office, and a telephone of some years at the edge of a mobile network.
LINES: Final = (
    Line("desk"),
    Line("processor 4× slower, 1.6 Mbit/s, 150 ms", 4, 150, 1600, 750),
)


@dataclass
class Loads:
    """What the loads of one page took."""

    paint: list[float] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)


def first_load(made: Loaded, repeats: int) -> dict[tuple[str, str], Loads]:
    """Load both lists by turns over each line; by line and by side (`Aduan`, `stock`)."""
    from playwright.sync_api import sync_playwright

    from tests.support.browser import launch

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="aduan-stock-"))
        environment = {
            "BENCH_FOLDER": str(made.app.instance_path),
            "BENCH_URL": made.engine.url.render_as_string(hide_password=False),
            "BENCH_PASSWORD": PASSWORD,
            "STOCK_FOLDER": str(Path(folder)),
        }
        ports = {
            side: stack.enter_context(serving(name, 1, environment))
            for side, name in (("Aduan", "serving:panel()"), ("stock", "stock:make_stock()"))
        }
        browser = launch(stack.enter_context(sync_playwright()))
        stack.callback(browser.close)
        signed_in = {side: _sign_in(browser, port) for side, port in ports.items()}
        found = {(line.name, side): Loads() for line in LINES for side in ports}
        for line in LINES:
            for number in range(-1, repeats):
                for side, port in ports.items():
                    paint, sizes = _load(browser, port, signed_in[side], line)
                    if number >= 0:
                        loads = found[line.name, side]
                        loads.paint.append(paint)
                        loads.requests.append(len(sizes))
                        loads.bytes.append(sum(sizes))
        return found


def _sign_in(browser: Browser, port: int) -> Any:
    """The cookies of an officer, got through the form."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{port}")
    page = context.new_page()
    page.goto("/login/")
    page.fill("#username", "petugas")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    state = context.storage_state()
    context.close()
    return state


def _load(browser: Browser, port: int, state: Any, line: Line) -> tuple[float, list[int]]:
    """One load in a window that has seen nothing yet: first paint in ms, bytes of each answer.

    Raises:
        RuntimeError: nothing was painted, or it is not the list.
    """
    context = browser.new_context(base_url=f"http://127.0.0.1:{port}", storage_state=state)
    page = context.new_page()
    talk = context.new_cdp_session(page)
    sizes: list[int] = []
    talk.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    talk.send("Network.enable")
    talk.send("Emulation.setCPUThrottlingRate", {"rate": line.slowdown})
    if line.down:
        conditions = {
            "offline": False,
            "latency": line.latency,
            "downloadThroughput": line.down * 1000 / 8,
            "uploadThroughput": line.up * 1000 / 8,
        }
        talk.send("Network.emulateNetworkConditions", conditions)
    page.goto(LIST, wait_until="networkidle", timeout=120_000)
    rows = page.locator("table tbody tr").count()
    paint = page.evaluate(
        "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"
    )
    context.close()
    if paint < 0 or rows < 25:
        raise RuntimeError(f"{LIST}: painted at {paint}, {rows} rows")
    return float(paint), sizes


def first_load_table(found: Mapping[tuple[str, str], Loads]) -> str:
    """Both sides beside each other."""
    lines = [
        "| the list of complaints, nothing in the cache | | first paint, ms | requests | kB over the wire |",
        "|---|---|---:|---:|---:|",
    ]
    lines += [
        f"| {line} | {side} | {median(loads.paint):.0f} | {median(loads.requests):.0f}"
        f" | {median(loads.bytes) / 1000:.0f} |"
        for (line, side), loads in found.items()
    ]
    return "\n".join(lines)


def later_than_stock(found: Mapping[tuple[str, str], Loads]) -> Sequence[str]:
    """The lines over which ours is painted later than stock FAB's."""
    return list(_later(found))


def _later(found: Mapping[tuple[str, str], Loads]) -> Iterator[str]:
    for line in LINES:
        ours, stock = (median(found[line.name, side].paint) for side in ("Aduan", "stock"))
        if ours > stock:
            yield f"{line.name}: painted after {ours:.0f} ms, stock FAB after {stock:.0f} ms"
