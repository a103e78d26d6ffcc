"""A real headless Chromium for the tests: finding it, starting it, watching a page, checking it.

    browser = launch(playwright)                       # raises BrowserMissingError with one line
    watched = watch(page)                              # before the first goto
    page.goto(url)
    assert axe_violations(page) == []
    assert watched.problems == []

`tools/install_test_tools.py` installs it where that is allowed. `ADUAN_CHROMIUM` names another one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Frame, Page, Playwright, Request

AXE = Path(__file__).with_name("axe.min.js")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLACES = (
    *(f"/usr/bin/{name}" for name in NAMES),
    "/snap/bin/chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# Nothing but the page under test may talk to a network.
ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
)
OWN_HOSTS = ("127.0.0.1", "localhost", "[::1]")


class BrowserMissingError(Exception):
    """No browser can be used here; the message is one line that says why."""


def find_browser() -> str | None:
    """The path of a Chromium or Chrome on this machine, `ADUAN_CHROMIUM` first; None without."""
    named = os.environ.get("ADUAN_CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    on_path = [path for name in NAMES if (path := shutil.which(name))]
    return next((path for path in [*on_path, *PLACES] if Path(path).exists()), None)


def launch(playwright: Playwright) -> Browser:
    """Start the browser, headless.

    Raises:
        BrowserMissingError: none is installed, or the one that is does not start.
    """
    path = find_browser()
    if path is None:
        raise BrowserMissingError("no Chromium (Debian: apt-get install chromium)")
    arguments = list(ARGUMENTS)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to run as root with one
    try:
        return playwright.chromium.launch(executable_path=path, args=arguments, timeout=60_000)
    except Exception as error:  # playwright's own error class, whose text is a page long
        raise BrowserMissingError(f"{path} does not start: {str(error).splitlines()[0]}") from error


@contextlib.contextmanager
def launch_with(browser: Browser, *arguments: str) -> Iterator[Browser]:
    """Another browser of the same kind with more arguments, such as a camera that shows a film."""
    every = [*ARGUMENTS, *arguments]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        every.append("--no-sandbox")
    started = browser.browser_type.launch(executable_path=find_browser(), args=every)
    try:
        yield started
    finally:
        started.close()


@contextlib.contextmanager
def browser_or_skip() -> Iterator[Browser]:
    """A started browser for a session fixture: without one the tests are skipped with the reason.

    With CI=true nothing is skipped: the reason is a failure.
    """
    from playwright.sync_api import sync_playwright

    from tests.support.absent import absent

    with sync_playwright() as playwright:
        try:
            browser = launch(playwright)
        except BrowserMissingError as error:
            absent(f"browser: {error}")
        try:
            yield browser
        finally:
            browser.close()


# --- watching ------------------------------------------------------------------------------------


@dataclass
class Watch:
    """What went wrong on a page so far, one readable line each, in the order it happened."""

    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    expected_statuses: set[int] = field(default_factory=set)

    def expect(self, *statuses: int) -> None:
        """Do not count answers with these statuses, for a test that provokes them."""
        self.expected_statuses.update(statuses)

    def clear(self) -> None:
        """Forget what was seen so far."""
        self.problems.clear()
        self.requests.clear()


def watch(page: Page) -> Watch:
    """Collect console errors, CSP violations, script errors, failed answers and foreign requests.

    Call it before the first `goto`: what happened earlier is not seen.
    """
    seen = Watch()

    def on_console(message: ConsoleMessage) -> None:
        status = re.search(r"server responded with a status of (\d+)", message.text)
        if status:  # reported once, by on_response below
            return
        if message.type == "error" or "Content Security Policy" in message.text:
            seen.problems.append(f"console: {message.text} ({message.location.get('url', '')})")

    def on_request(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("http", "https", "ws", "wss"):
            return
        seen.requests.append(request.url)
        if address.hostname not in [host.strip("[]") for host in OWN_HOSTS]:
            seen.problems.append(f"another host: {request.url}")

    def on_response(response: Any) -> None:
        if response.status >= 400 and response.status not in seen.expected_statuses:
            seen.problems.append(f"{response.status}: {response.request.method} {response.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: seen.problems.append(f"script error: {error}"))
    page.on("request", on_request)
    page.on("response", on_response)
    return seen


def loaded(page: Page) -> None:
    """Wait for the pictures of a page that came as the answer to a form (`goto` does by itself).

    Before the next form goes out: one that takes staged files over may be faster than the server
    is with their pictures, and a picture of a file that is no longer staged is a 404.
    """
    page.wait_for_load_state("load")


# --- accessibility -------------------------------------------------------------------------------


def axe_violations(page: Page, *, ignore: tuple[str, ...] = ()) -> list[str]:
    """Everything axe-core finds on the page, one line for each element; empty when it is clean.

    The checker is evaluated through the debugging protocol, which a page's Content Security
    Policy does not reach, so it runs on the page exactly as people get it. `ignore` holds
    CSS selectors of parts that are not ours. Rules: WCAG 2.2 A and AA, and best practices.
    """
    for frame in page.frames:
        # A frame of a PDF viewer or of another document that goes away is not ours to check.
        with contextlib.suppress(Exception):
            _inject(frame)
    _inject(page.main_frame)
    found = page.evaluate(
        """async (ignored) => {
            const result = await axe.run(
                ignored.length ? {exclude: ignored.map((one) => [one])} : document,
                {resultTypes: ["violations"], reporter: "v1"},
            );
            return result.violations.map((rule) => ({
                id: rule.id, impact: rule.impact, help: rule.help,
                nodes: rule.nodes.map((node) => ({
                    target: node.target.flat(Infinity).join(" "), html: node.html,
                    why: node.failureSummary,
                })),
            }));
        }""",
        list(ignore),
    )
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['target']}"
        f" | {node['html'][:160]} | {_why(node['why'])}"
        for rule in found
        for node in rule["nodes"]
    ]


def _inject(frame: Frame) -> None:
    if not frame.evaluate("typeof window.axe === 'object'"):
        frame.evaluate(f"() => {{ {AXE.read_text(encoding='utf-8')}\n }}")


def _why(summary: str | None) -> str:
    """The first reason of axe's own summary, without its heading."""
    lines = [line.strip() for line in (summary or "").splitlines()]
    return lines[1] if len(lines) > 1 else ""


def overflow(page: Page) -> list[str]:
    """Elements that make the page scroll sideways, one line each; empty when it fits."""
    found: list[str] = page.evaluate(
        """() => {
            const wide = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= wide) return [];
            const scrolls = (node) => {
                for (let up = node.parentElement; up; up = up.parentElement)
                    if (getComputedStyle(up).overflowX !== "visible") return true;
                return false;
            };
            return [...document.body.querySelectorAll("*")]
                .filter((node) => node.getBoundingClientRect().right > wide + 1 && !scrolls(node))
                .map((node) => node.tagName.toLowerCase() + (node.id ? "#" + node.id : "")
                    + [...node.classList].map((name) => "." + name).join("")
                    + " ends at " + Math.round(node.getBoundingClientRect().right));
        }"""
    )
    return found
