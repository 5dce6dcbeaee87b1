"""How often something may happen: what we ask of a service, and what clients ask of us."""

from typing import Final

from throttled import MemoryStore, RateLimiterType, Throttled, per_min

from resources.web.deadline import Deadline

ALL: Final = "all"
"""The key of turns that are not told apart."""


class RateLimit:
    """At most `per_minute` turns in a minute, `burst` of them at once, for each key.

    The generic cell rate algorithm (ITU-T I.371): turns are spread evenly, and those that are not
    taken add up to a burst. By the monotonic clock; each process counts for itself. The
    `kept_keys` used last are remembered, others begin anew. Safe to use from threads.
    """

    def __init__(self, per_minute: int, burst: int = 1, *, kept_keys: int = 1) -> None:
        self._turns = Throttled(
            using=RateLimiterType.GCRA.value,
            quota=per_min(per_minute, burst=burst),
            store=MemoryStore(options={"MAX_SIZE": kept_keys}),
        )

    def take(self, key: str = ALL) -> float | None:
        """Take a turn and return None. Where there is none now, take none and return the seconds
        until there is one."""
        result = self._turns.limit(key)
        return result.state.retry_after if result.limited else None

    def wait(self, deadline: Deadline) -> bool:
        """Wait for a turn. False, without taking one, as soon as the next one comes too late."""
        while not deadline.has_passed:
            seconds = self.take()
            if seconds is None:
                return True
            # Another thread may be quicker, so this is a wait for a chance.
            if not deadline.sleep(seconds):
                return False
        return False
