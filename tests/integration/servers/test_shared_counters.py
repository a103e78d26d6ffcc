"""Servers of one office count tries together in Redis, and go on alone while it is away."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from app.views.check import TRIES_OF_ADDRESS
from config import ConfigError, load_settings
from tests.support.panel import post as posted
from tests.support.redis_server import RedisServer, redis_or_skip

MOST = min(item.amount for item in TRIES_OF_ADDRESS)


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_or_skip() as server:
        yield server


@pytest.fixture
def server_of(make_app: Callable[..., Flask], redis: RedisServer) -> Callable[..., Flask]:
    """`server_of("key of the office")`: one more server process of that office."""
    redis.client().flushall()

    def make(key: str = "k" * 40, **more: Any) -> Flask:
        settings = load_settings({"REDIS_URL": redis.url, "SECRET_KEY": key, "PASSWORD_COST": ""})
        names = ("RATELIMIT_STORAGE_URI", "RATELIMIT_STORAGE_OPTIONS")
        given = {name: settings[name] for name in names}
        return make_app(RATELIMIT_ENABLED=True, **given, **more)

    return make


def ask(app: Flask, times: int = 1) -> list[int]:
    """Somebody tries numbers of complaints."""
    data = {"number": "PGD-2019-000001", "pin": "000000"}
    client = app.test_client()
    where = {"REMOTE_ADDR": "10.0.0.9"}
    return [
        posted(
            client, "/check/", {**data, "number": f"PGD-2019-{n:06d}"}, environ_base=where
        ).status_code
        for n in range(times)
    ]


def storage_of(app: Flask) -> Any:
    return app.extensions["appbuilder"].sm.limiter.limiter.storage


def test_two_servers_count_together(server_of: Any) -> None:
    one, two = server_of(), server_of()
    assert set(ask(one, MOST - 1)) == {422}
    assert ask(two, 2) == [422, 429]
    assert ask(one) == [429]


def test_signing_in_is_counted_together_too(server_of: Any) -> None:
    servers = [server_of(AUTH_RATE_LIMIT="3 per minute") for _ in range(2)]
    wrong = {"username": "nobody", "password": "nothing at all"}
    answers = [posted(servers[n % 2].test_client(), "/login/", wrong).status_code for n in range(4)]
    assert answers[3] == 429
    assert 429 not in answers[:3]


def test_offices_on_one_redis_count_apart(server_of: Any, redis: RedisServer) -> None:
    one, other = server_of("a" * 40), server_of("b" * 40)
    assert ask(one, MOST + 1)[-1] == 429
    assert ask(other) == [422]
    assert len(redis.offices()) == 2
    assert "a" * 40 not in redis.offices(), "the key itself stands nowhere"


def test_without_redis_each_counts_alone_and_says_so_once(
    server_of: Any, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = server_of(METRICS_ADDRESSES=["127.0.0.1"]), server_of()
    assert ask(one, MOST) == [422] * MOST
    assert "aduan_redis_up 1.0" in one.test_client().get("/metrics").text
    redis.stop()
    try:
        with caplog.at_level(logging.WARNING, logger="app.limits"):
            assert ask(one, MOST + 1) == [422] * MOST + [429], "counted in its own memory"
            assert ask(two) == [422]
        said = [record.getMessage() for record in caplog.records]
        assert sum("away" in line for line in said) == 2, "each of the two says it once"
        assert "aduan_redis_up 0.0" in one.test_client().get("/metrics").text
    finally:
        redis.start()
    caplog.clear()
    for app in (one, two):
        storage_of(app).rests_until = 1e-9  # its rest is over
    with caplog.at_level(logging.WARNING, logger="app.limits"):
        assert ask(one, MOST) == [422] * MOST
        assert ask(two) == [429]
    assert "aduan_redis_up 1.0" in one.test_client().get("/metrics").text
    assert any("answers again" in record.getMessage() for record in caplog.records)


def test_a_restarted_redis_is_found_at_once(server_of: Any, redis: RedisServer) -> None:
    one = server_of()
    assert ask(one) == [422]
    redis.stop()
    redis.start()
    assert ask(one) == [422]
    assert redis.offices(), "the broken connection was replaced without a rest"


def test_an_office_may_forget_its_counters(server_of: Any, redis: RedisServer) -> None:
    one, other = server_of("a" * 40), server_of("b" * 40)
    ask(one, MOST + 1)
    ask(other)
    both = redis.offices()
    storage_of(one).reset()
    assert len(both) == 2
    assert len(redis.offices()) == 1, "and the other's stay"
    assert ask(one) == [422]


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("localhost:6379", id="no scheme"),
        pytest.param("http://localhost", id="another scheme"),
        pytest.param("redis://", id="no host"),
    ],
)
def test_an_address_that_cannot_be_one(url: str) -> None:
    with pytest.raises(ConfigError, match="REDIS_URL"):
        load_settings({"SECRET_KEY": "x" * 40, "REDIS_URL": url})


def test_without_the_setting_nothing_is_shared() -> None:
    assert load_settings({"SECRET_KEY": "x" * 40})["RATELIMIT_STORAGE_URI"] == "memory://"
