"""What the shipped text-audio model promises, whatever its weights."""

import json
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from resources.audio.windows import SAMPLE_RATE, WINDOW_SAMPLES
from resources.embedding.offline import load_offline_model
from resources.embedding.offline.mel import FRAMES, MEL_BANDS, halve_rate
from resources.embedding.offline.model import WEIGHTS, OfflineModel, spectrogram
from resources.embedding.protocol import EMBEDDING_DIMENSION
from training.metrics import average_precision
from training.validation_queries import QUERIES, REPHRASED

SPLIT = Path(__file__).parents[1] / "training" / "split.json"
Vectors = NDArray[np.float32]


@pytest.fixture(scope="module")
def offline() -> OfflineModel:
    return load_offline_model(threads=1)


def _tone(hertz: float, level: float = 0.3) -> Vectors:
    time_axis = np.arange(WINDOW_SAMPLES) / SAMPLE_RATE
    return (level * np.sin(2 * np.pi * hertz * time_axis)).astype(np.float32)


def _noise(seed: int, level: float = 0.3) -> Vectors:
    noise = np.random.default_rng(seed).standard_normal(WINDOW_SAMPLES)
    return (level * noise.clip(-3, 3) / 3).astype(np.float32)


def _clicks(per_second: float) -> Vectors:
    """A short low thud, repeated: the crudest of beats."""
    period = int(SAMPLE_RATE / per_second)
    phase = (np.arange(WINDOW_SAMPLES) % period) / SAMPLE_RATE
    return (np.sin(2 * np.pi * 55 * phase) * np.exp(-phase / 0.06)).astype(np.float32)


def assert_unit_vectors(vectors: Vectors, count: int) -> None:
    assert vectors.shape == (count, EMBEDDING_DIMENSION)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_audio_and_text_vectors_have_length_one(offline: OfflineModel) -> None:
    assert_unit_vectors(offline.embed_audio(np.stack([_tone(440), _noise(1)])), 2)
    assert_unit_vectors(offline.embed_text(["dark ambient drone", "solo piano"]), 2)


def test_no_windows_and_no_texts_give_no_vectors(offline: OfflineModel) -> None:
    assert offline.embed_audio(np.zeros((0, WINDOW_SAMPLES), np.float32)).shape == (0, 512)
    assert offline.embed_text([]).shape == (0, 512)


def test_a_window_of_the_wrong_length_is_refused(offline: OfflineModel) -> None:
    with pytest.raises(ValueError, match="480000"):
        offline.embed_audio(np.zeros((1, 1000), np.float32))


@pytest.mark.parametrize(
    "window",
    [
        np.zeros(WINDOW_SAMPLES, np.float32),
        np.full(WINDOW_SAMPLES, 1.0, np.float32),
        np.full(WINDOW_SAMPLES, np.nan, np.float32),
        np.full(WINDOW_SAMPLES, 1e-30, np.float32),
        np.eye(1, WINDOW_SAMPLES, 240_000, dtype=np.float32)[0],
    ],
    ids=["silence", "constant", "not a number", "denormal", "one click"],
)
def test_a_degenerate_window_has_a_vector(offline: OfflineModel, window: Vectors) -> None:
    assert_unit_vectors(offline.embed_audio(window[None]), 1)


@pytest.mark.parametrize("text", ["", "   ", "?!", "日本語", "\0", "🎹", "a" * 5_000, "qzxv"])
def test_any_text_has_a_vector(offline: OfflineModel, text: str) -> None:
    assert_unit_vectors(offline.embed_text([text]), 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=80), min_size=1, max_size=5))
def test_every_list_of_texts_gives_unit_vectors(
    offline: OfflineModel, texts: Sequence[str]
) -> None:
    assert_unit_vectors(offline.embed_text(texts), len(texts))


def test_a_window_has_the_same_vector_alone_and_in_a_batch(offline: OfflineModel) -> None:
    windows = np.stack(
        [_tone(110), _noise(2), _clicks(2), np.zeros(WINDOW_SAMPLES, np.float32)] * 5
    )
    together = offline.embed_audio(windows)
    alone = np.concatenate([offline.embed_audio(window[None]) for window in windows[:4]])
    np.testing.assert_allclose(together[:4], alone, atol=1e-5)


def test_a_text_has_the_same_vector_alone_and_in_a_batch(offline: OfflineModel) -> None:
    texts = ["calm solo piano", "techno", ""]
    alone = np.concatenate([offline.embed_text([text]) for text in texts])
    np.testing.assert_array_equal(offline.embed_text(texts), alone)


def test_two_loads_give_equal_vectors_and_fingerprints(offline: OfflineModel) -> None:
    again = load_offline_model(threads=1)
    windows = np.stack([_noise(3), _clicks(3)])
    np.testing.assert_array_equal(again.embed_audio(windows), offline.embed_audio(windows))
    assert again.model == offline.model
    assert len(again.model.fingerprint) == 64


def test_gain_does_not_matter(offline: OfflineModel) -> None:
    loud, soft = offline.embed_audio(np.stack([_clicks(2), 0.05 * _clicks(2)]))
    assert loud @ soft > 0.999


def test_case_accents_and_punctuation_do_not_matter(offline: OfflineModel) -> None:
    plain, shouted = offline.embed_text(["cafe jazz late night", "CAFÉ Jazz – late-night!"])
    np.testing.assert_array_equal(plain, shouted)


def test_an_unknown_word_falls_back_to_its_pieces(offline: OfflineModel) -> None:
    unknown, known, far = offline.embed_text(["technoish", "techno", "lullaby"])
    assert unknown @ known > unknown @ far


def test_the_halved_window_keeps_what_is_below_the_highest_band() -> None:
    halved = halve_rate(_tone(1_000))
    expected = 0.3 * np.sin(2 * np.pi * 1_000 * np.arange(WINDOW_SAMPLES // 2) / 24_000)
    np.testing.assert_allclose(halved[100:-100], expected[100:-100], atol=2e-3)


def test_the_spectrogram_is_scaled_to_one() -> None:
    levels = spectrogram(_noise(4))
    assert levels.shape == (MEL_BANDS, FRAMES)
    assert levels.max() == 1
    assert levels.min() >= 0


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("harsh noise", "string quartet"), ("static hiss", "calm solo piano")],
)
def test_noise_is_closer_to_noise_words(offline: OfflineModel, right: str, wrong: str) -> None:
    texts = offline.embed_text([right, wrong])
    noise = offline.embed_audio(_noise(5)[None])[0]
    assert texts[0] @ noise > texts[1] @ noise


def test_a_low_thud_four_times_a_second_is_a_kick_not_a_choir(offline: OfflineModel) -> None:
    kick, choir = offline.embed_text(["kick drum", "choir"])
    beat = offline.embed_audio(_clicks(2)[None])[0]
    assert kick @ beat > choir @ beat


def _bell(hertz: float) -> Vectors:
    """A struck bell every 2.5 s: hum, prime, tierce, quint, nominal, each fading on its own."""
    phase = (np.arange(WINDOW_SAMPLES) % int(2.5 * SAMPLE_RATE)) / SAMPLE_RATE
    partials = [(0.5, 1.8), (1, 1.2), (1.2, 0.9), (1.5, 0.7), (2, 0.6), (2.67, 0.4), (4, 0.2)]
    tones = [np.sin(2 * np.pi * hertz * r * phase) * np.exp(-phase / d) for r, d in partials]
    return np.asarray(np.sum(tones, axis=0) / len(partials), np.float32)


@pytest.mark.parametrize("hertz", [440, 880, 1_500])
def test_a_bell_is_a_bell_not_a_drum(offline: OfflineModel, hertz: float) -> None:
    texts = offline.embed_text(["ringing bell", "kick drum", "snare drum", "techno"])
    scores = texts @ offline.embed_audio(_bell(hertz)[None])[0]
    assert scores.argmax() == 0


def test_every_category_has_its_queries_and_samples() -> None:
    names = json.loads(SPLIT.read_text())
    assert set(names.values()) == {"validation", "test"}
    assert set(QUERIES) == set(REPHRASED)
    for patterns in QUERIES.values():
        for pattern in patterns.split():
            assert any(fnmatch(name, pattern) for name in names), pattern


def test_average_precision_is_one_where_all_that_is_meant_comes_first() -> None:
    scores = np.array([0.1, 0.9, 0.8, 0.2], np.float32)
    assert average_precision(scores, np.array([False, True, True, False])) == 1
    assert average_precision(scores, np.array([True, False, False, False])) == 0.25
    assert average_precision(scores, np.array([False, True, False, True])) == (1 + 2 / 3) / 2


def test_synonyms_lie_together(offline: OfflineModel) -> None:
    chip, game, folk = offline.embed_text(
        ["chiptune", "8-bit video game music", "acoustic guitar folk song"]
    )
    assert chip @ game > 0.5 > chip @ folk


def test_the_weights_are_small() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) <= 10_000_000
