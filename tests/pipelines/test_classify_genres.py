"""Classifying many tracks on Replicate: how many at once, and when it is down."""

import threading
import time
from collections.abc import Callable

import pytest

from assets.block_run import NoProgress
from pipelines.backfill import backfill, plan
from resources.backends import Backends
from tests.fakes.loopback import Answer, Host, Request
from tests.fakes.replicate import THROTTLED, prediction
from tests.object_store.conftest import (  # noqa: F401  Fixtures.
    s3_bucket,
    s3_client,
    s3_endpoint,
)
from tests.pipelines.conftest import Upload
from tests.pipelines.test_production_backends import (  # noqa: F401  Fixtures.
    backends,
    replicate,
    turbopuffer,
    upload,
)

pytestmark = pytest.mark.slow

CREATE = "POST /v1/predictions"


class Crowd:
    """Counts how many requests are being answered at once."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def around(self, answer: object) -> Callable[[Request], object]:
        def body(_request: Request) -> object:
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
            time.sleep(0.1)
            with self._lock:
                self._now -= 1
            return answer

        return body


def done(replicate: Host) -> dict[str, object]:  # noqa: F811
    return prediction("succeeded", output=f"{replicate.url}/out.json")


def genres(backends: Backends) -> int:  # noqa: F811
    rows = backends.database.rows(
        "SELECT count(*) AS n FROM public.tracks WHERE extra ? 'genre_predictions'"
    )
    return int(rows[0]["n"])


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_tracks_are_sent_at_once_than_asked_for(
    backends: Backends,  # noqa: F811
    upload: Upload,  # noqa: F811
    replicate: Host,  # noqa: F811
    concurrency: int,
) -> None:
    crowd = Crowd()
    replicate.on(CREATE, Answer(201, crowd.around(done(replicate))))
    for seed in range(9):
        upload(seed)
    backfill(backends, plan(backends), progress=NoProgress(), concurrency=concurrency)
    assert genres(backends) == 9
    assert 1 <= crowd.most <= concurrency


def test_throttling_delays_and_loses_nothing(
    backends: Backends,  # noqa: F811
    upload: Upload,  # noqa: F811
    replicate: Host,  # noqa: F811
) -> None:
    replicate.on(CREATE, THROTTLED, THROTTLED, Answer(201, done(replicate)))
    for seed in range(3):
        upload(seed)
    result = backfill(backends, plan(backends), progress=NoProgress())
    assert (result.errors, genres(backends)) == ({}, 3)
    assert len(replicate.sent(CREATE)) == 5


def test_a_service_that_refuses_the_account_leaves_the_tracks_pending_and_searchable(
    backends: Backends,  # noqa: F811
    upload: Upload,  # noqa: F811
    replicate: Host,  # noqa: F811
) -> None:
    replicate.on(CREATE, Answer(402, {"title": "Insufficient credit"}))
    for seed in range(3):
        upload(seed)
    backfill(backends, plan(backends), progress=NoProgress())
    assert [track.needs_genres for track in plan(backends)] == [True] * 3
    assert backends.vectors.count() == 3
    reasons = backends.attempts.tried_in_vain("genres", backends.work.block_of(1))
    assert len(reasons) == 3
    assert "credit" in reasons[1]
    replicate.on(CREATE, Answer(201, done(replicate)))
    backfill(backends, plan(backends), progress=NoProgress())
    assert plan(backends) == []
