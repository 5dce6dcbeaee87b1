"""Routes that wait for the object storage hold up none of those that do not."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import httpx
import pytest
from anyio.to_thread import current_default_thread_limiter

from resources.audio.artwork import picture_key
from resources.backends import Backends
from resources.catalogue.tracks.uploads import artwork_path
from resources.settings import load_settings
from serving.api.app import create_app
from serving.search.semantic import SemanticSearch
from tests.audio.files import ENCODINGS, chirp, png, write_audio
from tests.catalogue.rows import add_track, update_track
from tests.fakes.loopback import Answer, Host, Request
from tests.serving.page.browser import served

pytestmark = pytest.mark.slow

COVER = "0123456789abcdef0123456789abcdef.png"
AUDIO = "audio/file-1.aiff"
REQUESTS = 45
"""More than the threads that all routes share."""


@pytest.fixture
def track(backends: Backends, tmp_path: Path) -> int:
    backends.store.put_file(
        AUDIO, write_audio(tmp_path / "x.aiff", chirp(1, 44_100), ENCODINGS["aiff"])
    )
    backends.store.put(picture_key(COVER), png())
    track = add_track(backends.database)
    url = artwork_path(track, COVER)
    update_track(backends.database, track, file_type="aiff", image_url=url)
    return track


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def with_hanging_storage(
    backends: Backends, let_go: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Backends, Host]]:
    """Other backends on the same database whose storage answers nothing until it is let go."""

    def answer(_request: Request) -> bytes:
        assert let_go.wait(60)
        return b""

    with Host() as host:
        for key in (AUDIO, picture_key(COVER)):
            host.on(f"HEAD /music/{key}", Answer(404, answer))
        monkeypatch.setenv("R2_ENDPOINT_URL", host.url)
        monkeypatch.setenv("R2_BUCKET", "music")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret-key")
        monkeypatch.setenv("API_RATE_LIMIT_PER_MINUTE", "0")
        with Backends(load_settings()) as remote:
            remote.local_model = backends.local_model
            yield remote, host


@pytest.mark.parametrize("path", ["/tracks/{}/audio.wav", "/tracks/{}/artwork/" + COVER])
def test_a_storage_that_hangs_holds_up_nobody_else(
    backends: Backends,
    with_hanging_storage: tuple[Backends, Host],
    track: int,
    let_go: threading.Event,
    path: str,
) -> None:
    remote, host = with_hanging_storage
    app = create_app(remote, search=SemanticSearch(backends))
    with served(app) as address, ThreadPoolExecutor(REQUESTS) as threads:
        url = address + path.format(track)
        waiting = [threads.submit(httpx.get, url, timeout=60) for _ in range(REQUESTS)]
        until = time.monotonic() + 20
        while not host.requests:
            assert time.monotonic() < until, "the storage was never asked"
            time.sleep(0.02)
        for other in ("/me", "/static/main.js", "/healthz"):
            assert httpx.get(address + other, timeout=30).status_code == 200, other
        assert not any(future.done() for future in waiting)
        let_go.set()
        assert {future.result().status_code for future in waiting} == {404}


@pytest.mark.parametrize("name", ["audio", "audio.wav", "artwork/" + COVER])
def test_they_need_none_of_the_threads_that_all_routes_share(
    backends: Backends, track: int, name: str
) -> None:
    app = create_app(backends)

    async def ask() -> httpx.Response:
        shared = current_default_thread_limiter()
        for _ in range(int(shared.total_tokens)):
            shared.acquire_on_behalf_of_nowait(object())
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            with anyio.fail_after(30):
                return await client.get(f"/tracks/{track}/{name}")

    response = asyncio.run(ask())
    assert response.status_code == 200
    assert len(response.content) == int(response.headers["Content-Length"]) > 0
