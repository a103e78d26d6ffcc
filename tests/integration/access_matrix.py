"""Who may open what: the expectation that every route of the panel has to meet.

A line: method, route, who is answered, with which status (to a form without content), and what
stands in the route where it is not the usual. Who is not named is refused: an officer with 403,
a stranger with the way to the sign-in page; a refused POST leaves the database as it was.

    P Petugas Pengaduan   O Operator   S Sub Koordinator   K Kepala Dinas
    B Kepala Bidang       A Admin TI   - nobody signed in

Statuses: 200 a page, 302/303 led elsewhere, 404 nothing there for anybody, 409/422 a form that is
shown again because it lacks something.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

LETTERS: Final = {
    "P": "petugas",
    "O": "operator",
    "S": "subkoordinator",
    "K": "kepala",
    "B": "kabid",
    "A": "admin",
    "-": "",
}

#: What stands for each part of a route, by where the route begins; the longest beginning counts.
#: A word is the name of a place in `tests.support.world`.
PLACES: Final = {
    "/blank-stock": "one",
    "/breaches": "breach",
    "/complaints": "case",
    "/desk/news": "dispatch",
    "/desk/send": "case",
    "/dispatches": "dispatch",
    "/documents": "document",
    "/documents/attach": "case",
    "/messages": "message",
    "/papers": "case",
    "/papers/draft": "certification submit_certification",
    "/papers/return-slip": "returned resubmit",
    "/printing/reprint": "one",
    "/reference": "one",
    "/reference/holidays": "holiday",
    "/reference/office": "office",
    "/reference/regions": "region",
    "/reference/signatories": "signatory",
    "/reference/standard_minutes": "step",
    "/reference/working_hours": "working_hours",
    "/roles": "role",
    "/signing/bring": "signing sign",
    "/user-sign-ins": "user",
    "/users": "user",
}

TABLE: Final = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Line:
    """One expectation."""

    method: str
    rule: str
    letters: str
    status: int
    extra: str = ""

    def url(self, places: dict[str, str]) -> str:
        """The route with a real key in every place."""
        begins = [begin for begin in PLACES if self.rule.startswith(begin)]
        values = {"pk": places[PLACES[max(begins, key=len)]]} if begins else {}
        values |= {"name": "verify_file", "public_id": places["public_id"]}
        name, _, value = self.extra.partition("=")
        if name and not name.startswith("?"):
            values[name] = places.get(value, value)
        url = self.rule
        for converter in ("string:", "path:", "int:"):
            url = url.replace(f"<{converter}", "<")
        for part, text in values.items():
            url = url.replace(f"<{part}>", text)
        assert "<" not in url, f"nothing to put into {url}"
        return f"{url}{name}={places[value]}" if name.startswith("?") else url


def lines() -> list[Line]:
    """The table, line by line."""
    found = []
    for text in filter(None, map(str.strip, TABLE.splitlines())):
        method, rule, letters, status, *extra = text.split()
        assert set(letters) <= set(LETTERS), text
        found.append(Line(method, rule, letters, int(status), *extra))
    return found


def routes() -> dict[tuple[str, str], dict[str, Line]]:
    """For each method and route, the line that answers each letter."""
    table: dict[tuple[str, str], dict[str, Line]] = {}
    for line in lines():
        answered = table.setdefault((line.method, line.rule), {})
        for letter in line.letters:
            assert letter not in answered, f"two answers to {letter}: {line}"
            answered[letter] = line
    return table
