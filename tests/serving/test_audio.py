"""`GET /tracks/{track_id}/audio`: whole files, ranges, and where else they are."""

import os
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from resources.backends import Backends
from resources.settings import load_settings
from serving.api.app import create_app
from serving.api.ranged import UnsatisfiableRangeError, requested_range
from serving.search.semantic import SemanticSearch
from tests.catalogue.rows import add_track, update_track

pytestmark = pytest.mark.slow

SOUND = bytes(range(256)) * 4_000
SIZE = len(SOUND)


@pytest.fixture
def track(backends: Backends) -> int:
    backends.store.put("audio/file-1.mp3", SOUND)
    return add_track(backends.database)


def listen(client: TestClient, track: object, **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(f"/tracks/{track}/audio", headers=names, follow_redirects=False)


def test_the_whole_file_is_sent(client: TestClient, track: int) -> None:
    response = listen(client, track)
    assert response.status_code == 200
    assert response.content == SOUND
    assert response.headers["Content-Type"] == "audio/mpeg"
    assert response.headers["Content-Length"] == str(SIZE)
    assert response.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=0-0", 0, 0),
        ("bytes=500000-500099", 500_000, 500_099),
        ("bytes=1000000-9999999", 1_000_000, SIZE - 1),
        ("bytes=-100", SIZE - 100, SIZE - 1),
        (f"bytes=-{10**15}", 0, SIZE - 1),
    ],
)
def test_a_range_is_sent(
    client: TestClient, track: int, wanted: str, first: int, last: int
) -> None:
    response = listen(client, track, Range=wanted)
    assert response.status_code == 206
    assert response.content == SOUND[first : last + 1]
    assert response.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert response.headers["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", "bytes=-0", "bytes=99999999999-"])
def test_a_range_outside_of_the_file_is_refused(
    client: TestClient, track: int, wanted: str
) -> None:
    response = listen(client, track, Range=wanted)
    assert response.status_code == 416
    assert response.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "bytes=9-2", "bytes=-", "bytes", "rows=1-2"])
def test_a_range_that_is_none_is_ignored(client: TestClient, track: int, wanted: str) -> None:
    response = listen(client, track, Range=wanted)
    assert response.status_code == 200
    assert response.content == SOUND


@given(st.text("bytes=0123456789-, ", max_size=40) | st.text(max_size=20), st.integers(0, 10**6))
def test_whatever_is_asked_for_lies_within_the_file(header: str, size: int) -> None:
    try:
        part = requested_range(header, size)
    except UnsatisfiableRangeError:
        return
    assert part is None or 0 <= part[0] <= part[1] < size


def test_a_player_that_has_the_file_is_told_so(
    client: TestClient, backends: Backends, track: int
) -> None:
    version = listen(client, track).headers["ETag"]
    assert listen(client, track, If_None_Match=version).status_code == 304
    assert listen(client, track, Range="bytes=0-9", If_Range=version).status_code == 206
    backends.store.put("audio/file-2.mp3", SOUND[::-1])
    update_track(backends.database, track, file_id="file-2")
    assert listen(client, track, If_None_Match=version).status_code == 200
    replaced = listen(client, track, Range="bytes=0-9", If_Range=version)
    assert (replaced.status_code, replaced.content) == (200, SOUND[::-1])


def test_a_player_may_ask_for_the_headers_alone(client: TestClient, track: int) -> None:
    response = client.head(f"/tracks/{track}/audio")
    assert response.status_code == 200
    assert response.headers["Content-Length"] == str(SIZE)
    assert response.content == b""


def test_for_the_headers_alone_no_sound_is_read(
    client: TestClient, backends: Backends, track: int
) -> None:
    """It would take longer than the test may."""
    size = 2**37
    os.truncate(backends.settings.moodsearch_home / "objects" / "audio" / "file-1.mp3", size)
    response = client.head(f"/tracks/{track}/audio", headers={"Range": "bytes=1-"})
    assert response.status_code == 206
    assert response.headers["Content-Range"] == f"bytes 1-{size - 1}/{size}"
    assert response.headers["Content-Length"] == str(size - 1)
    assert response.headers["Content-Type"] == "audio/mpeg"


def test_only_public_tracks_are_heard(client: TestClient, backends: Backends, track: int) -> None:
    for visibility in ("private", "unlisted", "deleted"):
        update_track(backends.database, track, visibility=visibility)
        assert listen(client, track).status_code == 404
    assert listen(client, track + 1).status_code == 404
    assert listen(client, -1).status_code == 422


def test_a_missing_file_is_said_so(client: TestClient, backends: Backends) -> None:
    response = listen(client, add_track(backends.database, file_id="gone"))
    assert response.status_code == 404
    assert "missing" in response.json()["detail"]


@pytest.mark.parametrize(
    ("file_id", "file_type"),
    [
        ("../../secret", "txt"),
        ("..", "/../../secret.txt"),
        ("x", "mp3/../../../secret.txt"),
        ("/etc/passwd", ""),
        ("a\\..\\b", "mp3"),
    ],
)
def test_no_row_leads_out_of_the_store(
    client: TestClient, backends: Backends, file_id: str, file_type: str
) -> None:
    home = backends.settings.moodsearch_home
    home.mkdir(parents=True, exist_ok=True)
    (home / "secret.txt").write_text("secret")
    track = add_track(backends.database, file_id=file_id)
    update_track(backends.database, track, file_type=file_type)
    response = listen(client, track)
    assert response.status_code == 404
    assert "secret" not in response.text


def test_a_type_that_is_no_sound_is_never_opened_as_a_page(
    client: TestClient, backends: Backends
) -> None:
    backends.store.put("audio/page.html", b"<script>alert(1)</script>")
    track = add_track(backends.database, file_id="page")
    update_track(backends.database, track, file_type="html")
    response = listen(client, track)
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.fixture
def with_r2(backends: Backends, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("R2_ENDPOINT_URL", "https://account.r2.example.com")
    monkeypatch.setenv("R2_BUCKET", "music")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret-key")
    return monkeypatch


def test_audio_in_s3_is_where_the_listener_is_sent(
    backends: Backends, track: int, with_r2: pytest.MonkeyPatch
) -> None:
    where = {
        None: "https://account.r2.example.com",
        "https://audio.example.com/music": "https://audio.example.com",
    }
    for public_url, origin in where.items():
        if public_url:
            with_r2.setenv("R2_PUBLIC_BUCKET_URL", public_url)
        with Backends(load_settings()) as remote:
            client = TestClient(_app(remote, backends))
            response = listen(client, track)
        assert response.status_code == 307
        assert response.headers["Cache-Control"] == "no-store"
        address = response.headers["Location"]
        assert "the-secret-key" not in address
        assert "file-1.mp3" in address
        policy = response.headers["Content-Security-Policy"]
        assert f"media-src 'self' {origin};" in policy


def _app(remote: Backends, local: Backends) -> Any:
    """The model keeps what it learnt in the store, so the search stays with the local one."""
    remote.local_model = local.local_model
    return create_app(remote, search=SemanticSearch(local))
