"""The SOP as a table: its dataclasses, and the compiler of `seed_data/sop.toml`.

`compile_sop` reports ALL mistakes of a file at once, in the order of the file.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, cast

from app.sop.errors import Mistake, NotFoundError, SopMistakes, UnknownTransitionError
from app.sop.guards import EFFECTS, GUARDS, OCCASIONS
from app.sop.reader import Book, Place, Table, did_you_mean
from app.sop.text import Text

Kind = Literal["activity", "waiting", "end"]
Symbol = Literal["terminal", "process", "decision"]

KINDS: Final = ("activity", "waiting", "end")
SYMBOLS: Final = ("terminal", "process", "decision")
#: Work forms the screens have; a new step uses "plain" unless it names one of them.
FORMS: Final = (
    "plain",
    "file_check",
    "siak_check",
    "certification",
    "signing",
    "printing",
    "dispatch",
    "resubmission",
)
#: Names of the panel framework's own: a transition of that name would shadow them, or they it.
RESERVED: Final = frozenset(
    {"list", "show", "add", "edit", "delete", "download", "action", "action_post", "menu_access"}
)


@dataclass(frozen=True, slots=True)
class Lane:
    """Who acts: a role of the office, one column of the sheet."""

    key: str
    label: Text


@dataclass(frozen=True, slots=True)
class PauseReason:
    """Why a step's clock may stand still."""

    key: str
    label: Text


@dataclass(frozen=True, slots=True)
class Header:
    """The head of the official SOP sheet (Permenpan-RB 35/2012); blank until filled in."""

    sheet_title: str = ""
    government: str = ""
    agency: str = ""
    division: str = ""
    number: str = ""
    created_on: str = ""
    revised_on: str = ""
    effective_on: str = ""
    approved_by: str = ""
    legal_basis: tuple[str, ...] = ()
    qualifications: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    recording: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed move of a case; its key is also the permission it asks for."""

    key: str
    source: str
    target: str
    label: Text
    actor: str
    batch: bool = False
    reason: bool = False
    guards: tuple[str, ...] = ()
    effect: str | None = None
    needs_form: bool = False
    extension: bool = False
    danger: bool = False
    message: str = ""

    @property
    def permission(self) -> str:
        """The one permission on a complaint that this transition asks for."""
        return self.key


@dataclass(frozen=True, slots=True)
class Step:
    """One place a case can be in; `number` is the row of the sheet, None off the sheet."""

    key: str
    position: int
    number: int | None
    kind: Kind
    clock: bool
    actor: str
    standard_minutes: int | None
    label: Text
    activity: str
    requires: tuple[str, ...]
    output: str
    form: str
    note: str
    symbol: Symbol
    transitions: tuple[Transition, ...]


@dataclass(frozen=True)
class Sop:
    """The compiled SOP; steps and transitions stand in the order of the file."""

    title: Text
    lanes: tuple[Lane, ...]
    steps: tuple[Step, ...]
    pause_reasons: tuple[PauseReason, ...]
    entry: str
    sha256: str = ""
    header: Header = field(default_factory=Header)

    @cached_property
    def _steps(self) -> dict[str, Step]:
        return {step.key: step for step in self.steps}

    def step(self, key: str) -> Step:
        """The step of that key.

        Raises:
            NotFoundError: the SOP has no such step.
        """
        try:
            return self._steps[key]
        except KeyError:
            raise NotFoundError("step", key) from None

    def lane(self, key: str) -> Lane:
        """The lane of that key; raises NotFoundError when there is none."""
        if lane := next((lane for lane in self.lanes if lane.key == key), None):
            return lane
        raise NotFoundError("lane", key)

    def move(self, step_key: str, key: str) -> Transition:
        """The transition `key` out of step `step_key`.

        Raises:
            UnknownTransitionError: that step has no such transition.
        """
        step = self._steps.get(step_key)
        for transition in step.transitions if step else ():
            if transition.key == key:
                return transition
        raise UnknownTransitionError(step_key, key)

    @cached_property
    def transitions(self) -> tuple[Transition, ...]:
        """All transitions of all steps; a key may stand under several steps."""
        return tuple(move for step in self.steps for move in step.transitions)

    @cached_property
    def permissions(self) -> tuple[str, ...]:
        """The distinct permissions of all transitions, in file order."""
        return tuple(dict.fromkeys(move.permission for move in self.transitions))

    @cached_property
    def clock_steps(self) -> tuple[Step, ...]:
        """The steps whose time is measured."""
        return tuple(step for step in self.steps if step.clock)

    @property
    def total_minutes(self) -> int:
        """The sheet's TOTAL WAKTU, in minutes."""
        return sum(step.standard_minutes or 0 for step in self.clock_steps)

    def actor_steps(self, role_key: str) -> tuple[Step, ...]:
        """The steps that the role can move a case out of."""
        return tuple(
            step for step in self.steps if any(m.actor == role_key for m in step.transitions)
        )


def load_sop(path: str | Path) -> Sop:
    """Read and compile the SOP file.

    Raises:
        SopMistakes: the file cannot be read, is not TOML, or does not compile.
    """
    try:
        content = Path(path).read_bytes()
        data = tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        mistake = Mistake(str(path), f"cannot be read: {error.strerror or error}")
    except UnicodeDecodeError as error:
        mistake = Mistake(str(path), f"is not UTF-8 text: {error.reason}")
    except tomllib.TOMLDecodeError as error:
        mistake = Mistake(str(path), f"is not valid TOML: {error}")
    else:
        return compile_sop(data, sha256=hashlib.sha256(content).hexdigest())
    raise SopMistakes([mistake])


def compile_sop(data: Mapping[str, Any], *, sha256: str = "") -> Sop:
    """Turn the parsed SOP file into a `Sop`, or say everything that is wrong with it.

    Raises:
        SopMistakes: with every mistake found, in the order of the file.
    """
    book = Book(data)
    top = book.table(data, "file", ())
    title, entry = top.text("title"), top.string("entry")
    header = _header(book.table(top.take("header", {}), "header", book.at("header")))
    lanes = tuple(Lane(key, table.text("label")) for key, table in book.keyed(top, "lane"))
    reasons = tuple(
        PauseReason(key, table.text("label"))
        for key, table in book.keyed(top, "pause_reason", needed=False)
    )
    actors = [lane.key for lane in lanes]
    steps: list[Step] = []
    for key, table in book.keyed(top, "step"):
        number = 1 + sum(step.kind == "activity" for step in steps)
        steps.append(_step(key, table, len(steps) + 1, number, actors))
    _check_targets(book, steps, entry)
    _check_shared_keys(book, steps)
    for index, lane in enumerate(lanes):
        if not any(lane.key in {s.actor, *(m.actor for m in s.transitions)} for s in steps):
            book.add(book.at("lane", index), f"lane {lane.key}", "no step or transition uses it")
    book.finish()
    if book.mistakes:
        raise SopMistakes(book.mistakes)
    return Sop(title, lanes, tuple(steps), reasons, entry, sha256, header)


def _header(table: Table) -> Header:
    values: dict[str, Any] = {
        line.name: table.strings(line.name) if line.default == () else table.string(line.name)
        for line in fields(Header)
    }
    return Header(**values)


def _step(key: str, table: Table, position: int, number: int, actors: Collection[str]) -> Step:
    kind = cast(Kind, table.choice("kind", KINDS, "activity"))
    activity = kind == "activity"
    clock = table.flag("clock", default=activity)
    minutes = table.whole("standard_minutes")
    if clock and not activity:
        table.wrong(f"a step of kind {kind} has no clock")
    if clock and activity and minutes is None:
        table.wrong("has a clock but no standard_minutes")
    if not clock and minutes is not None:
        table.wrong("has standard_minutes but no clock")
    actor = _actor(table, actors, "")
    moves = [
        _transition(name, move, key, actor, actors)
        for name, move in table.book.keyed(table, "transition", needed=False)
    ]
    if activity and not moves:
        table.wrong("has no way out: an activity needs a transition")
    return Step(
        key=key,
        position=position,
        number=number if activity else None,
        kind=kind,
        clock=clock,
        actor=actor,
        standard_minutes=minutes,
        label=table.text("label"),
        activity=table.string("activity", needed=activity),
        requires=table.strings("requires"),
        output=table.string("output", needed=activity),
        form=table.choice("form", FORMS, "plain"),
        note=table.string("note"),
        symbol=cast(Symbol, table.choice("symbol", SYMBOLS, "process")),
        transitions=tuple(moves),
    )


def _transition(
    key: str, table: Table, source: str, step_actor: str, actors: Collection[str]
) -> Transition:
    if "can_" in key:
        table.wrong(f"key {key} must not contain can_: the framework gives that a meaning")
    if key in RESERVED:
        table.wrong(f"key {key} is a name of the framework's own")
    guards = table.strings("guards")
    if "guard" in table:  # one guard may be written without a list
        guards += tuple(filter(None, [table.string("guard", needed=True)]))
    for name in guards:
        if name not in GUARDS:
            table.wrong(f"unknown guard {name}{did_you_mean(name, GUARDS)}")
    effect = table.string("effect") or None
    if effect and effect not in EFFECTS:
        table.wrong(f"unknown effect {effect}{did_you_mean(effect, EFFECTS)}")
    reason = table.choice("reason", ("required", "optional"), "optional") == "required"
    batch = table.flag("batch")
    needs_form = table.flag("needs_form", default=reason)  # a reason is typed somewhere
    if batch and needs_form:
        table.wrong("a batch transition cannot need a form (needs_form, or a required reason)")
    return Transition(
        key=key,
        source=source,
        target=table.string("target", needed=True),
        label=table.text("label"),
        actor=_actor(table, actors, step_actor),
        batch=batch,
        reason=reason,
        guards=guards,
        effect=effect,
        needs_form=needs_form,
        extension=table.flag("extension"),
        danger=table.flag("danger"),
        message=table.choice("message", OCCASIONS, "") if "message" in table else "",
    )


def _actor(table: Table, actors: Collection[str], default: str) -> str:
    """The lane that acts; a transition without one takes its step's."""
    if default and "actor" not in table:
        table.take("actor", None)  # known, though absent
        return default
    actor = table.string("actor", needed="actor" in table or not default)
    if actor and actor not in actors:
        table.wrong(f"unknown lane {actor}{did_you_mean(actor, actors)}")
    return actor


def _moves(book: Book, steps: Iterable[Step]) -> Iterator[tuple[Transition, Place, str]]:
    """Every transition with its place in the file and its name in a message."""
    for index, step in enumerate(steps):
        for sub, move in enumerate(step.transitions):
            where = f"step {step.key}, transition {move.key}"
            yield move, book.at("step", index, sub), where


def _check_targets(book: Book, steps: list[Step], entry: str) -> None:
    """Every target exists, every step is reached from the entry and reaches an end."""
    keys = {step.key for step in steps}
    for move, place, where in _moves(book, steps):
        if move.target and move.target not in keys:
            book.add(place, where, f"unknown target {move.target}{did_you_mean(move.target, keys)}")
    if not entry:
        book.add(book.at("entry"), "file", "has no entry: name the step a complaint begins in")
    elif entry not in {step.key for step in steps if step.kind == "activity"}:
        book.add(book.at("entry"), "file", f"entry {entry} is not a step of kind activity")
    if not steps:
        return
    onward: dict[str, set[str]] = {key: set() for key in keys}
    back: dict[str, set[str]] = {key: set() for key in keys}
    for step in steps:
        for move in step.transitions:
            onward[step.key].add(move.target)
            back.setdefault(move.target, set()).add(step.key)
    reached = _reach({entry if entry in keys else steps[0].key}, onward)
    ends = {step.key for step in steps if step.kind == "end"}
    if not ends:
        book.add(book.at("step"), "file", "has no step of kind end")
    ending = _reach(ends, back)
    for index, step in enumerate(steps):
        place, where = book.at("step", index), f"step {step.key}"
        if step.key not in reached:
            book.add(place, where, "cannot be reached from the entry")
        dead_end = step.kind == "activity" and not step.transitions  # said already
        if ends and step.key not in ending and not dead_end:
            book.add(place, where, "no end can be reached from it")


def _reach(start: set[str], edges: Mapping[str, set[str]]) -> set[str]:
    reached, todo = set(start), list(start)
    while todo:
        for target in edges.get(todo.pop(), set()) - reached:
            reached.add(target)
            todo.append(target)
    return reached


def _check_shared_keys(book: Book, steps: list[Step]) -> None:
    """A key under several steps is one permission and one button, so it is alike in all."""
    first: dict[str, Transition] = {}
    for move, place, where in _moves(book, steps):
        model = first.setdefault(move.key, move)
        for name in ("actor", "label", "batch"):
            if getattr(move, name) != getattr(model, name):
                message = f"has another {name} than {move.key} under step {model.source}"
                book.add(place, where, message)
