"""CLAP's log-mel spectrogram against the textbook's formulas, frame by frame in float64."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from resources.embedding.clap.mel import FRAMES, MEL_BANDS, log_mel

RATE = 48_000
SAMPLES = 480_000
SECONDS = np.arange(SAMPLES) / RATE
TOLERANCE_DB = 1e-4

Samples = NDArray[np.float64]


def _tone(hertz: float) -> Samples:
    return np.sin(2 * np.pi * hertz * SECONDS)


def _noise() -> Samples:
    return np.random.default_rng(1).standard_normal(SAMPLES)


def _impulse() -> Samples:
    clicks = np.zeros(SAMPLES)
    clicks[[3, 100_000, SAMPLES - 1]] = 1
    return clicks


def _sweep() -> Samples:
    """20 Hz to 20 kHz, exponentially."""
    rise = float(np.log(1000)) / 10
    return np.sin(2 * np.pi * 20 / rise * (np.exp(rise * SECONDS) - 1))


def _music() -> Samples:
    """A loud chord whose partials decay, struck each second, over a treble 100 dB below it."""
    since = SECONDS % 1
    chord = np.zeros(SAMPLES)
    for root in (55.0, 138.59, 164.81):
        for partial in (1, 2, 3, 5):
            chord += np.exp(-since * 3 * partial) / partial * _tone(root * partial)
    return 0.4 * chord + 4e-6 * np.diff(_noise(), prepend=0)


SIGNALS: dict[str, Callable[[], Samples]] = {
    "silence": lambda: np.zeros(SAMPLES),
    "impulses": _impulse,
    "full-scale tone": lambda: _tone(3456.7),
    "low tone": lambda: 0.5 * _tone(61.3),
    "loud noise": lambda: 0.5 * _noise(),
    "noise at -90 dB": lambda: 10 ** (-90 / 20) * _noise(),
    "sweep": _sweep,
    "clipped square wave": lambda: np.clip(20 * _tone(220.0), -1, 1),
    "constant": lambda: np.full(SAMPLES, 0.7),
    "music": _music,
}


def _slaney_hertz(mel: float) -> float:
    return 200 * mel / 3 if mel < 15 else 1000 * np.exp((mel - 15) * np.log(6.4) / 27)


def _expected(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Filter by filter and frame by frame; 45.245... mel are 14 kHz, 0.75 mel are 50 Hz."""
    top = 15 + 27 * np.log(14) / np.log(6.4)
    corners = [_slaney_hertz(0.75 + (top - 0.75) * i / 65) for i in range(66)]
    hertz = np.linspace(0, RATE / 2, 513)
    filters = np.zeros((513, 64))
    for band, (left, centre, right) in enumerate(
        zip(corners, corners[1:], corners[2:], strict=False)
    ):
        triangle = np.interp(hertz, (left, centre, right), (0, 1, 0))
        filters[:, band] = triangle * 2 / (right - left)
    hann = np.sin(np.pi * np.arange(1024) / 1024) ** 2
    padded = np.pad(samples.astype(np.float64), 512, mode="reflect")
    rows = []
    for start in range(0, SAMPLES + 1, 480):
        power = np.abs(np.fft.rfft(padded[start : start + 1024] * hann)) ** 2
        rows.append(10 * np.log10(np.maximum(power @ filters, 1e-10)))
    return np.array(rows)


@pytest.mark.parametrize("name", SIGNALS)
def test_it_is_the_textbooks_spectrogram(name: str) -> None:
    samples = SIGNALS[name]().astype(np.float32)
    mel = log_mel(samples)
    assert mel.shape == (FRAMES, MEL_BANDS) == (1001, 64)
    assert mel.dtype == np.float32
    assert np.abs(mel - _expected(samples)).max() <= TOLERANCE_DB


def test_a_frame_is_what_a_discrete_fourier_transform_written_out_gives() -> None:
    """The expectation above stands on NumPy's transform; this one does not."""
    samples = SIGNALS["loud noise"]().astype(np.float32)
    frame, n = 500, np.arange(1024)
    piece = samples[480 * frame - 512 : 480 * frame + 512] * (0.5 - 0.5 * np.cos(np.pi * n / 512))
    power = np.abs(np.exp(-2j * np.pi * np.outer(n[:513], n) / 1024) @ piece) ** 2
    # Band 0 spans 50, 96.4... and 142.7... Hz: two frequencies of the transform.
    step = ((15 + 27 * np.log(14) / np.log(6.4)) - 0.75) / 65 * 200 / 3
    hertz = np.arange(513) * 46.875
    weights = np.maximum(0, 1 - np.abs(hertz - 50 - step) / step) / step
    expected = 10 * np.log10(power @ weights)
    assert log_mel(samples)[frame, 0] == pytest.approx(expected, abs=TOLERANCE_DB)


def test_digital_silence_is_at_the_floor() -> None:
    assert (log_mel(np.zeros(SAMPLES, np.float32)) == -100).all()


def test_samples_that_are_not_finite_count_as_silence() -> None:
    clean = SIGNALS["music"]().astype(np.float32)
    broken = clean.copy()
    broken[[0, 1_000, 99_999]] = np.nan, np.inf, -np.inf
    clean[[0, 1_000, 99_999]] = 0
    np.testing.assert_array_equal(log_mel(broken), log_mel(clean))
    assert np.isnan(broken[0])  # the caller's samples are left alone
    assert (log_mel(np.full(SAMPLES, np.nan, np.float32)) == -100).all()


def test_absurdly_loud_samples_give_finite_values() -> None:
    loud = np.finfo(np.float32).max * np.sign(_tone(440.0)).astype(np.float32)
    assert np.isfinite(log_mel(loud)).all()


@pytest.mark.parametrize("shape", [(0,), (479_999,), (480_001,), (1, 480_000), (480_000, 1)])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"must be \(480000,\)"):
        log_mel(np.zeros(shape, np.float32))


def test_threads_do_not_disturb_each_other() -> None:
    signals = [SIGNALS[name]().astype(np.float32) for name in ("music", "sweep", "silence")] * 4
    alone = [log_mel(samples) for samples in signals]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(log_mel, signals))
    np.testing.assert_array_equal(together, alone)


def test_the_callers_numpy_settings_are_left_alone() -> None:
    before = np.getbufsize()
    log_mel(np.zeros(SAMPLES, np.float32))
    assert np.getbufsize() == before
