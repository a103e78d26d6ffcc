"""The reference data of a new office: every seed file is loaded once, and never again.

After that the office's screens own the data. A row that exists already by its code or natural
key is left alone, whoever made it, so that no release undoes what the office has changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import (
    BlankStock,
    Category,
    CategoryOutput,
    CategoryRequirement,
    Channel,
    Courier,
    DocumentKind,
    Holiday,
    MessageText,
    Office,
    Region,
    SeedRun,
    WorkingHours,
)
from app.services.messages.texts import OCCASIONS, WAYS, seed_problem
from app.services.seed_files import (
    Mistakes,
    Row,
    SeedError,
    SeedFile,
    TomlFile,
    check_rows,
    read_csv,
    read_toml,
    table_rows,
)
from app.services.seed_roles import RoleSpec, load_roles, role_of, sync_roles
from app.sop.reader import did_you_mean

__all__ = [
    "RoleSpec",
    "SeedError",
    "load_roles",
    "role_of",
    "seed_reference",
    "sync_roles",
]

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _code(text: str) -> str:
    return "" if re.fullmatch(r"\w+", text, re.ASCII) else "only letters, digits and _ may be used"


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        return f"not a regular expression: {error}"
    return ""


def _address(text: str) -> str:
    return "" if re.fullmatch(r"https?://[^\s/]+(/\S*)?", text) else "not a web address"


def _region_code(text: str) -> str:
    fits = re.fullmatch(r"\d{2}\.\d{2}\.\d{2}(\.\d{4})?", text, re.ASCII)
    return "" if fits else "not a Kemendagri code such as 33.25.11 or 33.25.11.1015"


def _postal_code(text: str) -> str:
    return "" if re.fullmatch(r"\d{5}", text, re.ASCII) else "not five digits"


def _kind_has_use(values: Mapping[str, Any]) -> str:
    if values.get("blank") and not values.get("is_output"):
        return f"{values['code']} is printed on a card, so it has to be an output"
    if values.get("is_requirement") or values.get("is_output"):
        return ""
    return f"{values['code']} is neither a requirement nor an output"


def _region_belongs(values: Mapping[str, Any]) -> str:
    """A kecamatan stands by itself; a desa or kelurahan lies in the kecamatan of its code."""
    code, parent = values["code"], values.get("parent_code")
    if values["kind"] == "kecamatan":
        return f"{code} is a kecamatan and has no parent" if parent or len(code) != 8 else ""
    if len(code) != 13 or parent != code[:8]:
        return f"{code} lies in {code[:8]}, not in {parent or 'nothing'}"
    return ""


def _hours_in_order(values: Mapping[str, Any]) -> str:
    """Opening, break and closing follow each other, and a span has both its ends."""
    opens, closes = values["opens"], values["closes"]
    pause = values.get("break_from"), values.get("break_to")
    span = values.get("valid_from"), values.get("valid_to")
    if opens >= closes:
        return "the office closes before it opens"
    if (pause[0] is None) != (pause[1] is None):
        return "a break needs both break_from and break_to"
    if pause[0] and pause[1] and not opens < pause[0] < pause[1] < closes:
        return "the break lies outside the opening hours or ends before it starts"
    if (span[0] is None) != (span[1] is None):
        return "a span needs both valid_from and valid_to"
    if span[0] and span[1] and span[0] > span[1]:
        return "the span ends before it starts"
    return ""


#: In the order of loading: a file may name rows of those before it.
FILES: Final[tuple[SeedFile, ...]] = (
    SeedFile(
        "blanks.csv",
        BlankStock,
        ("code", "label_id", "label_en", "low_level", "position"),
        key=("code",),
        checks={"code": _code},
    ),
    SeedFile(
        "document_kinds.csv",
        DocumentKind,
        (
            "code",
            "label_id",
            "label_en",
            "form_number",
            "is_requirement",
            "is_output",
            "needs_signature",
            "position",
            "blank",
        ),
        key=("code",),
        references={"blank": BlankStock},
        checks={"code": _code},
        row_check=_kind_has_use,
    ),
    SeedFile(
        "categories.csv",
        Category,
        (
            "code",
            "label_id",
            "label_en",
            "legal_class",
            "allows_answer",
            "resolution_hint",
            "position",
        ),
        key=("code",),
        choices={"legal_class": ("information", "complaint", "oversight")},
        checks={"code": _code},
    ),
    SeedFile(
        "category_requirements.csv",
        CategoryRequirement,
        ("category", "kind", "required", "position"),
        key=("category", "kind"),
        references={"category": Category, "kind": DocumentKind},
    ),
    SeedFile(
        "category_outputs.csv",
        CategoryOutput,
        ("category", "kind"),
        key=("category", "kind"),
        references={"category": Category, "kind": DocumentKind},
    ),
    SeedFile(
        "channels.csv",
        Channel,
        (
            "code",
            "label_id",
            "label_en",
            "in_person",
            "handle_label_id",
            "handle_label_en",
            "position",
        ),
        key=("code",),
        checks={"code": _code},
    ),
    SeedFile(
        "couriers.csv",
        Courier,
        ("code", "name", "hint_regex", "tracking_page", "position"),
        key=("code",),
        checks={"code": _code, "hint_regex": _pattern, "tracking_page": _address},
        notes=("source",),
    ),
    SeedFile(
        "regions.csv",
        Region,
        ("code", "name", "kind", "parent_code", "postal_code"),
        key=("code",),
        choices={"kind": ("kecamatan", "desa", "kelurahan")},
        checks={"code": _region_code, "postal_code": _postal_code},
        row_check=_region_belongs,
    ),
    SeedFile(
        "holidays.csv",
        Holiday,
        ("day", "name", "kind", "certainty"),
        key=("day",),
        choices={
            "kind": ("libur_nasional", "cuti_bersama", "libur_daerah"),
            "certainty": ("tetap", "perkiraan"),
        },
    ),
    SeedFile(
        "working_hours.toml",
        WorkingHours,
        ("weekday", "opens", "closes", "break_from", "break_to", "valid_from", "valid_to"),
        key=("weekday", "valid_from"),
        row_check=_hours_in_order,
    ),
    SeedFile(
        "messages.toml",
        MessageText,
        ("occasion", "way", "subject", "body"),
        key=("occasion", "way"),
        choices={"occasion": OCCASIONS, "way": WAYS},
        row_check=seed_problem,
    ),
    SeedFile(
        "office.toml",
        Office,
        ("name", "government", "unit", "address", "phone", "email", "website", "region_code"),
        key=(),
        checks={"website": _address},
    ),
)


def seed_reference(session: Session, folder: Path, *, now: datetime) -> dict[str, int]:
    """Load each seed file that was never loaded; what exists already is left as it is.

    All files are checked before the first row is written. Flushes but never commits.

    Args:
        folder: where the files of `FILES` lie.
        now: recorded as the time of loading (aware UTC).

    Returns:
        Rows added per file; 0 for a file that was loaded before.

    Raises:
        SeedError: anything is wrong in any file; it lists all mistakes with file and line.
    """
    done = set(session.scalars(select(SeedRun.name)))
    waiting = [spec for spec in FILES if spec.name not in done]
    mistakes = Mistakes()
    rows = {spec.name: _read(folder / spec.name, spec, mistakes) for spec in waiting}
    _check_references(session, waiting, rows, mistakes)
    mistakes.raise_if_any()

    added = {spec.name: 0 for spec in FILES}
    for spec in waiting:
        added[spec.name] = _write(session, spec, rows[spec.name])
        session.add(SeedRun(name=spec.name, at=now))
        session.flush()
    return added


def _read(path: Path, spec: SeedFile, mistakes: Mistakes) -> list[Row]:
    if path.suffix == ".csv":
        return read_csv(path, spec, mistakes)
    table = read_toml(path, mistakes)
    if table is None:
        return []
    if spec.model is MessageText:
        rows = list(table_rows(table, "text", spec, mistakes))
    elif spec.model is Office:
        rows = [Row(0, table.data, {name: table.line(name) for name in table.data})]
    else:
        rows = list(_hours_rows(table, spec, mistakes))
    return check_rows(rows, spec, mistakes)


def _hours_rows(file: TomlFile, spec: SeedFile, mistakes: Mistakes) -> Iterator[Row]:
    """One row per weekday out of `[[hours]]` tables that each name several days."""
    for name in file.data.keys() - {"hours"}:
        mistakes.add(spec.name, file.line(name), f"there is no {name} here; did you mean hours?")
    tables = file.data.get("hours")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        mistakes.add(spec.name, file.line("hours"), "the [[hours]] tables are missing")
        return
    for nth, table in enumerate(tables):
        line = file.line("", table="hours", nth=nth)
        at = {name: file.line(name, table="hours", nth=nth) for name in table}
        values = {name: value for name, value in table.items() if name != "days"}
        days = table.get("days")
        if not isinstance(days, list) or not days:
            mistakes.add(spec.name, at.get("days", line), "days: a list of weekdays is missing")
            continue
        for day in days:
            if day in _DAYS:
                yield Row(line, {**values, "weekday": _DAYS.index(day)}, at)
            else:
                hint = did_you_mean(str(day), _DAYS)
                mistakes.add(spec.name, at["days"], f"days: {day!r} is no weekday{hint}")


def _check_references(
    session: Session,
    waiting: Iterable[SeedFile],
    rows: Mapping[str, list[Row]],
    mistakes: Mistakes,
) -> None:
    """Every code that a row names exists, in its file or in the office's own table."""
    by_model = {spec.model: spec.name for spec in FILES}

    def known(model: Any) -> set[str]:
        codes = {row.values.get("code", "") for row in rows.get(by_model[model], [])}
        return codes | set(session.scalars(select(model.code)))

    uses = {CategoryRequirement: "is_requirement", CategoryOutput: "is_output"}
    for spec in waiting:
        targets: dict[str, set[str]] = {
            column: known(model) for column, model in spec.references.items()
        }
        if spec.model is Region:
            targets = {"parent_code": known(Region)}
        use = uses.get(spec.model)
        fit = _kinds_used_as(session, rows, use) if use else set()
        for row in rows[spec.name]:
            for column, codes in targets.items():
                code = row.values.get(column)
                if code is None:
                    continue
                if code not in codes:
                    hint = did_you_mean(code, codes)
                    mistakes.add(spec.name, row.line, f"{column}: there is no {code}{hint}")
                elif use and column == "kind" and code not in fit:
                    mistakes.add(spec.name, row.line, f"kind: {code} is not marked {use}")


def _kinds_used_as(session: Session, rows: Mapping[str, list[Row]], use: str) -> set[str]:
    """The kinds that may be asked for, or that a case may end with; the office's word counts."""
    kept: dict[str, bool] = {
        row.values["code"]: bool(row.values.get(use))
        for row in rows.get("document_kinds.csv", [])
        if "code" in row.values
    }
    for kind in session.scalars(select(DocumentKind)):
        kept[kind.code] = bool(getattr(kind, use))
    return {code for code, fits in kept.items() if fits}


def _write(session: Session, spec: SeedFile, rows: Iterable[Row]) -> int:
    """Add the rows that do not exist yet by their natural key; how many those were."""
    model: Any = spec.model
    ids: dict[str, dict[str, int]] = {
        column: {row.code: row.id for row in session.execute(select(target.code, target.id))}
        for column, target in spec.references.items()
    }
    key = [f"{name}_id" if name in ids else name for name in spec.key]
    columns = [getattr(model, name) for name in key] or [model.id]
    # A table of one row (no key) is left alone as soon as it has that row.
    present = {tuple(row) if key else () for row in session.execute(select(*columns))}
    added = 0
    # Kecamatan before desa: SQLite checks a foreign key row by row.
    for row in sorted(rows, key=lambda row: row.values.get("kind") != "kecamatan"):
        values = dict(row.values)
        for column, by_code in ids.items():
            code = values.pop(column, None)  # a paper on plain paper names no blank card
            values[f"{column}_id"] = by_code[code] if code is not None else None
        if tuple(values.get(name) for name in key) in present:
            continue
        session.add(model(**values))
        added += 1
    return added
