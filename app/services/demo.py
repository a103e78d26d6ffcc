"""The demo office: 40 fictional complaints of the last 60 days, replayed through the services.

Nothing is written past a service, so the demo cannot break the SOP; times count back from the
moment of seeding, so charts and queues are always fresh. The same moment gives the same office.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Complaint, Pause, SeedRun, User
from app.services.actor import Actor
from app.services.batch import apply_batch
from app.services.calendar import OFFICE_ZONE
from app.services.complaints import Registration, register_complaint
from app.services.demo_messages import settle_messages
from app.services.demo_people import Person, add_officers, describe, read_people
from app.services.demo_plan import (
    DAY,
    MINUTE,
    OfficeTime,
    Script,
    Stop,
    Story,
    Walk,
    chance,
    lay_out,
    read_script,
)
from app.services.demo_signing import DemoSigning
from app.services.demo_work import (
    DemoOffice,
    Part,
    attach_present,
    attach_signed,
    first_checks,
    parcel_of,
    prepare_move,
)
from app.services.dispatching import set_status
from app.services.facts import current_checks
from app.services.messages.compose import Reach
from app.services.pausing import end_pause, pause_run, pause_step
from app.services.storage import Store, StoreError
from app.services.transitions import Handling, Office, apply_transition, open_run, start_work
from app.sop.errors import RefusedError, SopError

logger = logging.getLogger(__name__)

SEED_NAME: Final = "demo"
#: Known to everybody who reads this: a demo office is never put on a network.
DEMO_PASSWORD: Final = "batang-demo-2026"  # noqa: S105
#: (role, user name, password): one of each role.
DEMO_LOGINS: Final[tuple[tuple[str, str, str], ...]] = tuple(
    (role, username, DEMO_PASSWORD)
    for role, username in (
        ("Petugas Pengaduan", "petugas"),
        ("Operator", "operator"),
        ("Sub Koordinator", "subkoordinator"),
        ("Kepala Dinas", "kepaladinas"),
        ("Kepala Bidang", "kepalabidang"),
        ("Admin TI", "admin"),
    )
)
#: How long the head of the office looks at each paper of a batch, in seconds.
_BATCH_LOOK: Final = 75


class DemoRefusedError(RefusedError):
    """The database is not an empty office: demo data never mixes with an office's own."""

    def __str__(self) -> str:
        return "Demo data goes only into an empty database: there are users or complaints already."


def seed_demo(
    session: Session,
    office: Office,
    store: Store,
    folder: Path,
    *,
    now: datetime,
    hash_password: Callable[[str], str],
    signing: DemoSigning,
) -> list[tuple[str, str, str]]:
    """Fill an empty office; answers (role, user name, password) of one officer of each role.

    Flushes and never commits: the caller commits everything or rolls everything back. The files
    of a failed run are removed from the store.

    Args:
        session: of a database that has its SOP, roles and reference data.
        office: the SOP and the calendar.
        store: where the sample scans go.
        folder: the seed files; the demo's own lie in `demo/`.
        now: aware; nothing happens after it.
        hash_password: what signing in compares with.
        signing: the certificate of the demo's head.

    Raises:
        DemoRefusedError: there are complaints or users already.
    """
    for model in (Complaint, User):
        if session.scalar(select(func.count()).select_from(model)):
            raise DemoRefusedError("demo_not_empty")
    keys: list[str] = []
    office = replace(office, reach=Reach(office.reach.public_url, email=True))
    try:
        officers = add_officers(
            session, folder, now=now, password=DEMO_PASSWORD, hash_password=hash_password
        )
        stage = DemoOffice.open(session, office, store, officers, folder / "demo", signing)
        stage.keys = keys
        stage.receive_blanks(now=now)
        _Play(stage, folder / "demo", now).run()
        settle_messages(session, stage.who_can("can_edit", 0, "Message"), now=now)
        session.add(SeedRun(name=SEED_NAME, at=now))
        session.flush()
    except BaseException:
        for key in keys:
            with suppress(StoreError):  # what stays is an orphan and harms nothing
                store.delete(key)
        raise
    return list(DEMO_LOGINS)


@dataclass(frozen=True)
class _Event:
    """Something that somebody does at a moment; `batch` names what is done together."""

    at: datetime
    do: Callable[[], None]
    batch: str = ""
    text: int = 0


class _Play:
    """All stories at once, in the order in which things happened in the office."""

    def __init__(self, stage: DemoOffice, folder: Path, now: datetime) -> None:
        self.stage, self.session, self.sop = stage, stage.session, stage.office.sop
        self.time = OfficeTime(stage.office.calendar, now)
        self.script: Script = read_script(folder / "cases.toml")
        self.people = read_people(folder / "people.csv")
        with (folder / "complaints.csv").open(encoding="utf-8", newline="") as file:
            self.texts = list(csv.DictReader(file))
        self.cases: dict[int, Complaint] = {}
        #: Stories that this office's SOP ended early; their cases stay where they are.
        self.stopped: set[int] = set()
        self.pauses: dict[int, tuple[Pause, Actor]] = {}
        self.events: list[_Event] = []

    def run(self) -> None:
        """Plan every story, then play all of them by the clock."""
        for story in self.script.stories:
            self._plan(story, lay_out(self.sop, story, self.script, self.time))
        # A stable sort: what one story does at one moment stays in its order.
        self.events.sort(key=lambda event: event.at)
        done: set[int] = set()
        for number, event in enumerate(self.events):
            if number in done:
                continue
            if event.batch:
                mates = [
                    other
                    for other in range(number, len(self.events))
                    if (self.events[other].at, self.events[other].batch) == (event.at, event.batch)
                ]
                done.update(mates)
                self._batch(event, [self.events[other].text for other in mates])
            else:
                event.do()

    # --- planning ---

    def _plan(self, story: Story, walk: Walk) -> None:
        self._add(walk.registered, partial(self._register, story, walk))
        for number, stop in enumerate(walk.stops):
            self._plan_pauses(story, stop.step, stop.entered)
            if story.together and stop.move == "sign":
                self._add(stop.finished, self._nothing, batch=stop.move, text=story.text)
                continue
            if number and self.sop.step(stop.step).clock:
                self._add(stop.started, partial(self._start, story, stop.move, stop.started))
            self._add(stop.finished, partial(self._move, story, stop))
        if walk.stops:
            last = walk.stops[-1]
            self._plan_pauses(story, self.sop.move(last.step, last.move).target, last.finished)
        if story.more.get("ready"):
            self._add(walk.taken_up, partial(self._make_ready, story, walk.taken_up))
        if story.working:
            self._add(walk.taken_up, partial(self._start, story, "", walk.taken_up))
        self._plan_parcel(story, walk)

    def _plan_pauses(self, story: Story, step: str, entered: float) -> None:
        """The pause of this one case, and that of a whole step which this case came into."""
        whole = self.script.step_pause
        for facts, of_step in ((story.pause, False), (whole, True)):
            if facts.get("step") != step or (of_step and facts["text"] != story.text):
                continue
            begin = entered - facts["after"] * MINUTE * self.time.scale
            self._add(begin, partial(self._pause, story, facts, begin, of_step=of_step))
            if "minutes" in facts:
                end = begin - facts["minutes"] * MINUTE * self.time.scale
                self._add(end, partial(self._go_on, story, facts, end))

    def _plan_parcel(self, story: Story, walk: Walk) -> None:
        status = story.more.get("parcel", {}).get("status", "sent")
        sent = [stop.finished for stop in walk.stops if stop.move == "send"]
        if sent and status != "sent":
            days = chance(story.text, "parcel").uniform(1.2, 2.6)
            at = sent[-1] - days * DAY * self.time.scale
            if at > 0:
                self._add(at, partial(self._close_parcel, story, at))

    def _add(self, ago: float, do: Callable[[], None], *, batch: str = "", text: int = 0) -> None:
        self.events.append(_Event(self.time.at(ago), do, batch, text))

    # --- playing ---

    def _register(self, story: Story, walk: Walk) -> None:
        row, person = self.texts[story.text - 1], self.people[story.text - 1]
        opened, at = self.time.at(walk.opened), self.time.at(walk.registered)
        category = self.stage.categories[row["category"]]
        channel = self.stage.channels[row["channel"]]
        actor = self.stage.who_can("can_add", story.text)
        data = describe(
            person,
            channel=(channel.id, channel.code),
            category_id=category.id,
            received_at=self._received(channel.in_person, person, opened),
            text=row["text"],
            known=any(item.required for item in category.requirements),
            hide_identity=bool(story.more.get("hide_identity")),
            needs_first_ktp=bool(story.more.get("first_ktp")),
        )
        checks = first_checks(category, story)
        case = register_complaint(
            self.session,
            self.stage.office,
            Registration(data, opened, checks),
            actor,
            now=at,
        )
        self.cases[story.text] = case
        seen = [item for item in current_checks(self.session, case) if item.state == "present"]
        attach_present(self.stage, case, seen, actor, at)

    def _received(self, in_person: bool, person: Person, opened: datetime) -> datetime:
        """At the counter now; by message some minutes before, or the evening before."""
        rng = chance(person.number, "received")
        if in_person:
            return opened
        local = opened.astimezone(OFFICE_ZONE)
        if rng.random() < 0.4:
            evening = datetime.combine(
                local.date() - timedelta(days=1), time(18, 30), tzinfo=local.tzinfo
            )
            return evening + timedelta(minutes=rng.randrange(0, 210))
        return opened - timedelta(minutes=rng.randrange(4, 90))

    def _start(self, story: Story, move: str, ago: float) -> None:
        """*Kerjakan*; without a move, in whatever step the case stands."""
        if story.text in self.stopped:
            return
        case = self.cases[story.text]
        move = move or next(item.key for item in self.sop.step(case.step_key).transitions)
        actor, at = self.stage.who_can(move, story.text), self.time.at(ago)
        start_work(self.session, self.sop, case, actor, now=at, take_over=True)

    def _move(self, story: Story, stop: Stop) -> None:
        if story.text in self.stopped:
            return
        at, case = self.time.at(stop.finished), self.cases[story.text]
        part = Part(story, case, self._actor_of(case, stop.move, story), at)
        savepoint = self.session.begin_nested()
        try:
            details = prepare_move(self.stage, part, stop.move)
            apply_transition(
                self.session,
                self.stage.office,
                case,
                stop.move,
                part.actor,
                now=at,
                reason=story.more.get("reasons", {}).get(stop.move, ""),
                handling=Handling(self.time.at(stop.started)),
                details=details,
            )
        except SopError as error:
            savepoint.rollback()
            self._stop(story.text, error)
        else:
            savepoint.commit()

    def _actor_of(self, case: Complaint, move: str, story: Story) -> Actor:
        """Who has the case in hand, where he may make the move; else one who may."""
        for officer in self.stage.officers:
            if officer.actor.id == case.assignee_id and officer.actor.can(move):
                return officer.actor
        return self.stage.who_can(move, story.text)

    def _batch(self, event: _Event, texts: Sequence[int]) -> None:
        """Several cases in one go, as from the list."""
        texts = [text for text in texts if text not in self.stopped]
        if not texts:
            return
        stories = {story.text: story for story in self.script.stories}
        actor = self.stage.who_can(event.batch, texts[0])
        for text in texts:
            part = Part(stories[text], self.cases[text], actor, event.at)
            prepare_move(self.stage, part, event.batch)
        numbers = {self.cases[text].number: text for text in texts}
        result = apply_batch(
            self.session,
            self.stage.office,
            {self.cases[text].id: None for text in texts},
            event.batch,
            actor,
            now=event.at,
            opened_at=event.at - timedelta(seconds=_BATCH_LOOK * len(texts)),
        )
        for number, error in result.refused:
            self._stop(numbers[number], error)

    def _stop(self, text: int, error: SopError) -> None:
        self.stopped.add(text)
        logger.warning("demo case %s stays where it is: %s", text, error)

    def _make_ready(self, story: Story, ago: float) -> None:
        if story.text not in self.stopped:
            actor = self.stage.who_can("sign", story.text)
            attach_signed(self.stage, self.cases[story.text], actor, self.time.at(ago))

    def _pause(self, story: Story, facts: Mapping[str, Any], ago: float, *, of_step: bool) -> None:
        session, at, step = self.session, self.time.at(ago), facts["step"]
        reason, note = facts["reason"], facts.get("note", "")
        actor = self.stage.who_can(self.sop.step(step).transitions[0].key, story.text)
        run = open_run(session, self.cases[story.text])
        if of_step:
            pause = pause_step(session, self.sop, step, actor, reason, now=at, note=note)
        elif run is not None and run.step_key == step:
            pause = pause_run(session, self.sop, run, actor, reason, now=at, note=note)
        else:
            return
        self.pauses[id(facts)] = (pause, actor)

    def _go_on(self, story: Story, facts: Mapping[str, Any], ago: float) -> None:
        if id(facts) in self.pauses:
            pause, actor = self.pauses[id(facts)]
            end_pause(self.session, pause, actor, now=self.time.at(ago))

    def _nothing(self) -> None:
        """A batch is done by the loop."""

    def _close_parcel(self, story: Story, ago: float) -> None:
        """The courier's page says what became of it."""
        parcel = parcel_of(self.session, self.cases[story.text])
        if parcel is None:
            return
        facts, at = story.more["parcel"], self.time.at(ago)
        set_status(
            self.session,
            parcel,
            facts["status"],
            self.stage.who_can("can_edit", story.text, "Dispatch"),
            now=at,
            expected_version=parcel.version,
            delivered_at=max(parcel.sent_at, at - timedelta(minutes=25)),
            received_by=facts.get("received_by", ""),
            relation=facts.get("relation", ""),
            return_reason=facts.get("reason", ""),
        )
