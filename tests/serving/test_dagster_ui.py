"""Dagster's UI answers to its own names and its own pages alone, over HTTP and WebSocket."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from serving.web.hosts import allowed_hosts, is_loopback
from tests.serving.command import ROOT

pytestmark = pytest.mark.slow

OWN = ("localhost:{port}", "127.0.0.1:{port}", "[::1]:{port}", "LOCALHOST", "127.0.0.1")
FOREIGN = (
    "evil.example:{port}",
    "localhost.evil.example:{port}",
    "127.0.0.1.evil.example",
    "192.0.2.1:{port}",
    "evil.example:80@localhost",
    "",
)
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "graphql-ws",
}
MUTATION = "/graphql?query=mutation%7Bnothing%7D"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of the webserver, without a workspace."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    home = tmp_path_factory.mktemp("dagster")
    command = [sys.executable, "-m", "serving.dagster_ui", "--empty-workspace", "-p", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env={"DAGSTER_HOME": str(home)})
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                assert process.poll() is None
                time.sleep(0.2)
            else:
                break
        yield port
    finally:
        process.kill()
        process.wait()


def status(port: int, path: str, host: str, **headers: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host.format(port=port))
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value.format(port=port))
    connection.endheaders()
    try:
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("host", OWN)
def test_it_answers_to_its_own_names(port: int, host: str) -> None:
    assert status(port, "/server_info", host) == 200
    assert status(port, "/graphql", host, **UPGRADE) == 101


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/server_info", "/", "/graphql?query=%7Bversion%7D"])
def test_it_answers_to_no_other_name(port: int, path: str, host: str) -> None:
    assert status(port, path, host) == 400


@pytest.mark.parametrize("host", FOREIGN)
def test_it_opens_no_websocket_under_another_name(port: int, host: str) -> None:
    assert status(port, "/graphql", host, **UPGRADE) in {400, 403}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "image"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=["another site", "a sandbox", "another port", "a picture", "a neighbour's picture"],
)
def test_pages_of_other_sites_can_make_it_do_nothing(port: int, headers: dict[str, str]) -> None:
    assert status(port, MUTATION, "localhost:{port}", **headers) == 403
    assert status(port, "/graphql", "localhost:{port}", **UPGRADE, **headers) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:{port}", "Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none"},
        {},
    ],
    ids=["its own page", "the address bar", "a program"],
)
def test_its_own_pages_and_programs_may_ask(port: int, headers: dict[str, str]) -> None:
    path = "/graphql?query=%7Bversion%7D"
    assert status(port, path, "localhost:{port}", **headers) == 200
    assert status(port, "/graphql", "localhost:{port}", **UPGRADE, **headers) == 101


def test_a_link_from_elsewhere_opens_the_page(port: int) -> None:
    assert status(port, "/", "localhost:{port}", Sec_Fetch_Site="cross-site") == 200


def test_the_name_that_it_was_given_is_its_own() -> None:
    assert "music.example" in allowed_hosts("Music.Example")
    assert "[fd00::1]" in allowed_hosts("fd00::1")
    assert {"127.0.0.1", socket.gethostname().lower()} <= set(allowed_hosts("0.0.0.0"))
    assert "*" not in allowed_hosts("::")


def test_what_only_this_machine_reaches_is_known() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "localhost", "::1", "127.8.8.8")))
    assert not any(map(is_loopback, ("0.0.0.0", "192.0.2.1", "music.example", "")))
