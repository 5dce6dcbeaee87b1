"""Threads that wait for coroutines: nothing of it may hang, whatever happens to either side."""

import asyncio
import gc
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from resources.errors import BackendError
from resources.web.event_loop import LOOK_UP_SECONDS, EventLoopThread

PATIENCE_SECONDS = 10.0


class Resource:
    def __init__(self) -> None:
        self.opened_in = threading.current_thread()
        self.entered = threading.Event()
        self.cancelled = threading.Event()
        self.closed = threading.Event()

    async def hang(self) -> None:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            assert not self.closed.is_set()
            self.cancelled.set()
            raise

    async def itself(self) -> "Resource":
        assert threading.current_thread() is self.opened_in
        return self


@asynccontextmanager
async def opened() -> AsyncIterator[Resource]:
    resource = Resource()
    yield resource
    resource.closed.set()


@pytest.fixture
def loop() -> Iterator[EventLoopThread[Resource]]:
    thread = EventLoopThread("the loop", opened)
    yield thread
    thread.close()


def test_all_threads_share_one_resource(loop: EventLoopThread[Resource]) -> None:
    with ThreadPoolExecutor(8) as threads:
        resources = list(threads.map(lambda _: loop.run(Resource.itself), range(64)))
    assert len({id(resource) for resource in resources}) == 1


def test_what_a_call_raises_is_raised_to_who_waits(loop: EventLoopThread[Resource]) -> None:
    async def fail(_resource: Resource) -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        loop.run(fail)
    loop.run(Resource.itself)


def test_a_call_may_take_its_time_and_raise_timeouts_of_its_own(
    loop: EventLoopThread[Resource],
) -> None:
    async def slow(_resource: Resource) -> str:
        await asyncio.sleep(1.2 * LOOK_UP_SECONDS)
        return "done"

    async def late(_resource: Resource) -> None:
        raise TimeoutError("its own")

    assert loop.run(slow) == "done"
    with pytest.raises(TimeoutError, match="its own"):
        loop.run(late)


def test_nothing_is_opened_before_the_first_use() -> None:
    before = threading.active_count()
    loop = EventLoopThread("unused", opened)
    assert threading.active_count() == before
    loop.close()


def test_a_resource_that_cannot_be_opened_is_tried_again() -> None:
    failures = [OSError("no such certificate file")]

    @asynccontextmanager
    async def opened_the_second_time() -> AsyncIterator[Resource]:
        if failures:
            raise failures.pop()
        yield Resource()

    loop = EventLoopThread("late", opened_the_second_time)
    with pytest.raises(OSError, match="certificate"):
        loop.run(Resource.itself)
    loop.run(Resource.itself)
    loop.close()


def test_close_ends_the_calls_of_those_who_wait(loop: EventLoopThread[Resource]) -> None:
    resource = loop.run(Resource.itself)
    with ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(loop.run, Resource.hang) for _ in range(3)]
        assert resource.entered.wait(PATIENCE_SECONDS)
        loop.close()
        for call in calls:
            with pytest.raises(BackendError, match=r"the loop (was|is) closed"):
                call.result(PATIENCE_SECONDS)
    assert resource.cancelled.is_set()
    assert resource.closed.is_set()
    assert not resource.opened_in.is_alive()
    loop.close()
    with pytest.raises(BackendError, match="is closed"):
        loop.run(Resource.itself)


def test_nobody_hangs_who_comes_while_it_closes() -> None:
    def ask_for_ever(loop: EventLoopThread[Resource], start: threading.Barrier) -> None:
        start.wait()
        while True:
            loop.run(Resource.itself)

    for _ in range(20):
        loop, start = EventLoopThread("the loop", opened), threading.Barrier(5)
        loop.run(Resource.itself)
        with ThreadPoolExecutor(4) as threads:
            calls = [threads.submit(ask_for_ever, loop, start) for _ in range(4)]
            start.wait()
            loop.close()
            for call in calls:
                with pytest.raises(BackendError):
                    call.result(PATIENCE_SECONDS)


def test_who_is_interrupted_while_waiting_cancels_the_call(
    loop: EventLoopThread[Resource],
) -> None:
    class GivesUpError(Exception):
        pass

    def give_up(_signal: int, _frame: object) -> None:
        raise GivesUpError

    resource = loop.run(Resource.itself)

    def interrupt() -> None:
        resource.entered.wait(PATIENCE_SECONDS)
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, give_up)
    try:
        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(GivesUpError):
            loop.run(Resource.hang)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert resource.cancelled.wait(PATIENCE_SECONDS)
    loop.run(Resource.itself)


def test_a_loop_that_nobody_knows_any_more_ends() -> None:
    loop = EventLoopThread("forgotten", opened)
    resource = loop.run(Resource.itself)
    del loop
    gc.collect()
    assert resource.closed.wait(PATIENCE_SECONDS)
    resource.opened_in.join(PATIENCE_SECONDS)
    assert not resource.opened_in.is_alive()


def test_a_forked_process_gets_a_loop_of_its_own(loop: EventLoopThread[Resource]) -> None:
    resource = loop.run(Resource.itself)
    child = os.fork()
    if child == 0:
        # No assertion may reach pytest in here.
        signal.alarm(int(PATIENCE_SECONDS))
        try:
            own = loop.run(Resource.itself)
            loop.close()
            os._exit(0 if own is not resource and own.closed.is_set() else 1)
        except BaseException:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert loop.run(Resource.itself) is resource
