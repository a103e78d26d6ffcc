"""The plan of the demo office: when each story happens, and the way that its case takes."""

from __future__ import annotations

import csv
import tomllib
from datetime import UTC, datetime, timedelta

import pytest

from app.services.demo_people import read_people
from app.services.demo_plan import OfficeTime, lay_out, read_script, route
from app.sop.clock import Calendar
from app.sop.definition import compile_sop, load_sop
from config import SEED_DATA

FOLDER = SEED_DATA / "demo"
SOP = load_sop(SEED_DATA / "sop.toml")
SCRIPT = read_script(FOLDER / "cases.toml")


MOMENTS = {
    "a Monday afternoon": datetime(2026, 11, 23, 6, 45, tzinfo=UTC),
    "a minute after opening": datetime(2026, 11, 23, 0, 31, tzinfo=UTC),
    "a Sunday night": datetime(2026, 11, 22, 20, 0, tzinfo=UTC),
    "New Year": datetime(2027, 1, 1, 5, 0, tzinfo=UTC),
}


@pytest.mark.parametrize("now", MOMENTS.values(), ids=MOMENTS.keys())
def test_walks_are_in_order_and_in_the_span(now: datetime) -> None:
    time = OfficeTime(Calendar(), now)
    for story in SCRIPT.stories:
        walk = lay_out(SOP, story, SCRIPT, time)
        assert all(stop.entered == walk.opened == stop.started for stop in walk.stops[:1])
        marks = [walk.opened, walk.registered]
        marks += [mark for stop in walk.stops for mark in (stop.started, stop.finished)][1:]
        assert marks == sorted(marks, reverse=True)
        assert 0 <= marks[-1] <= marks[0] <= time.total + 1
        assert [stop.move for stop in walk.stops] == list(story.moves)
        moments = [time.at(mark) for mark in marks]
        assert moments == sorted(moments)
        assert moments[-1] < now


def test_what_is_signed_together_is_signed_in_one_second() -> None:
    """Whatever the day and however its holidays squeeze the stories: by one second it is no batch."""
    together = [story for story in SCRIPT.stories if story.together]
    for days in range(365):
        now = MOMENTS["a Monday afternoon"] + timedelta(days=days, seconds=days)
        closed = frozenset((now - timedelta(days=back)).date() for back in range(days % 9))
        time = OfficeTime(Calendar(holidays=closed), now)
        signed: dict[float, set[datetime]] = {}
        for story in together:
            stops = lay_out(SOP, story, SCRIPT, time).stops
            at = next(stop.finished for stop in stops if stop.move == "sign")
            signed.setdefault(story.ago, set()).add(time.at(at))
        assert [len(moments) for moments in signed.values()] == [1] * len(signed), now


def test_nobody_works_in_siak_while_it_is_down() -> None:
    time = OfficeTime(Calendar(), MOMENTS["a Monday afternoon"])
    walks = {story.text: lay_out(SOP, story, SCRIPT, time) for story in SCRIPT.stories}
    facts = SCRIPT.step_pause
    stops = [stop for stop in walks[facts["text"]].stops if stop.step == facts["step"]]
    begin = stops[0].entered - facts["after"] * 60
    end = begin - facts["minutes"] * 60
    assert stops[0].started < end
    for walk in walks.values():
        for stop in walk.stops:
            if stop.step == facts["step"]:
                assert not (stop.finished < begin and stop.started > end)


def test_a_holiday_month_squeezes_the_stories() -> None:
    now = MOMENTS["a Monday afternoon"]
    closed = frozenset((now - timedelta(days=days)).date() for days in range(5, 40))
    time = OfficeTime(Calendar(holidays=closed), now)
    assert time.scale < 0.6
    for story in SCRIPT.stories:
        walk = lay_out(SOP, story, SCRIPT, time)
        assert walk.opened <= time.total + 1
        assert time.at(walk.opened) >= now - timedelta(days=60)


def test_the_same_moment_gives_the_same_office() -> None:
    time = OfficeTime(Calendar(), MOMENTS["New Year"])
    story = SCRIPT.stories[0]
    assert lay_out(SOP, story, SCRIPT, time) == lay_out(SOP, story, SCRIPT, time)


def test_every_text_has_its_story_and_its_person() -> None:
    with (FOLDER / "complaints.csv").open(encoding="utf-8", newline="") as file:
        texts = list(csv.DictReader(file))
    assert sorted(story.text for story in SCRIPT.stories) == list(range(1, len(texts) + 1))
    assert len(read_people(FOLDER / "people.csv")) == len(texts)


WHOLE_WAY = (
    "verify_file",
    "siak_match",
    "submit_certification",
    "sign",
    "confirm_printed",
    "send",
)


def test_a_step_that_an_office_adds_is_walked_through() -> None:
    data = tomllib.loads((SEED_DATA / "sop.toml").read_text(encoding="utf-8"))
    steps = {step["key"]: step for step in data["step"]}
    steps["signing"]["transition"][0]["target"] = "quality"
    label = {"id": "Pemeriksaan mutu", "en": "Quality check"}
    data["step"].insert(
        4,
        {
            **steps["signing"],
            "key": "quality",
            "label": label,
            "transition": [{"key": "approve_quality", "target": "printing", "label": label}],
        },
    )
    sop = compile_sop(data)
    assert route(sop, WHOLE_WAY)[-3:] == [
        ("quality", "approve_quality"),
        ("printing", "confirm_printed"),
        ("dispatch", "send"),
    ]


def test_a_step_that_an_office_skips_is_passed_over() -> None:
    text = (SEED_DATA / "sop.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    steps = {step["key"]: step for step in data["step"]}
    moves = {move["key"]: move for move in steps["certification"]["transition"]}
    moves["submit_ktp_print"]["target"] = "printing"
    wanted = ("verify_file", "siak_match", "submit_ktp_print", "sign", "confirm_printed", "send")
    assert [move for _step, move in route(compile_sop(data), wanted)] == [
        move for move in wanted if move != "sign"
    ]
