"""Tracks are embedded by threads or by worker processes, with the same outcome; what happens to a
process happens to one track at most."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil
import pytest
from pydantic import SecretStr

from assets.decoding import Decoding, EmbeddingThreads
from assets.embedders import EmbeddedTrack, embed_tracks
from assets.embedding_processes import EmbeddingProcesses
from assets.outcomes import AUDIO_IS_MISSING, Failure
from assets.window_vectors import WindowEmbedder
from resources.catalogue.work.pending import PendingTrack
from resources.embedding_backends import EmbeddingBackends
from resources.errors import BackendError, ConfigurationError, UserError
from resources.settings import Settings, load_settings
from tests.assets.tracks import pending
from tests.assets.troubled_backends import (
    BackendsThatCannotLoad,
    BackendsWithAnotherModel,
    TroubledBackends,
)
from tests.audio.files import float_wav, noise

pytestmark = pytest.mark.slow

DRIVER = "tests.assets.interrupted_embedding"


@pytest.fixture
def backends(tmp_path: Path) -> TroubledBackends:
    return TroubledBackends(load_settings(), tmp_path)


def _in_threads(backends: EmbeddingBackends, concurrency: int = 2) -> WindowEmbedder:
    return EmbeddingThreads(Decoding(backends.store, backends), backends.local_model, concurrency)


def _in_processes(backends: EmbeddingBackends, concurrency: int = 2) -> EmbeddingProcesses:
    fingerprint = EmbeddingBackends(backends.settings).local_model.model.fingerprint
    return EmbeddingProcesses(backends, fingerprint, concurrency)


in_threads_and_in_processes = pytest.mark.parametrize("embedder_of", [_in_threads, _in_processes])


def _store(backends: EmbeddingBackends, *kinds: str, seconds: float = 0.5) -> list[PendingTrack]:
    """A track with noise of its own for each kind of audio."""
    tracks = [pending(number, kind) for number, kind in enumerate(kinds)]
    for track in tracks:
        data = float_wav(noise(seconds, 48_000, 1, track.track_id), 48_000)
        backends.store.put(backends.audio_key(track.audio), data)
    return tracks


def _embed(tracks: Sequence[PendingTrack], embedder: WindowEmbedder) -> list[EmbeddedTrack]:
    chunks = embed_tracks(tracks, lambda track: track.audio.key(), embedder)
    return [result for chunk in chunks for result in chunk]


def _children() -> list[psutil.Process]:
    """This process's workers."""
    running = psutil.Process().children()
    return [child for child in running if "assets.embedding_worker" in child.cmdline()]


def _opened(backends: TroubledBackends) -> list[str]:
    """Keys that were opened, by whichever process."""
    notes = backends.folder / "opened"
    return [line.split()[1] for line in notes.read_text().splitlines()] if notes.exists() else []


def test_processes_make_the_same_vectors_as_threads_in_the_same_order(
    backends: TroubledBackends,
) -> None:
    tracks = _store(backends, *["fine"] * 6, seconds=21.0)
    by_threads = _embed(tracks, _in_threads(backends))
    by_processes = _embed(tracks, _in_processes(backends))
    assert [result.track for result in by_processes] == tracks
    for one, other in zip(by_threads, by_processes, strict=True):
        assert one.result is not None
        assert other.result is not None
        assert one.result.vectors.shape == (3, 512)
        np.testing.assert_array_equal(one.result.vectors, other.result.vectors)
        assert one.result.starts_seconds == other.result.starts_seconds


@pytest.mark.parametrize("concurrency", [1, 3, 40])
@in_threads_and_in_processes
def test_at_most_64_tracks_are_embedded_and_not_yet_stored(
    backends: TroubledBackends,
    embedder_of: Callable[[EmbeddingBackends, int], WindowEmbedder],
    concurrency: int,
) -> None:
    tracks = _store(backends, *["fine"] * 150, seconds=0.1)
    embedder = embedder_of(backends, min(concurrency, 4 if embedder_of is _in_processes else 64))
    stored = 0
    for chunk in embed_tracks(tracks, lambda track: track.audio.key(), embedder):
        assert len(_opened(backends)) - stored <= 64
        stored += len(chunk)
    assert stored == 150


@in_threads_and_in_processes
def test_what_is_wrong_with_a_track_harms_no_other(
    backends: TroubledBackends, embedder_of: Callable[[EmbeddingBackends], WindowEmbedder]
) -> None:
    tracks = _store(backends, "fine", "broken", "absent", "down", "fine")
    backends.store.put(tracks[1].audio.key(), b"%PDF-1.4 not audio at all" * 100)
    backends.store.delete(tracks[2].audio.key())
    fine, broken, absent, down, also_fine = _embed(tracks, embedder_of(backends))
    assert fine.result is not None
    assert broken.failure == Failure("not an audio file")
    assert absent.waiting == AUDIO_IS_MISSING
    assert down.waiting is not None
    assert (down.waiting.reason, down.waiting.is_outage) == (
        "the object store does not answer",
        True,
    )
    assert also_fine.result is not None


@in_threads_and_in_processes
def test_an_outage_is_not_waited_for_track_by_track(
    backends: TroubledBackends, embedder_of: Callable[[EmbeddingBackends], WindowEmbedder]
) -> None:
    tracks = [pending(number, "down") for number in range(200)]
    assert len(_embed(tracks, embedder_of(backends))) < 64
    assert len(_opened(backends)) <= 64
    assert _children() == []


@in_threads_and_in_processes
def test_what_only_a_person_can_mend_ends_the_work(
    backends: TroubledBackends, embedder_of: Callable[[EmbeddingBackends], WindowEmbedder]
) -> None:
    tracks = _store(backends, "fine", "denied", "fine")
    with pytest.raises(UserError, match="change R2_BUCKET"):
        _embed(tracks, embedder_of(backends))
    assert _children() == []


@in_threads_and_in_processes
def test_an_unexpected_error_is_its_tracks_reason_after_a_second_try(
    backends: TroubledBackends,
    embedder_of: Callable[[EmbeddingBackends], WindowEmbedder],
    caplog: pytest.LogCaptureFixture,
) -> None:
    tracks = _store(backends, "fine", "mistake", "fine")
    fine, mistaken, also_fine = _embed(tracks, embedder_of(backends))
    assert fine.result is not None
    assert mistaken.failure == Failure("ZeroDivisionError: a mistake of ours", is_certain=False)
    assert also_fine.result is not None
    assert Counter(_opened(backends))[tracks[1].audio.key()] == 2
    assert "troubled_backends.py" in caplog.text  # Where it happened.


@in_threads_and_in_processes
def test_an_unexpected_error_that_does_not_come_again_costs_nothing(
    backends: TroubledBackends, embedder_of: Callable[[EmbeddingBackends], WindowEmbedder]
) -> None:
    tracks = _store(backends, "mistaken-once", "fine")
    assert all(outcome.result is not None for outcome in _embed(tracks, embedder_of(backends)))


def _impatient_threads(backends: EmbeddingBackends, seconds: float) -> WindowEmbedder:
    decoding = Decoding(backends.store, backends, silence_seconds=seconds)
    return EmbeddingThreads(decoding, backends.local_model, 2)


def _impatient_processes(backends: EmbeddingBackends, seconds: float) -> WindowEmbedder:
    fingerprint = backends.local_model.model.fingerprint
    return EmbeddingProcesses(backends, fingerprint, 2, silence_seconds=seconds)


Impatient = Callable[[EmbeddingBackends, float], WindowEmbedder]

impatient = pytest.mark.parametrize("embedder_of", [_impatient_threads, _impatient_processes])


@impatient
def test_a_track_that_hangs_is_given_up_and_the_others_go_on(
    backends: TroubledBackends, embedder_of: Impatient
) -> None:
    tracks = _store(backends, "fine", "hangs", "fine")
    fine, hanging, also_fine = _embed(tracks, embedder_of(backends, 1))
    assert fine.result is not None
    assert hanging.failure is not None
    assert "did nothing for 1 s" in hanging.failure.reason
    assert also_fine.result is not None
    assert _children() == []


@impatient
def test_a_store_that_is_slow_or_out_of_reach_is_no_silence_of_the_tracks(
    backends: TroubledBackends, embedder_of: Impatient
) -> None:
    """It has limits of its own, and says when they are reached."""
    tracks = _store(backends, "fine", "out-of-reach", "slow")
    fine, waiting, slow = _embed(tracks, embedder_of(backends, 3))
    assert fine.result is not None
    assert waiting.waiting is not None
    assert waiting.waiting.reason == "the object store does not answer"
    assert slow.result is not None


def test_what_ended_a_process_is_decoded_apart_the_next_time(backends: TroubledBackends) -> None:
    """In the process of this test it would end the test."""
    tracks = _store(backends, "fine", "crashes", "fine")
    suspects = {track.audio.key() for track in tracks}
    embedder = EmbeddingThreads(
        Decoding(backends.store, backends, suspects), backends.local_model, 2
    )
    fine, crashing, also_fine = _embed(tracks, embedder)
    assert fine.result is not None
    assert crashing.failure is not None
    assert "crashed (Segmentation fault)" in crashing.failure.reason
    assert also_fine.result is not None


def test_audio_that_crashes_its_process_fails_alone_and_with_a_reason(
    backends: TroubledBackends,
) -> None:
    tracks = _store(backends, *["fine"] * 3, "crashes", *["fine"] * 3, "crashes", "fine")
    results = _embed(tracks, _in_processes(backends))
    assert [result.track for result in results] == tracks
    for result in results:
        crashes = "crashes" in result.track.audio.file_id
        assert (result.result is None) == crashes
        assert (result.failure is not None) == crashes
        if result.failure is not None:
            assert "crashed (Segmentation fault)" in result.failure.reason
    assert Counter(_opened(backends))["audio/crashes-3.wav"] == 2


def test_a_process_that_was_killed_costs_no_track(backends: TroubledBackends) -> None:
    tracks = _store(backends, *["fine"] * 3, "killed-once", *["fine"] * 8)
    results = _embed(tracks, _in_processes(backends, 3))
    assert all(result.result is not None for result in results)
    assert (backends.folder / "killed").exists()


def test_no_track_is_blamed_where_nothing_can_be_embedded(backends: TroubledBackends) -> None:
    """A library that crashes on this machine's processor, say: the tracks stay pending."""
    tracks = _store(backends, *["crashes"] * 3)
    results = _embed(tracks, _in_processes(backends))
    assert [result.failure for result in results] == [None] * 3
    assert all(result.waiting is not None and result.waiting.is_outage for result in results)


def test_too_little_memory_for_the_model_leaves_tracks_pending(backends: TroubledBackends) -> None:
    tracks = _store(backends, *["fine"] * 2)
    results = _embed(tracks, _in_processes(BackendsThatCannotLoad(backends.settings)))
    for result in results:
        assert result.waiting is not None
        assert "lack of memory" in result.waiting.reason


def test_vectors_of_a_model_that_was_replaced_meanwhile_are_refused(
    backends: TroubledBackends,
) -> None:
    tracks = _store(backends, "fine")
    with pytest.raises(ConfigurationError, match="CLAP_MODEL's files changed"):
        _embed(tracks, _in_processes(BackendsWithAnotherModel(backends.settings)))


def test_stopping_early_ends_processes_that_hang(backends: TroubledBackends) -> None:
    tracks = _store(backends, *["fine"] * 60, *["hangs"] * 4, seconds=0.1)
    chunks = embed_tracks(tracks, lambda track: track.audio.key(), _in_processes(backends))
    next(chunks)
    while "hangs" not in _opened(backends)[-1]:
        time.sleep(0.01)
    assert _children() != []
    started = time.monotonic()
    chunks.close()
    assert time.monotonic() - started < 100
    assert _children() == []


def test_a_closed_embedder_starts_nothing_more(backends: TroubledBackends) -> None:
    tracks = _store(backends, "fine")
    processes = _in_processes(backends)
    processes.close()
    with pytest.raises(BackendError, match="stopped"):
        processes.embed(tracks[0].audio.key())
    assert _children() == []


def test_what_libraries_say_in_a_process_is_not_lost(
    backends: TroubledBackends, capfd: pytest.CaptureFixture[str]
) -> None:
    (result,) = _embed(_store(backends, "talks"), _in_processes(backends, 1))
    assert result.result is not None
    said = capfd.readouterr().err
    assert "printed by a library" in said
    assert "a warning of a library" in said


def test_secrets_are_in_no_command_line(tmp_path: Path) -> None:
    settings = Settings(
        moodsearch_home=tmp_path / "home", session_secret=SecretStr("very secret " * 4)
    )
    backends = TroubledBackends(settings, tmp_path)
    (track,) = _store(backends, "fine")
    processes = _in_processes(backends)
    processes.embed(track.audio.key())
    (child,) = _children()
    assert not any("secret" in argument for argument in child.cmdline())
    processes.close()


@pytest.fixture
def hanging(tmp_path: Path, backends: TroubledBackends) -> Iterator[subprocess.Popen[bytes]]:
    """A program whose two workers hang in the middle of a track each."""
    command = [sys.executable, "-m", DRIVER, str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as program:
        try:
            deadline = time.monotonic() + 60
            while len(_opened(backends)) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield program
        finally:
            program.kill()


def _workers_of(backends: TroubledBackends) -> list[psutil.Process]:
    lines = (backends.folder / "opened").read_text().splitlines()
    return [psutil.Process(int(line.split()[0])) for line in lines]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a process with its parent")
def test_a_killed_program_leaves_no_process_behind(
    hanging: subprocess.Popen[bytes], backends: TroubledBackends
) -> None:
    workers = _workers_of(backends)
    hanging.kill()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []


def test_ctrl_c_ends_the_processes_without_a_word_of_theirs(
    hanging: subprocess.Popen[bytes], backends: TroubledBackends
) -> None:
    workers = _workers_of(backends)
    os.killpg(hanging.pid, signal.SIGINT)
    _, said = hanging.communicate(timeout=30)
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []
    assert said.count(b"Traceback") == 1  # The program's own.
    assert said.rstrip().endswith(b"KeyboardInterrupt")
