"""The cases behind a number: for every number there are exactly its cases, no more and no fewer.

The slow side loops over the made-up office in plain Python; it shares nothing with the panel but
the rows themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert
from sqlalchemy.orm import Session

from app.models import (
    CaseEvent,
    Complaint,
    Courier,
    Dispatch,
    Document,
    DocumentKind,
    StepRun,
)
from app.services.actor import Actor
from app.services.chart_cases import Question, export_rows, load_page, read_question
from app.services.statistics import Scope, rebuild
from tests.support.postgres import postgres_or_skip
from tests.unit.services.test_charts import STEPS, build

FIRST, LAST, TODAY = date(2026, 6, 1), date(2026, 6, 30), date(2026, 6, 20)
JUNE = Scope(FIRST, LAST)
WIB = timedelta(hours=7)
ENDS, PLACES = ("done", "withdrawn"), [None, "33.25.01", "33.25.02"]
KABID = Actor(1, "B", frozenset({("can_list", "ChartCase")}))
HEAD = Actor(2, "K", frozenset({("see_confidential", "Complaint")}))
MOVES = ("request_completion", "siak_mismatch")
KINDS = ("kk", "ktp")


def prepare(url: str) -> Engine:
    engine = build(url)
    with Session(engine) as session, session.begin():
        session.add_all(Courier(id=n, code=str(n), name=str(n)) for n in (1, 2))
        session.add_all(
            DocumentKind(id=n, code=code, label_id=code, label_en=code)
            for n, code in enumerate(KINDS, start=1)
        )
        session.flush()
        session.add(
            Document(
                id=1, complaint_id=1, stage="proof", public_id="x" * 22, storage_key="x",
                original_name="x", sha256="0" * 64, size=1, media_type="image/jpeg", uploaded_at=moment(0),
            )
        )  # fmt: skip
    return engine


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    if request.param == "sqlite":
        made = prepare(f"sqlite:///{tmp_path_factory.mktemp('cases') / 'cases.sqlite'}")
        yield made
        made.dispose()
        return
    with postgres_or_skip() as server:
        name = server.create_database()
        made = prepare(server.url(name))
        yield made
        made.dispose()
        server.drop_database(name)


# --- a made-up office ----------------------------------------------------------------------------


def moment(minutes: int) -> datetime:
    """So many minutes after midnight of 30 May in the office."""
    return datetime(2026, 5, 29, 17, tzinfo=UTC) + timedelta(minutes=minutes)


DAY = 24 * 60
# Often at the edges: midnight of 1 June and of 1 July in the office, and a minute before.
moments = st.one_of(
    st.integers(0, 34 * DAY), st.sampled_from([2 * DAY - 1, 2 * DAY, 32 * DAY - 1, 32 * DAY])
).map(moment)
days = st.integers(-3, 33).map(lambda n: FIRST + timedelta(days=n))


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """A complaint with its runs, returns and parcels."""
    closed = draw(st.none() | moments)
    step = draw(st.sampled_from(ENDS if closed else [*STEPS, "returned"]))
    runs = [
        {
            "step_key": draw(st.sampled_from(STEPS[:2])),
            "work_seconds": draw(st.integers(0, 2_000)),
            "wait_seconds": draw(st.integers(0, 90_000)),
            "standard_minutes": draw(st.sampled_from([None, 5, 10, 15])),
            "finished_at": draw(moments),
        }
        for _ in range(draw(st.integers(0, 2)))
    ]
    returns = [
        {
            "transition": draw(st.sampled_from(MOVES)),
            "at": draw(moments),
            "details": {
                "returned": {
                    "failed": [
                        [code, draw(st.sampled_from(["missing", "unreadable"]))]
                        for code in draw(st.sets(st.sampled_from(KINDS)))
                    ],
                    "differences": draw(
                        st.lists(st.sampled_from(["nama", "nik", "%"]), max_size=2)
                    ),
                }
            },
        }
        for _ in range(draw(st.integers(0, 2)))
    ]
    parcels = [
        {
            "courier_id": draw(st.integers(1, 2)),
            "sent_at": draw(moments),
            "status": draw(st.sampled_from(["sent", "returned"])),
            "delivered_at": draw(st.none() | moments),
        }
        for _ in range(draw(st.integers(0, 1)))
    ]
    return {
        "channel_id": draw(st.integers(1, 2)),
        "category_id": draw(st.integers(1, 3)),
        "kecamatan_code": draw(st.sampled_from(PLACES)),
        "confidential": draw(st.booleans()),
        "received_at": draw(moments),
        "closed_at": closed,
        "told_at": draw(st.none() | moments),
        "step_key": step,
        "round": draw(st.integers(1, 3)),
        "completeness_due": draw(days),
        "decision_due": draw(days),
        "class_due": draw(days),
        "started": draw(st.booleans()),
        "runs": runs,
        "returns": returns,
        "parcels": parcels,
    }


offices = st.lists(cases(), max_size=6)


@contextmanager
def filled(engine: Engine, office: list[dict[str, Any]]) -> Iterator[Session]:
    """A session over exactly these cases; nothing of it stays."""
    with Session(engine) as session:
        for table in (Dispatch, StepRun, CaseEvent):
            session.execute(delete(table))
        session.execute(delete(Complaint).where(Complaint.id > 100))
        # The cases that the office was built with lie elsewhere in time and are not open.
        session.execute(
            Complaint.__table__.update().values(  # type: ignore[attr-defined]
                received_at=moment(-90 * DAY), closed_at=moment(-80 * DAY),
                completeness_due=date(2026, 1, 1), decision_due=date(2026, 1, 1),
                class_due=date(2026, 1, 1),
            )
        )  # fmt: skip
        for number, case in enumerate(office, start=101):
            _insert_case(session, number, case)
        rebuild(session)
        yield session
        session.rollback()


def _insert_case(session: Session, number: int, case: dict[str, Any]) -> None:
    facts = {k: v for k, v in case.items() if k not in ("runs", "returns", "parcels", "started")}
    session.execute(
        insert(Complaint),
        [
            {
                "id": number, "number": f"PGD-2026-{number:06d}", "text": "x",
                "applicant_name": "x", "registered_at": moment(0), "step_since": moment(0),
                **facts,
            }
        ],
    )  # fmt: skip
    rows = [
        {"complaint_id": number, "round": 1, "entered_at": moment(0), "transition": "x", **run}
        for run in case["runs"]
    ]
    if case["closed_at"] is None and case["step_key"] in STEPS:
        rows.append(
            {
                "complaint_id": number, "round": 1, "entered_at": moment(0), "transition": None,
                "step_key": case["step_key"], "work_seconds": None, "wait_seconds": None,
                "standard_minutes": 5, "finished_at": None,
                "started_at": moment(1) if case["started"] else None,
            }
        )  # fmt: skip
    for row in rows:
        session.execute(insert(StepRun), [row])
    for event in case["returns"]:
        session.execute(
            insert(CaseEvent),
            [
                {
                    "complaint_id": number, "kind": "moved", "from_step": "intake",
                    "to_step": "returned", "version": 1, **event,
                }
            ],
        )  # fmt: skip
    for place, parcel in enumerate(case["parcels"]):
        session.execute(
            insert(Dispatch),
            [
                {
                    "complaint_id": number, "tracking_number": f"{number}-{place}", "proof_id": 1,
                    "recipient": "x", "address": "x", **parcel,
                }
            ],
        )  # fmt: skip


# --- the slow side -------------------------------------------------------------------------------

Hits = list[tuple[int, bool]]


def in_june(instant: datetime | None) -> bool:
    return instant is not None and FIRST <= (instant + WIB).date() <= LAST


def slow(office: list[dict[str, Any]], parts: str, good: Callable[..., bool]) -> Hits:
    """The cases (by number, with whether they are confidential) of every part that fits."""
    return [
        (number, case["confidential"])
        for number, case in enumerate(office, start=101)
        for part in (case[parts] if parts else [case])
        if good(part)
    ]


def rank(values: list[int], numerator: int, denominator: int) -> int:
    """The nearest rank, by counting."""
    return sorted(values)[math.ceil(len(values) * numerator / denominator) - 1] if values else 0


def tenth(seconds: int) -> int:
    """Rounded up as the numbers are kept: six seconds to 20 minutes, half a minute to the hour."""
    for most, step in ((1_200, 6), (3_600, 30), (7_200, 60), (36_000, 300), (180_000, 1_800)):
        if seconds <= most:
            return math.ceil(seconds / step) * step
    raise AssertionError(seconds)


def questions(office: list[dict[str, Any]]) -> Iterator[tuple[Question, Hits]]:
    """Every number that charts show of an office, with its cases."""
    for step in ["", *STEPS[:2]]:
        mine = lambda run, step=step: in_june(run["finished_at"]) and step in ("", run["step_key"])  # noqa: E731
        runs = [run for case in office for run in case["runs"] if mine(run)]
        yield Question("run", step), slow(office, "runs", mine)
        yield Question("run", step, over="standard"), slow(
            office, "runs",
            lambda r, mine=mine: mine(r) and r["standard_minutes"] is not None
            and r["work_seconds"] > r["standard_minutes"] * 60,
        )  # fmt: skip
        yield (
            Question("run", step, over="12"),
            slow(office, "runs", lambda r, mine=mine: mine(r) and r["work_seconds"] > 12 * 60),
        )
        for by, clock in (("", "work_seconds"), ("wait", "wait_seconds")):
            edge = rank([tenth(run[clock]) for run in runs], 9, 10)
            yield (
                Question("run", step, over="p90", by=by),
                slow(
                    office,
                    "runs",
                    lambda r, mine=mine, clock=clock, edge=edge: mine(r) and r[clock] > edge,
                ),
            )
    for hour, weekday in ((None, None), (0, None), (None, 0), (23, 6), (0, 0)):
        yield Question("arrival", hour=hour, weekday=weekday), slow(
            office, "",
            lambda c, hour=hour, weekday=weekday: in_june(c["received_at"])
            and hour in (None, (c["received_at"] + WIB).hour)
            and weekday in (None, (c["received_at"] + WIB).weekday()),
        )  # fmt: skip
    for end, round_ in (("", None), ("done", None), ("withdrawn", None), ("done", 2)):
        yield Question("ended", end, round=round_), slow(
            office, "",
            lambda c, end=end, round_=round_: in_june(c["closed_at"])
            and end in ("", c["step_key"]) and round_ in (None, c["round"]),
        )  # fmt: skip
    for kind in ("completeness", "decision", "class"):
        for state in ("", "met", "late", "missed", "ahead"):
            yield Question("due", kind, state=state), slow(
                office, "", lambda c, kind=kind, state=state: due(c, kind) in ([state] if state else
                ["met", "late", "missed", "ahead"]),
            )  # fmt: skip
    for move in ("", *MOVES):
        sent = lambda e, move=move: in_june(e["at"]) and move in ("", e["transition"])  # noqa: E731
        yield Question("return", move), slow(office, "returns", sent)
        for code in KINDS:
            for state in ("", "missing", "unreadable"):
                yield Question("return", move, paper=code, state=state), slow(
                    office, "returns",
                    lambda e, sent=sent, code=code, state=state: sent(e) and any(
                        c == code and state in ("", s)
                        for c, s in e["details"]["returned"]["failed"]
                    ),
                )  # fmt: skip
        for word, means in (("nama", {"nama"}), ("other", {"%"})):
            yield Question("return", move, differs=word), slow(
                office, "returns",
                lambda e, sent=sent, means=means: sent(e)
                and bool(means & set(e["details"]["returned"]["differences"])),
            )  # fmt: skip
    for courier in ("", "1", "2"):
        mine = lambda p, courier=courier: courier in ("", str(p["courier_id"]))  # noqa: E731
        yield (
            Question("parcel", courier),
            slow(office, "parcels", lambda p, mine=mine: mine(p) and in_june(p["sent_at"])),
        )
        yield Question("parcel", courier, state="returned"), slow(
            office, "parcels",
            lambda p, mine=mine: mine(p) and in_june(p["sent_at"]) and p["status"] == "returned",
        )  # fmt: skip
        yield (
            Question("delivery", courier),
            slow(office, "parcels", lambda p, mine=mine: mine(p) and in_june(p["delivered_at"])),
        )
    yield from open_questions(office)


def due(case: dict[str, Any], kind: str) -> str:
    """How a legal date of June ended; "" when it lies elsewhere."""
    day, closed = case[f"{kind}_due"], case["closed_at"]
    if not FIRST <= day <= LAST:
        return ""
    done = (case["told_at"] or closed) if kind == "completeness" else closed
    if done is not None:
        return "met" if (done + WIB).date() <= day else "late"
    return "missed" if day < TODAY else "ahead"


def open_questions(office: list[dict[str, Any]]) -> Iterator[tuple[Question, Hits]]:
    states: dict[str, Callable[[dict[str, Any]], bool]] = {
        "": lambda c: True,
        "waiting": lambda c: c["step_key"] in STEPS and not c["started"],
        "working": lambda c: c["step_key"] in STEPS and c["started"],
        "office": lambda c: c["step_key"] != "returned",
        "applicant": lambda c: c["step_key"] == "returned",
        "past_class": lambda c: c["class_due"] < TODAY,
        "past_decision": lambda c: c["decision_due"] < TODAY,
    }
    for step in ("", "intake", "returned"):
        for state, fits in states.items():
            yield Question("open", step, state=state), slow(
                office, "",
                lambda c, step=step, fits=fits: c["closed_at"] is None
                and step in ("", c["step_key"]) and fits(c),
            )  # fmt: skip
    for age, low, high in (("0-5", -99, 5), ("6-14", 6, 14), ("15", 15, 999)):
        yield Question("open", age=age), slow(
            office, "",
            lambda c, low=low, high=high: c["closed_at"] is None
            and low <= (TODAY - (c["received_at"] + WIB).date()).days <= high,
        )  # fmt: skip


# --- the comparison ------------------------------------------------------------------------------


def all_pages(
    session: Session, question: Question, actor: Actor, limit: int
) -> tuple[Any, list[Any]]:
    """The first page and the rows of all of them."""
    first = page = load_page(session, question, JUNE, actor, today=TODAY, limit=limit)
    rows = [*page.rows]
    while page.after:
        page = load_page(
            session, question, JUNE, actor, today=TODAY, limit=limit, after=page.after
        )  # fmt: skip
        assert 0 < len(page.rows) <= limit
        rows += page.rows
    return first, rows


#: Each example asks every so-many-th question, from another one on.
EVERY = 9
starts = st.integers(0, EVERY - 1)


@given(office=offices, limit=st.integers(1, 3), start=starts)
@settings(max_examples=18, deadline=None)
def test_every_number_has_exactly_its_cases(
    engine: Engine, office: list[dict[str, Any]], limit: int, start: int
) -> None:
    with filled(engine, office) as session:
        for question, hits in islice(questions(office), start, None, EVERY):
            page, rows = all_pages(session, question, KABID, limit)
            shown = sorted(number for number, confidential in hits if not confidential)
            assert page.total == len(hits), question
            assert page.hidden == len(hits) - len(shown), question
            assert sorted(row.complaint_id for row in rows) == shown, question
            page, rows = all_pages(session, question, HEAD, 50)
            assert (page.total, page.hidden) == (len(hits), 0), question
            assert sorted(row.complaint_id for row in rows) == sorted(n for n, _c in hits)
            exported = export_rows(session, question, JUNE, HEAD, today=TODAY, limit=1000)
            assert [*exported] == rows


@given(office=offices)
@settings(max_examples=8, deadline=None)
def test_runs_are_listed_slowest_first(engine: Engine, office: list[dict[str, Any]]) -> None:
    with filled(engine, office) as session:
        for by in ("", "wait"):
            _page, rows = all_pages(session, Question("run", by=by), HEAD, 2)
            took = [row.wait if by else row.work for row in rows]
            assert took == sorted(took, reverse=True)


@given(office=offices, channel=st.integers(1, 2), place=st.sampled_from(PLACES[1:]), start=starts)
@settings(max_examples=10, deadline=None)
def test_two_filters_at_once_cut_number_and_cases_alike(
    engine: Engine, office: list[dict[str, Any]], channel: int, place: str, start: int
) -> None:
    scope = Scope(FIRST, LAST, channel_id=channel, kecamatan_code=place)
    cut = [
        case if (case["channel_id"], case["kecamatan_code"]) == (channel, place)
        else {**case, "runs": [], "returns": [], "parcels": [], "received_at": moment(-60 * DAY),
              "closed_at": moment(-60 * DAY), "completeness_due": date(2026, 1, 1),
              "decision_due": date(2026, 1, 1), "class_due": date(2026, 1, 1)}
        for case in office
    ]  # fmt: skip
    with filled(engine, office) as session:
        for question, hits in islice(questions(cut), start, None, EVERY):
            page = load_page(session, question, scope, HEAD, today=TODAY)
            assert page.total == len(page.rows) == len(hits), question


HOSTILE = [
    "",
    "x",
    "-1",
    "1_x",
    "_",
    "9" * 400,
    "2026-13-01_1",
    "\x00_1",
    "1.5_1",
    "٣_1",
    "1_" + "9" * 30,
]


def test_a_mark_that_cannot_be_one_is_the_first_page(engine: Engine) -> None:
    with filled(engine, []) as session:
        for of in ("run", "arrival", "due"):
            for after in HOSTILE:
                page = load_page(session, Question(of), JUNE, KABID, today=TODAY, after=after)
                assert (page.total, page.rows, page.after) == (0, (), "")


@pytest.mark.parametrize(
    ("args", "question"),
    [
        pytest.param({}, Question("run"), id="nothing asked is every finished step"),
        pytest.param({"of": "x"}, Question("run"), id="an unknown series"),
        pytest.param({"of": "run", "over": "130"}, Question("run", over="130"), id="a bound"),
        pytest.param({"of": "run", "over": "121"}, Question("run"), id="no bound of a class"),
        pytest.param({"of": "run", "over": "0"}, Question("run"), id="no minute"),
        pytest.param({"of": "run", "over": "999"}, Question("run"), id="more than a day's work"),
        pytest.param({"of": "run", "hour": "3"}, Question("run"), id="a run has no hour"),
        pytest.param({"of": "arrival", "hour": "24"}, Question("arrival"), id="no such hour"),
        pytest.param({"of": "arrival", "weekday": "7"}, Question("arrival"), id="no such day"),
        pytest.param({"of": "open", "age": "9-3"}, Question("open"), id="an age turned round"),
        pytest.param({"of": "open", "age": "9-"}, Question("open"), id="half an age"),
        pytest.param({"of": "open", "age": "61"}, Question("open", age="61"), id="and more"),
        pytest.param({"of": "open", "state": "met"}, Question("open"), id="another's state"),
        pytest.param({"of": "run", "item": "x" * 41}, Question("run"), id="no key is so long"),
        pytest.param({"of": "run", "item": "a\x00"}, Question("run"), id="nor has it a nought"),
    ],
)
def test_what_an_address_cannot_mean_is_left_out(args: dict[str, str], question: Question) -> None:
    assert read_question(args) == question
