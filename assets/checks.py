"""What must be true of each block after its assets ran, beyond what they answer themselves from the
tables at hand (`assets.check_results`). A check that fails names the tracks."""

import dagster as dg

from assets.block_run import INDEX_TAG
from assets.blocks import TRACK_BLOCKS, block_of
from assets.check_results import no_tracks
from assets.clap_embeddings import clap_embeddings
from assets.model import backends_of, text_similarity
from assets.search_index import search_index
from resources.backends import Backends
from resources.embedding.collapse import COLLAPSED_SIMILARITY, UNLIKE_TEXTS, refuse_collapsed
from resources.errors import BackendError, ConfigurationError


def _backends_of_run(context: dg.AssetCheckExecutionContext, backends: Backends) -> Backends:
    return backends_of(backends, context.run.tags.get(INDEX_TAG))


@dg.asset_check(asset=clap_embeddings, partitions_def=TRACK_BLOCKS)
def text_tower_tells_texts_apart(
    context: dg.AssetCheckExecutionContext, backends: dg.ResourceParam[Backends]
) -> dg.AssetCheckResult:
    """Unlike texts are unlike to the model, so that queries can find different tracks."""
    backends = _backends_of_run(context, backends)
    try:
        similarity = text_similarity(backends)
    except BackendError as error:
        # The vectors of tracks are none the worse for it.
        return dg.AssetCheckResult(
            passed=False, severity=dg.AssetCheckSeverity.WARN, description=str(error)
        )
    metadata: dict[str, str | int | float] = {
        "model": backends.text_model.model.id,
        "mean_similarity": similarity,
        "refused_from": COLLAPSED_SIMILARITY,
        "texts": len(UNLIKE_TEXTS),
    }
    try:
        refuse_collapsed(backends.text_model.model, similarity)
    except ConfigurationError as error:
        return dg.AssetCheckResult(passed=False, description=str(error), metadata=metadata)
    return dg.AssetCheckResult(passed=True, metadata=metadata)


@dg.asset_check(asset=search_index, partitions_def=TRACK_BLOCKS)
def index_equals_catalogue(
    context: dg.AssetCheckExecutionContext, backends: dg.ResourceParam[Backends]
) -> dg.AssetCheckResult:
    """The index holds exactly the public tracks whose audio can be decoded."""
    block = block_of(context)
    backends = _backends_of_run(context, backends)
    indexed = set(backends.vectors.ids(block.first, block.last))
    return no_tracks(
        indexed.symmetric_difference(backends.contents.searchable(block)),
        "tracks missing from the index or too many in it",
    )


@dg.asset_check(asset=search_index, partitions_def=TRACK_BLOCKS)
def no_track_is_waiting(
    context: dg.AssetCheckExecutionContext, backends: dg.ResourceParam[Backends]
) -> dg.AssetCheckResult:
    """Nothing that is pending was tried in vain: no audio is missing, nothing outside is down."""
    waiting = backends.attempts.tried_in_vain("index", block_of(context))
    reasons = "; ".join(sorted(set(waiting.values()))[:5])
    return no_tracks(waiting, f"tracks are waiting: {reasons}")
