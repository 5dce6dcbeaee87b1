"""Everything that Dagster knows of this project."""

import dagster as dg

from assets import checks
from assets.block_run import block_runs_resource
from assets.clap_embeddings import clap_embeddings
from assets.genre_predictions import genre_predictions
from assets.search_index import search_index
from assets.surroundings import search_api, tracks
from assets.track_audio import track_audio
from pipelines.housekeeping import every_night, housekeeping
from pipelines.jobs import classify_genres, forget_gone_tracks, index_tracks
from pipelines.sensors import changed_tracks, tracks_without_genres
from pipelines.shared import backends_resource, progress_resource

ASSETS: list[dg.AssetsDefinition | dg.AssetSpec] = [
    tracks,
    track_audio,
    clap_embeddings,
    search_index,
    genre_predictions,
    search_api,
]
CHECKS = dg.load_asset_checks_from_modules([checks])

defs = dg.Definitions(
    assets=ASSETS,
    asset_checks=CHECKS,
    jobs=[index_tracks, classify_genres, forget_gone_tracks, housekeeping],
    sensors=[changed_tracks, tracks_without_genres],
    schedules=[every_night],
    resources={
        "backends": backends_resource,
        "progress": progress_resource,
        "block_runs": block_runs_resource,
    },
    # A process for each step would cost seconds of imports a step.
    executor=dg.in_process_executor,
)
