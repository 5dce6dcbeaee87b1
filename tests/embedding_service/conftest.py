"""One service for the tests that need no limits of their own, and audio to embed."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from resources.embedding.offline import load_offline_model
from resources.embedding.protocol import EmbeddingModel
from serving.embedding_service import create_embedding_service
from tests.audio.files import ENCODINGS, noise, write_audio
from tests.embedding_service.running import only_here, running
from tests.fakes.files import FileHost, file_host


@pytest.fixture(scope="session")
def model() -> EmbeddingModel:
    return load_offline_model(threads=1)


@pytest.fixture(scope="session")
def service_url(model: EmbeddingModel) -> Iterator[str]:
    with running(create_embedding_service(model, may_reach=only_here)) as url:
        yield url


@pytest.fixture
def client(service_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service_url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def long_track(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three minutes of 16-bit WAV, 16 MB: most of it is in no window."""
    path = tmp_path_factory.mktemp("tracks") / "long.wav"
    return write_audio(path, noise(180, 44_100, channels=1), ENCODINGS["wav-16"])


@pytest.fixture(scope="session")
def short_wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine seconds of 16-bit WAV: one window, four blocks."""
    path = tmp_path_factory.mktemp("tracks") / "short.wav"
    return write_audio(path, noise(9, 44_100, channels=1), ENCODINGS["wav-16"])


@pytest.fixture(scope="session")
def track(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen seconds of MP3: two windows."""
    path = tmp_path_factory.mktemp("tracks") / "track.mp3"
    return write_audio(path, noise(14, 44_100, seed=3), ENCODINGS["mp3"])


@pytest.fixture
def files() -> Iterator[FileHost]:
    with file_host() as host:
        yield host
