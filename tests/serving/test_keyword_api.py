"""`GET /search/` as the contract has it."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.backends import Backends
from resources.embedding.protocol import EmbeddingModel
from resources.settings import load_settings
from serving.api import keyword
from serving.api.app import create_app
from tests.catalogue.names import add_album, add_playlist, add_tag, until_followed
from tests.catalogue.rows import add_track, update_track


def search(client: TestClient, q: str, **parameters: object) -> Any:
    return client.get("/search/", params={"q": q, **parameters})  # type: ignore[dict-item]


def test_the_answer_has_the_shape_of_the_contract(client: TestClient, backends: Backends) -> None:
    track = add_track(backends.database, "Nova", artist="artist.bsky.social")
    add_tag(backends.database, "supernova", track=track)
    until_followed(backends.database)
    response = search(client, "nova")
    assert response.status_code == 200
    answer = response.json()
    assert answer["counts"] == {"tracks": 1, "artists": 0, "albums": 0, "tags": 1, "playlists": 0}
    assert answer["results"][0] == {
        "type": "track",
        "id": track,
        "title": "Nova",
        "artist_handle": "artist.bsky.social",
        "artist_display_name": "artist.bsky.social",
        "image_url": None,
        "relevance": 1.0,
    }
    assert answer["results"][1]["type"] == "tag"
    assert 0 < answer["results"][1]["relevance"] < 1


def test_no_route_redirects_to_the_host_that_the_caller_named(
    client: TestClient, backends: Backends
) -> None:
    elsewhere = {"Host": "evil.example"}
    for path in ("/search", "/search/", "/search/semantic/", "/tracks/1/similar/", "/docs/", "/"):
        answer = client.get(f"{path}?q=waves", headers=elsewhere, follow_redirects=False)
        assert "location" not in answer.headers, path
        assert not answer.is_redirect, path
    with_slash, without = (
        client.get(path, params={"q": "waves"}) for path in ("/search/", "/search")
    )
    assert with_slash.status_code == 200
    assert without.json() == with_slash.json()


def test_types_and_limit_choose_what_is_answered(client: TestClient, backends: Backends) -> None:
    for n in range(25):
        track = add_track(backends.database, f"Nova {n}")
        add_playlist(backends.database, f"Nova {n}")
    add_album(backends.database, "Nova", track=track)
    until_followed(backends.database)
    counts = search(client, "nova").json()["counts"]
    assert counts == {"tracks": 20, "artists": 0, "albums": 1, "tags": 0, "playlists": 20}
    counts = search(client, "nova", limit=50, type="playlists,albums").json()["counts"]
    assert counts == {"tracks": 0, "artists": 0, "albums": 1, "tags": 0, "playlists": 25}
    assert search(client, "nova", limit=1).json()["counts"]["tracks"] == 1


@pytest.mark.parametrize("types", ["songs", "tracks,", "", "track", "tracks,songs", "TRACKS"])
def test_an_unknown_type_is_refused_and_the_known_ones_are_named(
    client: TestClient, types: str
) -> None:
    response = search(client, "nova", type=types)
    assert response.status_code == 422
    (problem,) = response.json()["detail"]
    assert problem["loc"] == ["query", "type"]
    assert "tracks,artists,albums,tags,playlists" in problem["msg"]


def test_a_query_of_the_wrong_length_or_of_spaces_is_refused(client: TestClient) -> None:
    for q in ("", "a", "x" * 101, "  ", "\u2003\t\n"):
        assert search(client, q).status_code == 422, q
    for q in ("ab", "x" * 100, "日本", "🎵🎵", "a\0", "\u200b\u200b"):
        assert search(client, q).status_code == 200, q


def test_a_limit_out_of_range_is_refused(client: TestClient) -> None:
    for limit in (0, 51, -1, "ten", 1.5, ""):
        assert search(client, "nova", limit=limit).status_code == 422, limit


def test_names_that_were_there_before_are_found_once_the_api_runs(
    backends: Backends,
) -> None:
    with backends.database.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("INSERT INTO public.artists VALUES ('did:1', 'old.example', 'Old Hand')")
        connection.execute(
            "INSERT INTO public.tracks (title, artist_did, file_id, file_type)"
            " VALUES ('A Piece', 'did:1', 'a-file', 'mp3')"
        )
    backends.database.rows("UPDATE moodsearch.search_sources SET compared_at = NULL")
    with TestClient(create_app(backends)) as client:
        deadline = time.monotonic() + 20
        while not search(client, "old hand").json()["results"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.slow
def test_a_new_name_is_found_within_a_second_or_so_while_an_api_runs(backends: Backends) -> None:
    track = add_track(backends.database, "Before")
    # Of several processes, one follows; the others wait for nothing.
    with (
        TestClient(create_app(backends)) as client,
        TestClient(create_app(backends)) as other,
    ):
        for title in ("Nova", "Quasar", "Pulsar"):
            update_track(backends.database, track, title=title)
            changed_at = time.monotonic()
            while not search(client, title).json()["results"]:
                assert time.monotonic() - changed_at < 5
                time.sleep(0.02)
            assert search(other, title).json()["results"]
            assert not search(client, "Before").json()["results"]


@given(query=st.text(st.characters(codec="utf-8"), min_size=2, max_size=100))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_query_is_an_error_of_the_server(client: TestClient, query: str) -> None:
    assert search(client, query).status_code in (200, 422)


@pytest.mark.parametrize("raw", ["%ff%fe", "%ed%a0%80a", "%00%00", "%E2%80%AEabc", "a%5C%27"])
def test_no_bytes_are_an_error_of_the_server(client: TestClient, raw: str) -> None:
    assert client.get(f"/search/?q={raw}").status_code in (200, 422)


@pytest.fixture
def embedded(model: EmbeddingModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backends]:
    # Not under pytest's folders: they are closed to the user that Postgres runs as for root.
    home = Path(tempfile.mkdtemp(prefix="moodsearch-keyword-"))
    monkeypatch.setenv("MOODSEARCH_HOME", str(home))
    try:
        with Backends(load_settings()) as backends:
            backends.local_model = model
            backends.database.pool.timeout = 1
            yield backends
    finally:
        shutil.rmtree(home, ignore_errors=True)


def server_of(backends: Backends) -> psutil.Process:
    pid_file = backends.settings.moodsearch_home / "postgres" / "postmaster.pid"
    return psutil.Process(int(pid_file.read_text().split("\n", 1)[0]))


@pytest.mark.slow
def test_a_database_that_hangs_or_is_down_is_one_clear_error_in_time(
    embedded: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyword, "DEADLINE_SECONDS", 1.0)
    add_track(embedded.database, "Nova")
    with TestClient(create_app(embedded)) as client:
        until_followed(embedded.database)
        assert search(client, "nova").json()["counts"]["tracks"] == 1
        server = server_of(embedded)
        processes = [server, *server.children(recursive=True)]
        for process in processes:
            os.kill(process.pid, signal.SIGSTOP)
        try:
            _is_one_clear_error(client)
        finally:
            for process in processes:
                os.kill(process.pid, signal.SIGCONT)
        server.kill()
        psutil.wait_procs([server], timeout=10)
        _is_one_clear_error(client)
        embedded.ensure_running()
        deadline = time.monotonic() + 20
        while search(client, "nova").status_code != 200:
            assert time.monotonic() < deadline


def _is_one_clear_error(client: TestClient) -> None:
    started = time.monotonic()
    response = search(client, "nova")
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert set(response.json()) == {"detail"}
    assert "Traceback" not in response.text
    assert time.monotonic() - started < 30
