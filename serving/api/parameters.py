"""Parameters that several routes share."""

from typing import Annotated, Final

from fastapi import Path, Query

from serving.search import LARGEST_LIMIT

LARGEST_TRACK_ID: Final = 2**63 - 1
"""The largest that the catalogue's `bigint` holds."""

TrackId = Annotated[int, Path(ge=0, le=LARGEST_TRACK_ID, description="The track's id.")]
Limit = Annotated[int, Query(ge=1, le=LARGEST_LIMIT, description="Most tracks to return.")]
