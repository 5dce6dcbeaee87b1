"""A model hub, or something in its place, that hangs, drips or talks nonsense."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from resources.embedding.clap.hub import HubFiles
from resources.embedding.clap.hub_client import Hub
from resources.errors import BackendError
from tests.fakes.hub import REVISION, HubServer, export_files, hub_server
from tests.fakes.loopback import Answer, Host
from tests.fakes.wire import Behaviour, WireHost, dripping, silent

ID = "someone/clap"
LISTING = f"GET /api/models/{ID}/revision/{REVISION}?blobs=true"
FILE = {"rfilename": "config.json", "size": 2, "blobId": "0" * 40}


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the developer's own machine is told."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with hub_server() as server:
        yield server


def hub_at(url: str, folder: Path) -> Hub:
    return Hub(endpoint=url, cache=folder / "cache", patience_seconds=0.5)


DRIPS: dict[str, Behaviour] = {
    "silence": silent,
    "a drip of headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "a drip of a body": dripping(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n", b" "
    ),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_a_hub_that_hangs_or_drips_is_given_up_in_time(drip: str, tmp_path: Path) -> None:
    started = time.monotonic()
    with (
        WireHost(DRIPS[drip]) as host,
        pytest.raises(BackendError, match="does not arrive") as raised,
    ):
        hub_at(host.url, tmp_path).listing(ID, REVISION)
    assert time.monotonic() - started < 3
    assert "\n" not in str(raised.value)


def test_a_download_that_hangs_is_given_up_in_time_and_can_be_repeated(
    hub: HubServer, tmp_path: Path
) -> None:
    files = export_files()
    hub.add(ID, files)
    opened = HubFiles(f"{ID}@{REVISION}", "int8", tmp_path, hub_at(hub.url, tmp_path))
    assert opened.model
    hub.stall.clear()
    started = time.monotonic()
    with pytest.raises(BackendError, match="does not arrive"):
        opened.text_model()
    assert time.monotonic() - started < 3
    hub.stall.set()
    expected = files["onnx/text_model_quantized.onnx"]
    assert opened.text_model().read_bytes() == expected


@pytest.mark.parametrize(
    "answer",
    [
        [],
        None,
        {},
        7,
        b"<html>",
        b"[" * 100_000,
        {"id": ID, "siblings": 7},
        {"id": ID, "siblings": [None]},
        {"id": ID, "siblings": [{}]},
        {"id": ID, "siblings": [{**FILE, "rfilename": 7}]},
        {"id": ID, "siblings": [{**FILE, "blobId": ["x"]}]},
        {"id": ID, "siblings": [{**FILE, "lfs": {"size": 1}}]},
        {"id": ID, "siblings": [{**FILE, "lfs": {"sha256": 7, "size": 1, "pointerSize": 1}}]},
        {"id": ID, "siblings": [FILE], "cardData": 7},
    ],
)
def test_a_listing_of_another_shape_is_a_backend_error(tmp_path: Path, answer: object) -> None:
    with Host() as host:
        host.on(LISTING, Answer(200, answer, {"Content-Type": "application/json"}))
        with pytest.raises(BackendError, match="does not answer as a model hub does"):
            hub_at(host.url, tmp_path).listing(ID, REVISION)
        assert len(host.sent(LISTING)) == 1


@pytest.mark.parametrize("card", [None, {}, [], {"license": None}, {"license": ["a", "b"]}])
def test_a_listing_may_say_nothing_of_use_about_the_licence(tmp_path: Path, card: object) -> None:
    with Host() as host:
        host.on(LISTING, Answer(200, {"id": ID, "siblings": [FILE], "cardData": card}))
        listing = hub_at(host.url, tmp_path).listing(ID, REVISION)
        assert listing.licence in ("unknown", "['a', 'b']")
        assert set(listing.files) == {"config.json"}
