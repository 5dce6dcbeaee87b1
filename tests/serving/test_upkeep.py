"""What is done again and again beside the work goes on, whatever the world is like."""

import pytest

from resources.errors import BackendError
from serving.upkeep import Upkeep


def test_a_log_that_cannot_be_written_to_is_no_reason_to_end() -> None:
    """It may be on the disk that is full."""

    def full(_text: str) -> None:
        raise OSError(28, "No space left on device")

    done: list[int] = []

    def do() -> None:
        done.append(1)
        raise BackendError("the database does not start")

    Upkeep(do, full)()
    assert done == [1]


def test_what_fails_is_not_tried_again_at_once() -> None:
    done: list[int] = []

    def do() -> None:
        done.append(1)
        raise BackendError("the database does not start")

    said: list[str] = []
    upkeep = Upkeep(do, said.append)
    for _ in range(5):
        upkeep()
    assert (done, said) == ([1], ["the database does not start; trying again"])


def test_a_mistake_of_ours_is_raised() -> None:
    def do() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Upkeep(do, lambda _: None)()
