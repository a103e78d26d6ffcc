"""Vendored files are what vendor.json says: name, version, licence and sha256 of every one."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "app" / "static" / "vendor"
LISTING = json.loads((STATIC / "vendor.json").read_text(encoding="utf-8"))
SUMS = {path: total for entry in LISTING.values() for path, total in entry["files"].items()}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("path", SUMS)
def test_a_vendored_file_has_the_sum_that_was_recorded(path: str) -> None:
    assert hashlib.sha256((ROOT / path).read_bytes()).hexdigest() == SUMS[path]


def test_every_vendored_file_is_listed() -> None:
    there = {p.relative_to(ROOT).as_posix() for p in STATIC.rglob("*") if p.is_file()}
    assert there - {"app/static/vendor/vendor.json"} <= set(SUMS)


@pytest.mark.parametrize("name", LISTING)
def test_every_vendored_package_says_its_version_and_licence(name: str) -> None:
    entry = LISTING[name]
    assert entry["version"]
    assert entry["licence"]
    assert any("LICENSE" in path for path in entry["files"])


def test_the_icons_are_one_sprite_of_symbols_with_distinct_names() -> None:
    wanted = (ROOT / "tools" / "vendor" / "lucide.txt").read_text(encoding="utf-8").split()
    sprite = ET.parse(STATIC / "lucide" / "icons.svg").getroot()
    assert sorted(symbol.attrib["id"] for symbol in sprite.iter(f"{SVG}symbol")) == sorted(wanted)
    assert all(symbol.attrib["viewBox"] == "0 0 24 24" for symbol in sprite.iter(f"{SVG}symbol"))
