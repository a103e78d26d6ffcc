"""Reading one setting of the environment; a value that cannot work is said in one line."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network


class ConfigError(Exception):
    """A setting that cannot work; its text is the one line the person at the terminal sees."""


def flag(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    """A yes or no, in either language."""
    value = env.get(name, "").strip().lower()
    if value in ("", "auto"):
        return default
    if value in ("1", "true", "yes", "on", "ya"):
        return True
    if value in ("0", "false", "no", "off", "tidak"):
        return False
    raise ConfigError(f"{name} must be 0 or 1, not {value!r}.")


def number(env: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    """A whole number between two bounds."""
    text = env.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise ConfigError(f"{name} must be a number from {low} to {high}, not {text!r}.")
    return int(text)


def choice(env: Mapping[str, str], name: str, default: str, among: tuple[str, ...]) -> str:
    """One word of a few."""
    value = env.get(name, "").strip() or default
    if value not in among:
        raise ConfigError(f"{name} must be one of {', '.join(among)}, not {value!r}.")
    return value


def words(text: str) -> tuple[str, ...]:
    """Words between commas, in small letters."""
    return tuple(word.strip().lower() for word in text.split(",") if word.strip())


def networks(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Addresses and networks like 10.0.0.5 or 10.0.0.0/24."""
    found = words(env.get(name, "").replace(" ", ","))
    for word in found:
        try:
            ip_network(word, strict=False)
        except ValueError:
            raise ConfigError(f"{name}: {word!r} is neither an address nor a network.") from None
    return found
