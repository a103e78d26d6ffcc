"""Waitress as we run it: its own refusals carry our headers and name no program."""

from __future__ import annotations

from typing import Any, Final

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask

from app.surface import ALWAYS


class Refusal(ErrorTask):
    """What is no request at all (a broken header, a body over the limit) never reaches the panel."""

    def execute(self) -> None:
        """Answer it in plain text."""
        self.response_headers.extend(ALWAYS.items())
        super().execute()


def prepare_waitress() -> None:
    """Before a server is made; calling it twice changes nothing."""
    HTTPChannel.error_task_class = Refusal


def serving_options(config: Any) -> dict[str, Any]:
    """How the panel is served, for `waitress.serve` and the servers of tests."""
    return {
        **_OPTIONS,
        "threads": config["THREADS"],
        "max_request_body_size": config["MAX_CONTENT_LENGTH"] + 65536,
        # Without a proxy in front, what a client says of itself is thrown away.
        "clear_untrusted_proxy_headers": not config["TRUSTED_PROXIES"],
    }


#: No name of the program. Slow clients hold a connection but no thread: waitress reads a request
#: whole before a thread gets it, and one that sends nothing for this many seconds is closed.
_OPTIONS: Final = {"ident": None, "channel_timeout": 60, "connection_limit": 400}
