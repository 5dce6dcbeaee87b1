"""Parameters that several routes share."""

from typing import Annotated, Any, Final

from fastapi import Path, Query
from pydantic import AfterValidator

from serving.search.semantic import MOST_RESULTS

LARGEST_TRACK_ID: Final = 2**63 - 1
"""The largest that the catalogue's `bigint` holds."""

TrackId = Annotated[int, Path(ge=0, le=LARGEST_TRACK_ID, description="The track's id.")]
Limit = Annotated[int, Query(ge=1, le=MOST_RESULTS, description="Most tracks to return.")]

NOT_ONLY_SPACES: Final[dict[str, Any]] = {"pattern": r"[^\s\x1c-\x1f\x85]"}
"""How JSON Schema says what `str.strip` finds (`\\s` of ECMA-262 lacks five of its blanks). For
readers of the document alone: our own words are clearer than "String should match pattern"."""


def not_only_spaces(advice: str) -> AfterValidator:
    """Refuses a query without a character that is seen."""

    def checked(query: str) -> str:
        if not query.strip():
            raise ValueError(f"the query is only spaces; {advice}")
        return query

    return AfterValidator(checked)
