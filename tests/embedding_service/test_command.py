"""`python -m serving.embedding_service` in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.embedding_service.test_embedding import vector_in
from tests.fakes.files import FileHost, Page

pytestmark = pytest.mark.slow

ROOT: Final = Path(__file__).resolve().parents[2]
COMMAND: Final = [sys.executable, "-m", "serving.embedding_service", "--port", "0"]


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its URL."""
    process = subprocess.Popen(
        [*COMMAND, *options], cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if match := re.search(r"running on (http://\S+)", line):
                yield process, match[1]
                break
    finally:
        process.kill()
        process.communicate()


def peak_memory(process: subprocess.Popen[str]) -> int:
    """Bytes that were resident at most."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) * 1024


def test_it_answers_until_it_is_told_to_stop() -> None:
    with started() as (process, url):
        answer = httpx.post(f"{url}/embed_text", json={"text": "rain"}, trust_env=False)
        vector_in(answer)
        process.send_signal(signal.SIGTERM)
        process.wait(5)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_memory_follows_the_windows_and_not_the_file(files: FileHost, short_wav: Path) -> None:
    """Half an hour of WAV, served whole and by ranges: 159 MB that are never in memory."""
    content = short_wav.read_bytes() + os.urandom(1 << 20) * 158
    content = content[:4] + (len(content) - 8).to_bytes(4, "little") + content[8:]
    at = content.index(b"data")
    content = content[: at + 4] + (len(content) - at - 8).to_bytes(4, "little") + content[at + 8 :]
    with (
        started("--allow-private-addresses") as (process, url),
        httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
    ):
        file = files.add("/short.wav", Page(short_wav.read_bytes()))
        vector_in(client.post("/embed_audio", json={"audio_url": file}))
        before = peak_memory(process)
        for ranges in (True, False):
            file = files.add(f"/{ranges}.wav", Page(content, ranges=ranges))
            started_at = time.monotonic()
            vector_in(client.post("/embed_audio", json={"audio_url": file}))
            assert time.monotonic() - started_at < 30
        assert peak_memory(process) - before < 64 << 20


def test_a_model_that_is_not_known_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAP_MODEL", "no-such-model")
    done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: CLAP_MODEL")
    assert done.stderr.count("\n") == 1


def test_a_model_that_cannot_be_fetched_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLAP_MODEL", "Xenova/clap-htsat-unfused")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: CLAP_MODEL: onnx/audio_model_quantized.onnx of Xenova")
    assert done.stderr.count("\n") == 1
