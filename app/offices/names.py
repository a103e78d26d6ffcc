"""What an office is called, and what everything of it is called after it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: Names are user names of Linux (`aduan-batang`), roles of PostgreSQL (`aduan_batang`) and instances
#: of systemd (`aduan@batang`): small letters and digits, words joined by single hyphens.
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST: Final = 20
_HOST: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+"
)


class OfficeError(Exception):
    """What keeps an office from being made or used, in one line for the person at the terminal."""


def checked_name(name: str) -> str:
    """The name itself.

    Raises:
        OfficeError: it cannot be one.
    """
    if len(name) > LONGEST or not _NAME.fullmatch(name):
        raise OfficeError(
            f"{name!r} cannot be an office's name: at most {LONGEST} small letters, digits and"
            " single hyphens, beginning with a letter."
        )
    return name


def checked_host(host: str) -> str:
    """The host name that the office is reached by.

    Raises:
        OfficeError: it is none.
    """
    if not _HOST.fullmatch(host):
        raise OfficeError(f"{host!r} is not a host name such as aduan.batangkab.go.id.")
    return host


@dataclass(frozen=True)
class Places:
    """Where the offices of this server lie; the defaults are those of the systemd units."""

    settings: Path = Path("/etc/aduan")
    data: Path = Path("/var/lib/aduan")
    code: Path = Path("/opt/aduan")
    sockets: Path = Path("/run/aduan")

    def env_file(self, name: str) -> Path:
        """Its settings, secret."""
        return self.settings / f"{checked_name(name)}.env"

    def release_file(self, name: str) -> Path:
        """What the release step has instead: the role that owns the tables."""
        return self.settings / f"{checked_name(name)}.release.env"

    def folder(self, name: str) -> Path:
        """Its files and keys."""
        return self.data / checked_name(name)

    def socket(self, name: str) -> Path:
        """Its door."""
        return self.sockets / f"{checked_name(name)}.sock"

    def names(self) -> list[str]:
        """The offices that there are, by their settings."""
        found = {path.name.removesuffix(".env") for path in self.settings.glob("*.env")}
        return sorted(name for name in found if _NAME.fullmatch(name) and len(name) <= LONGEST)


def role_of(name: str) -> str:
    """The role that the panel signs in as, and the name of the database."""
    return "aduan_" + checked_name(name).replace("-", "_")


def owner_of(name: str) -> str:
    """The role that owns the tables and runs releases."""
    return role_of(name) + "_owner"


def user_of(name: str) -> str:
    """The system's user that the services run as."""
    return "aduan-" + checked_name(name)
