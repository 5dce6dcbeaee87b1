"""What becomes of each call to something outside: the seed decides."""

import random
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

from resources.errors import BackendError
from tests.simulation.schedule import Schedule

Place = Literal["database", "store", "vectors", "model", "classifier"]
PLACES: tuple[Place, ...] = ("database", "store", "vectors", "model", "classifier")

_TIMES_MORE: Final = 5

T = TypeVar("T")


class UnforeseenError(Exception):
    """What no code of ours expects: a driver's own error."""


@dataclass
class Call:
    """A call that passes. `writes`: whether it may have changed something."""

    writes: bool


@dataclass
class Gate:
    """Where every call outside passes: it hands over to the schedule, and then the call goes well,
    fails before or after it took effect, or its process dies after it.

    `rate`: of calls to the database that do not go well; of others, which are fewer, so many times
    more. `down`: what does not answer at all at present. `writes`:
    how many calls may have changed something, so that invariants are checked only then.
    """

    schedule: Schedule
    rng: random.Random
    rate: float = 0.0
    down: set[Place] = field(default_factory=set)
    writes: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    log: deque[str] = field(default_factory=lambda: deque(maxlen=60))

    def note(self, event: str) -> None:
        self.counts[event.split(":", maxsplit=1)[0]] += 1
        self.log.append(event)

    @contextmanager
    def passing(self, place: Place, what: str, *, writes: bool = True) -> Iterator[Call]:
        """Around the call's effect. Raises `BackendError`, `UnforeseenError` or `Killed`."""
        call = Call(writes)
        if self.schedule.current is None:
            yield call
            return
        self.schedule.pause(f"{place}: {what}")
        who = self.schedule.current.name
        self._maybe_fail(place, f"{who}: {place}: {what}")
        yield call
        self.writes += call.writes
        if not call.writes or self.rng.random() >= self._rate(place):
            return
        if self.rng.random() < 0.5:
            self.note(f"killed after a call: {who}: {place}: {what}")
            self.schedule.die()
        self.note(f"reported a failure after a call: {who}: {place}: {what}")
        raise BackendError(f"the {place} did not answer in time")

    def call(self, place: Place, what: str, effect: Callable[[], T], *, writes: bool = True) -> T:
        """The same for one function."""
        with self.passing(place, what, writes=writes):
            return effect()

    def lies(self) -> bool:
        """Whether this answer is a wrong one."""
        return self.schedule.current is not None and self.rng.random() < self.rate

    def _rate(self, place: Place) -> float:
        return self.rate if place == "database" else _TIMES_MORE * self.rate

    def _maybe_fail(self, place: Place, what: str) -> None:
        if place in self.down:
            raise BackendError(f"the {place} does not answer")
        if self.rng.random() >= self._rate(place):
            return
        if place in ("model", "classifier", "vectors") and self.rng.random() < 0.3:
            self.note(f"failed in an unforeseen way: {what}")
            raise UnforeseenError(f"the {place} answered nonsense")
        self.note(f"failed before a call: {what}")
        raise BackendError(f"the {place} does not answer")
