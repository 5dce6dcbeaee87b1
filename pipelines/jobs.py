"""The jobs: what is run together, on one block of tracks."""

from collections.abc import Mapping
from typing import Final

import dagster as dg

from assets.blocks import TRACK_BLOCKS
from assets.clap_embeddings import clap_embeddings
from assets.genre_predictions import genre_predictions
from assets.search_index import search_index
from assets.track_audio import track_audio
from resources.catalogue.work.pending import Job

JOBS: Final[Mapping[Job, tuple[dg.AssetsDefinition, ...]]] = {
    "index": (track_audio, clap_embeddings, search_index),
    "genres": (genre_predictions,),
}
"""The assets of each."""

JOB_NAMES: Final[Mapping[Job, str]] = {"index": "index_tracks", "genres": "classify_genres"}

# Genres are a job of their own: a slow classifier must not keep a track from being found.
index_tracks = dg.define_asset_job(
    JOB_NAMES["index"],
    selection=dg.AssetSelection.assets(*JOBS["index"]),
    partitions_def=TRACK_BLOCKS,
    description="From audio files to the search index.",
)

classify_genres = dg.define_asset_job(
    JOB_NAMES["genres"],
    selection=dg.AssetSelection.assets(*JOBS["genres"]),
    partitions_def=TRACK_BLOCKS,
    description="Genres of the tracks that have none yet.",
)


def config_of_run(
    assets: tuple[dg.AssetsDefinition, ...], config: Mapping[str, object]
) -> dict[str, object]:
    """What a run is told: the same for each of its assets."""
    names = [asset.key.to_python_identifier() for asset in assets]
    return {"ops": {name: {"config": dict(config)} for name in names}}
