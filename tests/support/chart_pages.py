"""Reading a chart page: what its script is given, its tables, its links to cases."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import Channel, StepRun
from app.services.statistics import rebuild
from tests.support.moments import office_day

URL = "/charts/steps/"
CHARTS = (
    "steps", "waits", "trend", "pauses", "delivery", "open", "arrivals", "channels", "categories",
    "kecamatan", "returns", "rounds", "due", "roles", "people",
)  # fmt: skip


def worked_cases(session: Session, make_case: Any) -> list[Any]:
    """Three cases, one of them by Instagram; what they took in step 1 is 5, 10 and 20 minutes."""
    instagram = session.scalars(select(Channel.id).where(Channel.code == "instagram")).one()
    cases = [make_case("done"), make_case("siak_check"), make_case("done", channel_id=instagram)]
    for case, minutes in zip(cases, (5, 10, 20), strict=True):
        session.execute(
            update(StepRun)
            .where(StepRun.complaint_id == case.id, StepRun.step_key == "intake")
            .values(work_seconds=minutes * 60, wait_seconds=0)
        )
    rebuild(session)
    session.commit()
    return cases


def around() -> dict[str, str]:
    """A filter with the days of the made cases and of all that falls due of them.

    "This year" is no such filter: on its first days they lie in the last one, and at its end
    their due dates in the next.
    """
    today = office_day()
    return {"from": f"{today - timedelta(days=90)}", "to": f"{today + timedelta(days=120)}"}


def block(page: str) -> dict[str, Any]:
    """What the drawing script is given."""
    found = re.search(
        r'<script type="application/json" id="chart-data">(.*?)</script>', page, re.DOTALL
    )
    assert found
    return dict(json.loads(found[1]))


def drawn(page: str, series: int, step: int = 0, plot: int = 0) -> Any:
    """One number of a drawing."""
    return block(page)["plots"][plot]["series"][series]["data"][step]


def rows_of(answer: Any) -> list[list[str]]:
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))


class Tables(HTMLParser):
    """The tables of a chart page: of each cell its value and what stands in it first."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[tuple[str, str]]]] = []
        self.heads: list[list[str]] = []
        self._cell: str | None = None
        self._head = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "table":
            self.tables.append([])
            self.heads.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag == "th" and values.get("scope") == "col":
            self._head = True
        elif tag in ("td", "th") and "data-value" in values:
            self._cell = values["data-value"] or ""

    def handle_data(self, data: str) -> None:
        if self._head:
            self.heads[-1].append(data)
            self._head = False
        elif self._cell is not None and data.strip():
            self.tables[-1][-1].append((self._cell, data.strip()))
            self._cell = None


def same_cell(value: str, text: str, exported: str) -> bool:
    """The page's text, its value and the spreadsheet's cell say one number."""
    if not value:
        return (text, exported) == ("–", "")
    plain = exported.replace(",", ".")
    try:
        number = float(plain)
    except ValueError:
        return exported in (value, f"'{value}") and text == value
    return number == float(value) and float(_digits(text)) == number


def _digits(text: str) -> str:
    return text.replace(".", "").replace(",", ".").removesuffix("%")


class CaseLinks(HTMLParser):
    """The numbers of a chart's tables that lead to their cases, with the way there."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self._value = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("td", "th"):
            self._value = values.get("data-value") or ""
        elif tag == "a" and self._value and (values.get("href") or "").startswith("/charts/cases/"):
            self.found.append((int(self._value), values["href"] or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._value = ""
