"""Tracks to vectors: fetching, decoding and inference of many tracks overlap, in bounded memory."""

from collections.abc import Callable, Generator, Sequence

from assets.outcomes import Outcome, outcomes_in_chunks
from assets.window_vectors import WindowEmbedder, WindowVectors
from resources.catalogue.work.pending import PendingTrack

EmbeddedTrack = Outcome[WindowVectors]


def embed_tracks(
    tracks: Sequence[PendingTrack], key_of: Callable[[PendingTrack], str], embedder: WindowEmbedder
) -> Generator[list[EmbeddedTrack], None, None]:
    """Embed the tracks, in order, in chunks (`outcomes_in_chunks`). Closes `embedder`."""
    return outcomes_in_chunks(
        tracks,
        lambda track: embedder.embed(key_of(track)),
        embedder.concurrency,
        interrupt=embedder.close,
    )
