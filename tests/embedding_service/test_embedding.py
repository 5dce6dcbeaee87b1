"""What the service answers is what the pipeline would have stored."""

import base64
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from resources.audio.decode import decode_windows
from resources.audio.probe import probe
from resources.audio.windows import WINDOW_SAMPLES, pool
from resources.embedding.modal import ModalEmbedder
from resources.embedding.protocol import EMBEDDING_DIMENSION, EmbeddingModel
from resources.errors import BackendError, ConfigurationError
from resources.web.http import Backoff
from tests.audio.conftest import ChirpFile
from tests.audio.conftest import chirp_file as chirp_file  # noqa: PLC0414 (a fixture)
from tests.fakes.files import FileHost

Vector = NDArray[np.float32]


def vector_in(answer: httpx.Response) -> Vector:
    assert answer.status_code == 200, answer.text
    assert answer.json()["dimensions"] == EMBEDDING_DIMENSION
    vector = np.array(answer.json()["embedding"])
    assert vector.shape == (EMBEDDING_DIMENSION,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    return vector.astype(np.float32)


def sent(client: httpx.Client, content: bytes) -> httpx.Response:
    return client.post("/embed_audio", json={"audio_b64": base64.b64encode(content).decode()})


def track_vector(model: EmbeddingModel, path: Path) -> Vector:
    return pool(model.embed_audio(decode_windows(path, probe(path)).samples))


@pytest.fixture
def embedder(service_url: str, model: EmbeddingModel) -> Iterator[ModalEmbedder]:
    modal = ModalEmbedder(
        f"{service_url}/embed_audio",
        f"{service_url}/embed_text",
        30,
        model.model,
        backoff=Backoff(0.01, 0.1),
    )
    with closing(modal):
        yield modal


def windows(count: int) -> Vector:
    """Windows of noise in different bands, none at full scale, one of them silent."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal((count, WINDOW_SAMPLES)))
    for number, row in enumerate(spectrum):
        row[(number + 1) * 20_000 :] = 0
    signal = np.fft.irfft(spectrum, WINDOW_SAMPLES)
    signal *= np.arange(count)[:, np.newaxis] / (count * np.abs(signal).max())
    return signal.astype(np.float32)


def test_the_client_of_modal_gets_the_vectors_of_the_model_itself(
    embedder: ModalEmbedder, model: EmbeddingModel
) -> None:
    batch = windows(4)
    cosines = (embedder.embed_audio(batch) * model.embed_audio(batch)).sum(axis=1)
    assert cosines.min() > 0.9999


def test_texts_get_the_vectors_of_the_model_itself(
    embedder: ModalEmbedder, model: EmbeddingModel
) -> None:
    texts = ["dark ambient techno", "música triste 🎧", "zażółć gęślą jaźń", "夜の雨", "🎷🎷"]
    np.testing.assert_allclose(embedder.embed_text(texts), model.embed_text(texts), atol=1e-6)


def test_a_refused_text_says_why_through_the_client(embedder: ModalEmbedder) -> None:
    with pytest.raises(BackendError, match="refused the input: text is empty"):
        embedder.embed_text([" "])


def test_a_client_that_expects_another_model_gets_no_vectors(
    service_url: str, model: EmbeddingModel
) -> None:
    expected = replace(model.model, fingerprint="0" * 64)
    urls = f"{service_url}/embed_audio", f"{service_url}/embed_text"
    with closing(ModalEmbedder(*urls, 30, expected)) as embedder:
        running = model.model.fingerprint[:8]
        with pytest.raises(ConfigurationError, match=f"runs another model .{running}"):
            embedder.embed_text(["rain"])
        with pytest.raises(ConfigurationError, match="runs another model"):
            embedder.embed_audio(windows(1))


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["mp3", "flac", "m4a", "opus", "ogg", "wav-float"])
def test_a_whole_file_gets_the_pipelines_vector_of_the_track(
    client: httpx.Client, model: EmbeddingModel, chirp_file: ChirpFile, encoding: str
) -> None:
    path = chirp_file(encoding, 14.0)
    vector = vector_in(sent(client, path.read_bytes()))
    np.testing.assert_allclose(vector, track_vector(model, path), atol=1e-6)


@pytest.mark.parametrize("ranges", [True, False])
def test_an_address_gives_the_same_vector_as_the_file(
    client: httpx.Client, model: EmbeddingModel, track: Path, files: FileHost, ranges: bool
) -> None:
    url = files.add_file(track, ranges=ranges)
    vector = vector_in(client.post("/embed_audio", json={"audio_url": url}))
    np.testing.assert_allclose(vector, track_vector(model, track), atol=1e-6)


def test_of_a_long_file_only_what_is_heard_is_fetched(
    client: httpx.Client, model: EmbeddingModel, long_track: Path, files: FileHost
) -> None:
    url = files.add_file(long_track)
    vector = vector_in(client.post("/embed_audio", json={"audio_url": url}))
    np.testing.assert_allclose(vector, track_vector(model, long_track), atol=1e-6)
    assert files.sent < long_track.stat().st_size / 2


def test_a_field_that_is_null_was_not_given(client: httpx.Client, track: Path) -> None:
    encoded = base64.b64encode(track.read_bytes()).decode()
    vector_in(client.post("/embed_audio", json={"audio_b64": encoded, "audio_url": None}))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_gets_a_vector_or_is_called_empty(client: httpx.Client, text: str) -> None:
    answer = client.post("/embed_text", json={"text": text})
    if answer.status_code == 422:
        assert answer.json() == {"error": "text is empty"}
        assert not "".join(c for c in text if c.isprintable()).strip()
    else:
        vector_in(answer)


def test_healthz_says_which_model_answers(client: httpx.Client, model: EmbeddingModel) -> None:
    assert client.get("/healthz").json() == {
        "status": "ok",
        "model": model.model.id,
        "fingerprint": model.model.fingerprint,
    }
