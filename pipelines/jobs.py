"""The jobs: what is run together, on one block of tracks."""

import dagster as dg

from assets.blocks import TRACK_BLOCKS
from assets.clap_embeddings import clap_embeddings
from assets.genre_predictions import genre_predictions
from assets.search_index import search_index
from assets.track_audio import track_audio

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
