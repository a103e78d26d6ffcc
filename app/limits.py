"""Counting tries against limits, by Flask-Limiter in the memory of each process."""

from __future__ import annotations

from flask import current_app
from limits import RateLimitItem


def hit(items: list[RateLimitItem], what: str, key: str) -> bool:
    """Count one try against every limit; False as soon as one of them is used up."""
    limiter = current_app.extensions["appbuilder"].sm.limiter
    if not limiter.enabled:
        return True
    # All of them, not as far as the first that refuses: each counts every try.
    taken = [limiter.limiter.hit(item, what, key) for item in items]
    return all(taken)
