"""Sound as WAV: the file's samples, at their place, whichever part is asked for."""

import io
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from resources.audio.source import open_audio
from resources.audio.wav import HEADER_BYTES, MOST_DATA_BYTES, WavShape, wav_bytes, wav_shape
from resources.errors import TrackError
from tests.audio.conftest import ChirpFile
from tests.audio.files import ENCODINGS, RARE_ENCODINGS, chirp, noise, wav_header, write_audio

ALL = {**ENCODINGS, **RARE_ENCODINGS}
SECONDS = 2.0
EIGHT_BIT = {"wavpack", "true-audio"}
"""What their encoders here are given."""


def as_wav(source: Path | io.BytesIO, first: int = 0, count: int | None = None) -> bytes:
    with open_audio(source) as audio:
        shape = wav_shape(audio)
        return b"".join(wav_bytes(audio, shape, first, shape.size if count is None else count))


def samples(file: bytes) -> NDArray[np.int16]:
    """(frames, channels), by the standard library's reader."""
    with wave.open(io.BytesIO(file)) as reader:
        assert reader.getsampwidth() == 2
        data = reader.readframes(reader.getnframes())
        return np.frombuffer(data, "<i2").reshape(-1, reader.getnchannels())


def best_match(heard: NDArray[np.int16], meant: NDArray[np.float32]) -> tuple[float, int]:
    """The highest correlation, and by how many samples `heard` is late there."""
    size = 2 * max(len(heard), len(meant))
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(meant, size))
    correlation = np.fft.irfft(product)
    lag = int(correlation.argmax())
    norms = np.linalg.norm(heard.astype(float)) * np.linalg.norm(meant.astype(float))
    return float(correlation[lag] / norms), lag if lag < size // 2 else lag - size


@pytest.mark.parametrize("name", ALL)
def test_every_format_sounds_as_it_did(chirp_file: ChirpFile, name: str) -> None:
    file = as_wav(chirp_file(name, SECONDS))
    assert int.from_bytes(file[4:8], "little") == len(file) - 8
    heard = samples(file)
    meant = chirp(SECONDS, ALL[name].sample_rate).T * 32_768
    assert heard.shape[1] == 2
    assert abs(len(heard) - len(meant)) <= (2 if ALL[name].lossless else 4_800)
    if ALL[name].lossless:
        n = min(len(heard), len(meant))
        step = 128 if name in EIGHT_BIT else 2
        assert np.abs(heard[:n] - meant[:n]).max() <= step
    else:
        likeness, lag = best_match(heard[:, 0], meant[:, 0])
        assert likeness > 0.95
        assert abs(lag) <= (16 if name in ENCODINGS and ALL[name].exact_start else 2_400)


@pytest.mark.parametrize("name", ["aiff", "alac", "flac", "mp3", "wavpack"])
def test_any_part_is_what_the_whole_has_there(chirp_file: ChirpFile, name: str) -> None:
    path = chirp_file(name, SECONDS)
    whole = as_wav(path)
    for first in (0, 1, 43, 44, 45, 46, 47, 50_001, 123_456, len(whole) - 3):
        for count in (1, 3, 44, 100_000):
            assert as_wav(path, first, count) == whole[first : first + count]


@pytest.mark.slow
@given(st.lists(st.integers(0, 60_000), min_size=1, max_size=6))
def test_parts_put_together_are_the_whole(cuts: list[int]) -> None:
    source = io.BytesIO(wav_header(40_000, 8_000) + noise(2.5, 8_000, 1).tobytes()[:40_000])
    whole = as_wav(source)
    edges = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    parts = [as_wav(source, first, last - first) for first, last in pairwise(edges)]
    assert b"".join(parts) == whole


def test_more_than_two_channels_become_two(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "x.flac", chirp(1, 48_000, 6), ALL["flac"], sample_rate=48_000)
    heard = samples(as_wav(path))
    assert heard.shape == (48_000, 2)
    assert np.abs(heard).max() > 8_000


def test_a_file_that_ends_before_its_header_says_so(chirp_file: ChirpFile) -> None:
    file = chirp_file("aiff", SECONDS).read_bytes()
    heard = samples(as_wav(io.BytesIO(file[: len(file) // 2])))
    assert abs(len(heard) - 44_100) < 4_410


def test_damage_is_silent_and_moves_nothing(chirp_file: ChirpFile) -> None:
    path = chirp_file("flac", SECONDS)
    broken = bytearray(path.read_bytes())
    middle = len(broken) // 2
    broken[middle : middle + 3_000] = b"\0" * 3_000
    whole, damaged = samples(as_wav(path)), samples(as_wav(io.BytesIO(bytes(broken))))
    assert damaged.shape == whole.shape
    assert (damaged[-20_000:] == whole[-20_000:]).all()


def test_sizes_fit_into_their_32_bits() -> None:
    shape = WavShape(48_000, 2, MOST_DATA_BYTES // 4)
    assert len(shape.header()) == HEADER_BYTES
    assert shape.size < 2**32


def test_what_cannot_be_decoded_is_refused() -> None:
    with pytest.raises(TrackError):
        as_wav(io.BytesIO(b"FORM, but nothing that anybody knows"))
