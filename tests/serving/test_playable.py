"""`GET /tracks/{track_id}/audio.wav`: what browsers cannot play, as WAV, in ranges."""

import io
import time
import wave
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from resources.backends import Backends
from resources.settings import load_settings
from serving.api.app import create_app
from serving.api.request_limit import STREAMS_OF_A_CLIENT
from tests.audio.files import ENCODINGS, chirp, write_audio
from tests.catalogue.rows import add_track, update_track
from tests.serving.page.browser import served

pytestmark = pytest.mark.slow

SECONDS = 1


@pytest.fixture
def track(backends: Backends, tmp_path: Path) -> int:
    path = write_audio(tmp_path / "x.aiff", chirp(SECONDS, 44_100), ENCODINGS["aiff"])
    backends.store.put_file("audio/file-1.aiff", path)
    track_id = add_track(backends.database)
    update_track(backends.database, track_id, file_type="aiff")
    return track_id


def test_an_aiff_file_is_heard_as_wav(client: TestClient, track: int) -> None:
    response = client.get(f"/tracks/{track}/audio.wav")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "audio/wav"
    assert response.headers["Accept-Ranges"] == "bytes"
    with wave.open(io.BytesIO(response.content)) as file:
        heard = np.frombuffer(file.readframes(10**6), "<i2").reshape(-1, 2)
    meant = chirp(SECONDS, 44_100).T * 32_768
    assert np.abs(heard - meant).max() <= 2


def test_a_range_is_the_same_bytes(client: TestClient, track: int) -> None:
    url = f"/tracks/{track}/audio.wav"
    whole = client.get(url).content
    response = client.get(url, headers={"Range": "bytes=100001-150000"})
    assert response.status_code == 206
    assert response.headers["Content-Range"] == f"bytes 100001-150000/{len(whole)}"
    assert response.content == whole[100_001:150_001]
    assert client.get(url, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416


def test_a_player_may_ask_for_the_headers_alone(client: TestClient, track: int) -> None:
    url = f"/tracks/{track}/audio.wav"
    response = client.head(url, headers={"Range": "bytes=44-143"})
    assert response.status_code == 206
    assert response.headers["Content-Length"] == "100"
    assert response.headers["Content-Type"] == "audio/wav"
    assert response.content == b""
    assert client.head(url).headers["Content-Length"] == str(len(client.get(url).content))


def test_a_client_reads_only_so_many_at_the_same_time(
    backends: Backends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than what waits between two programs.
    path = write_audio(tmp_path / "long.aiff", chirp(120, 44_100), ENCODINGS["aiff"])
    backends.store.put_file("audio/file-1.aiff", path)
    track = add_track(backends.database)
    update_track(backends.database, track, file_type="aiff")
    monkeypatch.setenv("API_TRUSTED_PROXIES", "127.0.0.1")
    backends.settings = load_settings()
    with (
        served(create_app(backends)) as address,
        httpx.Client(timeout=30, limits=httpx.Limits(max_connections=None)) as client,
        ExitStack() as players,
    ):
        url = f"{address}/tracks/{track}/audio.wav"

        def play(listener: str = "192.0.2.1") -> httpx.Response:
            headers = {"X-Forwarded-For": listener}
            return players.enter_context(client.stream("GET", url, headers=headers))

        opened = [play() for _ in range(STREAMS_OF_A_CLIENT)]
        assert {response.status_code for response in opened} == {200}
        refused = play()
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "5"
        assert "being played already" in refused.read().decode()
        assert play("192.0.2.2").status_code == 200
        # Who stops listening, as a player does that seeks, makes room.
        opened[0].close()
        until = time.monotonic() + 20
        while play().status_code == 429:
            assert time.monotonic() < until, "the place was never free"
            time.sleep(0.05)


def test_answers_that_were_read_or_refused_do_not_count(client: TestClient, track: int) -> None:
    url = f"/tracks/{track}/audio.wav"
    for _ in range(STREAMS_OF_A_CLIENT):
        assert client.get(url, headers={"Range": "bytes=0-99"}).status_code == 206
        assert client.get(url, headers={"Range": "bytes=999999999-"}).status_code == 416
        assert client.head(url).status_code == 200
        assert client.get(f"/tracks/{track + 1}/audio.wav").status_code == 404


def test_a_player_that_has_it_is_told_so_until_the_file_changes(
    client: TestClient, backends: Backends, track: int
) -> None:
    url = f"/tracks/{track}/audio.wav"
    version = client.get(url).headers["ETag"]
    assert version != client.get(f"/tracks/{track}/audio").headers["ETag"]
    assert client.get(url, headers={"If-None-Match": version}).status_code == 304
    backends.store.put("audio/file-2.aiff", backends.store.get("audio/file-1.aiff"))
    update_track(backends.database, track, file_id="file-2")
    assert client.get(url, headers={"If-None-Match": version}).status_code == 200


def test_only_public_tracks_are_heard(client: TestClient, backends: Backends, track: int) -> None:
    for visibility in ("private", "unlisted"):
        update_track(backends.database, track, visibility=visibility)
        assert client.get(f"/tracks/{track}/audio.wav").status_code == 404
    assert client.get(f"/tracks/{track + 1}/audio.wav").status_code == 404


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [(None, 404, "missing"), (b"FORM, but no sound", 415, "cannot be heard")],
)
def test_what_cannot_be_heard_is_said_so(
    client: TestClient, backends: Backends, content: bytes | None, status: int, words: str
) -> None:
    if content is not None:
        backends.store.put("audio/odd.aiff", content)
    track = add_track(backends.database, file_id="odd")
    update_track(backends.database, track, file_type="aiff")
    response = client.get(f"/tracks/{track}/audio.wav")
    assert response.status_code == status
    assert words in response.json()["detail"]
