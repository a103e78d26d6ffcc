"""The drawing of the SOP sheet follows the file: nobody draws a new step by hand."""

from __future__ import annotations

import copy
import tomllib
from typing import Any

import pytest

from app.services.sheet import activities, draw, extras, ways_out
from app.sop.definition import Sop, compile_sop
from config import SEED_DATA

DATA = tomllib.loads((SEED_DATA / "sop.toml").read_text(encoding="utf-8"))
#: Lanes in the order of the sheet.
PETUGAS, OPERATOR, SUB, KEPALA = range(4)


def sop_with(**changes: Any) -> Sop:
    """The office's SOP with other targets of some transitions, or an added step."""
    data = copy.deepcopy(DATA)
    for step in data["step"]:
        for move in step.get("transition", ()):
            move.update(changes.get(move["key"], {}))
    if "added" in changes:
        data["step"].insert(5, changes["added"])
    return compile_sop(data)


def picture(sop: Sop) -> list[list[str]]:
    """Each cell as its symbol and its lines: `process up→ down`."""
    return [
        [
            " ".join(
                filter(
                    None,
                    [
                        cell.symbol,
                        "".join(
                            letter
                            for side, letter in zip(
                                ("up", "down", "left", "right"), "↑↓←→", strict=True
                            )
                            if side in cell.lines
                        ),
                        cell.word,
                    ],
                )
            )
            for cell in row
        ]
        for row in draw(sop)
    ]


def test_the_offices_own_sheet() -> None:
    assert picture(sop_with()) == [
        ["terminal →", "↓←", "", ""],
        ["elsewhere → no", "decision ↑←→", "↓← yes", ""],
        ["", "", "process ↑→", "↓←"],
        ["", "↓→", "←→", "process ↑←"],
        ["↓→", "process ↑←", "", ""],
        ["terminal ↑", "", "", ""],
    ]


def test_arrows_come_in_where_a_step_begins() -> None:
    rows = draw(sop_with())
    arrows = {
        (number, lane): cell.arrow
        for number, row in enumerate(rows, 1)
        for lane, cell in enumerate(row)
        if cell.arrow
    }
    assert arrows == {
        (2, OPERATOR): "up",
        (2, PETUGAS): "right",
        (3, SUB): "up",
        (4, KEPALA): "up",
        (5, OPERATOR): "up",
        (6, PETUGAS): "up",
    }


def test_two_steps_of_one_lane_are_joined_straight_down() -> None:
    sop = sop_with(
        confirm_printed={"target": "quality_check"},
        added={
            "key": "quality_check",
            "actor": "operator",
            "standard_minutes": 3,
            "label": {"id": "Pemeriksaan mutu", "en": "Quality check"},
            "activity": "Memeriksa mutu cetakan",
            "output": "Cetakan yang baik",
            "transition": [
                {
                    "key": "approve_quality",
                    "target": "dispatch",
                    "label": {"id": "Mutu baik", "en": "Quality is good"},
                }
            ],
        },
    )
    rows = picture(sop)
    assert [step.number for step in activities(sop)] == [1, 2, 3, 4, 5, 6, 7]
    assert rows[4][OPERATOR] == "process ↑↓"
    assert rows[5] == ["↓→", "process ↑←", "", ""]
    assert rows[6][PETUGAS] == "terminal ↑"


def test_a_jump_ends_in_a_pentagon_with_the_number_of_its_row() -> None:
    """A KTP-el that skips the signature: one changed target (see the file)."""
    sop = sop_with(submit_ktp_print={"target": "printing"})
    cell = draw(sop)[2][OPERATOR]
    assert (cell.symbol, cell.number, cell.arrow) == ("elsewhere", 5, "right")
    assert [way.target.key for way in ways_out(sop, sop.step("certification"))] == [
        "signing",
        "printing",
    ]


def test_what_has_no_room_is_not_drawn_over_something_else() -> None:
    sop = sop_with(siak_mismatch={"target": "done"})
    for row in draw(sop):
        for cell in row:
            assert not (cell.symbol == "elsewhere" and cell.lines >= {"left", "right"})


@pytest.mark.parametrize("key", ["request_completion", "reopen", "withdraw", "refuse_signature"])
def test_what_is_ours_is_listed_and_not_drawn(key: str) -> None:
    sop = sop_with()
    found = {extra.move.key: extra for extra in extras(sop)}
    assert key in found
    assert all(extra.move.extension for extra in found.values())
    assert [step.key for step in found["reopen"].sources] == ["done", "resolved"]
    drawn = {way.target.key for step in activities(sop) for way in ways_out(sop, step)}
    assert "resolved" not in drawn
