"""Calls with a deadline: they end in time, and those given up are bounded."""

import logging
import threading
import time

import pytest

from resources.errors import BackendError
from serving.availability import Availability, DeadlineWorkers, UnavailableError


def test_a_call_that_answers_in_time_returns_its_result() -> None:
    assert DeadlineWorkers(1).run(lambda: 42, 1) == 42


def test_a_call_that_raises_raises_its_own_error_even_if_that_is_a_timeout() -> None:
    def fails() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        DeadlineWorkers(1).run(fails, 1)


def test_a_call_that_is_too_slow_is_given_up() -> None:
    started = time.monotonic()
    with pytest.raises(BackendError, match=r"no answer within 0\.05 s"):
        DeadlineWorkers(1).run(lambda: time.sleep(0.5), 0.05)
    assert time.monotonic() - started < 0.4


def test_when_every_worker_hangs_new_calls_fail_at_once_and_work_again_later() -> None:
    workers = DeadlineWorkers(2)
    hangs = threading.Event()
    for _ in range(2):
        with pytest.raises(BackendError):
            workers.run(hangs.wait, 0.01)
    with pytest.raises(BackendError, match="too many earlier calls"):
        workers.run(lambda: 1, 10)
    hangs.set()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            assert workers.run(lambda: 1, 1) == 1
        except BackendError:
            time.sleep(0.01)
        else:
            return
    pytest.fail("the workers did not come free")


def test_a_question_whose_turn_comes_too_late_is_not_answered_any_more() -> None:
    availability = Availability("this", logging.getLogger(__name__), deadline_seconds=0.05)
    deadline = availability.deadline()
    time.sleep(0.06)
    with pytest.raises(UnavailableError, match="waited for its turn"):
        availability.answer(lambda: pytest.fail("computed"), deadline)
    assert availability.answer(lambda: 42) == 42
