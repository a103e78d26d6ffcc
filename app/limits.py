"""Counting tries against limits, by Flask-Limiter.

Without REDIS_URL the counters stand in the memory of each process. With it they stand in Redis, so
that all servers of an office count together. Counters are no truth: while Redis is away, each
process counts for itself and says so once; nobody is let in or kept out for that (ADR 0033).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import Flask, current_app
from limits import RateLimitItem
from limits.storage import MemoryStorage, RedisStorage, Storage
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)
T = TypeVar("T")

#: A request never waits longer for a counter.
WAIT_SECONDS: Final = 0.5
#: How long a Redis that did not answer is not asked again.
REST_SECONDS: Final = 10.0


class SharedCounters(Storage):
    """Counters in Redis; while it is away, in the memory of this process.

    Not Flask-Limiter's own fall-back: that one knows only the limits of its own decorators.
    """

    STORAGE_SCHEME = ["shared"]

    def __init__(self, uri: str, *, url: str, key_prefix: str, **options: Any) -> None:
        super().__init__(uri)
        # One more try at once, for a connection that broke while nobody used it.
        options = {
            "socket_timeout": WAIT_SECONDS,
            "socket_connect_timeout": WAIT_SECONDS,
            "retry": Retry(NoBackoff(), 1),
            **options,
        }
        url = url.replace("unix://", "redis+unix://", 1) if url.startswith("unix:") else url
        self.shared = RedisStorage(url, key_prefix=key_prefix, **options)
        self.own = MemoryStorage()
        #: On the monotonic clock; this process alone remembers it, and may forget it.
        self.rests_until = 0.0

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What a Redis that is away raises."""
        return self.shared.base_exceptions

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count once more."""
        return self._ask(lambda storage: storage.incr(key, expiry, amount))

    def get(self, key: str) -> int:
        """How often it was counted."""
        return self._ask(lambda storage: storage.get(key))

    def get_expiry(self, key: str) -> float:
        """When the counter begins anew."""
        return self._ask(lambda storage: storage.get_expiry(key))

    def check(self) -> bool:
        """Whether Redis answers."""
        return self.shared.check()

    def reset(self) -> int | None:
        """Forget all counters of this office."""
        self.own.reset()
        return self._ask(lambda storage: storage.reset())

    def clear(self, key: str) -> None:
        """Forget one counter."""
        return self._ask(lambda storage: storage.clear(key))

    def _ask(self, what: Callable[[Storage], T]) -> T:
        if time.monotonic() >= self.rests_until:
            try:
                found = what(self.shared)
            except self.base_exceptions as error:
                if not self.rests_until:
                    log.warning("redis: away (%s), this process counts alone", type(error).__name__)
                self.rests_until = time.monotonic() + REST_SECONDS
            else:
                if self.rests_until:
                    log.warning("redis: answers again")
                    self.rests_until = 0.0
                return found
        return what(self.own)


def hit(items: list[RateLimitItem], what: str, key: str) -> bool:
    """Count one try against every limit; False as soon as one of them is used up."""
    limiter = current_app.extensions["appbuilder"].sm.limiter
    if not limiter.enabled:
        return True
    # All of them, not as far as the first that refuses: each counts every try.
    taken = [limiter.limiter.hit(item, what, key) for item in items]
    return all(taken)


def redis_answers(app: Flask) -> bool | None:
    """Whether Redis answers now; None when the settings name none."""
    limiter = app.extensions["appbuilder"].sm.limiter
    if not limiter.enabled or not isinstance(limiter.limiter.storage, SharedCounters):
        return None
    return limiter.limiter.storage.check()
