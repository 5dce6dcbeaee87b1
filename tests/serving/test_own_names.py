"""By which names the API may be called, against DNS rebinding of one's own library."""

import pytest
from fastapi.testclient import TestClient

from resources.backends import Backends
from resources.settings import load_settings
from serving.api.app import create_app
from serving.api.server import own_names
from serving.search.semantic import SemanticSearch

PATHS = ("/", "/search/?q=dark", "/search/semantic?q=dark", "/static/main.js", "/healthz", "/docs")
FOREIGN = (
    "evil.example",
    "127.0.0.1.evil.example:8000",
    "192.0.2.1",
    "localhost:8000@evil.example",
)
OWN = ("localhost:8000", "127.0.0.1:8000", "[::1]:8000", "Localhost")


def test_one_s_own_library_answers_to_its_own_names_alone(
    backends: Backends, search: SemanticSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    app = create_app(backends, search=search, hosts=own_names(load_settings(), "127.0.0.1"))
    client = TestClient(app)
    for path in PATHS:
        for foreign in FOREIGN:
            refused = client.get(path, headers={"Host": foreign}, follow_redirects=False)
            assert refused.status_code == 400, (path, foreign)
            assert refused.headers["X-Content-Type-Options"] == "nosniff"
        for own in OWN:
            assert client.get(path, headers={"Host": own}).status_code == 200, (path, own)


def test_the_origins_that_are_let_in_are_names_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "API_ALLOWED_ORIGINS", "https://music.example,http://[::2]:5173,http://[::3]"
    )
    names = own_names(load_settings(), "127.0.0.1")
    assert names is not None
    assert {"music.example", "[::2]", "[::3]"} <= set(names)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "music.example"])
def test_what_other_machines_reach_answers_to_any_name(host: str) -> None:
    assert own_names(load_settings(), host) is None


def test_beside_an_app_it_answers_to_any_name(backends: Backends) -> None:
    assert own_names(backends.settings, "127.0.0.1") is None
