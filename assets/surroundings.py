"""What is around our assets: the app's catalogue before them, the search API after them. Neither is
made here, and the graph shows where data comes from and where it goes."""

from typing import Final

import dagster as dg

GROUP: Final = "mood_search"
APP: Final = "team:app"
SEARCH: Final = "team:search"

tracks = dg.AssetSpec(
    "tracks",
    group_name=GROUP,
    kinds={"postgres"},
    owners=[APP],
    description="The app's catalogue: `public.tracks` and `public.artists`. Triggers tell of each "
    "change; the sensor `changed_tracks` observes how many there were and how many tracks are "
    "pending.",
)

search_api = dg.AssetSpec(
    "search_api",
    deps=["search_index"],
    group_name=GROUP,
    kinds={"fastapi"},
    owners=[SEARCH],
    description="`GET /search/semantic` and the search page. Looks up the index, and shows of what "
    "it finds only what the catalogue says is public at that moment. Observations tell which model "
    "answers, and how far the index of the next one is.",
)
