"""What this process used, counted and kept."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.catalogue.database import Database
from resources.costs.ledger import Ledger, Period, Usage, needed_containers
from resources.costs.measures import Amounts, Measure
from resources.costs.prices import MODAL_IDLE_SECONDS, MODAL_MOST_CONTAINERS, MODAL_REQUESTS_AT_ONCE

PREDICTIONS = Measure.REPLICATE_PREDICTIONS
CONTAINERS = Measure.MODAL_CONTAINER_SECONDS
TEXTS = Measure.MODAL_TEXT_REQUESTS


def kept(database: Database, measure: Measure) -> float:
    found = Usage(database).totals().get(measure.service)
    return 0.0 if found is None else found.amounts.get(measure, 0.0)


def test_what_is_saved_adds_up_over_processes(database: Database) -> None:
    for _ in range(3):
        ledger = Ledger(Usage(database))
        ledger.add(PREDICTIONS)
        ledger.add(PREDICTIONS, 2)
        ledger.save()
        ledger.save()
        assert ledger.reading() == {PREDICTIONS: 3}
    assert kept(database, PREDICTIONS) == 9


def test_it_is_kept_by_itself_after_a_while(database: Database) -> None:
    ledger = Ledger(Usage(database), save_after_seconds=0.05)
    ledger.add(PREDICTIONS)
    until = time.monotonic() + 20
    while kept(database, PREDICTIONS) < 1:
        assert time.monotonic() < until, "nobody saved"
        time.sleep(0.02)
    assert ledger.reading() == {PREDICTIONS: 1}


def test_what_cannot_be_kept_is_kept_later(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    down = Database(database_url)
    usage = Usage(down)
    ledger = Ledger(usage)
    ledger.add(PREDICTIONS)
    ledger.add_modal_request(TEXTS, 1000, 1001)
    down.close()
    ledger.save()
    assert "could not be kept" in caplog.text
    assert ledger.reading()[PREDICTIONS] == 1
    again = Database(database_url)
    usage._database = again
    ledger.save()
    assert kept(again, PREDICTIONS) == 1
    assert kept(again, CONTAINERS) == 1 + MODAL_IDLE_SECONDS
    again.close()


def test_whatever_the_database_refuses_is_kept_later_by_itself(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger(Usage(database), save_after_seconds=0.05)
    database.rows("ALTER TABLE moodsearch.usage RENAME TO usage_elsewhere")
    ledger.add(PREDICTIONS, 5)
    ledger.add_modal_request(TEXTS, 1000, 1001)
    ledger.save()
    assert "could not be kept" in caplog.text
    assert ledger.reading()[PREDICTIONS] == 5
    database.rows("ALTER TABLE moodsearch.usage_elsewhere RENAME TO usage")
    until = time.monotonic() + 20
    while kept(database, PREDICTIONS) < 5:
        assert time.monotonic() < until, "nobody tried again"
        time.sleep(0.02)
    assert kept(database, CONTAINERS) == 1 + MODAL_IDLE_SECONDS
    assert ledger.reading()[PREDICTIONS] == 5


class Failing(Usage):
    """Keeps nothing, for a reason that nobody expects."""

    def __init__(self, error: type[BaseException]) -> None:
        self._error = error
        self.asked = 0

    def add(self, amounts: Amounts, busy: Sequence[Period] = ()) -> Amounts:  # noqa: ARG002
        self.asked += 1
        raise self._error("in the midst of it")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_whatever_happens_while_it_is_kept_loses_nothing(error: type[BaseException]) -> None:
    ledger = Ledger(Failing(error))
    ledger.add(PREDICTIONS, 5)
    with suppress(KeyboardInterrupt):
        ledger.save()
    assert ledger.reading() == {PREDICTIONS: 5}
    with suppress(KeyboardInterrupt):
        ledger.close()


def test_once_closed_it_does_not_try_again() -> None:
    usage = Failing(ValueError)
    ledger = Ledger(usage, save_after_seconds=0.1)
    ledger.add(PREDICTIONS)
    ledger.close()
    time.sleep(0.4)
    assert usage.asked == 1


def test_threads_lose_nothing(database: Database) -> None:
    ledger = Ledger(Usage(database), save_after_seconds=0.01)
    start = threading.Barrier(8)

    def use(_: int) -> None:
        start.wait()
        for _ in range(50):
            ledger.add(PREDICTIONS)
            ledger.save()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(8)))
    ledger.save()
    assert ledger.reading() == {PREDICTIONS: 400}
    assert kept(database, PREDICTIONS) == 400


def test_a_container_waits_after_its_last_request(database: Database) -> None:
    ledger = Ledger(Usage(database))
    ledger.add_modal_request(TEXTS, 1000, 1002)
    ledger.save()
    assert kept(database, CONTAINERS) == 2 + MODAL_IDLE_SECONDS
    assert kept(database, Measure.MODAL_REQUEST_SECONDS) == 2


def test_requests_of_two_processes_share_the_container_that_is_awake(database: Database) -> None:
    first, second = Ledger(Usage(database)), Ledger(Usage(database))
    first.add_modal_request(TEXTS, 1000, 1010)
    second.add_modal_request(TEXTS, 1100, 1110)
    for ledger in (first, second):
        ledger.save()
    assert kept(database, CONTAINERS) == 110 + MODAL_IDLE_SECONDS


def test_requests_after_a_long_silence_start_another_container(database: Database) -> None:
    ledger = Ledger(Usage(database))
    ledger.add_modal_request(TEXTS, 9000, 9001)
    ledger.add_modal_request(TEXTS, 1000, 1001)
    ledger.save()
    assert kept(database, CONTAINERS) == 2 * (1 + MODAL_IDLE_SECONDS)


def test_more_requests_than_a_container_takes_are_answered_by_several(database: Database) -> None:
    ledger = Ledger(Usage(database))
    for _ in range(100):
        ledger.add_modal_request(Measure.MODAL_AUDIO_REQUESTS, 1000, 1100)
    ledger.save()
    assert kept(database, CONTAINERS) == MODAL_MOST_CONTAINERS * (100 + MODAL_IDLE_SECONDS)


def test_each_container_waits_after_its_own_last_request(database: Database) -> None:
    ledger = Ledger(Usage(database))
    for began, ended, requests in ((1000, 1010, 8), (1010, 1110, 4)):
        for _ in range(requests):
            ledger.add_modal_request(Measure.MODAL_AUDIO_REQUESTS, began, ended)
    ledger.save()
    assert kept(database, CONTAINERS) == 110 + 10 + 2 * MODAL_IDLE_SECONDS
    # The second is still awake, and is needed again.
    for _ in range(8):
        ledger.add_modal_request(Measure.MODAL_AUDIO_REQUESTS, 1200, 1210)
    ledger.save()
    assert kept(database, CONTAINERS) == 2 * (210 + MODAL_IDLE_SECONDS)


PERIODS = st.tuples(st.integers(0, 50), st.integers(0, 20)).map(
    lambda drawn: (float(drawn[0]), float(sum(drawn)))
)


@given(st.lists(PERIODS, max_size=60))
def test_at_every_moment_the_containers_take_what_is_open(requests: list[Period]) -> None:
    containers = needed_containers(requests)
    for periods in containers:
        assert periods == sorted(periods)
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(periods))
    for moment in range(75):
        when = moment + 0.5
        opened = sum(began < when < ended for began, ended in requests)
        awake = sum(began < when < ended for periods in containers for began, ended in periods)
        assert awake == min(-(-opened // MODAL_REQUESTS_AT_ONCE), MODAL_MOST_CONTAINERS)


def test_a_request_that_took_no_time_needs_a_container() -> None:
    ((period,),) = needed_containers([(1000.0, 1000.0)])
    assert period[0] == 1000.0


def test_a_ledger_without_a_catalogue_only_counts() -> None:
    ledger = Ledger()
    ledger.add(PREDICTIONS)
    ledger.save()
    assert ledger.reading() == {PREDICTIONS: 1}


def test_amounts_of_a_newer_version_are_left_alone(database: Database) -> None:
    database.rows("INSERT INTO moodsearch.usage VALUES ('2026-01-01', 'replicate.hats', 3)")
    Usage(database).add({PREDICTIONS: 1})
    used = Usage(database).totals()
    assert used["replicate"].amounts == {PREDICTIONS: 1}
