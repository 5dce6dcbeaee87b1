"""`moodsearch serve` as a process of its own, with the model that ships."""

import re
import signal
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from resources.backends import Backends
from resources.settings import load_settings
from tests.serving.command import run_program, start_program
from tests.serving.moods import OTHER_MODEL
from tests.serving.offline import index_descriptions

pytestmark = pytest.mark.slow


@pytest.fixture
def served(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its URL."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    with Backends(load_settings()) as backends:
        index_descriptions(backends, {"Waves": "calm ambient"})
    process = start_program("serve", "--port", "0")
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line + process.stderr.read()
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


def test_it_answers_over_http_and_ends_cleanly(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    process, url = served
    assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{url}/readyz").status_code == 200
    answer = httpx.get(f"{url}/search/semantic", params={"q": "quiet ambient"}).json()
    assert [result["title"] for result in answer["results"]] == ["Waves"]

    port = url.rsplit(":", 1)[1]
    second = run_program("serve", "--port", port)
    assert second.status == 1
    assert second.is_one_error_line
    assert f"port {port}" in second.errors

    process.send_signal(signal.SIGINT)
    _, log = process.communicate(timeout=15)
    assert process.returncode == 0
    (line,) = log.splitlines()
    assert "/search/semantic" in line  # Health checks are not in the access log.


@pytest.mark.parametrize(("trusted", "client"), [("", "127.0.0.1"), ("127.0.0.1", "192.0.2.9")])
def test_only_our_own_setting_says_whose_word_is_taken_for_a_clients_address(
    database_url: str, monkeypatch: pytest.MonkeyPatch, trusted: str, client: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("API_TRUSTED_PROXIES", trusted)
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    process = start_program("serve", "--port", "0")
    try:
        assert process.stderr is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert found
        httpx.get(f"{found[0]}/me", headers={"X-Forwarded-For": "192.0.2.9"})
        assert f"uvicorn.access: {client}" in process.stderr.readline()
    finally:
        process.kill()
        process.communicate()


def test_a_model_that_cannot_be_loaded_is_one_line_of_the_log_that_names_the_remedy(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with Backends(load_settings()) as backends:
        backends.generations.open(OTHER_MODEL.for_tracks())
    process = start_program("serve", "--port", "0")
    try:
        assert process.stderr is not None
        warning, where = process.stderr.readline(), process.stderr.readline()
        assert "the model of the index" in warning
        assert "moodsearch models build" in warning
        assert "http://127.0.0.1:" in where
    finally:
        process.kill()
        process.communicate()


def test_an_address_that_is_nobodys_is_one_line(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    outcome = run_program("serve", "--host", "no.such.host.invalid")
    assert outcome.status == 1
    assert outcome.is_one_error_line
