"""search_index: the vector store as a projection of the embeddings and the catalogue."""

from collections.abc import Sequence
from typing import Final

import dagster as dg
import numpy as np
from numpy.typing import NDArray

from assets.block_run import RETRIES, BlockConfig, BlockRun, BlockRuns, Materialized, Metadata
from assets.blocks import TRACK_BLOCKS
from assets.charges import DIGITS
from assets.clap_embeddings import clap_embeddings, stored_vectors
from assets.configured import configured, cost_tag, index_kinds
from assets.forgetting.tracks import take_back
from assets.model import take_over_when_fit
from assets.outcomes import SEVERAL, Outcome, not_taken
from assets.surroundings import GROUP, SEARCH
from resources.backends import Backends
from resources.catalogue.work.generations import Generation
from resources.catalogue.work.pending import PendingTrack
from resources.catalogue.work.records import IndexRecord
from resources.costs import prices
from resources.errors import MoodSearchError
from resources.vectors.protocol import VectorDocument

IndexedTrack = tuple[PendingTrack, NDArray[np.float32]]
"""A track and its vector (512,)."""

_DOCUMENTS_AT_ONCE: Final = 500
"""Documents between two notes of what was done."""


@dg.asset(
    partitions_def=TRACK_BLOCKS,
    deps=[clap_embeddings],
    group_name=GROUP,
    owners=[SEARCH],
    kinds=index_kinds(configured()),
    tags=cost_tag(paid=configured().turbopuffer_enabled),
    code_version="1",
    retry_policy=RETRIES,
    description="The vector store: each public track's vector, title and artist. Tracks that are "
    "deleted, hidden or cannot be decoded are taken out.",
)
def search_index(
    context: dg.AssetExecutionContext,
    config: BlockConfig,
    block_runs: dg.ResourceParam[BlockRuns],
) -> Materialized:
    with block_runs.start(context, config, "index") as run:
        backends = run.backends
        run.report.known = backends.records.indexed_ids(backends.generation.id, run.block)
        to_remove = [track for track in run.pending if track.step == "remove"]
        _remove(run, backends.generation, to_remove)
        run.report.removed = len(run.report.known.intersection(t.track_id for t in to_remove))
        _remove_from_others(run)
        to_index = _with_vectors(run, [track for track in run.pending if track.step == "index"])
        for start in range(0, len(to_index), _DOCUMENTS_AT_ONCE):
            run.note(_upsert(run, to_index[start : start + _DOCUMENTS_AT_ONCE]))
        backends.work.settle("index", run.block)
        # Otherwise the sensor asks every minute: to find out may cost the catalogue's size.
        if backends.work.few_are_listed("index") and take_over_when_fit(backends):
            context.log.info("the index of %s answers from now on", backends.track_model.id)
        return run.result(_overview(run))


def _remove(run: BlockRun, generation: Generation, tracks: Sequence[PendingTrack]) -> None:
    """Of a track that is deleted or hidden all that is stored goes, under every model; of one whose
    audio cannot be used, its vector in this index."""
    if not tracks:
        return
    run.held.check()
    taken_back = take_back(run.backends, run.block, tracks, run.held.check)
    unusable = [track.track_id for track in tracks if track.track_id not in taken_back]
    if unusable:
        backends = run.backends.of(generation)
        backends.records.about_to_write(generation.id, unusable)
        backends.vectors.delete(unusable)
        backends.records.removed(generation.id, unusable)


def _remove_from_others(run: BlockRun) -> None:
    """What nobody may find is removed from every index: one that was replaced may come back. Of a
    track that was deleted while it was hidden, only another model may have anything left."""
    for generation in run.backends.generations.all():
        other = run.backends.of(generation)
        if other is not run.backends:
            pending = other.work.pending(run.block)
            _remove(run, generation, [track for track in pending if track.step == "remove"])


def _with_vectors(run: BlockRun, tracks: Sequence[PendingTrack]) -> list[IndexedTrack]:
    """The tracks with their vectors. One whose vector is gone (its table was lost and its audio
    cannot be reached) stays pending."""
    vectors = stored_vectors(run, tracks)
    found = [(track, vectors.get((track.track_id, track.audio.file_id))) for track in tracks]
    return [(track, vector) for track, vector in found if vector is not None]


def _upsert(run: BlockRun, tracks: Sequence[IndexedTrack]) -> list[Outcome[None]]:
    """The store first: a kill in between writes the same documents again.

    Returns what came to nothing. Documents that the store does not take are found by halving: the
    others are indexed. Several in a row, and none that it takes, are not to blame: raises the last
    one's error.
    """
    backends = run.backends
    refused: list[Outcome[None]] = []
    backends.records.about_to_write(backends.generation.id, [track.track_id for track, _ in tracks])
    left = [list(tracks)]
    while left:
        group = left.pop()
        run.held.check()
        try:
            backends.vectors.upsert([_document(track, vector) for track, vector in group])
        except MoodSearchError:
            raise
        except Exception as error:
            if len(group) > 1:
                left += [group[len(group) // 2 :], group[: len(group) // 2]]
                continue
            refused.append(not_taken(group[0][0], error))
            if len(refused) == SEVERAL and not run.report.done:
                raise
        else:
            backends.records.indexed(backends.generation.id, [_record(track) for track, _ in group])
            run.stored([track.track_id for track, _ in group])
    return refused


def _document(track: PendingTrack, vector: NDArray[np.float32]) -> VectorDocument:
    return VectorDocument(
        id=track.track_id,
        vector=vector,
        title=track.title or "",
        artist_handle=track.artist_handle or "",
        artist_did=track.artist_did or "",
    )


def _record(track: PendingTrack) -> IndexRecord:
    return IndexRecord(track.track_id, track.audio.file_id, str(track.attributes))


def _overview(run: BlockRun) -> Metadata:
    vectors = run.backends.vectors
    documents = vectors.count()
    indexed = run.backends.records.indexed_ids(run.backends.generation.id, run.block)
    left = run.left(lambda track: track.step in ("probe", "embed", "index"))
    return {
        "namespace": dg.MetadataValue.text(vectors.namespace),
        "model": dg.MetadataValue.text(_model(run.backends)),
        "documents_in_namespace": dg.MetadataValue.int(documents),
        "documents_in_block": dg.MetadataValue.int(len(indexed)),
        "preview": run.preview(indexed, lambda _: {}),
        **run.charges.metadata(vectors.charges_for, left, prices.dollars_to_index),
        **_storage(run.backends, documents),
    }


def _model(backends: Backends) -> str:
    """Whose vectors these are, and whether they answer."""
    generation = backends.generations.find(backends.track_model) or backends.generation
    return f"{generation.name}, {'answers' if generation.is_live else 'is being built'}"


def _storage(backends: Backends, documents: int) -> Metadata:
    """What the index costs when nothing happens, where it is charged for."""
    if not backends.vectors.charges_for:
        return {}
    dollars = prices.on_turbopuffer(documents).storage_per_month
    return {"storage_dollars_per_month": dg.MetadataValue.float(round(dollars, DIGITS))}
