"""Everything that can go wrong between here and turbopuffer."""

import logging
import time
import traceback
from collections.abc import Callable
from email.utils import formatdate

import pytest

from resources.errors import BackendError, ConfigurationError, MoodSearchError
from resources.vectors.turbopuffer import TurbopufferStore
from tests.fakes.turbopuffer.faults import Fault
from tests.fakes.turbopuffer.server import TurbopufferServer
from tests.vectors.samples import axis, document, documents

Open = Callable[..., TurbopufferStore]
Use = Callable[[TurbopufferStore], object]

USES: dict[str, Use] = {
    "upsert": lambda store: store.upsert([document(2, axis(0))]),
    "delete": lambda store: store.delete([1]),
    "query": lambda store: store.query(axis(0), 10),
    "count": lambda store: store.count(),
    "ids": lambda store: store.ids(0, 10),
    "drop": lambda store: store.drop(),
    "check": lambda store: store.check(),
    "warm": lambda store: store.warm(),
}
LASTING_FAULTS = {
    "429": Fault("status", 429),
    "500": Fault("status", 500),
    "503 come back tomorrow": Fault("status", 503, {"Retry-After": "86400"}),
    "hang": Fault("hang"),
    "drop": Fault("drop"),
    "web page": Fault("web_page"),
    "broken JSON": Fault("broken_json"),
}
PASSING_FAULTS = {
    "429": Fault("status", 429, {"Retry-After": "0.05"}),
    "500": Fault("status", 500),
    "503 with a date": Fault("status", 503, {"Retry-After": formatdate(0)}),
    "408 in milliseconds": Fault("status", 408, {"Retry-After-Ms": "20"}),
    "409": Fault("status", 409),
    "drop": Fault("drop"),
    "web page": Fault("web_page"),
}


@pytest.fixture
def filled(open_turbopuffer: Open) -> TurbopufferStore:
    store = open_turbopuffer()
    store.upsert([document(1, axis(0))])
    return store


@pytest.fixture
def impatient(filled: TurbopufferStore, open_turbopuffer: Open) -> TurbopufferStore:
    """A handle on the same documents that gives up after a third of a second."""
    return open_turbopuffer(read_seconds=0.35, write_seconds=0.35)


@pytest.mark.parametrize("fault", PASSING_FAULTS)
def test_a_passing_fault_is_not_noticed(
    filled: TurbopufferStore, turbopuffer_server: TurbopufferServer, fault: str
) -> None:
    turbopuffer_server.faults.next_requests(PASSING_FAULTS[fault])

    assert [match.track_id for match in filled.query(axis(0), 10)] == [1]

    turbopuffer_server.faults.next_requests(PASSING_FAULTS[fault])
    filled.upsert([document(2, axis(1))])
    assert filled.count() == 2


def test_a_connection_that_hangs_once_is_tried_again(
    open_turbopuffer: Open, turbopuffer_server: TurbopufferServer
) -> None:
    store = open_turbopuffer(read_seconds=2)
    store.upsert([document(1, axis(0))])
    turbopuffer_server.faults.next_requests(Fault("hang"))

    assert len(store.query(axis(0), 10)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("fault", ["500", "hang"])
def test_every_call_ends_in_time_when_the_fault_lasts(
    impatient: TurbopufferStore, turbopuffer_server: TurbopufferServer, fault: str, use: str
) -> None:
    turbopuffer_server.faults.every_request(LASTING_FAULTS[fault])
    started = time.monotonic()

    with pytest.raises(BackendError, match="turbopuffer"):
        USES[use](impatient)

    assert time.monotonic() - started < 3


@pytest.mark.parametrize("fault", LASTING_FAULTS)
def test_a_lasting_fault_is_a_backend_error_in_time(
    impatient: TurbopufferStore, turbopuffer_server: TurbopufferServer, fault: str
) -> None:
    turbopuffer_server.faults.every_request(LASTING_FAULTS[fault])
    started = time.monotonic()

    with pytest.raises(BackendError) as caught:
        impatient.query(axis(0), 10)

    assert time.monotonic() - started < 3
    assert "\n" not in str(caught.value)


def test_what_the_service_asks_to_wait_is_handed_on(
    filled: TurbopufferStore, turbopuffer_server: TurbopufferServer
) -> None:
    turbopuffer_server.faults.every_request(Fault("status", 429, {"Retry-After": "90"}))
    started = time.monotonic()

    with pytest.raises(BackendError) as caught:
        filled.upsert([document(2, axis(1))])

    assert caught.value.retry_after_seconds == 90
    assert time.monotonic() - started < 3


def test_a_failed_write_stores_nothing_of_its_batch_and_can_be_repeated(
    filled: TurbopufferStore, impatient: TurbopufferStore, turbopuffer_server: TurbopufferServer
) -> None:
    turbopuffer_server.faults.every_request(Fault("status", 500))
    with pytest.raises(BackendError):
        impatient.upsert(documents(range(5)))
    turbopuffer_server.faults.every_request(None)

    assert filled.count() == 1
    filled.upsert(documents(range(5)))
    assert filled.count() == 5


def test_nobody_listening_is_a_backend_error(
    open_turbopuffer: Open, turbopuffer_server: TurbopufferServer
) -> None:
    store = open_turbopuffer(read_seconds=0.5)
    turbopuffer_server.close()

    with pytest.raises(BackendError, match=r"cannot be reached at http://127\.0\.0\.1"):
        store.query(axis(0), 10)


@pytest.mark.parametrize("status", [402, 405])
def test_a_refusal_that_trying_again_cannot_help_is_raised_at_once(
    filled: TurbopufferStore, turbopuffer_server: TurbopufferServer, status: int
) -> None:
    fault = Fault("status", status, message="the bill is not paid")
    turbopuffer_server.faults.next_requests(fault)

    with pytest.raises(BackendError, match=f"{status}: the bill is not paid"):
        filled.check()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_our_own_mistake_crashes_loudly(
    filled: TurbopufferStore, turbopuffer_server: TurbopufferServer, status: int
) -> None:
    turbopuffer_server.faults.next_requests(Fault("status", status, message="rank_by: what?"))

    with pytest.raises(RuntimeError, match=f"{status}.*rank_by: what") as caught:
        filled.check()

    assert not isinstance(caught.value, MoodSearchError)


@pytest.mark.parametrize("use", USES)
def test_a_refused_key_names_the_variable_and_is_shown_nowhere(
    open_turbopuffer: Open, caplog: pytest.LogCaptureFixture, use: str
) -> None:
    caplog.set_level(logging.DEBUG)
    store = open_turbopuffer(api_key="tpuf_wrong_but_secret")

    with pytest.raises(ConfigurationError, match="TURBOPUFFER_API_KEY") as caught:
        USES[use](store)  # The server's answer quotes the key.

    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(store)
    assert "invalid API key" in str(caught.value)
    assert "tpuf_wrong_but_secret" not in shown


def test_a_revoked_permission_names_the_variable(
    filled: TurbopufferStore, turbopuffer_server: TurbopufferServer
) -> None:
    turbopuffer_server.faults.next_requests(Fault("status", 403, message="read only"))

    with pytest.raises(ConfigurationError, match=r"TURBOPUFFER_API_KEY.*403.*read only"):
        filled.upsert([document(1, axis(0))])
