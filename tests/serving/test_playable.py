"""`GET /tracks/{track_id}/audio.wav`: what browsers cannot play, as WAV, in ranges."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from resources.backends import Backends
from tests.audio.files import ENCODINGS, chirp, write_audio
from tests.catalogue.rows import add_track, update_track

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
    ("content", "words"), [(None, "missing"), (b"FORM, but no sound", "cannot be heard")]
)
def test_what_cannot_be_heard_is_said_so(
    client: TestClient, backends: Backends, content: bytes | None, words: str
) -> None:
    if content is not None:
        backends.store.put("audio/odd.aiff", content)
    track = add_track(backends.database, file_id="odd")
    update_track(backends.database, track, file_type="aiff")
    response = client.get(f"/tracks/{track}/audio.wav")
    assert response.status_code == 404
    assert words in response.json()["detail"]
