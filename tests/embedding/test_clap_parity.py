"""Ours beside what transformers answered (`python -m parity fixtures`), with the same weights."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.signals import FULL_AND_LOUD, GOLDEN, GOLDEN_FRAMES, QUERIES, signals
from resources.audio.windows import repeat_pad
from resources.embedding.clap.folder import FolderFiles
from resources.embedding.clap.mel import log_mel
from resources.embedding.clap.model import ClapModel
from resources.embedding.clap.text import ClapTextTower, load_tokenizer, token_ids

FIXTURE = Path(__file__).parent / "clap_fixture"
KINDS = tuple(signals())

Array = NDArray[np.float32]


@pytest.fixture(scope="module")
def golden() -> dict[str, NDArray[np.float32]]:
    with np.load(FIXTURE / GOLDEN) as file:
        return dict(file)


@pytest.fixture(scope="module")
def windows() -> Array:
    """(10, 480000): the short one repeated, as a short track is."""
    return np.stack([repeat_pad(samples) for samples in signals().values()])


@pytest.fixture(scope="module")
def fp32() -> ClapModel:
    return ClapModel(FolderFiles(FIXTURE, "fp32"), text_threads=1)


@pytest.fixture(scope="module")
def int8() -> ClapModel:
    return ClapModel(FolderFiles(FIXTURE, "int8"), text_threads=1)


def cosines(ours: Array, theirs: Array) -> NDArray[np.float64]:
    """Of each row with its twin, of length 1 or not."""
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return np.asarray((ours.astype(np.float64) * theirs).sum(axis=1) / lengths)


@pytest.mark.parametrize("kind", KINDS)
def test_the_spectrogram_is_transformers(
    kind: str, windows: Array, golden: dict[str, Array]
) -> None:
    ours = log_mel(windows[KINDS.index(kind)])
    assert ours.shape == (1001, 64)
    assert np.abs(ours[GOLDEN_FRAMES] - golden[f"mel {kind}"]).max() <= 1e-4


def test_the_spectrograms_compared_are_of_ten_kinds(golden: dict[str, Array]) -> None:
    kept = [golden[f"mel {kind}"] for kind in KINDS]
    assert len(kept) == 10
    distances = [np.abs(a - b).max() for n, a in enumerate(kept) for b in kept[:n]]
    assert min(distances) > 1


def test_audio_vectors_are_transformers(
    fp32: ClapModel, windows: Array, golden: dict[str, Array]
) -> None:
    assert cosines(fp32.embed_audio(windows), golden["audio"]).min() >= 0.9999


def test_text_vectors_are_transformers(fp32: ClapModel, golden: dict[str, Array]) -> None:
    assert cosines(fp32.embed_text(QUERIES), golden["text"]).min() >= 0.9999


def test_token_ids_are_transformers(golden: dict[str, Array]) -> None:
    tokenizer = load_tokenizer(FIXTURE / "tokenizer.json")
    ours = [token_ids(tokenizer, query) for query in QUERIES]
    ends = np.cumsum(golden["lengths"])[:-1]
    assert ours == [list(ids) for ids in np.split(golden["ids"], ends)]
    assert max(len(ids) for ids in ours) == 77


def test_unlike_inputs_have_unlike_vectors(golden: dict[str, Array]) -> None:
    """Else every answer would pass."""
    for vectors in (golden["audio"], golden["text"]):
        similarity = vectors @ vectors.T
        assert np.abs(similarity[~np.eye(len(vectors), dtype=bool)]).mean() < 0.6


def test_another_spectrogram_or_a_missing_end_would_be_seen(golden: dict[str, Array]) -> None:
    """transformers' own answers to the filters of fused checkpoints, and to texts without
    `</s>`."""
    heard = golden["audio"][[KINDS.index(kind) for kind in FULL_AND_LOUD]]
    assert cosines(golden["audio_of_wrong_mel"], heard).max() < 0.999
    assert cosines(golden["text_without_end"], golden["text"]).max() < 0.999


def test_int8_is_close_to_fp32(fp32: ClapModel, int8: ClapModel, windows: Array) -> None:
    """With these random weights 0.986 and 0.990 were measured; other processors round otherwise."""
    assert cosines(int8.embed_audio(windows), fp32.embed_audio(windows)).min() > 0.95
    assert cosines(int8.embed_text(QUERIES), fp32.embed_text(QUERIES)).min() > 0.95


def test_a_graph_with_an_attention_mask_answers_the_same(fp32: ClapModel) -> None:
    masked = ClapTextTower(
        FIXTURE / "onnx/text_model_masked.onnx", FIXTURE / "tokenizer.json", threads=1
    )
    np.testing.assert_allclose(masked.embed(QUERIES), fp32.embed_text(QUERIES), atol=1e-6)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_vector_does_not_depend_on_its_neighbours(
    precision: str, fp32: ClapModel, int8: ClapModel, windows: Array
) -> None:
    model = {"fp32": fp32, "int8": int8}[precision]
    alone = [model.embed_audio(window[np.newaxis])[0] for window in windows[:3]]
    np.testing.assert_array_equal(model.embed_audio(windows[:3]), alone)
    alone = [model.embed_text([query])[0] for query in QUERIES]
    np.testing.assert_array_equal(model.embed_text(QUERIES), alone)
