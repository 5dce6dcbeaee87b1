"""The windows' samples: the right ones, the same on every run, and no more work than that."""

import io
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from resources.audio.decode import DecodedWindows, decode_windows
from resources.audio.probe import AudioProbe, probe
from resources.audio.tags import audio_format
from resources.audio.windows import repeat_pad
from resources.errors import BackendError, TrackError
from tests.audio.conftest import ChirpFile
from tests.audio.files import (
    ENCODINGS,
    RARE_ENCODINGS,
    Samples,
    chirp,
    float_wav,
    full_decode,
    noise,
    wav_header,
    write_audio,
)

WINDOW = 480_000


def decode(source: Path | io.BytesIO, count: int = 3) -> DecodedWindows:
    decoded = decode_windows(source, probe(source), count)
    assert decoded.samples.shape == (len(decoded.starts_seconds), WINDOW)
    assert decoded.samples.dtype == np.float32
    assert np.isfinite(decoded.samples).all()
    assert np.abs(decoded.samples).max() <= 1
    return decoded


def cut(whole: Samples, start_seconds: float) -> Samples:
    """The window at `start_seconds` of a fully decoded track, silent after its end."""
    first = round(start_seconds * 48_000)
    part = whole[first : first + WINDOW]
    return np.pad(part, (0, WINDOW - len(part)))


# The right samples


@pytest.mark.parametrize("count", [1, 3, 5])
@pytest.mark.parametrize("name", ENCODINGS)
def test_a_window_found_by_seeking_equals_the_same_span_of_a_full_decode(
    name: str, count: int, chirp_file: ChirpFile
) -> None:
    path = chirp_file(name, 37.3)
    decoded = decode(path, count)
    whole = full_decode(path)
    for samples, start in zip(decoded.samples, decoded.starts_seconds, strict=True):
        np.testing.assert_allclose(samples, cut(whole, start), atol=1e-4)


@pytest.mark.parametrize("name", [name for name in ENCODINGS if ENCODINGS[name].exact_start])
def test_a_window_holds_what_was_written_at_that_time(name: str, chirp_file: ChirpFile) -> None:
    decoded = decode(chirp_file(name, 37.3))
    original = chirp(37.3, 48_000, 1)[0]
    tolerance = 2e-3 if ENCODINGS[name].lossless else 0.1
    for samples, start in zip(decoded.samples, decoded.starts_seconds, strict=True):
        # Between the ends, which the resampling filter and lossy codecs round off.
        middle = slice(4_800, WINDOW - 4_800)
        expected = cut(original, start)[middle]
        assert np.sqrt(np.mean((samples[middle] - expected) ** 2)) < tolerance


@pytest.mark.slow
@pytest.mark.parametrize("name", RARE_ENCODINGS)
def test_windows_of_rare_formats_are_found_too(name: str, chirp_file: ChirpFile) -> None:
    encoding = RARE_ENCODINGS[name]
    path = chirp_file(name, 37.3)
    found = probe(path)
    assert found.codec == encoding.canonical_codec
    assert found.duration_seconds == pytest.approx(37.3, abs=0.1)
    assert audio_format(path) == encoding.extension
    decoded = decode(path)
    original = chirp(37.3, 48_000, 1)[0]
    lag_samples = 0 if encoding.lossless else 4_800
    for samples, start in zip(decoded.samples, decoded.starts_seconds, strict=True):
        first = round(start * 48_000) + 100_000
        around = original[first - lag_samples : first + 48_000 + lag_samples]
        match = np.correlate(around, samples[100_000:148_000], "valid").max()
        assert match > 0.95 * np.sum(samples[100_000:148_000] ** 2) > 0


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000])
def test_windows_are_exact_at_every_sample_rate(rate: int, tmp_path: Path) -> None:
    path = write_audio(
        tmp_path / "chirp.flac", chirp(14.7, rate, 1), ENCODINGS["flac"], sample_rate=rate
    )
    decoded = decode(path)
    assert decoded.starts_seconds == pytest.approx((0.0, 4.7), abs=1e-3)
    whole = full_decode(path)
    for samples, start in zip(decoded.samples, decoded.starts_seconds, strict=True):
        np.testing.assert_allclose(samples, cut(whole, start), atol=1e-4)


def test_an_odd_sample_rate_is_placed_within_a_sample() -> None:
    samples = chirp(14.7, 11_027, 1)
    decoded = decode(io.BytesIO(float_wav(samples, 11_027)))
    expected = cut(chirp(14.7, 48_000, 1)[0], decoded.starts_seconds[1])
    np.testing.assert_allclose(decoded.samples[1][4_800:-4_800], expected[4_800:-4_800], atol=0.02)


def test_the_last_window_ends_with_the_file(chirp_file: ChirpFile) -> None:
    decoded = decode(chirp_file("flac", 29.5))
    assert decoded.starts_seconds[-1] == pytest.approx(19.5)
    assert np.abs(decoded.samples[-1][-100:]).max() > 0.1


def test_a_short_track_fills_its_window_by_repetition(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "loop.wav", chirp(3, 48_000), ENCODINGS["wav-float"],
                       sample_rate=48_000)  # fmt: skip
    decoded = decode(path)
    assert decoded.starts_seconds == (0.0,)
    expected = repeat_pad(chirp(3, 48_000, 1)[0])
    np.testing.assert_allclose(decoded.samples[0], expected, atol=1e-6)
    assert not decoded.samples[0][9 * 48_000 :].any()


def test_50_ms_become_a_window(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "click.mp3", noise(0.05, 44_100), ENCODINGS["mp3"])
    decoded = decode(path)
    assert decoded.samples.shape == (1, WINDOW)
    assert np.abs(decoded.samples).max() > 0.05


@pytest.mark.parametrize("name", sorted({*ENCODINGS, *RARE_ENCODINGS} - {"wma"}))
def test_a_file_of_a_single_packet_becomes_a_window(name: str, tmp_path: Path) -> None:
    encoding = {**ENCODINGS, **RARE_ENCODINGS}[name]
    path = tmp_path / f"click.{encoding.extension}"
    write_audio(path, noise(0.021, encoding.sample_rate), encoding)
    assert probe(path).duration_seconds == pytest.approx(0.05, abs=0.05)
    assert np.abs(decode(path).samples).max() > 0.05


def test_silence_stays_silence(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "quiet.mp3", np.zeros((2, 441_000), np.float32), ENCODINGS["mp3"])
    assert not decode(path).samples.any()


def test_six_channels_at_192_khz_are_mixed_without_clipping(tmp_path: Path) -> None:
    loud = 1.9 * chirp(12, 192_000, 6)
    path = write_audio(tmp_path / "surround.flac", loud, ENCODINGS["flac"], sample_rate=192_000)
    decoded = decode(path)
    expected = np.clip(1.9 * chirp(12, 48_000, 1)[0], -1, 1)
    np.testing.assert_allclose(decoded.samples[0][4_800:-4_800], cut(expected, 0)[4_800:-4_800],
                               atol=0.01)  # fmt: skip


@pytest.mark.parametrize("name", ["wav-16", "wav-24", "wav-float", "mp3"])
def test_every_sample_format_is_equally_loud(name: str, chirp_file: ChirpFile) -> None:
    loudness = float(np.sqrt(np.mean(decode(chirp_file(name, 37.3)).samples ** 2)))
    # LAME turns the volume down by 5 %; a wrong down-mix would be off by 41 %.
    assert loudness == pytest.approx(0.5 / np.sqrt(2), rel=0.06)


@pytest.mark.parametrize("name", ["m4a", "opus", "flac", "wav-float"])
def test_eight_channels_are_mixed(name: str, tmp_path: Path) -> None:
    encoding = ENCODINGS[name]
    path = tmp_path / f"cinema.{encoding.extension}"
    write_audio(path, chirp(12, encoding.sample_rate, 8), encoding, bit_rate=512_000)
    samples = decode(path).samples[0]
    original = cut(chirp(12, 48_000, 1)[0], 0)
    assert np.corrcoef(samples, original)[0, 1] > 0.95


def test_channels_are_averaged(tmp_path: Path) -> None:
    samples = chirp(3, 48_000, 2)
    samples[1] = 0
    decoded = decode(io.BytesIO(float_wav(samples, 48_000)))
    np.testing.assert_allclose(decoded.samples[0][: 3 * 48_000], samples[0] / 2, atol=1e-6)


# The same on every run, wherever the bytes come from


@pytest.mark.slow
@pytest.mark.parametrize("name", ENCODINGS)
def test_the_same_bytes_give_the_same_samples(name: str, chirp_file: ChirpFile) -> None:
    path = chirp_file(name, 37.3)
    file = io.BytesIO(path.read_bytes())
    first = decode(path).samples.tobytes()
    assert decode(path).samples.tobytes() == first
    assert decode(file).samples.tobytes() == first
    assert not file.closed


@pytest.mark.slow
def test_many_files_are_decoded_at_once_without_threads_of_their_own(chirp_file: ChirpFile) -> None:
    paths = [chirp_file(name, 37.3) for name in ("mp3", "flac", "m4a", "opus")]
    expected = [decode(path).samples.tobytes() for path in paths]
    before = len(os.listdir("/proc/self/task"))  # noqa: PTH208 (native threads count too)
    most_threads = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal most_threads
        while not done.wait(0.002):
            most_threads = max(most_threads, len(os.listdir("/proc/self/task")))  # noqa: PTH208

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(4) as executor:
        results = list(executor.map(lambda path: decode(path).samples.tobytes(), paths * 3))
    done.set()
    watcher.join()
    assert results == expected * 3
    assert most_threads <= before + 5  # the four workers and the watcher


# No more than the windows


class CountingFile(io.BytesIO):
    """Counts the bytes that are read."""

    bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.bytes_read += len(data)
        return data


def test_only_the_windows_are_read_from_a_remote_file() -> None:
    seconds = 300
    file = CountingFile(wav_header(seconds * 88_200, 44_100) + bytes(seconds * 88_200))
    decode(file)
    assert file.bytes_read < 60 * 88_200


def test_three_hours_take_no_more_memory_than_one_minute(tmp_path: Path) -> None:
    minute = write_audio(
        tmp_path / "minute.mp3",
        noise(60, 8_000, 1),
        ENCODINGS["mp3-no-header"],
        sample_rate=8_000,
        bit_rate=8_000,
    )
    night = tmp_path / "night.mp3"
    night.write_bytes(minute.read_bytes() * 180)
    script = (
        "import pathlib, sys\n"
        "from resources.audio.decode import decode_windows\n"
        "from resources.audio.probe import probe\n"
        "for name in sys.argv[1:]:\n"
        "    path = pathlib.Path(name)\n"
        "    found = probe(path)\n"
        "    windows = decode_windows(path, found)\n"
        "    status = pathlib.Path('/proc/self/status').read_text()\n"
        "    peak = status.split('VmHWM:')[1].split()[0]\n"
        "    print(round(found.duration_seconds), len(windows.samples), peak)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script, str(minute), str(night)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    short_seconds, _, short_peak_kib, long_seconds, windows, long_peak_kib = map(int, output)
    assert (short_seconds, windows) == (60, 3)
    assert long_seconds == pytest.approx(3 * 3_600, rel=0.005)
    assert long_peak_kib - short_peak_kib < 20 * 1_024


# Sources that fail


class BrokenFile(io.BytesIO):
    """A remote object whose store stops answering after so many bytes."""

    bytes_left = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.bytes_left -= len(data)
        if self.bytes_left < 0:
            raise BackendError("the store does not answer")
        return data


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("name", ["mp3", "flac", "wav-16", "ogg", "m4a", "aac"])
def test_a_store_that_does_not_answer_is_not_a_damaged_track(
    name: str, share: float, chirp_file: ChirpFile
) -> None:
    path = chirp_file(name, 37.3)
    file = BrokenFile(path.read_bytes())
    file.bytes_left = int(share * path.stat().st_size)
    found = probe(path)
    with pytest.raises(BackendError, match="does not answer"):
        decode_windows(file, found)


# Invalid samples


def test_invalid_samples_are_silent() -> None:
    samples = chirp(12, 48_000)
    samples[:, 48_000:96_000] = np.nan
    samples[0, 100_000:110_000] = np.inf
    samples[1, 120_000] = -3e38
    decoded = decode(io.BytesIO(float_wav(samples, 48_000)))
    assert not decoded.samples[0][48_000:96_000].any()
    np.testing.assert_allclose(
        decoded.samples[0][100_000:110_000], samples[1, 100_000:110_000] / 2, atol=1e-6
    )
    np.testing.assert_allclose(decoded.samples[0][:48_000], samples[0, :48_000], atol=1e-6)


def test_windows_without_a_valid_sample_are_left_out() -> None:
    samples = chirp(60, 8_000, 1)
    samples[:, 20 * 8_000 : 40 * 8_000] = np.nan
    decoded = decode(io.BytesIO(float_wav(samples, 8_000)))
    assert decoded.starts_seconds == (5.0, 45.0)


def test_a_file_of_nan_says_so() -> None:
    content = float_wav(np.full((1, 30 * 8_000), np.nan, np.float32), 8_000)
    with pytest.raises(TrackError, match="only invalid samples"):
        decode_windows(io.BytesIO(content), AudioProbe(30.0, 8_000, 1, "pcm_f32le"))
