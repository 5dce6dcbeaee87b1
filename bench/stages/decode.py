"""Windows decoded: three of 10 s from each track, by seeking. A window is (480000,) float32."""

from bench.by_codec import by_codec
from bench.figures import Figure
from bench.workplace import CODECS, Workplace
from resources.audio.decode import decode_windows
from resources.audio.probe import probe
from resources.audio.windows import window_starts
from resources.object_store.folder import FolderStore


def measure(workplace: Workplace) -> list[Figure]:
    """Through the object store, as a run does; probing aside."""
    store = FolderStore(workplace.folder / "sounds")
    probes = {codec: probe(workplace.sound(codec)) for codec in CODECS}

    def decode_one(codec: str) -> None:
        with store.open(f"track.{codec}") as audio:
            decode_windows(audio, probes[codec])

    return by_codec(
        decode_one,
        unit="windows",
        amount=len(window_starts(workplace.track_seconds)),
        files=workplace.choose(1, 12),
        repetitions=workplace.choose(2, 7),
    )
