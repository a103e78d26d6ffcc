"""Reading seed files strictly: typed rows out of CSV and TOML, and every mistake with its line.

A data file is compiled like code: reading never stops at the first mistake. What a column may
hold is taken from the model, so that a file cannot promise what the table refuses.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Boolean, Column, Date, Integer, String, Text, Time

from app.models import Model
from app.sop.errors import Mistake, SopError
from app.sop.reader import did_you_mean

#: Reads a text and returns what is wrong with it, or nothing.
Check = Callable[[str], str]

#: The largest whole number of an INTEGER column in PostgreSQL.
_LARGEST: Final = 2**31 - 1
_TRUTH: Final = {"true": True, "false": False}
_READERS: Final[dict[type, Callable[[str], Any]]] = {
    bool: _TRUTH.__getitem__,
    int: int,
    date: date.fromisoformat,
    time: time.fromisoformat,
    str: str,
}
_TYPES: Final[tuple[tuple[type, type, str], ...]] = (
    (Boolean, bool, "true or false"),
    (Integer, int, "a whole number"),
    (Date, date, "a date such as 2026-08-17"),
    (Time, time, "a time such as 07:30:00"),
    (String, str, "a text"),
)


class SeedError(SopError):
    """The seed files do not compile; `mistakes` lists all of them and nothing was written."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes: tuple[Mistake, ...] = tuple(mistakes)
        super().__init__("seed_mistakes", count=len(self.mistakes))

    def __str__(self) -> str:
        return "\n".join(str(mistake) for mistake in self.mistakes)


class _UnfitError(ValueError):
    """A value of the right kind that the column cannot hold."""


@dataclass(slots=True)
class Mistakes:
    """The mistakes found so far, in the order in which the files are read."""

    found: list[Mistake] = field(default_factory=list)

    def add(self, name: str, line: int, message: str) -> None:
        """Note a mistake at a line of a file; line 0 means the file as a whole."""
        self.found.append(Mistake(f"{name}, line {line}" if line else name, message))

    def raise_if_any(self) -> None:
        """Stop here when anything was wrong.

        Raises:
            SeedError: with every mistake noted.
        """
        if self.found:
            raise SeedError(self.found)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a seed file: its line, its values, and lines of their own that these have."""

    line: int
    values: dict[str, Any]
    at: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeedFile:
    """One seed file: its table, its columns, and what makes two rows the same.

    `references` are columns that name another table's row by its code; they are read as text.
    `notes` are columns for people, read by nobody. An empty `key` means the table has one row.
    """

    name: str
    model: type[Model]
    columns: tuple[str, ...]
    key: tuple[str, ...]
    references: Mapping[str, type[Model]] = field(default_factory=dict)
    choices: Mapping[str, Collection[str]] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)
    row_check: Callable[[Mapping[str, Any]], str] = field(default=lambda values: "")
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> Column[Any] | None:
        """The table's column behind a column of the file; None for a reference."""
        column: Column[Any] | None = self.model.__table__.c.get(name)
        return column


def read_csv(path: Path, spec: SeedFile, mistakes: Mistakes) -> list[Row]:
    """The rows of a CSV file (UTF-8, a header line, columns in any order)."""
    text = _read_text(path, mistakes)
    if text is None:
        return []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        if not _header_fits(header, spec, mistakes):
            return []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                message = f"{len(cells)} values under {len(header)} columns"
                mistakes.add(spec.name, reader.line_num, message)
                continue
            raw = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            rows.append(_typed_row(Row(reader.line_num, raw), spec, mistakes, _from_text))
    except csv.Error as error:
        mistakes.add(spec.name, reader.line_num, str(error))
        return rows
    _note_duplicates(rows, spec, mistakes)
    return rows


def check_rows(rows: Iterable[Row], spec: SeedFile, mistakes: Mistakes) -> list[Row]:
    """Rows that came out of TOML, held to the same rules as those of a CSV file."""
    checked = []
    for row in rows:
        for name in row.values.keys() - set(spec.columns):
            hint = did_you_mean(name, spec.columns)
            line = row.at.get(name, row.line)
            mistakes.add(spec.name, line, f"there is no {name} here{hint}")
        checked.append(_typed_row(row, spec, mistakes, _from_toml))
    _note_duplicates(checked, spec, mistakes)
    return checked


def read_toml(path: Path, mistakes: Mistakes) -> TomlFile | None:
    """A TOML file and where its keys stand; None when it cannot be read."""
    text = _read_text(path, mistakes)
    if text is None:
        return None
    try:
        return TomlFile(path.name, tomllib.loads(text), text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        mistakes.add(path.name, int(at[1]) if at else 0, str(error))
        return None


class TomlFile:
    """What a TOML file says and on which line (`tomllib` does not tell)."""

    def __init__(self, name: str, data: dict[str, Any], text: str) -> None:
        self.name = name
        self.data = data
        self._lines: dict[tuple[str, int, str], int] = {}
        count: dict[str, int] = {}
        table, nth = "", 0
        for number, line in enumerate(text.splitlines(), start=1):
            if header := re.match(r"\s*\[\[?\s*([^\[\],]+?)\s*\]\]?\s*(?:#.*)?$", line):
                table = header[1].strip("\"'")
                nth = count.get(table, 0)
                count[table] = nth + 1
                self._lines[table, nth, ""] = number
            elif key := re.match(r"\s*[\"']?([^\s\"'=]+)[\"']?\s*=", line):
                self._lines.setdefault((table, nth, key[1]), number)

    def line(self, key: str, *, table: str = "", nth: int = 0) -> int:
        """The line of a key, or of the table of that name, else of the table around it, else 0."""
        places = ((table, nth, key), (key, 0, ""), (table, nth, ""))
        return next((self._lines[place] for place in places if place in self._lines), 0)


def table_rows(file: TomlFile, name: str, spec: SeedFile, mistakes: Mistakes) -> Iterator[Row]:
    """One row out of each `[[name]]` table of a TOML file that holds nothing else."""
    for other in file.data.keys() - {name}:
        mistakes.add(spec.name, file.line(other), f"there is no {other} here")
    tables = file.data.get(name)
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        mistakes.add(spec.name, file.line(name), f"the [[{name}]] tables are missing")
        return
    for nth, table in enumerate(tables):
        at = {key: file.line(key, table=name, nth=nth) for key in table}
        values = {key: v.strip() if isinstance(v, str) else v for key, v in table.items()}
        yield Row(file.line("", table=name, nth=nth), values, at)


def _read_text(path: Path, mistakes: Mistakes) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        mistakes.add(path.name, 0, "the file is missing")
    except UnicodeDecodeError:
        mistakes.add(path.name, 0, "the file is not UTF-8 text")
    except OSError as error:
        mistakes.add(path.name, 0, f"the file cannot be read: {error.strerror}")
    return None


def _header_fits(header: list[str], spec: SeedFile, mistakes: Mistakes) -> bool:
    """Whether every column is there and none is unknown or doubled."""
    fits = True
    for name in spec.columns:
        if name not in header:
            mistakes.add(spec.name, 1, f"the column {name} is missing")
            fits = False
    for index, name in enumerate(header):
        if name not in spec.columns and name not in spec.notes:
            hint = did_you_mean(name, spec.columns)
            mistakes.add(spec.name, 1, f"the column {name!r} is unknown{hint}")
            fits = False
        elif name in header[:index]:
            mistakes.add(spec.name, 1, f"the column {name} comes twice")
            fits = False
    return fits


def _typed_row(
    raw: Row, spec: SeedFile, mistakes: Mistakes, convert: Callable[[Column[Any], Any], Any]
) -> Row:
    """The row with its values converted, blank and wrong ones left out."""
    values: dict[str, Any] = {}
    complete = True
    for name in spec.columns:
        try:
            value = _typed_value(raw.values.get(name, ""), name, spec, convert)
        except ValueError as error:
            mistakes.add(spec.name, raw.at.get(name, raw.line), f"{name}: {error}")
            complete = False
            continue
        if value is not None:
            values[name] = value
    # A rule about several values says nothing useful while one of them is wrong.
    if complete and (message := spec.row_check(values)):
        mistakes.add(spec.name, raw.line, message)
    return Row(raw.line, values, raw.at)


def _typed_value(
    raw: Any, name: str, spec: SeedFile, convert: Callable[[Column[Any], Any], Any]
) -> Any:
    """The value of one cell, None when it is blank and may be.

    Raises:
        ValueError: what is wrong with it, without the column's name.
    """
    column = spec.column(name)
    if raw == "":
        if name in spec.references or name in spec.key:
            target = column if column is not None else spec.column(f"{name}_id")
            needed = target is None or not target.nullable
        else:
            needed = column is not None and not column.nullable and column.default is None
        if needed:
            raise ValueError("a value is missing")
        return None
    value = raw if column is None else convert(column, raw)
    if name in spec.choices and value not in spec.choices[name]:
        hint = did_you_mean(str(value), spec.choices[name])
        raise ValueError(f"{value!r} is none of {', '.join(sorted(spec.choices[name]))}{hint}")
    if name in spec.checks and (message := spec.checks[name](value)):
        raise ValueError(message)
    return value


def _expected(column: Column[Any]) -> tuple[type, str]:
    for kind, python, words in _TYPES:
        if isinstance(column.type, kind):
            return python, words
    raise TypeError(f"no seed file can fill a {column.type} column")


def _from_text(column: Column[Any], raw: str) -> Any:
    python, words = _expected(column)
    try:
        return _fitting(column, _READERS[python](raw))
    except _UnfitError:
        raise
    except (KeyError, ValueError):
        raise ValueError(f"{raw!r} is not {words}") from None


def _from_toml(column: Column[Any], raw: Any) -> Any:
    python, words = _expected(column)
    # By exact type: True is an int and a datetime is a date, but neither is meant here.
    if type(raw) is not python:
        raise ValueError(f"{raw!r} is not {words}")
    return _fitting(column, raw.strip() if isinstance(raw, str) else raw)


def _fitting(column: Column[Any], value: Any) -> Any:
    """The value, when both databases can hold it (PostgreSQL refuses NUL, SQLite does not)."""
    if isinstance(value, str):
        length = getattr(column.type, "length", None)
        if length is not None and len(value) > length:
            raise _UnfitError(f"{len(value)} characters, at most {length} fit")
        # A text of several lines has a column for it; elsewhere a line end is a slip.
        shown = value.replace("\n", "") if isinstance(column.type, Text) else value
        if not shown.isprintable():
            raise _UnfitError(f"{value!r} holds a character that does not print")
    elif isinstance(value, int) and abs(value) > _LARGEST:
        raise _UnfitError(f"{value} is too large")
    return value


def _note_duplicates(rows: Iterable[Row], spec: SeedFile, mistakes: Mistakes) -> None:
    first: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = tuple(row.values.get(name) for name in spec.key)
        if key and key[0] is None:
            continue  # its own mistake was noted; it cannot be compared
        if key in first:
            shown = " with ".join(str(part) for part in key if part is not None) or "the only row"
            mistakes.add(spec.name, row.line, f"{shown} stands on line {first[key]} already")
        first.setdefault(key, row.line)
