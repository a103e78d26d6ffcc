"""Fixtures of the tests that look at a whole office at work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.support.world import World, make_world


@pytest.fixture(scope="session")
def world(
    shared_folder: Path, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> World:
    """A case ready for every transition, made once; an application gets a copy of it."""
    return make_world(shared_folder, sqlite_template, tmp_path_factory.mktemp("world"))


@pytest.fixture
def world_app(world: World, make_app: Callable[..., Flask], tmp_path: Path) -> Flask:
    """An application over a fresh copy of the world."""
    return make_app(**world.copied(tmp_path / "world"))
