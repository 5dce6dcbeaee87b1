"""Turns are given no more often than a service allows."""

from concurrent.futures import ThreadPoolExecutor

from resources.web.http import Deadline
from resources.web.rate_limit import RateLimit


def test_a_burst_is_let_through_and_the_next_has_to_wait() -> None:
    limit = RateLimit(per_minute=0.1, burst=3)
    assert [limit.wait(Deadline(1)) for _ in range(5)] == [True, True, True, False, False]


def test_who_is_turned_away_takes_no_turn() -> None:
    limit = RateLimit(per_minute=600)
    assert limit.wait(Deadline(10))
    for _ in range(1000):
        limit.wait(Deadline(0))
    assert limit.wait(Deadline(10))


def test_threads_share_the_turns() -> None:
    limit = RateLimit(per_minute=0.1, burst=5)
    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(lambda _: limit.wait(Deadline(1)), range(64))) == 5
