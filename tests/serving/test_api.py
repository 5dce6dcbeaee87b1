"""The HTTP API as the contract has it."""

from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.testclient import TestClient

from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.settings import load_settings
from serving.api.app import create_app
from serving.api.pages import STATIC
from serving.health import HealthChecks
from serving.search.semantic import SemanticSearch
from serving.tokens import make_token
from tests.catalogue.rows import add_track
from tests.fakes.loopback import Answer, Host
from tests.serving.conftest import SECRET
from tests.serving.moods import EMBED_TEXT, index

DID = "did:plc:abc123"


def semantic(client: TestClient, q: str, **parameters: object) -> Any:
    return client.get("/search/semantic", params={"q": q, **parameters})  # type: ignore[dict-item]


def test_semantic_search_answers_in_the_shape_of_the_contract(
    client: TestClient, backends: Backends
) -> None:
    track = add_track(backends.database, "Ambient Waves", artist="artist.bsky.social")
    index(backends, {track: "dark ambient techno"})
    response = semantic(client, "dark ambient techno")
    assert response.status_code == 200
    assert response.json() == {
        "results": [
            {
                "type": "track",
                "id": track,
                "title": "Ambient Waves",
                "artist_handle": "artist.bsky.social",
                "artist_display_name": "artist.bsky.social",
                "image_url": None,
                "similarity": 1.0,
            }
        ],
        "query": "dark ambient techno",
        "available": True,
    }


def test_the_default_limit_is_ten(client: TestClient, backends: Backends) -> None:
    index(backends, {add_track(backends.database): f"dark {n}" for n in range(15)})
    assert len(semantic(client, "dark").json()["results"]) == 10
    assert len(semantic(client, "dark", limit=12).json()["results"]) == 12


def test_a_query_of_the_wrong_length_or_of_spaces_is_refused(client: TestClient) -> None:
    for q in ("", "ab", "x" * 201, "   ", "\u2003\t\n"):
        response = semantic(client, q)
        assert response.status_code == 422, q
        assert response.json()["detail"][0]["loc"] == ["query", "q"]


def test_a_query_is_measured_in_characters_as_sent_and_echoed(client: TestClient) -> None:
    for q in ("abc", "x" * 200, "日本語", " a ", "🎵🎵🎵", "a\0b"):
        response = semantic(client, q)
        assert response.status_code == 200, q
        assert response.json()["query"] == q


def test_a_limit_out_of_range_is_refused(client: TestClient) -> None:
    for limit in (0, 51, -1, "ten", 1.5, ""):
        assert semantic(client, "dark techno", limit=limit).status_code == 422, limit


def test_a_query_is_needed(client: TestClient) -> None:
    assert client.get("/search/semantic").status_code == 422


def test_a_model_that_is_down_is_no_error_of_the_api(
    client: TestClient, backends: Backends, model_host: Host
) -> None:
    index(backends, {add_track(backends.database): "dark techno"})
    model_host.on(EMBED_TEXT, Answer(401, b"no"))
    response = semantic(client, "dark techno")
    assert response.status_code == 200
    assert response.json() == {"results": [], "query": "dark techno", "available": False}


def test_an_anonymous_caller_has_no_flags(client: TestClient) -> None:
    assert client.get("/me").json() == {"did": None, "flags": []}


def test_a_user_sees_their_own_flags(client: TestClient, backends: Backends) -> None:
    backends.flags.grant(DID, "vibe-search")
    backends.flags.grant("did:plc:other", "another")
    headers = {"Authorization": f"Bearer {make_token(SECRET, DID)}"}
    assert client.get("/me", headers=headers).json() == {"did": DID, "flags": ["vibe-search"]}


def test_a_token_that_proves_nothing_is_refused_and_said_why(client: TestClient) -> None:
    reasons = {
        f"Bearer {make_token(SECRET, DID, timedelta(seconds=-1))}": "expired",
        f"Bearer {make_token(SECRET + '!', DID)}": "not valid",
        "Bearer nonsense": "not valid",
        "Bearer": "Bearer <token>",
        "Basic dXNlcjpwYXNz": "Bearer <token>",
    }
    for header, reason in reasons.items():
        response = client.get("/me", headers={"Authorization": header})
        assert response.status_code == 401, header
        assert reason in response.json()["detail"]
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_work_that_fails_is_told_and_leaves_the_api_ready(
    client: TestClient, backends: Backends
) -> None:
    work = client.get("/readyz").json()["work"]
    assert work == {"ok": True, "detail": "no change is waiting to reach the index"}
    backends.failed_runs.note("index", Block(0, 999), "a table is damaged")
    with TestClient(create_app(backends)) as again:
        response = again.get("/readyz")
    assert response.status_code == 200
    assert not response.json()["work"]["ok"]
    assert "a table is damaged" in response.json()["work"]["detail"]


def test_readiness_names_every_backend(client: TestClient) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    states = response.json()
    assert states["ready"] is True
    assert set(states["backends"]) == {"database", "object_store", "vector_store", "model"}
    assert states["backends"]["database"]["detail"].startswith("PostgreSQL")


def test_readiness_names_the_backend_that_is_down(client: TestClient, model_host: Host) -> None:
    model_host.on(EMBED_TEXT, Answer(401, b"no"))
    response = client.get("/readyz")
    assert response.status_code == 503
    states = response.json()
    assert states["ready"] is False
    assert [name for name, state in states["backends"].items() if not state["ok"]] == ["model"]


def test_a_model_on_modal_is_not_asked_for_readiness_but_by_queries(
    database_url: str, model_host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call would start a container and be paid for."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("MODAL_ENABLED", "true")
    for kind in ("AUDIO", "TEXT"):
        url = f"{model_host.url}/embed_{kind.lower()}"
        monkeypatch.setenv(f"MODAL_EMBED_{kind}_URL", url)
    with Backends(load_settings()) as backends, TestClient(create_app(backends)) as client:
        index(backends, {add_track(backends.database): "dark techno"})
        assert client.get("/readyz").status_code == 200
        assert model_host.requests == []
        assert semantic(client, "dark techno").json()["available"] is True
        model_host.on(EMBED_TEXT, Answer(401, b"no"))
        assert semantic(client, "dark techno").json()["available"] is True  # As it was answered.
        assert semantic(client, "solo piano").json()["available"] is False


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for path in ("/", "/docs", "/healthz", "/me", "/static/search.js", "/missing"):
        headers = client.get(path, headers={"Origin": "https://elsewhere.example"}).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in headers


def test_who_asks_for_readiness_often_costs_the_backends_little(
    backends: Backends, search: SemanticSearch, model_host: Host
) -> None:
    checks = HealthChecks(backends, search, max_age_seconds=1_000)
    assert all(health.ok for health in checks.all())
    asked = len(model_host.sent(EMBED_TEXT))
    assert asked
    for _ in range(100):
        checks.all()
    assert len(model_host.sent(EMBED_TEXT)) == asked


def test_a_check_that_fails_unforeseen_is_that_backends_error_and_logged(
    client: TestClient, backends: Backends, caplog: pytest.LogCaptureFixture
) -> None:
    backends.database.rows("DROP TABLE moodsearch.vector_namespaces")
    response = client.get("/readyz")
    assert response.status_code == 503
    states = response.json()["backends"]
    assert [name for name, state in states.items() if not state["ok"]] == ["vector_store"]
    detail = states["vector_store"]["detail"]
    assert detail == "error: UndefinedTable; the log has its traceback"
    (record,) = [r for r in caplog.records if r.name == "serving.health"]
    assert record.exc_info is not None


def test_a_mistake_of_ours_tells_nothing_and_has_the_shape_of_other_problems(
    backends: Backends,
) -> None:
    client = TestClient(create_app(backends), raise_server_exceptions=False)
    backends.database.rows("DROP TABLE moodsearch.feature_flags")
    headers = {"Authorization": f"Bearer {make_token(SECRET, DID)}"}
    response = client.get("/me", headers=headers)
    assert response.status_code == 500
    assert set(response.json()) == {"detail"}
    assert "feature_flags" not in response.text
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_health_checks_may_ask_with_head(client: TestClient) -> None:
    assert client.head("/healthz").status_code == 200
    assert client.head("/").status_code == 200


def test_the_documentation_shows_every_route(client: TestClient) -> None:
    page = client.get("/docs").text
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in page


def test_the_documentation_shows_the_fields_of_every_kind_of_result(client: TestClient) -> None:
    page = client.get("/docs").text
    for kind, field in {
        "track": "title",
        "artist": "did",
        "album": "slug",
        "tag": "name",
        "playlist": "track_count",
    }.items():
        shown = page.split(f"results[] ({kind})", 1)[1].split("results[] (", 1)[0]
        assert f"<code>results[].{field}</code>" in shown, kind
    assert "<code>Retry-After</code>" in page


def test_every_list_that_is_answered_has_a_largest_length(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    of_the_framework = {"HTTPValidationError", "ValidationError"}
    lists = {
        f"{name}.{field}": definition.get("maxItems")
        for name, schema in schemas.items()
        for field, definition in schema.get("properties", {}).items()
        if definition.get("type") == "array" and name not in of_the_framework
    }
    assert len(lists) >= 5
    assert [name for name, most in lists.items() if most is None] == []


class _Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.found += [value for key in ("src", "href") if (value := names.get(key))]
        self.inline += [f"{tag} {key}" for key in names if key == "style" or key.startswith("on")]


def test_the_pages_load_nothing_from_other_hosts_and_nothing_that_is_missing(
    client: TestClient,
) -> None:
    addresses = _Addresses()
    addresses.feed(client.get("/").text + client.get("/docs").text)
    assert addresses.found
    assert not addresses.inline
    for address in addresses.found:
        assert "//" not in address
        assert client.get(f"/{address}").status_code == 200


def test_the_pages_scripts_never_read_text_as_markup() -> None:
    scripts = [path.read_text() for path in STATIC.glob("*.js")]
    assert scripts
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "eval(", 'setAttribute("style"'):
        assert not any(word in script for script in scripts), word


def test_the_pages_parts_are_asked_for_again_each_time(client: TestClient) -> None:
    """They must be of one version."""
    for path in ("/", "/static/search.js"):
        response = client.get(path)
        assert response.headers["Cache-Control"] == "no-cache"
        again = client.get(path, headers={"If-None-Match": response.headers["ETag"]})
        assert again.status_code in {200, 304}
