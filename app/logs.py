"""What the program writes about itself: one line for each thing, with the number of the request.

Nothing personal and no secret is in it: NIK, KK and telephone numbers and what stands behind the
word "password" are blotted out of the finished line, whatever wrote it. Control characters are
written out, so that nobody makes up a line by what he types. See ADR 0028.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final

from flask import Flask, g, has_request_context, request

from app.services.audit import origin

log = logging.getLogger("aduan.request")

#: Numbers of persons and families, and Indonesian telephone numbers.
_PERSONAL: Final = re.compile(r"(?<![\w-])(?:\d{16}|(?:\+?62|0)8\d{7,11})(?![\w-])")
_SECRET: Final = re.compile(
    r"(?i)\b((?:conf_)?password|passphrase|kata_sandi|secret(?:_key)?|token|csrf_token|cookie"
    r"|authorization|otp|pin)\b([\"']?\s*[=:]\s*)(?:bearer\s+)?(?:\"[^\"]*\"|'[^']*'|[^\s,;&}\])]+)"
)
#: `user:password@host` of a database's address.
_ADDRESS: Final = re.compile(r"(://[^\s:/@]+:)[^\s@/]+@")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
#: What every record has by itself; anything else was given as `extra`.
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def request_id_of(given: str, *, trusted: bool) -> str:
    """The number that a proxy in front gave this request; "" when there is no such proxy."""
    return given if trusted and _REQUEST_ID.fullmatch(given) else ""


def plain(text: str) -> str:
    """A text without persons and secrets, on one line."""
    text = _ADDRESS.sub(r"\1…@", _SECRET.sub(r"\1\2…", _PERSONAL.sub("…", text)))
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


class PlainFormatter(logging.Formatter):
    """A line for people; the lines of a trace are marked, so that none looks like another record."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        head = f"{_moment(record)} {record.levelname} {record.name}"
        if number := origin.get().request_id:
            head += f" [{plain(number)}]"
        words = [f"{name}={plain(str(value))}" for name, value in _extra(record).items()]
        line = " ".join([head, plain(record.getMessage()), *words])
        trace = _trace(self, record)
        return line + "".join(f"\n    | {plain(part)}" for part in trace.splitlines())


class JsonFormatter(logging.Formatter):
    """A line for machines: one JSON object, always on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        found: dict[str, Any] = {
            "at": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": plain(record.getMessage()),
        }
        if number := origin.get().request_id:
            found["request_id"] = plain(number)
        for name, value in _extra(record).items():
            found[name] = value if isinstance(value, int | float) else plain(str(value))
        if trace := _trace(self, record):
            found["trace"] = [plain(line) for line in trace.splitlines()]
        return json.dumps(found, ensure_ascii=False)


def configure(style: str, level: str) -> None:
    """Let everything that is logged in this process go through one of the two, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else PlainFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("httpx", "httpcore", "alembic", "pyhanko", "waitress.queue", "fontTools"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def install(app: Flask) -> None:
    """A line for each request: the route and never the address, which may hold what was sought."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Any) -> Any:
        if has_request_context():
            response.headers["X-Request-Id"] = g.get("request_id", "")
            if log.isEnabledFor(logging.INFO):
                rule = request.url_rule.rule if request.url_rule else "-"
                log.info(
                    "%s %s %s", request.method, rule, response.status_code,
                    extra={"ms": round((time.perf_counter() - g.get("began", 0)) * 1000, 1)},
                )  # fmt: skip
        return response


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _OWN}


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if record.exc_info:
        return formatter.formatException(record.exc_info)
    return record.exc_text or ""
