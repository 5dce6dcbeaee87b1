"""`GET /tracks/{track_id}/similar`: more like this."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from resources.backends import Backends
from resources.catalogue.work.records import IndexRecord
from resources.settings import load_settings
from serving.api.app import create_app
from tests.catalogue.rows import add_track, update_track
from tests.fakes.loopback import Answer, Host
from tests.serving.moods import EMBED_TEXT, index


def similar(client: TestClient, track_id: object, **parameters: int) -> Any:
    return client.get(f"/tracks/{track_id}/similar", params=parameters)


def index_tracks(backends: Backends, *moods: str, visibility: str = "public") -> list[int]:
    ids = [add_track(backends.database, mood, visibility=visibility) for mood in moods]
    index(backends, dict(zip(ids, moods, strict=True)))
    return ids


def titles(response: Any) -> list[str]:
    answer = response.json()
    assert response.status_code == 200
    assert answer["available"] is True
    return [result["title"] for result in answer["results"]]


def test_the_nearest_tracks_come_first_without_the_track_itself(
    client: TestClient, backends: Backends
) -> None:
    track, *_ = index_tracks(backends, "dark ambient techno", "solo piano", "dark techno")
    assert titles(similar(client, track)) == ["dark techno", "solo piano"]


def test_the_answer_has_the_shape_of_semantic_results(
    client: TestClient, backends: Backends
) -> None:
    track, other = index_tracks(backends, "dark techno", "dark")
    (found,) = similar(client, track).json()["results"]
    (same, _) = client.get("/search/semantic", params={"q": "dark"}).json()["results"]
    assert found.keys() == same.keys()
    assert found["id"] == same["id"] == other
    assert 0 < found["similarity"] < 1
    assert similar(client, track).json()["track_id"] == track


def test_no_model_is_asked(client: TestClient, backends: Backends, model_host: Host) -> None:
    track, _ = index_tracks(backends, "dark techno", "dark")
    asked = len(model_host.sent(EMBED_TEXT))
    assert len(titles(similar(client, track))) == 1
    assert len(model_host.sent(EMBED_TEXT)) == asked


def test_limit_holds_and_defaults_to_ten(client: TestClient, backends: Backends) -> None:
    track, *_ = index_tracks(backends, "dark", *(f"dark {n}" for n in range(15)))
    assert len(titles(similar(client, track))) == 10
    assert len(titles(similar(client, track, limit=12))) == 12
    for limit in (0, 51):
        assert similar(client, track, limit=limit).status_code == 422


def test_only_public_tracks_are_shown_or_asked_about(
    client: TestClient, backends: Backends
) -> None:
    track, public = index_tracks(backends, "dark techno", "dark")
    (hidden,) = index_tracks(backends, "dark techno loop", visibility="private")
    assert titles(similar(client, track)) == ["dark"]
    for unknown in (hidden, public + 1000, 2**63 - 1):
        assert similar(client, unknown).status_code == 404
    update_track(backends.database, track, visibility="private")
    assert similar(client, track).status_code == 404
    for impossible in (-1, 2**63, "x"):
        assert similar(client, impossible).status_code == 422


def test_a_track_that_is_not_indexed_yet_has_none(client: TestClient, backends: Backends) -> None:
    track = add_track(backends.database)
    assert titles(similar(client, track)) == []
    index_tracks(backends, "dark")
    assert titles(similar(client, track)) == []


def test_an_index_that_lost_a_track_that_is_recorded_in_it_is_not_available(
    client: TestClient, backends: Backends
) -> None:
    track, other = index_tracks(backends, "dark techno", "dark")
    backends.generations.promote_when_complete(backends.generation)
    recorded = [IndexRecord(id_, f"file-{id_}", "digest") for id_ in (track, other)]
    backends.records.indexed(backends.generation.id, recorded)
    assert titles(similar(client, track)) == ["dark"]
    backends.vectors.delete([track])
    assert similar(client, track).json() == {"track_id": track, "results": [], "available": False}
    assert titles(similar(client, other)) == []
    assert titles(similar(client, add_track(backends.database))) == []


def test_a_database_that_is_down_makes_them_unavailable(
    client: TestClient, backends: Backends
) -> None:
    track, _ = index_tracks(backends, "dark techno", "dark")
    backends.database.close()
    assert similar(client, track).json() == {"track_id": track, "results": [], "available": False}


def test_an_index_that_does_not_answer_makes_them_unavailable(
    backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    track, _ = index_tracks(backends, "dark techno", "dark")
    monkeypatch.setenv("TURBOPUFFER_ENABLED", "true")
    monkeypatch.setenv("TURBOPUFFER_API_KEY", "key")
    with Host() as host:
        monkeypatch.setenv("TURBOPUFFER_BASE_URL", host.url)
        with Backends(load_settings()) as remote:
            remote.local_model = backends.local_model
            route = f"POST /v2/namespaces/{remote.generation.namespace}/query"
            host.on(route, Answer(403, {"status": "error", "error": "no"}))
            answer = similar(TestClient(create_app(remote)), track)
        assert host.sent(route)
    assert answer.json() == {"track_id": track, "results": [], "available": False}
