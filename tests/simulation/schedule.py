"""Actors that take turns: each is a thread, and one of them runs at a time.

An actor hands over where it calls something outside, and never within a transaction, so that none
waits for a lock that a paused one holds. It may use threads of its own as long as it waits for
them: whichever thread calls something outside pauses the actor.

A killed actor never comes to anything again: every call outside raises `Killed` instead, so that
what its `finally` blocks do reaches nothing, as if its process had vanished.
"""

import gc
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


class Killed(BaseException):
    """The process is gone. No handler of `Exception` catches it."""


@dataclass(eq=False)
class Actor:
    """`place`: what it is about to call. `killed_by`: none while it lives."""

    name: str
    body: Callable[[], None]
    place: str = "its start"
    is_killed: bool = False
    is_done: bool = False
    error: BaseException | None = None
    may_go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


class Schedule:
    """`current`: the actor whose turn it is; None while the simulation itself looks or acts.
    `ended`: names of those that came to their end, whichever."""

    def __init__(self) -> None:
        self.actors: list[Actor] = []
        self.current: Actor | None = None
        self.ended: set[str] = set()
        self._back = threading.Semaphore(0)

    def start(self, name: str, body: Callable[[], None]) -> Actor:
        """An actor that has not run yet."""
        actor = Actor(name, body)
        self.actors.append(actor)
        threading.Thread(target=self._live, args=[actor], name=name, daemon=True).start()
        return actor

    def resume(self, actor: Actor) -> None:
        """Let the actor go on until its next call outside, or its end. Raises what it raised."""
        self.current = actor
        actor.may_go.release()
        self._back.acquire()
        self.current = None
        if actor.is_done:
            self.actors.remove(actor)
            self.ended.add(actor.name)
        if actor.error is not None:
            raise actor.error

    def kill(self, actor: Actor) -> None:
        """End the actor where it is."""
        actor.is_killed = True
        self.resume(actor)
        assert actor.is_done, f"{actor.name} outlived its end"

    def pause(self, place: str) -> None:
        """Hand over, in an actor. Raises `Killed`."""
        actor = self.current
        assert actor is not None
        if actor.is_killed:
            raise Killed
        actor.place = place
        self._back.release()
        actor.may_go.acquire()
        if actor.is_killed:
            raise Killed

    def die(self) -> None:
        """Kill the current actor from within. Raises `Killed`."""
        assert self.current is not None
        self.current.is_killed = True
        raise Killed

    def _live(self, actor: Actor) -> None:
        actor.may_go.acquire()
        try:
            if not actor.is_killed:
                actor.body()
        except Killed:
            pass
        except BaseException as error:
            # While a killed one unwinds, its handlers find nothing as they expect it.
            actor.error = None if actor.is_killed else error
        # What it leaves open is closed now, when that still counts as its own doing.
        gc.collect()
        actor.is_done = True
        self._back.release()
