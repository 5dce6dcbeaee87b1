"""`GET /search/`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, FastAPI, Query
from pydantic import AfterValidator

from resources.backends import Backends
from resources.catalogue.names.index import KeywordIndex
from resources.catalogue.names.search import TYPES, Found, KeywordSearch
from resources.catalogue.names.statements import MOST
from resources.web.deadline import Deadline
from serving.api.keyword_models import KeywordSearchAnswer
from serving.api.models import Problem
from serving.api.names_upkeep import KeywordUpkeep
from serving.api.parameters import NOT_ONLY_SPACES, not_only_spaces
from serving.availability import CONCURRENT_ANSWERS, DeadlineWorkers
from serving.web.queue import OVERLOADED

SHORTEST_QUERY: Final = 2
LONGEST_QUERY: Final = 100
"""Characters of a query, counted as it was sent."""

DEFAULT_LIMIT: Final = 20
DEADLINE_SECONDS: Final = 5.0
"""Longer than the statement timeout and the wait for a connection, whose errors say what is wrong.
This one ends a request when the server does not answer at all."""

_NAMES: Final = {f"{name}s": name for name in TYPES}
"""What a request calls a type, and what a result does."""

_ANY: Final = "|".join(_NAMES)


def _known_types(types: str) -> str:
    unknown = [name for name in types.split(",") if name not in _NAMES]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a type; use one or more of {','.join(_NAMES)}")
    return types


KeywordQuery = Annotated[
    str,
    Query(
        min_length=SHORTEST_QUERY,
        max_length=LONGEST_QUERY,
        description="Part of a name. Case, accents and the style of quotes are ignored.",
        examples=["ambient"],
        json_schema_extra=NOT_ONLY_SPACES,
    ),
    not_only_spaces("type part of a name"),
]
Types = Annotated[
    str,
    Query(
        alias="type",
        max_length=200,
        description=f"Types to search, comma-separated: {','.join(_NAMES)}.",
        examples=["tracks,artists"],
        json_schema_extra={"pattern": f"^({_ANY})(,({_ANY}))*$"},
    ),
    AfterValidator(_known_types),
]
KeywordLimit = Annotated[
    int, Query(ge=1, le=MOST, description="Maximum number of results for each type.")
]


def keyword_routes(backends: Backends) -> APIRouter:
    """The route, and a thread that keeps the search texts up to date while the application runs."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with KeywordUpkeep(KeywordIndex(backends.database, backends.database_url)):
            yield

    router = APIRouter(tags=["search"], lifespan=lifespan)
    search = KeywordSearch(backends.database)
    workers = DeadlineWorkers(CONCURRENT_ANSWERS)
    limiter = CapacityLimiter(CONCURRENT_ANSWERS)

    def answer(query: str, types: set[str], limit: int, deadline: Deadline) -> list[Found]:
        found = partial(search.search, query, types, limit)
        return workers.run(found, deadline.remaining_seconds)

    @router.get("/search", include_in_schema=False)
    @router.get(
        "/search/",
        summary="Find tracks, artists, albums, tags and playlists by name",
        response_description="The search results.",
        responses={503: {"model": Problem, **OVERLOADED}},
    )
    async def keyword(
        q: KeywordQuery, types: Types = ",".join(_NAMES), limit: KeywordLimit = DEFAULT_LIMIT
    ) -> KeywordSearchAnswer:
        """Fuzzy search by name. Exact matches come first, then names that start with the query,
        names that contain it, and similar names."""
        wanted = {_NAMES[name] for name in types.split(",")}
        deadline = Deadline(DEADLINE_SECONDS)
        found = await to_thread.run_sync(answer, q, wanted, limit, deadline, limiter=limiter)
        return KeywordSearchAnswer.of(found)

    return router
