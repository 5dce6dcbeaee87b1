"""Which other sites' scripts may ask the API: none, unless they are named."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from resources.backends import Backends
from resources.settings import load_settings
from serving.api.app import create_app

APP = "https://app.example.com"
ALLOWED = "Access-Control-Allow-Origin"


@pytest.fixture
def opened(backends: Backends, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("API_ALLOWED_ORIGINS", f"{APP},http://localhost:5173")
    backends.settings = load_settings()
    return TestClient(create_app(backends))


def preflight(client: TestClient, origin: str, method: str, headers: str) -> Any:
    """What a browser asks before it sends a request that is not simple."""
    return client.options(
        "/me",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        },
    )


def cors_headers(response: Any) -> list[str]:
    return [name for name in response.headers if name.lower().startswith("access-control-")]


def test_nobody_may_by_default(client: TestClient) -> None:
    for path in ("/search/?q=dark", "/search/semantic?q=dark", "/me", "/missing", "/openapi.json"):
        assert cors_headers(client.get(path, headers={"Origin": APP})) == [], path
    answer = preflight(client, APP, "GET", "authorization")
    assert answer.status_code == 405
    assert cors_headers(answer) == []


def test_named_origins_may_read_answers(opened: TestClient) -> None:
    for origin in (APP, "http://localhost:5173"):
        answer = opened.get("/search/semantic?q=dark", headers={"Origin": origin})
        assert answer.status_code == 200
        assert answer.headers[ALLOWED] == origin
        assert "Origin" in answer.headers["Vary"]
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_they_may_read_why_they_were_refused(opened: TestClient) -> None:
    for path, status in {"/search/semantic?q=a": 422, "/tracks/1/similar": 404}.items():
        answer = opened.get(path, headers={"Origin": APP})
        assert answer.status_code == status
        assert answer.headers[ALLOWED] == APP


def test_they_may_send_a_users_token(opened: TestClient) -> None:
    answer = preflight(opened, APP, "GET", "authorization")
    assert answer.status_code == 200
    assert answer.headers[ALLOWED] == APP
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "http://app.example.com",
        "https://app.example.com:8443",
        "null",
    ],
)
def test_others_still_may_not(opened: TestClient, origin: str) -> None:
    answer = opened.get("/search/semantic?q=dark", headers={"Origin": origin})
    assert ALLOWED not in answer.headers
    asked = preflight(opened, origin, "GET", "authorization")
    assert asked.status_code == 400
    assert ALLOWED not in asked.headers


def test_named_origins_may_not_do_what_no_route_does(opened: TestClient) -> None:
    assert preflight(opened, APP, "DELETE", "authorization").status_code == 400
    assert preflight(opened, APP, "GET", "x-anything").status_code == 400
