"""The register of security checks holds: every line has its tests, and they exist."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.asvs import OPEN, PROVED
from tests.support.forms import largest_form

TESTS = Path(__file__).resolve().parents[2]
#: The requirements of OWASP ASVS 5.0.0 that apply to this panel.
REQUIREMENTS = """
1.2.1 1.2.2 1.2.3 1.2.4 1.2.10 1.3.4 1.3.7 1.5.2 2.2.1 2.2.2 2.3.1 2.3.3 2.3.4 2.4.1 3.2.1 3.3.1
3.3.2 3.3.4 3.4.1 3.4.2 3.4.3 3.4.4 3.4.5 3.4.6 3.5.1 3.5.3 3.7.2 4.1.1 4.1.3 4.2.1 5.2.1 5.2.2
5.2.3 5.3.1 5.3.2 5.4.1 5.4.2 5.4.3 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.8 6.2.9 6.3.1 6.3.2 6.3.3
6.3.4 6.3.8 6.4.1 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.3 7.4.4 7.4.5 7.5.1 8.2.1 8.2.2 8.2.3 8.3.1
11.4.2 12.2.1 13.4.2 13.4.3 13.4.4 13.4.5 14.2.1 14.3.2 14.3.3 15.2.2 15.3.3 16.2.5 16.3.1 16.3.2
16.5.1 16.5.3
"""
LINES = [*REQUIREMENTS.split(), *(f"b{number}" for number in range(1, 67))]


def register():
    """Each line with its tests."""
    found = {}
    for text in filter(None, map(str.strip, PROVED.splitlines())):
        line, *tests = text.split()
        assert line not in found, f"{line} stands there twice"
        found[line] = tests
    return found


def written():
    """Every test there is, as `file::function`."""
    found = set()
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.add(f"{path.stem}::{node.name}")
    return found


def test_every_line_is_proved_or_said_to_be_open():
    assert len(LINES) == len(set(LINES))
    proved = register()
    assert [line for line in LINES if line not in proved and line not in OPEN] == []
    assert sorted(set(proved) & set(OPEN)) == []
    assert sorted((set(proved) | set(OPEN)) - set(LINES)) == []
    assert all(OPEN.values())


def test_every_test_of_the_register_exists():
    there = written()
    missing = [
        f"{line}: {test}" for line, tests in register().items() for test in tests
        if test not in there
    ]  # fmt: skip
    assert missing == []
    assert [line for line, tests in register().items() if not tests] == []


# --- b59: two editors ----------------------------------------------------------------------------

FORMS = [
    "/users/edit/{user}",
    "/roles/edit/{role}",
    "/reference/categories/edit/1",
    "/reference/channels/edit/1",
    "/reference/couriers/edit/1",
    "/reference/document_kinds/edit/1",
    "/reference/regions/edit/{region}",
    "/reference/holidays/edit/{holiday}",
    "/reference/office/edit/{office}",
    "/reference/signatories/edit/{signatory}",
    "/reference/standard_minutes/edit/intake",
    "/reference/message-texts/edit/1",
    "/blank-stock/edit/1",
]
#: A field of each form that takes any text, or a number.
CHANGED = {
    "/users/": ("first_name", "Satu", "Dua"),
    "/roles/": ("name", "Operator Satu", "Operator Dua"),
    "/reference/couriers/": ("name", "Kurir Satu", "Kurir Dua"),
    "/reference/regions/": ("name", "Tempat Satu", "Tempat Dua"),
    "/reference/holidays/": ("name", "Libur Satu", "Libur Dua"),
    "/reference/office/": ("name", "Kantor Satu", "Kantor Dua"),
    "/reference/signatories/": ("position", "Kepala Satu", "Kepala Dua"),
    "/reference/standard_minutes/": ("standard_minutes", "11", "12"),
    "/reference/message-texts/": ("subject", "Satu", "Dua"),
    "/": ("label_id", "Nama Satu", "Nama Dua"),
}


@pytest.mark.parametrize("url", FORMS)
def test_asvs_b59_the_second_of_two_editors_is_told_on_every_form(world_app, world, post, url):
    """Both opened the form; the first saved; the second reads it and loses nothing he typed."""
    from tests.integration.test_access_matrix import client_of

    url = url.format(**world.places)
    name, first, second = next(v for k, v in CHANGED.items() if url.startswith(k))
    client = client_of(world_app, "admin")
    form = largest_form(client.get(url).text)
    assert name in form, sorted(form)
    saved = post(client, url, {**form, name: first})
    assert saved.status_code == 303, saved.text[-2000:]
    late = post(client, url, {**form, name: second})
    assert late.status_code == 422
    assert "Data ini diubah orang lain ketika Anda sedang membukanya." in late.text
    assert second in late.text, "what he typed is still there"
    assert largest_form(client.get(url).text)[name] == [first]
