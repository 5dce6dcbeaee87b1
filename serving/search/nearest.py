"""The nearest public tracks to a vector. The catalogue decides what is shown, whatever is in the
index: matches that are not public are left out, and more are fetched in their place."""

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from resources.catalogue.tracks.tracks import Track, Tracks
from resources.errors import BackendError
from resources.vectors.protocol import Match, VectorStore

MOST_FETCHED: Final = 1_000
"""Matches looked at for one answer. Beyond it the nearest tracks are nearly all hidden, which the
index unlearns with the next run."""

SIMILARITY_DIGITS: Final = 6


@dataclass(frozen=True)
class FoundTrack(Track):
    """A public track and its cosine similarity to what was asked for, in [-1, 1], 6 digits."""

    similarity: float


def nearest_public(
    vectors: VectorStore,
    tracks: Tracks,
    embedding: NDArray[np.float32],
    limit: int,
    *,
    leave_out: int | None = None,
) -> list[FoundTrack]:
    """The `limit` nearest public tracks to `embedding` (512,), best first, without the track
    `leave_out`.

    Raises `BackendError` when the index or the database does not answer, and when the index has
    nothing although tracks are recorded to be in it.
    """
    public: dict[int, Track] = {}
    hydrated: set[int] = set() if leave_out is None else {leave_out}
    fetch = min(2 * limit + 10, MOST_FETCHED)
    while True:
        matches = vectors.query(embedding, fetch)
        if not matches and tracks.any_indexed(vectors.namespace):
            raise BackendError(
                f"the index {vectors.namespace} is empty, but tracks are recorded in it"
            )
        new = [match.track_id for match in matches if match.track_id not in hydrated]
        public |= tracks.public(new)
        hydrated.update(new)
        found = [match for match in matches if match.track_id in public]
        if len(found) >= limit or len(matches) < fetch or fetch >= MOST_FETCHED:
            return [_found(match, public[match.track_id]) for match in found[:limit]]
        fetch = min(2 * fetch, MOST_FETCHED)


def _found(match: Match, track: Track) -> FoundTrack:
    return FoundTrack(**asdict(track), similarity=round(match.similarity, SIMILARITY_DIGITS))
