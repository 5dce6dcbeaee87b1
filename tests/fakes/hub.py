"""A model hub on loopback: what the hub's own client asks of one, and the faults of real ones."""

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from tests.fakes.servers import LoopbackServer, QuietHandler, served

REVISION: Final = "0123456789abcdef0123456789abcdef01234567"

LARGE_BYTES: Final = 1000
"""From here on files are in Git LFS, as on the real hub from 10 MB on."""

PREPROCESSOR: Final = {
    "chunk_length_s": 10,
    "feature_extractor_type": "ClapFeatureExtractor",
    "feature_size": 64,
    "fft_window_size": 1024,
    "frequency_max": 14000,
    "frequency_min": 50,
    "hop_length": 480,
    "max_length_s": 10,
    "padding": "repeatpad",
    "sampling_rate": 48000,
    "top_db": None,
    "truncation": "rand_trunc",
}


def export_files(**preprocessor: object) -> dict[str, bytes]:
    """Content by name, of an export that nobody could open."""
    return {
        "config.json": b"{}",
        "tokenizer.json": b'{"version": "1.0"}',
        "preprocessor_config.json": json.dumps({**PREPROCESSOR, **preprocessor}).encode(),
        "onnx/audio_model.onnx": b"audio in full " * 4000,
        "onnx/text_model.onnx": b"text in full " * 4000,
        "onnx/audio_model_quantized.onnx": b"audio " * 5000,
        "onnx/text_model_quantized.onnx": b"text " * 50_000,
    }


@dataclass
class Repository:
    files: dict[str, bytes]
    revision: str = REVISION
    licence: str | None = "apache-2.0"
    refusal: tuple[int, str] | None = None
    """Status and the hub's name for the reason, of every answer about this repository."""


@dataclass
class HubServer:
    """`asked`: method, path and Range header of every request."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    url: str = ""
    corrupt: Callable[[bytes], bytes] = bytes
    """What becomes of a file's content on its way."""
    break_off_after: list[int] = field(default_factory=list)
    """Connections to large files end after so many bytes, one entry for each."""
    stall: threading.Event = field(default_factory=threading.Event)
    """Cleared while large files hang after their first bytes."""

    def __post_init__(self) -> None:
        self.stall.set()

    def add(self, model_id: str, files: dict[str, bytes], **behaviour: Any) -> Repository:
        repository = Repository(files, **behaviour)
        self.repositories[model_id] = repository
        return repository

    def downloads(self, name: str) -> list[str | None]:
        """The Range headers of requests for a file's content."""
        return [
            wanted
            for method, path, wanted in self.asked
            if method == "GET" and path.endswith(f"/{name}")
        ]


@contextmanager
def hub_server() -> Iterator[HubServer]:
    hub = HubServer()

    class Handler(_Handler):
        served = hub

    server = LoopbackServer(Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    with served(server):
        try:
            yield hub
        finally:
            hub.stall.set()


class _Handler(QuietHandler):
    served: HubServer

    def do_HEAD(self) -> None:  # noqa: N802
        path = unquote(urlsplit(self.path).path)
        wanted = self.headers.get("Range")
        self.served.asked.append((self.command, path, wanted))
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            self._info(match[1], match[2])
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(match[1], match[2], match[3])
        elif match := re.fullmatch(r"/cdn/([^/]+/[^/]+)/(.+)", path):
            self._content(self.served.repositories[match[1]].files[match[2]], wanted)
        else:
            self._answer(404, {}, b"")

    do_GET = do_HEAD  # noqa: N815

    def _repository(self, model_id: str, revision: str | None) -> Repository | None:
        repository = self.served.repositories.get(model_id)
        if repository is None:
            self._refuse(404, "RepoNotFound")
        elif repository.refusal is not None:
            self._refuse(*repository.refusal)
        elif revision not in (None, repository.revision):
            self._refuse(404, "RevisionNotFound")
        else:
            return repository
        return None

    def _info(self, model_id: str, revision: str | None) -> None:
        repository = self._repository(model_id, revision)
        if repository is None:
            return
        card = {"license": repository.licence} if repository.licence else None
        siblings = [_sibling(*file) for file in repository.files.items()]
        body = {"id": model_id, "sha": repository.revision, "siblings": siblings}
        content = json.dumps({**body, "cardData": card} if card else body).encode()
        self._answer(200, {"Content-Type": "application/json"}, content)

    def _resolve(self, model_id: str, revision: str, name: str) -> None:
        repository = self._repository(model_id, revision)
        if repository is None:
            return
        content = repository.files.get(name)
        if content is None:
            self._refuse(404, "EntryNotFound")
            return
        headers = {"X-Repo-Commit": repository.revision}
        if len(content) < LARGE_BYTES:
            headers["ETag"] = f'"{git_blob_id(content)}"'
            self._answer(200, headers, self.served.corrupt(content))
            return
        headers["X-Linked-Etag"] = f'"{hashlib.sha256(content).hexdigest()}"'
        headers["X-Linked-Size"] = str(len(content))
        # To another host's name, as the real hub does.
        headers["Location"] = (
            f"{self.served.url.replace('127.0.0.1', 'localhost')}/cdn/{model_id}/{name}"
        )
        self._answer(302, headers, b"")

    def _content(self, content: bytes, wanted: str | None) -> None:
        content = self.served.corrupt(content)
        match = re.fullmatch(r"bytes=(\d+)-", wanted or "")
        first = int(match[1]) if match else 0
        body = content[first:]
        headers = {"Content-Length": str(len(body))}
        if match:
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        if self.served.break_off_after:
            body = body[: self.served.break_off_after.pop(0)]
            self.close_connection = True
        if not self.served.stall.is_set():
            self._answer(206 if match else 200, headers, body[:100])
            self.wfile.flush()
            self.served.stall.wait(20)
            body = body[100:]
            self.wfile.write(body)
            return
        self._answer(206 if match else 200, headers, body)

    def _refuse(self, status: int, reason: str) -> None:
        headers = {"X-Error-Code": reason, "X-Error-Message": f"refused: {reason}"}
        self._answer(status, headers, b"{}")

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _sibling(name: str, content: bytes) -> dict[str, object]:
    sibling = {"rfilename": name, "size": len(content), "blobId": git_blob_id(content)}
    if len(content) < LARGE_BYTES:
        return sibling
    lfs = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
    return {**sibling, "lfs": lfs}


def git_blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
