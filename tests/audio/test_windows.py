"""Which windows stand for a track, how short ones are filled, how their vectors are pooled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from resources.audio.windows import pool, repeat_pad, window_starts

durations = st.floats(min_value=0.01, max_value=100_000)
counts = st.integers(min_value=1, max_value=12)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (0.05, (0.0,)),
        (10.0, (0.0,)),
        (10.5, (0.0, 0.5)),
        (20.0, (0.0, 10.0)),
        (21.0, (0.0, 5.5, 11.0)),
        (30.0, (0.0, 10.0, 20.0)),
        (180.0, (25.0, 85.0, 145.0)),
        (10_800.0, (1_795.0, 5_395.0, 8_995.0)),
    ],
)
def test_windows_cover_a_short_track_and_sit_in_equal_thirds_of_a_long_one(
    duration: float, expected: tuple[float, ...]
) -> None:
    assert window_starts(duration) == pytest.approx(expected)


@given(durations, counts)
def test_windows_are_inside_the_track_and_evenly_spaced(duration: float, count: int) -> None:
    starts = window_starts(duration, count)
    assert 1 <= len(starts) <= count
    assert starts[0] >= 0
    if duration > 10:
        assert starts[-1] + 10 <= duration + 1e-6
    steps = np.diff(starts)
    assert np.allclose(steps, steps[0]) if len(steps) else True
    assert (steps > 0).all()


@given(durations, counts)
def test_windows_cover_all_of_a_track_that_is_short_enough(duration: float, count: int) -> None:
    starts = window_starts(duration, count)
    if duration <= 10 * count:
        assert starts[0] == 0
        assert starts[-1] + 10 >= duration - 1e-6
        assert (np.diff(starts) <= 10 + 1e-6).all()
        assert len(starts) == max(1, int(np.ceil(duration / 10)))
    else:
        assert len(starts) == count


@pytest.mark.parametrize("duration", [0.0, -1.0, float("nan"), float("inf")])
def test_a_duration_that_cannot_be_is_refused(duration: float) -> None:
    with pytest.raises(ValueError, match="duration"):
        window_starts(duration)


def test_no_windows_is_refused() -> None:
    with pytest.raises(ValueError, match="count"):
        window_starts(60.0, 0)


@given(arrays(np.float32, st.integers(1, 300), elements=st.floats(-1, 1, width=32)))
def test_a_short_sound_is_repeated_whole_and_the_rest_is_silent(
    samples: NDArray[np.float32],
) -> None:
    padded = repeat_pad(samples, 256)
    copies = max(1, 256 // len(samples))
    filled = min(copies * len(samples), 256)
    assert padded.shape == (256,)
    assert padded.dtype == np.float32
    assert np.array_equal(padded[:filled], np.tile(samples, copies)[:filled])
    assert not padded[filled:].any()


def test_a_whole_window_is_left_as_it_is() -> None:
    samples = np.arange(480_000, dtype=np.float32)
    assert np.array_equal(repeat_pad(samples), samples)


def test_nothing_cannot_be_repeated() -> None:
    with pytest.raises(ValueError, match="samples"):
        repeat_pad(np.zeros(0, dtype=np.float32))


def _unit_vectors(seed: int, count: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(count, 512))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


unit_vectors = st.builds(_unit_vectors, st.integers(0, 2**32 - 1), st.integers(1, 6))


@given(unit_vectors)
def test_the_pooled_vector_has_length_one_and_the_direction_of_the_mean(
    vectors: NDArray[np.float32],
) -> None:
    pooled = pool(vectors)
    assert pooled.shape == (512,)
    assert pooled.dtype == np.float32
    assert np.linalg.norm(pooled) == pytest.approx(1, abs=1e-5)
    mean = vectors.astype(np.float64).mean(axis=0)
    assert pooled @ mean == pytest.approx(np.linalg.norm(mean), rel=1e-4)


def test_one_window_is_pooled_to_itself() -> None:
    vector = np.eye(1, 512, 7, dtype=np.float32)
    assert np.array_equal(pool(vector), vector[0])


def test_windows_that_cancel_each_other_out_are_pooled_to_the_first() -> None:
    first = np.eye(1, 512, 3, dtype=np.float32)[0]
    assert np.array_equal(pool(np.stack([first, -first])), first)


@pytest.mark.parametrize(
    "vectors",
    [np.zeros((0, 512)), np.zeros(512), np.full((2, 512), np.nan), np.zeros((2, 512))],
    ids=["none", "one-dimensional", "NaN", "zero"],
)
def test_what_is_not_a_set_of_unit_vectors_is_refused(vectors: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="vectors"):
        pool(vectors.astype(np.float32))
