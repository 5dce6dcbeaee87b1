"""The jobs: what is run together, on one block of tracks."""

import dagster as dg

from assets.blocks import TRACK_BLOCKS
from assets.clap_embeddings import clap_embeddings
from assets.forgetting.tracks import take_back
from assets.genre_predictions import genre_predictions
from assets.search_index import search_index
from assets.track_audio import track_audio
from resources.backends import Backends
from resources.catalogue.work.blocks import Block

# Genres are a job of their own: a slow classifier must not keep a track from being found.
index_tracks = dg.define_asset_job(
    "index_tracks",
    selection=dg.AssetSelection.assets(track_audio, clap_embeddings, search_index),
    partitions_def=TRACK_BLOCKS,
    description="From audio files to the search index.",
)

classify_genres = dg.define_asset_job(
    "classify_genres",
    selection=dg.AssetSelection.assets(genre_predictions),
    partitions_def=TRACK_BLOCKS,
    description="Genres of the tracks that have none yet.",
)


@dg.op(description="Takes back what is stored of the block's deleted and hidden tracks.")
def forget_gone(context: dg.OpExecutionContext, backends: dg.ResourceParam[Backends]) -> None:
    block = Block.from_key(context.partition_key)
    with backends.locks.hold(block) as check:
        gone = [track for track in backends.work.pending(block) if track.step == "remove"]
        forgotten = take_back(backends, block, gone, check)
        backends.work.settle("index", block)
    context.add_output_metadata({"forgotten": len(forgotten)})


@dg.job(
    partitions_def=TRACK_BLOCKS,
    description="Deleted and hidden tracks alone: while the rest waits for a backfill.",
)
def forget_gone_tracks() -> None:
    forget_gone()
