"""The container files. No engine runs them here: what they name is looked for instead."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.support.deployed import DEPLOY, ROOT

COMPOSED = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSED["services"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
EXAMPLE = (DEPLOY / "compose.env.example").read_text(encoding="utf-8")


def test_it_is_a_compose_file_by_the_published_schema() -> None:
    schema = json.loads((ROOT / "tests/data/compose-spec.json").read_text(encoding="utf-8"))
    found = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in Draft202012Validator(schema).iter_errors(COMPOSED)
    ]
    assert found == []


def test_there_is_one_service_for_each_part() -> None:
    assert set(SERVICES) == {"release", "app", "worker", "db", "redis", "nginx"}


@pytest.mark.parametrize("name", ["release", "app", "worker"])
def test_the_panel_runs_locked_and_as_nobody_in_particular(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert re.search(r"^USER aduan$", DOCKERFILE, re.MULTILINE)


def test_nothing_is_served_before_the_release_step_has_ended() -> None:
    for name in ("app", "worker"):
        needed = SERVICES[name]["depends_on"]["release"]
        assert needed == {"condition": "service_completed_successfully"}


def test_only_the_front_is_reached_from_outside() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"nginx"}
    assert COMPOSED["networks"]["inside"] == {"internal": True}
    assert {SERVICES[name]["networks"][0] for name in ("db", "redis")} == {"inside"}


@pytest.mark.parametrize("name", ["release", "app", "worker"])
def test_its_command_is_one_of_the_panel(name: str, app) -> None:
    found = SERVICES[name].get("command") or [".venv/bin/python", "run.py", "serve"]
    if "flask" in found:
        assert found[-1] in app.cli.commands
    else:
        assert json.dumps(found) in DOCKERFILE


def test_every_file_and_folder_it_names_is_there() -> None:
    mounted = [
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if volume.startswith(".")
    ]
    assert mounted
    assert [place for place in mounted if not (DEPLOY / place).exists()] == []
    build = SERVICES["app"]["build"]
    context = (DEPLOY / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).exists()
    copied = [
        word
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for word in line.split()[:-1]
    ]
    assert copied
    assert [place for place in copied if not (ROOT / place).exists()] == []


def test_every_named_volume_and_variable_is_declared() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{([A-Z_]+)", text))
    assert asked == set(re.findall(r"^([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    named = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith((".", "$"))
    }
    assert named == set(COMPOSED["volumes"])


def test_the_image_has_every_module_that_a_start_needs(tmp_path: Path) -> None:
    """What is copied suffices: the same files in an empty place import and compile the SOP."""
    import shutil
    import subprocess
    import sys

    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            place = tmp_path / target
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                into = (
                    place / Path(source).name if target.endswith("/") or len(sources) > 1 else place
                )
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, into)
    found = subprocess.run(
        [sys.executable, "-c", "import run; print(run.app.name)"],
        check=False,
        cwd=tmp_path,
        env={"INSTANCE_PATH": str(tmp_path / "i"), "DEMO": "0", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    # As far as the database, which is empty: everything else was found.
    assert "flask release" in found.stderr, found.stderr
