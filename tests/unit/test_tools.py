"""The tools that keep the environment and the two languages whole."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from tools import audit, bootstrap, i18n

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("message", "translation", "problem"),
    [
        pytest.param("Save", "Simpan", None, id="a plain translation"),
        pytest.param("Save", "", "not translated", id="an empty translation"),
        pytest.param("Save", "  ", "not translated", id="a blank is no translation"),
        pytest.param("%(n)s left", "sisa %(n)s", None, id="placeholders may move"),
        pytest.param("%(n)s left", "sisa %(m)s", "placeholders", id="another placeholder"),
        pytest.param("{n} left", "sisa", "placeholders", id="a lost brace placeholder"),
        pytest.param("<b>Save</b>", "Simpan", "tags", id="a lost tag"),
        pytest.param("Save ", "Simpan", "spaces", id="a lost space at the end"),
        pytest.param(("%(n)s case", "%(n)s cases"), ("%(n)s berkas",), None, id="one form"),
        pytest.param(("one case", "%(n)s cases"), ("%(n)s berkas",), None, id="the plural's own"),
        pytest.param(("a case", "cases"), ("berkas", "berkas"), "not translated", id="a form more"),
    ],
)
def test_a_translation_fits_its_message(message, translation, problem) -> None:
    found = list(i18n.problems(Message(message, translation)))
    assert bool(found) == bool(problem)
    assert all(problem in line for line in found)


def test_a_fuzzy_translation_is_a_gap() -> None:
    assert list(i18n.problems(Message("Save", "Simpan", flags={"fuzzy"}))) == ["fuzzy: 'Save'"]


def test_catalogues_are_compiled_once(tmp_path: Path) -> None:
    folder = tmp_path / "id" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text('msgid "Save"\nmsgstr "Simpan"\n', encoding="utf-8")
    assert i18n.compile_catalogues(tmp_path) == [folder / "messages.mo"]
    assert i18n.compile_catalogues(tmp_path) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        pytest.param('_("Save")', 0, id="a plain sentence"),
        pytest.param('_(f"{name} saved")', 1, id="an f-string"),
        pytest.param('_("%s saved" % name)', 1, id="a sentence filled in too early"),
        pytest.param('_("{} saved".format(name))', 1, id="format"),
        pytest.param("_(label)", 0, id="a text that is marked elsewhere"),
    ],
)
def test_a_text_that_is_put_together_is_found(tmp_path, monkeypatch, code, found) -> None:
    (tmp_path / "page.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(i18n, "SOURCES", tmp_path)
    monkeypatch.setattr(i18n, "ROOT", tmp_path)
    assert len(list(i18n.unextractable())) == found


@pytest.mark.parametrize("name", ["base", "dev"])
def test_a_lock_has_hashes_and_names_no_place(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|^--| @ ", text, re.MULTILINE)
    pins = re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:]
    assert pins
    assert all("==" in pin and "--hash=sha256:" in pin for pin in pins)


def test_the_development_lock_contains_the_runtime_lock() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        return set(re.findall(r"^([a-z][\w.-]*==[\w.]+)", text, re.MULTILINE))

    assert pins("base") <= pins("dev")


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """A project folder with locks and something that looks like a made environment."""
    for name in bootstrap.LOCKS:
        (tmp_path / f"{name}.txt").write_text(f"{name}==1\n", encoding="utf-8")
        monkeypatch.setitem(bootstrap.LOCKS, name, tmp_path / f"{name}.txt")
    venv = tmp_path / ".venv"
    venv.mkdir()
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", venv)
    monkeypatch.setattr(bootstrap, "PYTHON", venv / "python")
    installed: list[str] = []

    def install(lock: str) -> None:
        installed.append(lock)
        bootstrap._stamp(lock).write_text(bootstrap.digest(lock), encoding="ascii")

    def create() -> None:
        installed.append("venv")
        shutil.copy("/bin/sh", venv / "python")

    monkeypatch.setattr(bootstrap, "_install", install)
    monkeypatch.setattr(bootstrap, "_create", create)
    monkeypatch.setattr(bootstrap, "_usable", bootstrap.PYTHON.exists)
    return installed


def test_the_second_start_installs_nothing(environment: list[str]) -> None:
    assert bootstrap.prepare("base") is True
    assert bootstrap.prepare("base") is False
    assert environment == ["venv", "base"]


def test_the_development_lock_serves_a_plain_start(environment: list[str]) -> None:
    bootstrap.prepare("dev")
    assert bootstrap.prepare("base") is False
    assert environment == ["venv", "dev"]


def test_a_changed_lock_is_installed_into_the_same_environment(environment: list[str]) -> None:
    bootstrap.prepare("base")
    bootstrap.LOCKS["base"].write_text("base==2\n", encoding="utf-8")
    bootstrap.prepare("base")
    assert environment == ["venv", "base", "base"]


def test_an_old_python_is_told_in_one_line(environment, monkeypatch) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST", (9, 9))
    with pytest.raises(SystemExit) as stopped:
        bootstrap.ensure_environment()
    assert re.fullmatch(r"aduan: Python 9\.9 or newer is needed.*", str(stopped.value))


def test_a_brought_environment_is_left_alone(environment, monkeypatch) -> None:
    monkeypatch.setenv("ADUAN_NO_VENV", "1")
    bootstrap.ensure_environment()
    assert environment == []


# --- the audit of dependencies -------------------------------------------------------------------


def report(*packages: dict[str, object]) -> str:
    return json.dumps({"dependencies": list(packages), "fixes": []})


WEAK = {
    "name": "jinja2",
    "version": "3.1.2",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.6"], "aliases": [], "description": ""}],
}
WELL = {"name": "flask", "version": "3.1.2", "vulns": []}
PASSED_OVER = {"name": "waitress", "skip_reason": "not found on PyPI"}


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        pytest.param(report(WELL, WEAK), 1, "jinja2 3.1.2: PYSEC-1, mended in 3.1.6", id="weak"),
        pytest.param(report(PASSED_OVER, WEAK), 1, "PYSEC-1", id="weak beside one passed over"),
        pytest.param(report(WELL, PASSED_OVER), 0, "1 packages could not", id="passed over"),
        pytest.param("", 0, "could not be asked (no route)", id="no answer"),
        pytest.param(report(WELL), 0, "no known weakness", id="all well"),
    ],
)
def test_asvs_b65_a_known_weakness_fails_the_check(text: str, status: int, words: str) -> None:
    ended, said = audit.verdict(text, "tried\nno route")
    assert ended == status
    assert words in said


def test_asvs_b65_every_locked_package_has_its_sums() -> None:
    for name in ("base", "dev"):
        lock = (audit.ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        pinned = re.findall(r"^([A-Za-z0-9][\w.\[\]-]*)==\S+(.*(?:\n    .*)*)", lock, re.MULTILINE)
        assert len(pinned) > 20
        assert [package for package, rest in pinned if "--hash=sha256:" not in rest] == []
