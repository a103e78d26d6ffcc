"""Sending registers as an officer does."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support import panel


@pytest.fixture
def petugas(login: Callable[[str], FlaskClient]) -> FlaskClient:
    return login("petugas")


@pytest.fixture
def send() -> Callable[..., TestResponse]:
    """`send(client, data, "register.xlsx")`: the file, through the form."""

    def sent(client: FlaskClient, data: bytes, name: str = "register.xlsx", **more: Any) -> Any:
        fields = {"file": (io.BytesIO(data), name), "csrf_token": panel.csrf(client), **more}
        return client.post("/import/", data=fields)

    return sent


@pytest.fixture
def problems() -> Callable[[str], list[tuple[str, str, str]]]:
    """`problems(page)`: row, column and reason of each line of the table."""

    def read(page: str) -> list[tuple[str, str, str]]:
        table = re.search(r'id="problems".*?</table>', page, re.DOTALL)
        rows = re.findall(r"<tr>(.*?)</tr>", table[0] if table else "", re.DOTALL)
        cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
        return [tuple(unescape(cell) for cell in row) for row in cells if row]  # type: ignore[misc]

    return read
