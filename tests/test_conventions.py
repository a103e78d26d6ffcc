"""House rules that a reader would otherwise have to remember, read from the source itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from app.errors import MESSAGES
from app.sop.definition import load_sop
from config import SEED_DATA, TRANSLATIONS

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "app"
MOST_LINES = 400
#: Tables of cases and what they stand on; a test module of a whole subject may be longer.
MOST_TEST_LINES = 1000
MODULES = sorted(path for path in APP.rglob("*.py") if "migrations" not in path.parts)
OTHERS = [
    ROOT / "config.py",
    ROOT / "run.py",
    *sorted((ROOT / "tools").glob("*.py")),
]
TEMPLATES = sorted((APP / "templates").rglob("*.html"))
STATIC = sorted(
    path
    for suffix in ("css", "js", "svg")
    for path in (APP / "static").rglob(f"*.{suffix}")
    if "vendor" not in path.parts
)
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
STEPS = {step.key for step in load_sop(SEED_DATA / "sop.toml").steps}


def place(path: Path, node: ast.AST | None = None) -> str:
    line = f":{node.lineno}" if node is not None else ""  # type: ignore[attr-defined]
    return f"{path.relative_to(ROOT)}{line}"


def nodes(kind: type[ast.AST], but: str = "") -> Iterator[tuple[Path, ast.AST]]:
    for path, tree in TREES.items():
        if not but or not path.is_relative_to(APP / but):
            yield from ((path, node) for node in ast.walk(tree) if isinstance(node, kind))


def name_of(node: ast.AST) -> str:
    """The last part of a name: `session.execute` is `execute`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def texts_in(node: ast.AST) -> set[str]:
    return {
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


# --- the SOP is a table --------------------------------------------------------------------------


def test_no_code_asks_which_step_it_is() -> None:
    """Steps are data: a comparison with the name of one belongs into the SOP file as a guard."""
    found = [
        place(path, node)
        for path, node in nodes(ast.Compare, but="sop")
        if "step" in ast.unparse(node).lower() and texts_in(node) & STEPS
    ]
    found += [
        place(path, node)
        for path, node in nodes(ast.Match, but="sop")
        if "step" in ast.unparse(node.subject).lower()  # type: ignore[attr-defined]
    ]
    asked = re.compile(r"step(_key|\.key)?\s*(==|!=|in)\s*[\[(\"']")
    found += [
        f"{place(path)}: {line.strip()}"
        for path in TEMPLATES
        for line in path.read_text(encoding="utf-8").splitlines()
        if asked.search(line)
    ]
    assert found == []


def test_only_the_guard_writes_where_a_case_stands() -> None:
    moved = {"step_key", "step_since"}
    found = []
    for path, node in nodes(ast.AST, but="services/guarding.py"):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        found += [
            place(path, node)
            for target in targets
            if isinstance(target, ast.Attribute) and target.attr in moved
        ]
        if isinstance(node, ast.Call):
            subject = node.args[0] if node.args else node
            if isinstance(subject, ast.Attribute) and subject.attr == "__table__":
                subject = subject.value
            if name_of(node.func) in ("update", "delete", "insert") and name_of(subject) in (
                "Complaint",
                "StepRun",
                "CaseEvent",
            ):
                found.append(place(path, node))
            if name_of(node.func) == "setattr" and texts_in(node) & {*moved, "version"}:
                found.append(place(path, node))
    assert found == []


def test_a_complaint_is_made_in_one_place() -> None:
    makers = {
        place(path)
        for path, node in nodes(ast.Call)
        if name_of(node.func) == "Complaint"  # type: ignore[attr-defined]
    }
    assert makers == {"app/services/complaints.py"}


# --- layers --------------------------------------------------------------------------------------


def imported(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, node.module or ""


@pytest.mark.parametrize(
    ("folder", "strangers"),
    [
        ("services", ("flask", "werkzeug", "wtforms", "waitress", "click", "app.views")),
        ("sop", ("flask", "sqlalchemy", "app.models", "app.services", "app.views")),
        ("models", ("flask.", "werkzeug", "app.services", "app.views")),
    ],
)
def test_lower_layers_know_nothing_of_higher_ones(folder: str, strangers: tuple[str, ...]) -> None:
    found = [
        f"{place(path, node)}: {name}"
        for path, tree in TREES.items()
        if path.is_relative_to(APP / folder)
        for node, name in imported(tree)
        if f"{name}.".startswith(strangers)
    ]
    assert found == []


def test_services_leave_the_commit_to_their_caller() -> None:
    """The release step's own demo and the command line call services; they commit."""
    found = [
        place(path, node)
        for path, node in nodes(ast.Call)
        if path.is_relative_to(APP / "services")
        and ast.unparse(node.func) in ("session.commit", "db.session.commit")  # type: ignore[attr-defined]
        and not path.name.startswith("demo")
    ]
    assert found == []


# --- time ----------------------------------------------------------------------------------------


def test_no_time_without_a_zone() -> None:
    found = []
    for path, node in nodes(ast.Call):
        called = ast.unparse(node.func)  # type: ignore[attr-defined]
        bare = not node.args and not node.keywords  # type: ignore[attr-defined]
        if called.endswith(("utcnow", "utcfromtimestamp", "date.today", "datetime.today")) or (
            called.endswith("datetime.now") and bare
        ):
            found.append(f"{place(path, node)}: {ast.unparse(node)}")
    assert found == []


# --- errors --------------------------------------------------------------------------------------


def codes_used() -> dict[str, str]:
    """Every code that an error or a problem is made with, and where."""
    makers = {"RefusedError", "FileRefusedError", "SopError", "Problem", "NotFoundError"}
    found: dict[str, str] = {}
    for path, node in nodes(ast.AST):
        if isinstance(node, ast.Call) and name_of(node.func) in makers - {"NotFoundError"}:
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found[first.value] = place(path, node)
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Constant)
            and any(isinstance(t, ast.Attribute) and t.attr == "code" for t in node.targets)
        ):
            found[str(node.value.value)] = place(path, node)
    return found


def test_every_refusal_has_its_sentence() -> None:
    used = codes_used()
    assert len(used) > 40
    assert {code: where for code, where in used.items() if code not in MESSAGES} == {}


def test_the_parameters_of_a_sentence_are_given() -> None:
    """A `%(name)s` nobody fills in would be read by an officer."""
    lacking = []
    for path, node in nodes(ast.Call):
        if name_of(node.func) != "RefusedError" or not node.args:  # type: ignore[attr-defined]
            continue
        code = ast.literal_eval(node.args[0]) if isinstance(node.args[0], ast.Constant) else ""  # type: ignore[attr-defined]
        wanted = set(re.findall(r"%\((\w+)\)s", MESSAGES.get(code, "")))
        keywords = node.keywords  # type: ignore[attr-defined]
        if any(keyword.arg is None for keyword in keywords):
            continue
        if missing := wanted - {keyword.arg for keyword in keywords}:
            lacking.append(f"{place(path, node)}: {code} lacks {missing}")
    assert lacking == []


# --- pages ---------------------------------------------------------------------------------------

INLINE = re.compile(r"""(?<![\w-])(style|on[a-z]{3,})\s*=\s*["']""", re.IGNORECASE)
FOREIGN = re.compile(r"""(?:https?:)?//[\w.-]+\.[a-z]{2,}""", re.IGNORECASE)
NAMESPACES = ("http://www.w3.org/",)


def test_no_inline_style_and_no_inline_handler() -> None:
    found = [
        f"{place(path)}:{number}: {line.strip()[:100]}"
        for path in TEMPLATES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if INLINE.search(re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", line))
    ]
    found += [
        f"{place(path, node)}: {text[:60]!r}"
        for path, node in nodes(ast.Constant)
        if isinstance(text := node.value, str)  # type: ignore[attr-defined]
        and "<" in text
        and INLINE.search(text)
    ]
    assert found == []


def test_every_script_in_a_page_has_a_nonce_or_a_file() -> None:
    tag = re.compile(r"<script\b[^>]*>", re.IGNORECASE)
    found = [
        f"{place(path)}: {script}"
        for path in TEMPLATES
        for script in tag.findall(path.read_text(encoding="utf-8"))
        if "nonce" not in script and "src=" not in script and "application/json" not in script
    ]
    assert found == []


def test_nothing_is_loaded_from_another_host() -> None:
    """Links a person follows may lead away; what a page loads may not."""
    link = re.compile(r"<a\b[^>]*>", re.IGNORECASE | re.DOTALL)
    comment = re.compile(r"/\*.*?\*/|\{#.*?#\}|<!--.*?-->|(?m:(?<!:)//(?!\w).*$)", re.DOTALL)
    found = []
    for path in [*TEMPLATES, *STATIC]:
        text = comment.sub("", link.sub("", path.read_text(encoding="utf-8")))
        found += [
            f"{place(path)}: {address}"
            for address in FOREIGN.findall(text)
            if not address.startswith(NAMESPACES)
        ]
    found = [line for line in found if "w3.org" not in line]
    assert found == []


# --- languages -----------------------------------------------------------------------------------


def test_no_message_stands_inside_an_f_string() -> None:
    """There no message is collected, so it would stay English on every page."""
    words = {"_", "_l", "gettext", "lazy_gettext", "ngettext", "N_"}
    found = [
        place(path, inner)
        for path, node in nodes(ast.JoinedStr)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Call)
        and name_of(inner.func) in words
        and any(isinstance(one, ast.Constant) for one in inner.args)
    ]
    assert not found


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_catalogue_of_each_language_is_loaded(client: Any, post: Any, language: str) -> None:
    assert language in client.application.config["LANGUAGES"]
    source = TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
    with source.open("rb") as file:
        wanted = read_po(file, locale=language).get("Sign in").string
    assert wanted
    assert post(client, f"/lang/{language}").status_code == 303
    page = client.get("/login/").text
    assert f'<html lang="{language}"' in page
    assert wanted in page


# --- size ----------------------------------------------------------------------------------------


def test_no_module_is_too_long() -> None:
    limits = dict.fromkeys([*MODULES, *OTHERS], MOST_LINES)
    limits |= dict.fromkeys((ROOT / "tests").rglob("*.py"), MOST_TEST_LINES)
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in limits}
    assert {place(path): n for path, n in sizes.items() if n > limits[path]} == {}
