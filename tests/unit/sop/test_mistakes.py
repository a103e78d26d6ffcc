"""Every kind of mistake in an SOP file is named, and all of them at once."""

import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.sop.definition import compile_sop, load_sop
from app.sop.errors import SopMistakes

SMALL: dict[str, Any] = tomllib.loads(
    """
entry = "check"
title = { id = "Uji", en = "Trial" }
[[lane]]
key = "officer"
label = { id = "Petugas", en = "Officer" }
[[step]]
key = "check"
actor = "officer"
standard_minutes = 5
activity = "Memeriksa"
output = "Berkas"
label = { id = "Periksa", en = "Check" }
[[step.transition]]
key = "accept"
target = "done"
label = { id = "Terima", en = "Accept" }
[[step.transition]]
key = "return_it"
target = "returned"
label = { id = "Kembalikan", en = "Return" }
[[step]]
key = "returned"
kind = "waiting"
actor = "officer"
label = { id = "Kembali", en = "Returned" }
[[step.transition]]
key = "resubmit"
target = "check"
label = { id = "Ulang", en = "Resubmit" }
[[step]]
key = "done"
kind = "end"
actor = "officer"
label = { id = "Selesai", en = "Done" }
"""
)
NAME = {"id": "Nama", "en": "Name"}


def mistakes_of(data: dict[str, Any]) -> list[str]:
    """The mistakes of a file, as lines; none when it compiles."""
    try:
        compile_sop(data)
    except SopMistakes as error:
        return [str(mistake) for mistake in error.mistakes]
    return []


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """An edit: set the value at a dotted path; `...` deletes it, `+` appends."""

    def edit(data: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        node: Any = data
        for name in parents:
            node = node[int(name)] if name.isdigit() else node[name]
        if last == "+":
            node.append(value)
        elif value is ...:
            del node[last]
        else:
            node[int(last) if last.isdigit() else last] = value

    return edit


END = {"key": "closed", "kind": "end", "actor": "officer", "label": NAME}
FIRST, MOVE = "step check", "step check, transition accept"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        pytest.param("titel", NAME, "file: unknown key titel", id="typo at the top"),
        pytest.param(
            "step.0.activty",
            "x",
            f"{FIRST}: unknown key activty; did you mean activity?",
            id="typo",
        ),
        pytest.param(
            "step.0.transition.0.taget",
            "x",
            f"{MOVE}: unknown key taget",
            id="typo in a transition",
        ),
        pytest.param(
            "header", {"nomor": "1"}, "header: unknown key nomor", id="typo in the header"
        ),
        pytest.param(
            "step.0.actor",
            "oficer",
            f"{FIRST}: unknown lane oficer; did you mean",
            id="no such lane",
        ),
        pytest.param(
            "step.0.transition.0.actor", "boss", f"{MOVE}: unknown lane boss", id="nor for a move"
        ),
        pytest.param("step.0.actor", ..., f"{FIRST}: actor is missing", id="nobody acts"),
        pytest.param(
            "step.0.transition.0.target",
            "dome",
            f"{MOVE}: unknown target dome; did you mean done?",
            id="no such target",
        ),
        pytest.param(
            "step.0.transition.0.target", ..., f"{MOVE}: target is missing", id="no target"
        ),
        pytest.param(
            "step.0.transition.0.message",
            "return",
            f"{MOVE}: unknown message 'return': it is one of returned, finished, answered",
            id="nothing the office has a text for",
        ),
        pytest.param(
            "step.0.transition.0.guards",
            ["file_completed"],
            f"{MOVE}: unknown guard file_completed; did you mean file_complete?",
            id="no such guard",
        ),
        pytest.param(
            "step.0.transition.0.guard", "no", f"{MOVE}: unknown guard no", id="no such one guard"
        ),
        pytest.param(
            "step.0.transition.0.guards", "x", f"{MOVE}: guards must be a list", id="no list"
        ),
        pytest.param(
            "step.0.transition.0.effect",
            "boom",
            f"{MOVE}: unknown effect boom",
            id="no such effect",
        ),
        pytest.param(
            "step.0.transition.0.reason", "yes", f"{MOVE}: unknown reason 'yes'", id="odd reason"
        ),
        pytest.param("step.0.kind", "task", f"{FIRST}: unknown kind 'task'", id="no such kind"),
        pytest.param("step.0.symbol", "star", f"{FIRST}: unknown symbol 'star'", id="no symbol"),
        pytest.param("step.0.form", "x", f"{FIRST}: unknown form 'x'", id="no such form"),
        pytest.param("title", ..., "file: title is missing", id="no title"),
        pytest.param("step.0.label", ..., f"{FIRST}: label is missing", id="no label"),
        pytest.param("step.0.label", {"id": "A"}, f"{FIRST}: label has no en", id="no English"),
        pytest.param("step.0.label", {"en": "A"}, f"{FIRST}: label has no id", id="no Indonesian"),
        pytest.param(
            "step.0.label",
            NAME | {"jv": "x"},
            f"{FIRST}: label has an unknown language jv",
            id="jv",
        ),
        pytest.param(
            "step.0.transition.0.label", {"id": " "}, f"{MOVE}: label has no id", id="blank label"
        ),
        pytest.param(
            "step.+", END | {"key": "done"}, "step done: key done is used twice", id="twice"
        ),
        pytest.param("step.1.key", ..., "step number 2: key is missing", id="a step without key"),
        pytest.param("step.1.key", "Re-turned", "must be lowercase letters", id="odd step key"),
        pytest.param(
            "step.0.transition.1.key",
            "accept",
            f"{MOVE}: key accept is used twice",
            id="move twice",
        ),
        pytest.param("step.0.transition.0.key", "Accept", "must be lowercase", id="capital letter"),
        pytest.param("step.0.transition.0.key", "can_go", "must not contain can_", id="can_"),
        *(
            pytest.param(
                "step.0.transition.0.key", name, "a name of the framework's own", id=f"named {name}"
            )
            for name in ("list", "show", "add", "edit", "delete", "download", "action")
        ),
        pytest.param(
            "step.1.transition.+",
            {"key": "accept", "target": "done", "label": NAME, "actor": "head"},
            "step returned, transition accept: has another actor than accept under step check",
            id="one key, two actors",
        ),
        pytest.param("step.+", END, "step closed: cannot be reached", id="unreachable"),
        pytest.param("step.0.transition", [], f"{FIRST}: has no way out", id="no way out"),
        pytest.param(
            "step.1.transition.0.target",
            "returned",
            "step returned: no end can be reached",
            id="no end can be reached",
        ),
        pytest.param("step.2.kind", "waiting", "file: has no step of kind end", id="no end at all"),
        pytest.param(
            "step.0.standard_minutes", ..., f"{FIRST}: has a clock but no standard", id="no minutes"
        ),
        *(
            pytest.param(
                "step.0.standard_minutes",
                bad,
                "must be a positive whole number",
                id=f"{bad} minutes",
            )
            for bad in (0, -5, 2.5, "5", True)
        ),
        pytest.param("step.1.clock", True, "of kind waiting has no clock", id="a waiting clock"),
        pytest.param("step.2.clock", True, "of kind end has no clock", id="an end with a clock"),
        pytest.param(
            "step.1.standard_minutes", 5, "has standard_minutes but no clock", id="idle minutes"
        ),
        pytest.param("entry", ..., "file: has no entry", id="no entry"),
        pytest.param("entry", "chek", "file: entry chek is not a step", id="no such entry"),
        pytest.param("entry", "done", "file: entry done is not a step of kind", id="enters at end"),
        pytest.param(
            "step.0.transition.0.batch", "yes", "batch must be true or false", id="no flag"
        ),
        pytest.param(
            "step.0.transition.0",
            {"key": "a", "target": "done", "label": NAME, "batch": True, "needs_form": True},
            "a batch transition cannot need a form",
            id="a batch with a form",
        ),
        pytest.param(
            "step.0.transition.0",
            {"key": "a", "target": "done", "label": NAME, "batch": True, "reason": "required"},
            "a batch transition cannot need a form",
            id="a reason is typed in a form",
        ),
        pytest.param(
            "lane.+", {"key": "boss", "label": NAME}, "lane boss: no step", id="idle lane"
        ),
        pytest.param("lane", ..., "file: has no [[lane]]", id="no lanes"),
        pytest.param("step", ..., "file: has no [[step]]", id="no steps"),
        pytest.param("step", {"key": "x"}, "step: must be written as [[step]]", id="a single step"),
        pytest.param(
            "step.0.activity", " ", f"{FIRST}: activity is missing", id="no activity text"
        ),
        pytest.param("step.0.output", ..., f"{FIRST}: output is missing", id="no output"),
        pytest.param("step.0.note", 5, f"{FIRST}: note must be text", id="a number for text"),
        pytest.param("step.0.requires", [1], f"{FIRST}: requires must be a list", id="odd list"),
        pytest.param("step.0", 5, "step number 1: must be a table", id="a number for a step"),
        pytest.param(
            "pause_reason", [{"key": "x"}], "pause reason x: label is missing", id="a bare pause"
        ),
    ],
)
def test_every_mistake_is_named(path: str, value: Any, expected: str) -> None:
    assert mistakes_of(SMALL) == []
    data = copy.deepcopy(SMALL)
    put(path, value)(data)
    assert expected in "\n".join(mistakes_of(data))


def test_all_mistakes_come_at_once_in_the_order_of_the_file() -> None:
    data = copy.deepcopy(SMALL)
    data["lane"].append({"key": "boss", "label": NAME})
    data["step"][0]["activty"] = "x"
    del data["step"][0]["transition"][0]["label"]["en"]
    data["step"][0]["transition"][1]["guards"] = ["nonsense"]
    data["step"][1]["kind"] = "pending"
    data["step"].append(END)
    found = mistakes_of(data)
    wheres = [line.split(":")[0] for line in found]
    assert list(dict.fromkeys(wheres)) == [
        "lane boss",
        "step check",
        "step check, transition accept",
        "step check, transition return_it",
        "step returned",
        "step closed",
    ]


def test_one_guard_needs_no_list() -> None:
    data = copy.deepcopy(SMALL)
    data["step"][0]["transition"][0]["guard"] = "file_complete"
    assert compile_sop(data).move("check", "accept").guards == ("file_complete",)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(None, "cannot be read", id="no such file"),
        pytest.param(b"step = [", "is not valid TOML", id="broken TOML"),
        pytest.param(b"\xff\xfe", "is not UTF-8", id="another encoding"),
        pytest.param(b"", "has no [[step]]", id="an empty file"),
    ],
)
def test_an_unusable_file_is_a_mistake_too(
    tmp_path: Path, content: bytes | None, expected: str
) -> None:
    path = tmp_path / "sop.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SopMistakes) as caught:
        load_sop(path)
    assert expected in str(caught.value)
