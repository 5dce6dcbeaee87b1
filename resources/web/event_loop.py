"""An event loop in a thread of its own, for callers that are threads.

`anyio.from_thread.BlockingPortalProvider` does not fit: closing cancels the resource together with
what uses it, and waits for names that are being resolved.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from resources.errors import BackendError

CLOSE_SECONDS: Final = 5.0
"""How long `close` waits for the thread. Names that are being resolved cannot be interrupted."""

R = TypeVar("R")
T = TypeVar("T")


class EventLoopThread(Generic[R]):
    """Runs coroutines over one resource, which is opened and closed on the loop.

    Loop and resource are made at the first use. `name` is for messages and for the thread.
    """

    def __init__(self, name: str, open_resource: Callable[[], AbstractAsyncContextManager[R]]):
        self._name = name
        self._open_resource = open_resource
        self._running: _Running[R] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def run(self, call: Callable[[R], Coroutine[Any, Any, T]]) -> T:
        """What `call` returns or raises; any number of threads may wait at once.

        Whatever interrupts a waiting thread cancels its call. Raises `BackendError` when this is
        closed before the call is done.
        """
        # Under the lock, so that what was handed to the loop is there when `close` stops it.
        with self._lock:
            if self._closed:
                raise BackendError(f"{self._name} is closed")
            if self._running is None:
                self._running = _start(self._name, self._open_resource)
            coroutine = call(self._running.resource)
            future = asyncio.run_coroutine_threadsafe(coroutine, self._running.loop)
        try:
            return future.result()
        except CancelledError:
            raise BackendError(f"{self._name} was closed before there was an answer") from None
        finally:
            future.cancel()

    def close(self) -> None:
        """Cancel all calls and close the resource. Idempotent."""
        with self._lock:
            self._closed = True
            running, self._running = self._running, None
        if running is not None:
            running.loop.call_soon_threadsafe(running.stopped.set)
            running.thread.join(CLOSE_SECONDS)


@dataclass(frozen=True)
class _Running(Generic[R]):
    resource: R
    loop: asyncio.AbstractEventLoop
    stopped: asyncio.Event
    thread: threading.Thread


def _start(name: str, open_resource: Callable[[], AbstractAsyncContextManager[R]]) -> "_Running[R]":
    started: Future[_Running[R]] = Future()

    async def serve() -> None:
        stopped = asyncio.Event()
        async with open_resource() as resource:
            loop, thread = asyncio.get_running_loop(), threading.current_thread()
            started.set_result(_Running(resource, loop, stopped, thread))
            await stopped.wait()
            await _cancel_all_others()

    def serve_or_say_why_not() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    # A daemon, so that a process can end without `close`.
    threading.Thread(target=serve_or_say_why_not, name=name, daemon=True).start()
    return started.result()


async def _cancel_all_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others)
