"""Turns are given no more often than a service allows."""

import time
from concurrent.futures import ThreadPoolExecutor

from resources.web.deadline import Deadline
from resources.web.rate_limit import RateLimit


def test_a_burst_is_let_through_and_the_next_has_to_wait() -> None:
    limit = RateLimit(per_minute=1, burst=3)
    assert [limit.wait(Deadline(1)) for _ in range(5)] == [True, True, True, False, False]


def test_who_is_turned_away_takes_no_turn() -> None:
    limit = RateLimit(per_minute=600)
    assert limit.wait(Deadline(10))
    for _ in range(1000):
        limit.wait(Deadline(0))
    assert limit.wait(Deadline(10))


def test_threads_share_the_turns() -> None:
    limit = RateLimit(per_minute=1, burst=5)
    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(lambda _: limit.wait(Deadline(1)), range(64))) == 5


def test_threads_that_wait_get_a_turn_each_at_the_rate() -> None:
    limit = RateLimit(per_minute=1200, burst=2)
    started = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda _: limit.wait(Deadline(60)), range(12)))
    assert time.monotonic() - started >= 10 * 0.05


def test_each_key_has_turns_of_its_own() -> None:
    limit = RateLimit(per_minute=1, kept_keys=2)
    assert [limit.take("a"), limit.take("b")] == [None, None]
    seconds = limit.take("a")
    assert seconds is not None
    assert 50 < seconds <= 60
