"""An event loop in a thread of its own, for callers that are threads.

`anyio.from_thread.BlockingPortalProvider` does not fit: a thread that is interrupted while its task
starts cannot cancel it, closing cancels the resource together with what uses it, and a portal does
not notice a fork or that it was forgotten.
"""

import asyncio
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from resources.errors import BackendError

CLOSE_SECONDS: Final = 5.0
"""How long `close` waits for the thread. Names that are being resolved cannot be interrupted."""

LOOK_UP_SECONDS: Final = 0.5
"""A signal that arrives just before a thread falls asleep does not wake it, so none sleeps for
longer without looking."""

R = TypeVar("R")
T = TypeVar("T")


class EventLoopThread(Generic[R]):
    """Runs coroutines over one resource, which is opened and closed on the loop.

    Loop and resource are made at the first use, and again in a process that was forked after it:
    threads do not survive a fork. `name` is for messages and for the thread.
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
        # Made before the call begins, so that there is no moment at which it cannot be cancelled.
        future: Future[T] = Future()
        try:
            # Under the lock, so that what was handed to the loop is there when `close` stops it.
            with self._lock:
                if self._closed:
                    raise BackendError(f"{self._name} is closed")
                running = self._ensure_running()
                running.loop.call_soon_threadsafe(_begin, call, running.resource, future)
            return _result(future)
        except CancelledError:
            raise BackendError(f"{self._name} was closed before there was an answer") from None
        finally:
            future.cancel()

    def close(self) -> None:
        """Cancel all calls and close the resource. Idempotent."""
        with self._lock:
            self._closed = True
            running, self._running = self._running, None
        if running is not None and running.is_of_this_process:
            running.stop()
            running.thread.join(CLOSE_SECONDS)

    def _ensure_running(self) -> "_Running[R]":
        if self._running is None or not self._running.is_of_this_process:
            self._running = _start(self._name, self._open_resource)
            # Without a join: this may be called in any thread, even in the loop's own.
            weakref.finalize(self, self._running.stop).atexit = False
        return self._running


@dataclass(frozen=True)
class _Running(Generic[R]):
    resource: R
    loop: asyncio.AbstractEventLoop
    stopped: asyncio.Event
    thread: threading.Thread
    process_id: int = field(default_factory=os.getpid)

    @property
    def is_of_this_process(self) -> bool:
        return self.process_id == os.getpid()

    def stop(self) -> None:
        if self.is_of_this_process:
            with suppress(RuntimeError):  # the loop is closed already
                self.loop.call_soon_threadsafe(self.stopped.set)


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


def _begin(call: Callable[[R], Coroutine[Any, Any, T]], resource: R, future: "Future[T]") -> None:
    """Make the call for who waits for `future`, in a task that ends when that is cancelled."""
    if future.cancelled():
        return
    loop = asyncio.get_running_loop()
    task = loop.create_task(call(resource))

    def give_up(future: "Future[T]") -> None:
        if future.cancelled():
            loop.call_soon_threadsafe(task.cancel)

    def pass_on(task: "asyncio.Task[T]") -> None:
        if task.cancelled():
            future.cancel()
            return
        error = task.exception()
        if not future.set_running_or_notify_cancel():
            return
        if error is None:
            future.set_result(task.result())
        else:
            future.set_exception(error)

    task.add_done_callback(pass_on)
    future.add_done_callback(give_up)


def _result(future: "Future[T]") -> T:
    while True:
        try:
            return future.result(LOOK_UP_SECONDS)
        except TimeoutError:
            if future.done():
                return future.result()


async def _cancel_all_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others)
