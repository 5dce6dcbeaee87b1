"""Whatever is sent, the answer is one clear line, and the next request is answered."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.embedding.protocol import EmbeddingModel
from serving.embedding_service import Limits, create_embedding_service
from tests.audio.files import ENCODINGS, noise, write_audio
from tests.embedding_service.running import raw, running

EMBED_AUDIO = "/embed_audio"
EMBED_TEXT = "/embed_text"


def assert_refused(answer: httpx.Response, status: int, mentions: str) -> None:
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    assert mentions in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_a_slash_too_much_leads_to_no_other_host(client: httpx.Client) -> None:
    answer = client.post("/embed_text/", json={"text": "rain"}, headers={"Host": "evil.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers


@pytest.mark.parametrize("path", [EMBED_AUDIO, EMBED_TEXT])
@pytest.mark.parametrize(
    ("body", "mentions"),
    [
        (b"", "not JSON"),
        (b"audio_url=https://x", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b"1" * 5_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"null", "not a JSON object"),
    ],
)
def test_a_body_must_be_a_json_object(
    client: httpx.Client, path: str, body: bytes, mentions: str
) -> None:
    assert_refused(client.post(path, content=body), 400, mentions)


@pytest.mark.parametrize(
    ("request_body", "mentions"),
    [
        ({}, "neither"),
        ({"audio": "AAAA"}, "neither"),
        ({"audio_url": None, "audio_b64": None}, "neither"),
        ({"audio_url": "https://x/", "audio_b64": "AAAA"}, "not both"),
        ({"audio_url": 7}, "audio_url must be a string"),
        ({"audio_url": ["https://x/"]}, "audio_url must be a string"),
        ({"audio_b64": {"data": "AAAA"}}, "audio_b64 must be a string"),
        ({"audio_b64": "AAA"}, "not base64"),
        ({"audio_b64": "AAAA\nAAAA"}, "not base64"),
        ({"audio_b64": "data:audio/flac;base64,AAAA"}, "not base64"),
        ({"audio_b64": "ĀĀĀĀ"}, "not base64"),
        ({"audio_b64": "\ud800"}, "not base64"),
        ({"audio_b64": ""}, "empty file"),
        ({"audio_b64": b64(b"this is not music")}, "not an audio file"),
        ({"audio_b64": b64(b"\x89PNG\r\n\x1a\n" + bytes(500))}, "not an audio file"),
        ({"audio_b64": b64(b"#EXTM3U\nfile:///etc/passwd\n")}, "not an audio file"),
        ({"audio_b64": b64(b"fLaC")}, "truncated or damaged"),
    ],
)
def test_audio_that_cannot_be_used_is_refused_with_the_reason(
    client: httpx.Client, request_body: dict[str, Any], mentions: str
) -> None:
    content = json.dumps(request_body)  # httpx itself cannot send half a surrogate pair
    assert_refused(client.post(EMBED_AUDIO, content=content), 422, mentions)


@pytest.mark.parametrize(
    ("request_body", "mentions"),
    [
        ({}, "give text"),
        ({"text": None}, "give text"),
        ({"text": 7}, "must be a string"),
        ({"text": ["rain"]}, "must be a string"),
        ({"text": ""}, "empty"),
        ({"text": " \t\n"}, "empty"),
        ({"text": "\x00\x07\x1b\u200b\u2028"}, "empty"),
        ({"text": "rain \ud83c"}, "surrogate"),
        ({"text": "r" * 2_001}, "longer than 2000 characters"),
    ],
)
def test_text_that_cannot_be_used_is_refused_with_the_reason(
    client: httpx.Client, request_body: dict[str, Any], mentions: str
) -> None:
    assert_refused(client.post(EMBED_TEXT, content=json.dumps(request_body)), 422, mentions)


@pytest.mark.parametrize("text", ["rain\x00 on\x1b[0m a roof", "雨", "🎻" * 1_000, "a" * 2_000])
def test_odd_text_is_text(client: httpx.Client, text: str) -> None:
    assert client.post(EMBED_TEXT, json={"text": text}).status_code == 200


def test_100_kilobytes_of_text_are_too_much(client: httpx.Client) -> None:
    answer = client.post(EMBED_TEXT, json={"text": "rain " * 20_000})
    assert_refused(answer, 413, "larger than 64 KiB")


def test_other_routes_and_methods_are_told_so_as_json(client: httpx.Client) -> None:
    assert_refused(client.post("/embed"), 404, "Not Found")
    assert_refused(client.get(EMBED_AUDIO), 405, "Method Not Allowed")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_files_never_get_anything_but_an_answer(
    client: httpx.Client, tiny_flac: bytes, data: st.DataObject
) -> None:
    content = bytearray(tiny_flac)
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    answer = client.post(EMBED_AUDIO, json={"audio_b64": b64(bytes(content[:cut]))})
    assert answer.status_code in (200, 422)


@pytest.fixture(scope="module")
def tiny_flac(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("tiny") / "tiny.flac"
    return write_audio(path, noise(0.3, 44_100, 1), ENCODINGS["flac"]).read_bytes()


SMALL = Limits(
    audio_body_bytes=200_000, body_seconds=2.0, audio_requests=2, text_requests=1, workers=1
)


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(
    model: EmbeddingModel,
) -> None:
    with running(create_embedding_service(model, SMALL)) as url:
        request = b"POST /embed_audio HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n{"
        with raw(url, request) as connection:
            answer = connection.recv(65_536)
        assert b" 413 " in answer
        assert b"larger than 195.312 KiB" in answer
        assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200


def test_a_body_that_does_not_say_so_is_refused_while_it_is_sent(model: EmbeddingModel) -> None:
    with running(create_embedding_service(model, SMALL)) as url:
        head = b"POST /embed_audio HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        with raw(url, head) as connection:
            connection.settimeout(0.01)
            answer, sent = b"", 0
            while not answer and sent < 50 << 20:
                try:
                    connection.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")
                    sent += 65_536
                    answer = connection.recv(65_536)
                except TimeoutError:
                    continue
        assert b" 413 " in answer
        assert sent < 2 << 20


def test_slow_senders_are_cut_off_and_meanwhile_others_are_answered(model: EmbeddingModel) -> None:
    body = {"audio_b64": b64(b"not audio")}
    head = b"POST /embed_audio HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
    with (
        running(create_embedding_service(model, SMALL)) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
        raw(url, head) as slow,
    ):
        time.sleep(0.1)
        assert_refused(client.post(EMBED_AUDIO, json=body), 422, "not an audio file")
        with raw(url, head) as second:
            time.sleep(0.1)
            crowded = client.post(EMBED_AUDIO, json=body)
            assert_refused(crowded, 503, "busy")
            assert crowded.headers["Retry-After"] == "1"
            assert client.post(EMBED_TEXT, json={"text": "rain"}).status_code == 200
            assert client.get("/healthz").status_code == 200
            for connection in (slow, second):
                answer = connection.recv(65_536)
                assert b" 408 " in answer
                assert b"did not arrive within 2 s" in answer
        assert_refused(client.post(EMBED_AUDIO, json=body), 422, "not an audio file")


def test_a_sender_that_leaves_gives_its_place_back(model: EmbeddingModel) -> None:
    head = b"POST /embed_text HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
    with running(create_embedding_service(model, SMALL)) as url:
        for _ in range(3):
            raw(url, head).close()
        time.sleep(0.1)
        answer = httpx.post(f"{url}{EMBED_TEXT}", json={"text": "rain"}, trust_env=False)
        assert answer.status_code == 200


def test_files_cannot_make_the_service_read_others(client: httpx.Client, tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    write_audio(secret, noise(1, 44_100, 1), ENCODINGS["wav-16"])
    for playlist in (f"ffconcat version 1.0\nfile {secret}\n", f"#EXTM3U\n#EXTINF:1,\n{secret}\n"):
        answer = client.post(EMBED_AUDIO, json={"audio_b64": b64(playlist.encode())})
        assert_refused(answer, 422, "not an audio file")
    assert_refused(client.post(EMBED_AUDIO, json={"audio_url": str(secret)}), 422, "https://")


def test_the_default_is_to_reach_the_internet_alone(model: EmbeddingModel) -> None:
    with running(create_embedding_service(model)) as url:
        answer = httpx.post(
            f"{url}{EMBED_AUDIO}", json={"audio_url": f"{url}/healthz"}, trust_env=False
        )
        assert_refused(answer, 422, "127.0.0.1 is not a public address")
