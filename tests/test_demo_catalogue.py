"""The demo catalogue: pieces that ship with the program, put into a folder as tagged files."""

import os
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from serving.demo import (
    DEMO_PIECES,
    DEMO_QUERIES,
    EXTRA_QUERIES,
    DemoPiece,
    write_catalogue,
)
from serving.demo.encode import SAMPLE_RATE
from serving.demo.writer import SHIPPED

STYLES = sorted({piece.style for piece in DEMO_PIECES})


def first_of(style: str) -> DemoPiece:
    return next(piece for piece in DEMO_PIECES if piece.style == style)


@pytest.fixture(scope="module")
def one_per_style() -> dict[str, NDArray[np.float32]]:
    """Samples of one piece of each style, as it ships."""
    return {style: decoded(SHIPPED / first_of(style).shipped_name)[1] for style in STYLES}


@pytest.fixture(scope="module")
def one_per_format(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[DemoPiece, Path]]:
    """The first piece in every file format of the catalogue."""
    pieces = list({piece.extension: piece for piece in reversed(DEMO_PIECES)}.values())
    paths = write_catalogue(tmp_path_factory.mktemp("formats"), pieces=pieces)
    return list(zip(pieces, paths, strict=True))


def decoded(path: Path) -> tuple[str, NDArray[np.float32]]:
    """Codec and samples ``(channels, n)`` at 48 kHz that a player would get."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="fltp")
        blocks = [b.to_ndarray() for f in container.decode(stream) for b in resampler.resample(f)]
        samples = np.concatenate(blocks, axis=1).astype(np.float32)
        assert stream.codec_context.sample_rate == SAMPLE_RATE
        return stream.codec_context.name, samples


def tags_of(path: Path) -> dict[str, str]:
    """Tags of the file; Ogg keeps them with the stream."""
    with av.open(str(path)) as container:
        found = {**container.streams.audio[0].metadata, **container.metadata}
    return {name.lower(): value for name, value in found.items()}


def spectrum(
    samples: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies in hertz and the power at each, over the first ten seconds or so."""
    size = 2**19
    spectrum_bins = np.fft.rfft(samples.mean(axis=0)[:size], size)
    power: NDArray[np.float64] = np.square(np.abs(spectrum_bins)).astype(np.float64)
    hertz = np.arange(power.size, dtype=np.float64) * (SAMPLE_RATE / size)
    return hertz, power


def bass_share(samples: NDArray[np.float32]) -> float:
    """Share of the power that lies below 120 Hz."""
    hertz, power = spectrum(samples)
    return float(power[hertz < 120].sum() / power.sum())


def centroid(samples: NDArray[np.float32]) -> float:
    """Spectral centroid in hertz."""
    hertz, power = spectrum(samples)
    return float((power * hertz).sum() / power.sum())


def loudness_curve(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Power in decibels of every hundredth of a second."""
    hop = SAMPLE_RATE // 100
    mono = samples.mean(axis=0, dtype=np.float64)
    blocks = mono[: mono.size // hop * hop].reshape(-1, hop)
    return np.asarray(10 * np.log10(np.mean(blocks**2, axis=1) + 1e-6))


def pulse_strength(samples: NDArray[np.float32], tempo: float) -> float:
    """How much of the rise in loudness repeats with the beat, as an autocorrelation (at most 1)."""
    rise = np.maximum(0.0, np.diff(loudness_curve(samples)))
    rise -= rise.mean()
    lag = round(6000 / tempo)
    return float(np.dot(rise[:-lag], rise[lag:]) / np.dot(rise, rise))


def test_there_are_at_least_48_pieces_in_at_least_12_styles() -> None:
    assert len(DEMO_PIECES) >= 48
    assert len(STYLES) >= 12
    assert all(sum(p.style == style for p in DEMO_PIECES) >= 4 for style in STYLES)


def test_no_two_pieces_share_a_name_or_a_file() -> None:
    for values in (
        [(p.artist, p.title) for p in DEMO_PIECES],
        [p.file_name for p in DEMO_PIECES],
    ):
        assert len(set(values)) == len(values)


def test_names_do_not_give_the_style_away() -> None:
    words = {word for style in STYLES for word in style.replace("-", " ").split()} - {"and", "solo"}
    for piece in DEMO_PIECES:
        named = f"{piece.title} {piece.artist} {piece.album}".lower()
        assert not [word for word in words if word in named.split()], piece


def test_queries_ask_for_styles_that_exist() -> None:
    assert len(DEMO_QUERIES) == 6
    assert len(EXTRA_QUERIES) >= 20
    asked = {query.style for query in (*DEMO_QUERIES, *EXTRA_QUERIES)}
    assert asked == set(STYLES)
    assert {"calm solo piano", "dark ambient drone"} <= {query.query for query in DEMO_QUERIES}


def test_every_piece_ships_and_all_of_them_take_at_most_6_megabytes() -> None:
    shipped = sorted(SHIPPED.iterdir())
    assert [path.name for path in shipped] == sorted(p.shipped_name for p in DEMO_PIECES)
    assert sum(path.stat().st_size for path in shipped) <= 6_000_000


def test_every_style_sounds_for_16_to_24_seconds_without_clipping(
    one_per_style: dict[str, NDArray[np.float32]],
) -> None:
    for style, samples in one_per_style.items():
        assert 0.7 <= np.abs(samples).max() <= 1.0, style
        assert 16.0 <= samples.shape[1] / SAMPLE_RATE <= 24.5, style
        assert loudness_curve(samples).max() > -25.0, style


def test_stereo_pieces_have_two_different_sides(
    one_per_style: dict[str, NDArray[np.float32]],
) -> None:
    for style, samples in one_per_style.items():
        if len(samples) == 2:
            assert np.std(samples[0] - samples[1]) > 0.01 * np.std(samples), style


def test_pieces_of_a_style_differ() -> None:
    chiptunes = [piece for piece in DEMO_PIECES if piece.style == "chiptune"]
    mixes = [decoded(SHIPPED / piece.shipped_name)[1] for piece in chiptunes]
    for index, first in enumerate(mixes):
        for second in mixes[index + 1 :]:
            shared = min(first.shape[1], second.shape[1])
            correlation = np.corrcoef(first[0, :shared], second[0, :shared])[0, 1]
            assert abs(correlation) < 0.5


def test_brightness_orders_drone_piano_and_noise(
    one_per_style: dict[str, NDArray[np.float32]],
) -> None:
    bright = {style: centroid(samples) for style, samples in one_per_style.items()}
    assert bright["dark ambient drone"] < bright["solo piano"] < bright["harsh noise"]
    assert bright["meditation bells"] < 0.5 * bright["harsh noise"]
    assert bright["choir"] < bright["brass fanfare"]


def test_bass_music_has_bass_and_a_choir_has_none(
    one_per_style: dict[str, NDArray[np.float32]],
) -> None:
    share = {style: bass_share(samples) for style, samples in one_per_style.items()}
    for heavy in ("dub reggae", "drum and bass", "driving techno"):
        assert share[heavy] > 0.3, heavy
    for light in ("choir", "meditation bells", "acoustic guitar folk"):
        assert share[light] < 0.1, light


def test_techno_beats_in_time_and_a_drone_does_not(
    one_per_style: dict[str, NDArray[np.float32]],
) -> None:
    strength = {
        style: pulse_strength(one_per_style[style], 130.0)
        for style in ("driving techno", "dark ambient drone", "choir")
    }
    assert strength["driving techno"] > 0.5
    assert strength["dark ambient drone"] < 0.3
    assert strength["choir"] < 0.3


def test_bells_ring_out_and_noise_does_not(
    one_per_style: dict[str, NDArray[np.float32]],
) -> None:
    def share_of_falling(style: str) -> float:
        curve = loudness_curve(one_per_style[style])
        smooth = np.convolve(curve, np.ones(50) / 50, mode="valid")
        return float(np.mean(np.diff(smooth) < 0))

    assert share_of_falling("meditation bells") > 0.55 > share_of_falling("harsh noise")


def test_files_are_in_at_least_five_codecs_and_sound_as_shipped(
    one_per_format: list[tuple[DemoPiece, Path]],
) -> None:
    codecs = set()
    for piece, path in one_per_format:
        codec, samples = decoded(path)
        codecs.add(codec)
        _, shipped = decoded(SHIPPED / piece.shipped_name)
        assert len(samples) == len(shipped)
        assert samples.shape[1] == pytest.approx(shipped.shape[1], abs=4096)
        assert np.std(samples) == pytest.approx(np.std(shipped), rel=0.1)
    assert len(codecs) >= 5


def test_title_artist_and_album_are_in_the_file(
    one_per_format: list[tuple[DemoPiece, Path]],
) -> None:
    for piece, path in one_per_format:
        tags = tags_of(path)
        assert (tags["title"], tags["artist"], tags["album"]) == (
            piece.title,
            piece.artist,
            piece.album,
        )


def test_the_shipped_files_carry_the_tags_of_the_list() -> None:
    for piece in DEMO_PIECES:
        tags = tags_of(SHIPPED / piece.shipped_name)
        assert (tags["title"], tags["artist"]) == (piece.title, piece.artist)
        assert tags["album"] == piece.album


def test_the_same_piece_gives_the_same_bytes(
    one_per_format: list[tuple[DemoPiece, Path]], tmp_path: Path
) -> None:
    again = write_catalogue(tmp_path, pieces=[piece for piece, _ in one_per_format])
    for (_, before), after in zip(one_per_format, again, strict=True):
        assert before.read_bytes() == after.read_bytes()


def test_a_second_write_adds_only_what_is_missing(tmp_path: Path) -> None:
    pieces = [piece for piece in DEMO_PIECES if piece.style == "chiptune"][:2]
    first, second = write_catalogue(tmp_path, pieces=pieces)
    os.utime(first, (1, 1))
    second.unlink()
    reports: list[tuple[int, int]] = []
    write_catalogue(
        tmp_path,
        pieces=pieces,
        progress=lambda done, total: reports.append((done, total)),
    )
    assert first.stat().st_mtime == 1
    assert reports == [(1, 2), (2, 2)]
    assert sorted(tmp_path.iterdir()) == sorted([first, second])


def test_a_file_of_an_older_version_gives_way_to_the_new_one(tmp_path: Path) -> None:
    piece = first_of("chiptune")
    older = tmp_path / f"{piece.name}.v1.mp3"
    unrelated = tmp_path / "my own song.v1.mp3"
    for path in (older, unrelated):
        path.write_bytes(b"")
    (written,) = write_catalogue(tmp_path, pieces=[piece])
    assert sorted(tmp_path.iterdir()) == sorted([written, unrelated])


def test_a_write_that_fails_leaves_no_file(tmp_path: Path) -> None:
    for extension in ("opus", "flac"):
        piece = replace(first_of("chiptune"), name="does not ship", extension=extension)
        with pytest.raises(FileNotFoundError):
            write_catalogue(tmp_path, pieces=[piece])
    assert list(tmp_path.iterdir()) == []
