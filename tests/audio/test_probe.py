"""What a file really is: codec, rate, channels, duration, and why it cannot be used."""

import io
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from resources.audio import guarded_file
from resources.audio.probe import AudioProbe, probe
from resources.audio.source import MOST_FILE_BYTES
from resources.audio.tags import audio_format
from resources.errors import TrackError
from tests.audio.conftest import ChirpFile
from tests.audio.covers import with_vast_cover
from tests.audio.files import (
    ENCODINGS,
    chirp,
    float_wav,
    id3,
    noise,
    png,
    wav_header,
    write_audio,
    write_video,
)

PROBE_AND_TELL_MEMORY = """
import resource, sys
from pathlib import Path
from resources.audio.probe import probe
from resources.errors import TrackError

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    probe(Path(sys.argv[1]))
except TrackError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_format_is_recognised(name: str, chirp_file: ChirpFile) -> None:
    encoding = ENCODINGS[name]
    found = probe(chirp_file(name, 3.0))
    assert found.sample_rate == encoding.sample_rate
    assert found.channels == 2
    assert found.codec == encoding.canonical_codec
    assert found.duration_seconds == pytest.approx(3.0, abs=0.01 if encoding.exact_start else 0.08)


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_format_is_told_by_content(name: str, chirp_file: ChirpFile, tmp_path: Path) -> None:
    misnamed = tmp_path / "picture.png"
    misnamed.write_bytes(chirp_file(name, 3.0).read_bytes())
    assert audio_format(misnamed) == ENCODINGS[name].extension


def test_a_file_object_is_probed_like_a_file(chirp_file: ChirpFile) -> None:
    path = chirp_file("mp3", 3.0)
    file = io.BytesIO(path.read_bytes())
    assert probe(file) == probe(path)
    assert not file.closed


def test_an_8_khz_mono_file_is_usable(tmp_path: Path) -> None:
    path = write_audio(
        tmp_path / "old.mp3", chirp(2, 8_000, 1), ENCODINGS["mp3"], sample_rate=8_000
    )
    found = probe(path)
    assert found == AudioProbe(found.duration_seconds, 8_000, 1, "mp3")
    assert found.duration_seconds == pytest.approx(2.0, abs=0.01)


def test_a_192_khz_file_with_6_channels_is_usable(tmp_path: Path) -> None:
    path = write_audio(
        tmp_path / "hires.flac", chirp(1, 192_000, 6), ENCODINGS["flac"], sample_rate=192_000
    )
    assert probe(path) == AudioProbe(1.0, 192_000, 6, "flac")


def test_more_channels_than_a_cinema_has_are_refused() -> None:
    with pytest.raises(TrackError, match="more than 8 channels"):
        probe(io.BytesIO(float_wav(chirp(1, 8_000, 9), 8_000)))


@pytest.mark.parametrize("rate", [1, 4_000_000])
def test_a_sample_rate_that_no_music_has_is_refused(rate: int) -> None:
    with pytest.raises(TrackError, match=f"sample rate of {rate} Hz"):
        probe(io.BytesIO(float_wav(chirp(1, 8_000, 1), rate)))


def test_50_ms_are_usable_and_one_sample_is_not(tmp_path: Path) -> None:
    short = write_audio(tmp_path / "click.wav", chirp(0.05, 44_100), ENCODINGS["wav-16"])
    assert probe(short).duration_seconds == pytest.approx(0.05)
    sample = float_wav(np.ones((1, 1), np.float32), 44_100)
    with pytest.raises(TrackError, match="shorter than 10 ms"):
        probe(io.BytesIO(sample))


def test_silence_is_usable(tmp_path: Path) -> None:
    silence = np.zeros((2, 3 * 44_100), np.float32)
    path = write_audio(tmp_path / "silence.mp3", silence, ENCODINGS["mp3"])
    assert probe(path).duration_seconds == pytest.approx(3.0, abs=0.01)


def test_an_mp3_with_a_cover_is_audio(chirp_file: ChirpFile) -> None:
    cover = id3({"APIC": b"\0image/png\0\x03\0" + png()})
    file = io.BytesIO(cover + chirp_file("mp3-no-header", 3.0).read_bytes())
    assert probe(file).codec == "mp3"


# Durations


@pytest.mark.parametrize("order", [("low", "high"), ("high", "low")])
def test_the_duration_of_an_mp3_with_changing_bit_rate_and_no_header_is_counted(
    order: tuple[str, str], tmp_path: Path
) -> None:
    bit_rates = {"low": 32_000, "high": 320_000}
    parts = [
        write_audio(
            tmp_path / f"{name}.mp3",
            noise(10, 44_100),
            ENCODINGS["mp3-no-header"],
            bit_rate=bit_rates[name],
        ).read_bytes()
        for name in order
    ]
    assert probe(io.BytesIO(b"".join(parts))).duration_seconds == pytest.approx(20, abs=0.2)


def test_the_duration_of_raw_aac_is_counted(chirp_file: ChirpFile) -> None:
    # A chirp's bit rate changes on the way, so the bit rate's guess is wrong.
    found = probe(chirp_file("aac", 30.0))
    assert found.duration_seconds == pytest.approx(30, abs=0.08)


def test_the_duration_of_a_flac_stream_without_a_length_is_counted(chirp_file: ChirpFile) -> None:
    content = bytearray(chirp_file("flac", 30.0).read_bytes())
    # STREAMINFO: 36 bits of total samples from the middle of byte 21; 0 is "unknown".
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    assert probe(io.BytesIO(bytes(content))).duration_seconds == pytest.approx(30.0, abs=0.01)


@pytest.mark.parametrize("claimed", [0, 2**32 - 1, 2**31], ids=["none", "streamed", "too much"])
def test_the_duration_of_a_wav_whose_header_lies_is_measured(
    claimed: int, chirp_file: ChirpFile
) -> None:
    content = bytearray(chirp_file("wav-16", 30.0).read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", claimed)
    assert probe(io.BytesIO(bytes(content))).duration_seconds == pytest.approx(30.0, abs=0.01)


def test_three_hours_are_probed_quickly_without_reading_them(tmp_path: Path) -> None:
    path = tmp_path / "night.wav"
    data_bytes = 3 * 3_600 * 8_000 * 2
    path.write_bytes(wav_header(data_bytes, 8_000))
    os.truncate(path, path.stat().st_size + data_bytes)
    assert probe(path).duration_seconds == pytest.approx(10_800)


# What cannot be used


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp3"
    path.touch()
    with pytest.raises(TrackError, match="empty file"):
        probe(path)


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"1 0 obj\n<< /Type /Catalog >>\nendobj\n" * 200,
        png(),
        b"This is not a song.\n" * 500,
        b"\0" * 100_000,
        b"#!/bin/sh\necho hello\n",
        b"x",
    ],
    ids=["PDF", "PNG", "text", "zeros", "script", "one byte"],
)
def test_what_is_called_mp3_and_is_not_audio_says_so(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    with pytest.raises(TrackError, match="not an audio file"):
        probe(path)


def test_a_video_without_sound_says_so(tmp_path: Path) -> None:
    with pytest.raises(TrackError, match="no audio stream"):
        probe(write_video(tmp_path / "clip.mp4"))


def test_a_playlist_never_opens_what_it_names(tmp_path: Path, chirp_file: ChirpFile) -> None:
    secret = chirp_file("aac", 3.0)
    playlist = tmp_path / "song.mp3"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{secret}\n#EXT-X-ENDLIST\n")
    with pytest.raises(TrackError, match="not an audio file"):
        probe(playlist)


def test_a_folder_and_a_pipe_are_not_files(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp3"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        with pytest.raises(TrackError, match="not a regular file"):
            probe(path)


def test_a_missing_file_is_not_a_damaged_track(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "gone.mp3")


def test_a_float_wav_of_nan_says_so() -> None:
    samples = np.full((2, 44_100), np.nan, np.float32)
    with pytest.raises(TrackError, match="only invalid samples"):
        probe(io.BytesIO(float_wav(samples, 44_100)))


def test_a_float_wav_that_begins_and_ends_with_nan_is_usable() -> None:
    samples = chirp(30, 44_100)
    samples[:, : 5 * 44_100] = np.nan
    samples[:, -5 * 44_100 :] = np.inf
    assert probe(io.BytesIO(float_wav(samples, 44_100))).duration_seconds == pytest.approx(30)


@pytest.mark.parametrize(
    "name",
    [
        "it's a \"quoted\" 'song'.mp3",
        "two\nlines\r.mp3",
        "🎧🎶 émoji 日本語.mp3",
        "https:example.com.mp3",
        "concat:a|b.mp3",
        "100%03d %s.mp3",
        "-y.mp3",
        " leading and trailing ",
        "é" * 125 + "a.mp3",
        os.fsdecode(b"not utf-8 \xff\xfe.mp3"),
    ],
)
def test_any_file_name_will_do(name: str, tmp_path: Path, chirp_file: ChirpFile) -> None:
    path = tmp_path / name
    path.write_bytes(chirp_file("mp3", 3.0).read_bytes())
    assert probe(path).codec == "mp3"


@pytest.mark.parametrize("name", ["a 4 GB WAV", "a 3 GB MP3", "a byte more than may be"])
def test_a_sparse_file_of_gigabytes_is_refused_at_once(tmp_path: Path, name: str) -> None:
    """It takes no space of its maker's."""
    sizes = {"a 4 GB WAV": 2**32 - 100, "a 3 GB MP3": 3 * 2**30}
    kind = "mp3" if "MP3" in name else "wav-16"
    path = write_audio(tmp_path / "song", noise(1, 44_100, channels=1), ENCODINGS[kind])
    os.truncate(path, sizes.get(name, MOST_FILE_BYTES + 1))
    started = time.monotonic()
    with pytest.raises(TrackError, match="larger than 2 GiB"):
        probe(path)
    assert time.monotonic() - started < 1


def test_a_file_as_large_as_may_be_is_probed_without_reading_it_all(tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    path.write_bytes(wav_header(MOST_FILE_BYTES - 44, 44_100))
    os.truncate(path, MOST_FILE_BYTES)
    started = time.monotonic()
    assert probe(path).codec == "pcm_s16le"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("kind", ["m4a", "mp3", "flac"])
def test_pictures_of_gigabytes_are_not_read_into_memory(tmp_path: Path, kind: str) -> None:
    """A sparse file of a few kilobytes says that its cover is as large as the format allows."""
    path = with_vast_cover(tmp_path / f"song.{kind}")
    done = subprocess.run(
        [sys.executable, "-c", PROBE_AND_TELL_MEMORY, path],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
        text=True,
    )
    reason, mebibytes = done.stdout.splitlines()
    assert reason == "damaged: analysing it takes too long"
    assert int(mebibytes) < 250


def test_a_hole_behind_the_sound_is_not_searched_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded_file, "OPENING_CPU_SECONDS", 1.0)
    path = write_audio(tmp_path / "song", noise(1, 44_100, channels=1), ENCODINGS["wav-16"])
    os.truncate(path, MOST_FILE_BYTES)
    before = time.thread_time()
    with pytest.raises(TrackError, match="takes too long"):
        probe(path)
    assert time.thread_time() - before < 3
