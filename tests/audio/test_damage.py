"""Damaged files: what is there is used, what is not is said, and nothing crashes or hangs."""

import io
import random
import time
from contextlib import suppress

import numpy as np
import pytest

from resources.audio.decode import DecodedWindows, decode_windows
from resources.audio.probe import AudioProbe, probe
from resources.errors import TrackError
from tests.audio.conftest import ChirpFile
from tests.audio.files import ENCODINGS, RARE_ENCODINGS

INDEX_AT_END = {"m4a", "alac"}
"""Formats that cannot be read at all without their last bytes."""

CUT_SHORT = sorted(ENCODINGS.keys() - INDEX_AT_END)


def decode(content: bytes, found: AudioProbe | None = None) -> DecodedWindows:
    file = io.BytesIO(content)
    decoded = decode_windows(file, found or probe(file))
    assert decoded.samples.shape == (len(decoded.starts_seconds), 480_000)
    assert np.isfinite(decoded.samples).all()
    assert np.abs(decoded.samples).max() <= 1
    return decoded


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.9, 0.5, 0.1])
@pytest.mark.parametrize("name", CUT_SHORT)
def test_a_truncated_file_is_what_is_left_of_it(
    name: str, share: float, chirp_file: ChirpFile
) -> None:
    content = chirp_file(name, 37.3).read_bytes()
    cut = content[: int(share * len(content))]
    duration = probe(io.BytesIO(cut)).duration_seconds
    # A chirp's compressed size is not even in time, so the share is a rough one there.
    uneven = 0.02 if "wav" in name or name == "aiff" else 0.5
    assert duration == pytest.approx(share * 37.3, rel=uneven)
    decoded = decode(cut)
    assert decoded.starts_seconds[-1] + min(duration, 10) <= duration + 0.01
    ends = decoded.samples[-1][:48_000], decoded.samples[-1][300_000 : int(duration * 48_000)]
    assert all(np.abs(end).max() > 0.1 for end in ends if len(end))


@pytest.mark.parametrize("length", [4, 20, 60, 300])
@pytest.mark.parametrize("name", ENCODINGS)
def test_a_file_cut_within_its_header_says_so(
    name: str, length: int, chirp_file: ChirpFile
) -> None:
    content = chirp_file(name, 37.3).read_bytes()[:length]
    with pytest.raises(TrackError, match=r"truncated|not an audio file|shorter"):
        probe(io.BytesIO(content))


@pytest.mark.parametrize("name", sorted(INDEX_AT_END))
@pytest.mark.parametrize("share", [0.9, 0.5, 0.1])
def test_a_file_that_lost_its_index_says_so(name: str, share: float, chirp_file: ChirpFile) -> None:
    content = chirp_file(name, 37.3).read_bytes()
    with pytest.raises(TrackError, match="truncated"):
        probe(io.BytesIO(content[: int(share * len(content))]))


@pytest.mark.slow
@pytest.mark.parametrize("name", CUT_SHORT)
def test_windows_past_the_real_end_are_planned_again(name: str, chirp_file: ChirpFile) -> None:
    content = chirp_file(name, 37.3).read_bytes()
    whole = probe(io.BytesIO(content))
    lying = AudioProbe(4 * whole.duration_seconds, whole.sample_rate, 2, whole.codec)
    decoded = decode(content, lying)
    assert decoded.starts_seconds == pytest.approx(decode(content).starts_seconds, abs=0.1)
    assert np.array_equal(decoded.samples[0], decode(content).samples[0]) or name == "aac"


@pytest.mark.parametrize("name", ["mp3", "flac", "ogg", "opus", "aac"])
def test_broken_packets_in_the_middle_are_skipped(name: str, chirp_file: ChirpFile) -> None:
    content = bytearray(chirp_file(name, 37.3).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3_000] = bytes(3_000)
    decoded = decode(bytes(content))
    assert len(decoded.starts_seconds) == 3
    loudness = np.sqrt(np.mean(decoded.samples**2, axis=1))
    assert (loudness > 0.2).all()


def test_a_window_where_nothing_decodes_is_left_out(chirp_file: ChirpFile) -> None:
    content = bytearray(chirp_file("flac", 90.0).read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = bytes(third)
    decoded = decode(bytes(content))
    assert decoded.starts_seconds == pytest.approx((10.0, 70.0), abs=0.01)


def test_a_file_of_which_nothing_decodes_says_so(chirp_file: ChirpFile) -> None:
    content = bytearray(chirp_file("flac", 37.3).read_bytes())
    content[200:] = bytes(len(content) - 200)
    with pytest.raises(TrackError, match="truncated or damaged"):
        probe(io.BytesIO(bytes(content)))


def test_a_flac_whose_header_lacks_the_sample_rate_is_heard(chirp_file: ChirpFile) -> None:
    """Its frames say the rate, but the decoder has 0 Hz once it was opened."""
    content = bytearray(chirp_file("flac", 3.0).read_bytes())
    # STREAMINFO (RFC 9639, section 8.2) begins at byte 8; its 20 bits for the rate 10 bytes later.
    content[18:20] = bytes(2)
    content[20] &= 0x0F
    assert probe(io.BytesIO(content)).sample_rate == 44_100
    assert np.abs(decode(bytes(content)).samples).max() > 0.1


def mutated(content: bytes, seed: int) -> bytes:
    """Some bytes changed, half of them near the start; sometimes cut, sometimes with more bytes."""
    chance = random.Random(seed)
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 3, 10, 100, 1_000))):
        reach = chance.choice((len(damaged), min(len(damaged), 4_096)))
        damaged[chance.randrange(reach)] = chance.randrange(256)
    if chance.random() < 0.2:
        del damaged[chance.randrange(1, len(damaged)) :]
    if chance.random() < 0.2:
        at = chance.randrange(len(damaged))
        damaged[at:at] = chance.randbytes(chance.randrange(3_000))
    return bytes(damaged)


def check_mutations(content: bytes, seeds: range) -> None:
    for seed in seeds:
        started = time.perf_counter()
        with suppress(TrackError):
            decode(mutated(content, seed))
        assert time.perf_counter() - started < 2, f"seed {seed} takes too long"


@pytest.mark.parametrize("name", ENCODINGS)
def test_mutated_files_give_a_reason_or_a_valid_result(name: str, chirp_file: ChirpFile) -> None:
    check_mutations(chirp_file(name, 1.0).read_bytes(), range(25))


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ENCODINGS, *RARE_ENCODINGS])
def test_many_more_mutated_files(name: str, chirp_file: ChirpFile) -> None:
    check_mutations(chirp_file(name, 1.0).read_bytes(), range(1_000, 1_600))
