"""Hosts of audio files with every fault."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from itertools import count
from pathlib import Path

import httpx
import numpy as np
import pytest

from resources.embedding.protocol import EmbeddingModel
from serving.embedding_service import Limits
from tests.embedding_service.running import limited
from tests.embedding_service.test_bad_input import EMBED_AUDIO, assert_refused
from tests.embedding_service.test_embedding import track_vector, vector_in
from tests.fakes.files import DoneError, FileHost, Page, dripping


@pytest.fixture(scope="module")
def frugal(model: EmbeddingModel) -> Iterator[httpx.Client]:
    """A service that fetches little."""
    with limited(model, Limits(fetched_bytes=3 << 20)) as client:
        yield client


def asked_for(client: httpx.Client, url: str) -> httpx.Response:
    return client.post(EMBED_AUDIO, json={"audio_url": url})


@pytest.mark.parametrize(
    ("status", "answered"), [(404, 422), (403, 422), (204, 422), (410, 422), (429, 424), (500, 424)]
)
def test_a_host_that_refuses_is_named_with_its_status(
    client: httpx.Client, files: FileHost, status: int, answered: int
) -> None:
    url = files.add("/signed?secret=token", Page(status=status))
    answer = asked_for(client, url)
    assert_refused(answer, answered, f"127.0.0.1 answered {status}")
    assert "token" not in answer.text
    assert len(files.asked) == (3 if answered == 424 else 1)


def test_a_host_that_is_not_there_cannot_be_read(client: httpx.Client, files: FileHost) -> None:
    assert_refused(asked_for(client, "http://127.0.0.1:1/x"), 424, "127.0.0.1 cannot be read")


def test_endless_bodies_end_at_the_limit(frugal: httpx.Client, files: FileHost) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        dripping(bytes(1 << 20), seconds=0)(handler)

    answer = asked_for(frugal, files.add("/x", Page(before=endless)))
    assert_refused(answer, 413, "more than 3 MiB")


def test_what_is_said_to_be_too_large_is_not_fetched(frugal: httpx.Client, files: FileHost) -> None:
    page = Page(b"RIFF" * 100, ranges=False, headers={"Content-Length": str(1 << 40)})
    assert_refused(asked_for(frugal, files.add("/x", page)), 413, "more than 3 MiB")


def test_by_ranges_a_file_above_the_limit_can_be_heard(
    frugal: httpx.Client, files: FileHost, short_wav: Path, model: EmbeddingModel
) -> None:
    """The limit is on what is fetched; the rest of this file is not read."""
    junk = bytes(8 << 20)  # a chunk with a length, to be skipped
    padded = short_wav.read_bytes() + b"junk" + len(junk).to_bytes(4, "little") + junk
    vector = vector_in(asked_for(frugal, files.add("/padded.wav", Page(padded))))
    np.testing.assert_allclose(vector, track_vector(model, short_wav), atol=1e-6)
    assert files.sent < 3 << 20


def test_by_ranges_too_the_limit_ends_what_reads_all(frugal: httpx.Client, files: FileHost) -> None:
    frames = b"\xff\xfb\x10\xc4" + bytes(100)  # MP3, whose end is found by reading all of it
    answer = asked_for(frugal, files.add("/long.mp3", Page(frames * 100_000)))
    assert_refused(answer, 413, "more than 3 MiB")
    assert files.sent < 6 << 20


@pytest.mark.parametrize(
    ("page", "status", "mentions"),
    [
        # Announces less than it sends, more than it has.
        (Page(b"R" * 400_000, headers={"Content-Length": "100"}), 422, "more or less"),
        (Page(b"RIFF" * 100_000, size=10**9), 422, "another range than asked for"),
        (Page(b"R" * 100, size=10**17), 422, "not an audio file"),
        (Page(b"R" * 100, headers={"Content-Encoding": "gzip"}), 422, "compressed"),
        (Page(b""), 422, "empty file"),
        (Page(b"", ranges=False), 422, "empty file"),
        (Page(b"<html>not found</html>", ranges=False), 422, "not an audio file"),
    ],
    ids=["too much", "too long", "longer", "compressed", "0 bytes", "0 bytes whole",
         "a page"],
)  # fmt: skip
def test_hosts_that_lie_are_found_out(
    frugal: httpx.Client, files: FileHost, page: Page, status: int, mentions: str
) -> None:
    assert_refused(asked_for(frugal, files.add("/x", page)), status, mentions)


def test_an_empty_answer_to_a_range_of_nothing_is_an_empty_file(
    client: httpx.Client, files: FileHost
) -> None:
    page = Page(b"", status=416, headers={"Content-Range": "bytes */0"})
    assert_refused(asked_for(client, files.add("/x", page)), 422, "empty file")


@pytest.mark.parametrize("version", ["ETag", "Last-Modified"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    client: httpx.Client, files: FileHost, short_wav: Path, version: str
) -> None:
    page = Page(short_wav.read_bytes())
    numbers = count()

    def change(_handler: BaseHTTPRequestHandler) -> None:
        page.headers = {version: f'"{next(numbers)}"'}

    page.before = change
    answer = asked_for(client, files.add("/track.wav", page))
    assert_refused(answer, 424, "changed while it was read")
    assert len(files.asked) == 2


def test_a_host_that_keeps_to_its_etag_is_asked_for_that_version(
    client: httpx.Client, files: FileHost, short_wav: Path, model: EmbeddingModel
) -> None:
    conditions: list[str | None] = []
    page = Page(short_wav.read_bytes(), headers={"ETag": '"v1"'})
    page.before = lambda handler: conditions.append(handler.headers.get("If-Match"))
    vector_in(asked_for(client, files.add("/track.wav", page)))
    assert conditions[0] is None
    assert set(conditions[1:]) == {'"v1"'}


def test_a_host_that_forgets_how_to_do_ranges_is_refused(
    client: httpx.Client, files: FileHost, short_wav: Path
) -> None:
    page = Page(short_wav.read_bytes())
    page.before = lambda _handler: setattr(page, "ranges", not files.asked[1:])
    answer = asked_for(client, files.add("/track.wav", page))
    assert_refused(answer, 422, "another range than asked for")


def test_a_part_of_an_unknown_whole_is_not_trusted(
    client: httpx.Client, files: FileHost, short_wav: Path, model: EmbeddingModel
) -> None:
    page = Page(short_wav.read_bytes())

    def unknown(handler: BaseHTTPRequestHandler) -> None:
        wants_part = handler.headers.get("Range") is not None
        page.headers = {"Content-Range": "bytes 0-262143/*"} if wants_part else {}

    page.before = unknown
    vector = vector_in(asked_for(client, files.add("/short.wav", page)))
    np.testing.assert_allclose(vector, track_vector(model, short_wav), atol=1e-6)


def test_a_connection_that_breaks_is_made_again(
    client: httpx.Client, files: FileHost, short_wav: Path, model: EmbeddingModel
) -> None:
    attempts = count()

    def break_every_third(_handler: BaseHTTPRequestHandler) -> None:
        if next(attempts) % 3 == 0:
            raise DoneError

    page = Page(short_wav.read_bytes(), before=break_every_third)
    vector = vector_in(asked_for(client, files.add("/track.wav", page)))
    np.testing.assert_allclose(vector, track_vector(model, short_wav), atol=1e-6)


def test_redirects_to_a_file_are_followed_once(
    client: httpx.Client, files: FileHost, short_wav: Path, model: EmbeddingModel
) -> None:
    files.add_file(short_wav)
    url = files.add("/moved", Page(status=302, headers={"Location": "/short.wav"}))
    vector = vector_in(asked_for(client, url))
    np.testing.assert_allclose(vector, track_vector(model, short_wav), atol=1e-6)
    assert [path for path, _ in files.asked].count("/moved") == 1
