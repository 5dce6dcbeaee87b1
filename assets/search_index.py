"""search_index: the vector store as a projection of the embeddings and the catalogue."""

from collections.abc import Sequence
from typing import Final

import dagster as dg
import numpy as np
from numpy.typing import NDArray

from assets.blocks import TRACK_BLOCKS, block_of
from assets.charges import DIGITS, Charges
from assets.clap_embeddings import clap_embeddings, stored_vectors
from assets.report import Report, preview
from assets.work import RETRIES, Progress, WorkConfig, pending_tracks, working_on
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.pending import PendingTrack
from resources.catalogue.work.records import IndexRecord
from resources.costs import estimate
from resources.costs.measures import Measure
from resources.vectors.protocol import VectorDocument

IndexedTrack = tuple[PendingTrack, NDArray[np.float32]]
"""A track and its vector (512,)."""

_DOCUMENTS_AT_ONCE: Final = 500
"""Documents between two notes of what was done."""


@dg.asset(
    partitions_def=TRACK_BLOCKS,
    deps=[clap_embeddings],
    group_name="mood_search",
    kinds={"turbopuffer", "postgres"},
    retry_policy=RETRIES,
    description="The vector store: each public track's vector, title and artist. Tracks that are "
    "deleted, hidden or cannot be decoded are taken out.",
)
def search_index(
    context: dg.AssetExecutionContext,
    config: WorkConfig,
    backends: dg.ResourceParam[Backends],
    progress: dg.ResourceParam[Progress],
) -> dg.MaterializeResult[None]:
    block = block_of(context)
    report = Report()
    charges = _charges(backends)
    with working_on(context, backends, block) as check_lock:
        pending = pending_tracks(backends, block, config)
        known = set(backends.vectors.ids(block.first, block.last)) if pending else set()
        removed = [track.track_id for track in pending if track.step == "remove"]
        _remove(backends, removed)
        to_index = _with_vectors(backends, block, pending)
        for start in range(0, len(to_index), _DOCUMENTS_AT_ONCE):
            part = to_index[start : start + _DOCUMENTS_AT_ONCE]
            check_lock()
            _upsert(backends, part)
            progress.advance("search_index", len(part))
        backends.work.settle("index", block)
    report.count([track.track_id for track, _ in to_index], known)
    report.removed = len(known.intersection(removed))
    report.unchanged = len(known) - report.changed - report.removed
    took_over = backends.generations.promote_when_complete(backends.generation)
    if took_over:
        context.log.info("the index of %s answers from now on", backends.track_model.id)
    overview = {**_overview(backends, to_index), **_costs(backends, block, charges)}
    return dg.MaterializeResult(metadata={**report.metadata(), **overview})


def _charges(backends: Backends) -> Charges:
    measures = (
        Measure.TURBOPUFFER_WRITES,
        Measure.TURBOPUFFER_WRITTEN_BYTES,
        Measure.TURBOPUFFER_QUERIES,
    )
    return Charges(backends, measures if backends.settings.turbopuffer_enabled else ())


def _costs(backends: Backends, block: Block, charges: Charges) -> dict[str, dg.MetadataValue]:
    pending = backends.work.pending(block)
    left = sum(track.step in ("probe", "embed", "index") for track in pending)
    if not backends.settings.turbopuffer_enabled:
        return charges.metadata(left, 0.0)
    storage = estimate.on_turbopuffer(backends.vectors.count()).storage_per_month
    return {
        **charges.metadata(left, estimate.indexing(left)),
        "storage_dollars_per_month": dg.MetadataValue.float(round(storage, DIGITS)),
    }


def _remove(backends: Backends, track_ids: list[int]) -> None:
    if track_ids:
        backends.vectors.delete(track_ids)
        backends.records.removed(backends.generation.id, track_ids)


def _with_vectors(
    backends: Backends, block: Block, pending: list[PendingTrack]
) -> list[IndexedTrack]:
    """The tracks to be indexed, with their vectors. One whose vector is gone (its table was lost
    and its audio cannot be reached) stays pending."""
    to_index = [track for track in pending if track.step == "index"]
    vectors = stored_vectors(backends, block) if to_index else {}
    keys = {track.track_id: (track.track_id, track.audio.file_id) for track in to_index}
    return [
        (track, vectors[keys[track.track_id]])
        for track in to_index
        if keys[track.track_id] in vectors
    ]


def _upsert(backends: Backends, tracks: Sequence[IndexedTrack]) -> None:
    """The store first: a kill in between writes the same documents again."""
    backends.vectors.upsert(
        [
            VectorDocument(
                id=track.track_id,
                vector=vector,
                title=track.title or "",
                artist_handle=track.artist_handle or "",
                artist_did=track.artist_did or "",
            )
            for track, vector in tracks
        ]
    )
    backends.records.indexed(
        backends.generation.id,
        [
            IndexRecord(track.track_id, track.audio.file_id, str(track.attributes))
            for track, _ in tracks
        ],
    )


def _overview(backends: Backends, tracks: Sequence[IndexedTrack]) -> dict[str, dg.MetadataValue]:
    return {
        "namespace": dg.MetadataValue.text(backends.vectors.namespace),
        "documents_in_namespace": dg.MetadataValue.int(backends.vectors.count()),
        "preview": preview(
            [
                {"track_id": t.track_id, "title": t.title, "artist": t.artist_handle}
                for t, _ in tracks[:10]
            ]
        ),
    }
