"""Files probed: codec, duration, channels, and whether the end is there."""

from bench.by_codec import by_codec
from bench.figures import Figure
from bench.workplace import Workplace
from resources.audio.probe import probe
from resources.object_store.folder import FolderStore


def measure(workplace: Workplace) -> list[Figure]:
    """Through the object store, as a run does."""
    store = FolderStore(workplace.folder / "sounds")

    def probe_one(codec: str) -> None:
        with store.open(f"track.{codec}") as audio:
            probe(audio)

    return by_codec(
        probe_one,
        unit="files",
        amount=1,
        files=workplace.choose(10, 100),
        repetitions=workplace.choose(2, 7),
    )
