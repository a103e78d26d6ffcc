"""The roles of a new office and what each may do, from `roles.toml` and the SOP's actors.

The office's own role screens rule afterwards: a role is given its lines when it is first created,
and later syncs hand out only permissions that no sync has handed out before. What an
administrator has taken from a role is therefore never put back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Permission, PermissionView, Role, SeedRun, ViewMenu
from app.services.seed_files import Mistakes, TomlFile, read_toml
from app.sop.definition import Sop
from app.sop.reader import did_you_mean
from app.sop.text import Text

#: The view whose permissions the SOP's transitions are.
CASE_VIEW: Final = "Complaint"
#: The permission that shows a menu item, as FAB names it.
MENU_ACCESS: Final = "menu_access"

_VIEWS: Final = "views"
_EVERYONE: Final = "everyone"
_MENU: Final = "menu"
_LABEL: Final = "label"
_ROLE_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_VIEW_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]*", re.ASCII)
#: FAB's own roles: one that the file redefines would rule the whole panel.
_RESERVED: Final = frozenset({"admin", "public"})

#: A permission on a view, as FAB pairs them.
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """A role of a new office. The database knows it by the Indonesian label."""

    key: str
    label: Text
    permissions: tuple[Pair, ...]
    menus: tuple[str, ...]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All its permissions, those on menu items included."""
        return self.permissions + tuple((MENU_ACCESS, menu) for menu in self.menus)


def load_roles(path: Path) -> tuple[RoleSpec, ...]:
    """The roles of a file, in its order, each with what everyone may do.

    Raises:
        SeedError: a table, view, permission or menu that is not declared under `[views]`, a
            missing label, a declared permission that no role holds; it lists all mistakes.
    """
    mistakes = Mistakes()
    file = read_toml(path, mistakes)
    roles: tuple[RoleSpec, ...] = ()
    if file is not None:
        roles = _RoleReader(file, mistakes).roles()
    mistakes.raise_if_any()
    return roles


class _RoleReader:
    """Reads the tables of `roles.toml` against what `[views]` declares."""

    def __init__(self, file: TomlFile, mistakes: Mistakes) -> None:
        self.file = file
        self.mistakes = mistakes
        self.declared: dict[str, tuple[str, ...]] = {}

    def note(self, table: str, key: str, message: str) -> None:
        self.mistakes.add(self.file.name, self.file.line(key, table=table), message)

    def roles(self) -> tuple[RoleSpec, ...]:
        tables: dict[str, Mapping[str, Any]] = {}
        for name, table in self.file.data.items():
            if isinstance(table, dict):
                tables[name] = table
            else:
                self.note("", name, f"{name} stands outside every table")
        self._declare(tables.pop(_VIEWS, {}))
        shared = self._grants(_EVERYONE, tables.pop(_EVERYONE, {}))
        found = [self._role(key, table, shared) for key, table in tables.items()]
        if not found:
            self.mistakes.add(self.file.name, 0, "there is no role in it")
        self._note_same_names(found)
        self._note_unheld(found)
        return tuple(found)

    def _declare(self, table: Mapping[str, Any]) -> None:
        if not table:
            self.mistakes.add(self.file.name, 0, f"the table [{_VIEWS}] is missing")
        for view, names in table.items():
            if view != _MENU and not _VIEW_NAME.fullmatch(view):
                self.note(_VIEWS, view, f"{view!r} is not the name of a view")
                continue
            self.declared[view] = self._words(_VIEWS, view, names)

    def _role(self, key: str, table: Mapping[str, Any], shared: dict[str, list[str]]) -> RoleSpec:
        if not _ROLE_KEY.fullmatch(key):
            self.note(key, "", f"{key!r} is not a key of small letters, digits and _")
        label = self._label(key, table.get(_LABEL))
        own = self._grants(key, {name: table[name] for name in table if name != _LABEL})
        views = dict.fromkeys([*own, *shared])
        merged = {
            view: dict.fromkeys([*own.get(view, ()), *shared.get(view, ())]) for view in views
        }
        menus = tuple(merged.pop(_MENU, {}))
        permissions = tuple((name, view) for view, names in merged.items() for name in names)
        return RoleSpec(key, label, permissions, menus)

    def _label(self, key: str, raw: object) -> Text:
        if not isinstance(raw, dict):
            self.note(key, _LABEL, f"{key}: the label in both languages is missing")
            return Text(id=key, en=key)
        for name in raw.keys() - {"id", "en"}:
            self.note(key, _LABEL, f"{key}: a label has id and en, not {name}")
        words: dict[str, str] = {}
        for language in ("id", "en"):
            word = raw.get(language)
            if not isinstance(word, str) or not word.strip() or not word.isprintable():
                self.note(key, _LABEL, f"{key}: the label's {language} is missing")
                word = key
            elif len(word) > 64:
                self.note(key, _LABEL, f"{key}: the label's {language} passes 64 characters")
            words[language] = word.strip()
        if words["id"].lower() in _RESERVED:
            self.note(key, _LABEL, f"{key}: the name {words['id']} belongs to the system")
        return Text(id=words["id"], en=words["en"])

    def _grants(self, role: str, table: Mapping[str, Any]) -> dict[str, list[str]]:
        grants: dict[str, list[str]] = {}
        for view, raw in table.items():
            if view not in self.declared:
                hint = did_you_mean(view, [*self.declared, _LABEL])
                self.note(role, view, f"{role}: [{_VIEWS}] declares no {view}{hint}")
                continue
            grants[view] = []
            for name in self._words(role, view, raw):
                if name in self.declared[view]:
                    grants[view].append(name)
                else:
                    hint = did_you_mean(name, self.declared[view])
                    self.note(role, view, f"{role}: {view} has no {name}{hint}")
        return grants

    def _words(self, table: str, key: str, raw: object) -> tuple[str, ...]:
        """A list of distinct texts; what is not one is noted and left out."""
        if not isinstance(raw, list):
            self.note(table, key, f"{table}: {key} must be a list of texts")
            return ()
        words: dict[str, None] = {}
        for word in raw:
            if not isinstance(word, str) or not word.strip():
                self.note(table, key, f"{table}: {key} holds {word!r}, which is not a text")
            elif word in words:
                self.note(table, key, f"{table}: {key} names {word} twice")
            elif len(_mark_of((word, MENU_ACCESS if key == _MENU else key))) > 60:
                self.note(table, key, f"{table}: the name {word} is too long")
            else:
                words[word] = None
        return tuple(words)

    def _note_same_names(self, roles: Iterable[RoleSpec]) -> None:
        first: dict[str, str] = {}
        for role in roles:
            if (name := role.label.id) in first:
                self.note(role.key, _LABEL, f"{role.key} and {first[name]} are both {name}")
            first.setdefault(name, role.key)

    def _note_unheld(self, roles: Iterable[RoleSpec]) -> None:
        held = {pair for role in roles for pair in role.permissions}
        menus = {menu for role in roles for menu in role.menus}
        for view, names in self.declared.items():
            for name in names:
                if name not in menus if view == _MENU else (name, view) not in held:
                    self.note(_VIEWS, view, f"{view}: no role holds {name}")


def sync_roles(
    session: Session, roles: Iterable[RoleSpec], sop: Sop, *, now: datetime
) -> dict[str, int]:
    """Create what is missing of permissions and roles, and hand out what is new.

    A role gets everything when it is first created: its own lines and the transitions whose
    `actor` it is. Afterwards it gets only permissions that no sync has seen before, such as
    those of a seventh step. A role that was deleted stays deleted; a renamed one is followed.
    Flushes but never commits.

    Returns:
        `permissions` and `roles` created, `granted` pairs, `absent` roles (deleted by the office).

    Raises:
        SeedError: a transition's actor is no role of the file.
    """
    roles = tuple(roles)
    wanted = _wanted(roles, sop)
    marks = set(session.scalars(select(SeedRun.name)))
    offered = {pair for pairs in wanted.values() for pair in pairs}
    rows, created = _permission_rows(session, offered)
    fresh = {pair for pair in offered if _mark_of(pair) not in marks}
    counts = {"permissions": created, "roles": 0, "granted": 0, "absent": 0}

    for spec in roles:
        first_time = f"role:{spec.key}" not in marks
        role = _named(session, spec) if first_time else _known(session, spec, marks)
        if role is None and not first_time:
            counts["absent"] += 1
            continue
        if role is None:
            role = Role(name=spec.label.id)
            session.add(role)
            counts["roles"] += 1
        held = {row.id for row in role.permissions}
        for pair in wanted[spec.key]:
            if (first_time or pair in fresh) and rows[pair].id not in held:
                role.permissions.append(rows[pair])
                counts["granted"] += 1
        session.flush()
        if first_time:
            session.add(SeedRun(name=f"role:{spec.key}", at=now))
            session.add(SeedRun(name=f"role:{spec.key}:{role.id}", at=now))
    session.add_all(SeedRun(name=_mark_of(pair), at=now) for pair in sorted(fresh))
    session.flush()
    return counts


def role_of(session: Session, spec: RoleSpec) -> Role | None:
    """The office's role behind a key of `roles.toml`, whatever it is called by now.

    None when it was never seeded or the office has deleted it.
    """
    return _known(session, spec, set(session.scalars(select(SeedRun.name))))


def _wanted(roles: tuple[RoleSpec, ...], sop: Sop) -> dict[str, tuple[Pair, ...]]:
    """What each role of the file should hold, the transitions of its lane included."""
    mistakes = Mistakes()
    keys = [role.key for role in roles]
    acts: dict[str, list[Pair]] = {key: [] for key in keys}
    for move in sop.transitions:
        if move.actor in acts:
            acts[move.actor].append((move.permission, CASE_VIEW))
        else:
            hint = did_you_mean(move.actor, keys)
            message = f"transition {move.key}: no role is called {move.actor}{hint}"
            mistakes.add("roles.toml", 0, message)
    mistakes.raise_if_any()
    return {role.key: tuple(dict.fromkeys([*role.pairs, *acts[role.key]])) for role in roles}


def _mark_of(pair: Pair) -> str:
    """The name under which `seed_run` remembers that a permission was handed out."""
    return f"perm:{pair[0]}:{pair[1]}"


def _permission_rows(
    session: Session, pairs: Iterable[Pair]
) -> tuple[dict[Pair, PermissionView], int]:
    """FAB's rows for these pairs, made where they are missing, and how many were."""
    permissions = {row.name: row for row in session.scalars(select(Permission))}
    views = {row.name: row for row in session.scalars(select(ViewMenu))}
    rows: dict[Pair, PermissionView] = {
        (permission, view): row
        for row, permission, view in session.execute(
            select(PermissionView, Permission.name, ViewMenu.name)
            .join(Permission, PermissionView.permission_id == Permission.id)
            .join(ViewMenu, PermissionView.view_menu_id == ViewMenu.id)
        )
    }
    created = 0
    for name, view in sorted(set(pairs) - rows.keys()):
        if name not in permissions:
            permissions[name] = Permission(name=name)
            session.add(permissions[name])
        if view not in views:
            views[view] = ViewMenu(name=view)
            session.add(views[view])
        session.flush()
        row = PermissionView(permission_id=permissions[name].id, view_menu_id=views[view].id)
        session.add(row)
        rows[name, view] = row
        created += 1
    session.flush()
    return rows, created


def _named(session: Session, spec: RoleSpec) -> Role | None:
    role: Role | None = session.scalar(select(Role).where(Role.name == spec.label.id))
    return role


def _known(session: Session, spec: RoleSpec, marks: set[str]) -> Role | None:
    """The role that was seeded under this key: by its row, else by its name."""
    prefix = f"role:{spec.key}:"
    ids = [int(mark.removeprefix(prefix)) for mark in marks if mark.startswith(prefix)]
    found: Role | None = session.scalar(select(Role).where(Role.id.in_(ids)))
    return found if found is not None else _named(session, spec)
