"""Where an address may lead: nowhere but to the internet, whatever it looks like."""

import json
import socket
from ipaddress import ip_address
from typing import Any

import httpx
import pytest

from resources.embedding.protocol import EmbeddingModel
from serving.embedding_service import Limits, create_embedding_service
from serving.embedding_service.addresses import is_public
from tests.embedding_service.running import only_here, running
from tests.embedding_service.test_bad_input import EMBED_AUDIO, assert_refused
from tests.fakes.files import FileHost, Page, file_host

PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fec0::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:7f00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]
PUBLIC = ["1.1.1.1", "151.101.1.140", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_hosts_on_the_internet_are(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.1",
        "2130706433",
        "0x7f.1",
        "017700000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0",
        "169.254.169.254",
        "10.0.0.1",
        "127.0.0.1.",
    ],
)
def test_by_default_no_spelling_of_a_private_address_is_reached(
    public_only: httpx.Client, files: FileHost, host: str
) -> None:
    port = files.url.rsplit(":", 1)[1]
    answer = public_only.post(EMBED_AUDIO, json={"audio_url": f"http://{host}:{port}/x"})
    assert answer.status_code in (422, 424)
    assert files.asked == []
    if answer.status_code == 422:
        assert_refused(answer, 422, "is not a public address")


@pytest.fixture(scope="module")
def public_only(model: EmbeddingModel) -> Any:
    with (
        running(create_embedding_service(model)) as url,
        httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("url", "mentions"),
    [
        ("", "begin with https"),
        ("track.mp3", "begin with https"),
        ("/etc/passwd", "begin with https"),
        ("file:///etc/passwd", "begin with https"),
        ("ftp://host/x", "begin with https"),
        ("gopher://host/x", "begin with https"),
        ("https://", "begin with https"),
        ("http:///x", "begin with https"),
        ("https://user:password@host/x", "user name"),
        ("https://host:port/", "not a usable web address"),
        ("https://host:65536/", "not a usable web address"),
        ("https://host:0/", "not a usable web address"),
        ("https://[::1/", "not a usable web address"),
        ("https://host/\nHost: other", "not a usable web address"),
        ("https://" + "a" * 100_000, "not a usable web address"),
        ("https://\ud800/", "not a usable web address"),
    ],
)
def test_what_is_no_web_address_is_refused(client: httpx.Client, url: str, mentions: str) -> None:
    answer = client.post(EMBED_AUDIO, content=json.dumps({"audio_url": url}))
    assert_refused(answer, 422, mentions)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 64 + ".org", "*.org"])
def test_a_host_that_is_not_known_is_said_to_be(client: httpx.Client, host: str) -> None:
    answer = client.post(EMBED_AUDIO, json={"audio_url": f"https://{host}/x"})
    assert answer.status_code in (422, 424)
    assert "error" in answer.json()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "mentions"),
    [
        ("http://127.0.0.2:{port}/secret", "127.0.0.2 is not a public address"),
        ("//127.0.0.2:{port}/secret", "127.0.0.2 is not a public address"),
        ("http://[::1]:{port}/secret", "is not a public address"),
        ("file:///etc/passwd", "must begin with"),
        ("http://user:password@127.0.0.1:{port}/secret", "user name"),
        ("http://host:port/", "not a usable web address"),
    ],
)
def test_a_redirect_is_checked_like_the_first_address(
    client: httpx.Client, files: FileHost, status: int, location: str, mentions: str
) -> None:
    target = location.format(port=files.url.rsplit(":", 1)[1])
    files.add("/secret", Page(b"secret"))
    url = files.add("/track", Page(status=status, headers={"Location": target}))
    assert_refused(client.post(EMBED_AUDIO, json={"audio_url": url}), 422, mentions)
    assert [path for path, _ in files.asked] == ["/track"]


def test_redirects_end(client: httpx.Client, files: FileHost) -> None:
    url = files.add("/again", Page(status=302, headers={"Location": "/again"}))
    assert_refused(client.post(EMBED_AUDIO, json={"audio_url": url}), 422, "more than 5 redirects")
    assert len(files.asked) == 6


def test_a_name_that_resolves_to_something_else_later_is_checked_again(
    model: EmbeddingModel, long_content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["127.0.0.1"])
    real = socket.getaddrinfo

    def rebinding(host: Any, *arguments: Any, **options: Any) -> Any:
        if host == "rebinding.test":
            host = next(answers, "127.0.0.2")
        return real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    # HTTP/1.0 closes the connection after each answer, so that the next needs the name again.
    with (
        file_host("HTTP/1.0") as files,
        running(create_embedding_service(model, Limits(), may_reach=only_here)) as url,
    ):
        port = files.add("/track.wav", Page(long_content)).rsplit(":", 1)[1].split("/")[0]
        answer = httpx.post(
            f"{url}{EMBED_AUDIO}",
            json={"audio_url": f"http://rebinding.test:{port}/track.wav"},
            trust_env=False,
        )
    assert_refused(answer, 422, "rebinding.test is not a public address")
    assert len(files.asked) == 1


def test_a_name_with_one_private_address_among_others_is_refused(
    client: httpx.Client, files: FileHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def mixed(host: Any, *arguments: Any, **options: Any) -> Any:
        if host != "mixed.test":
            return real(host, *arguments, **options)
        found = [real(each, *arguments, **options) for each in ("127.0.0.1", "10.0.0.1")]
        return found[0] + found[1]

    monkeypatch.setattr(socket, "getaddrinfo", mixed)
    url = files.url.replace("127.0.0.1", "mixed.test")
    answer = client.post(EMBED_AUDIO, json={"audio_url": f"{url}/x"})
    assert_refused(answer, 422, "mixed.test is not a public address")
    assert files.asked == []


@pytest.fixture(scope="module")
def long_content() -> bytes:
    """Starts like a WAV file that is much longer than one block."""
    header = (
        b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0"
    )
    return header + b"data\xff\xff\xff\x7f" + bytes(4 << 20)
