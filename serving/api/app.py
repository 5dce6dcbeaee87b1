"""The application: routes, errors and headers over backends that somebody else owns."""

from importlib.metadata import version
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from resources.backends import Backends
from resources.errors import BackendError
from resources.session_secret import session_secret
from serving.api.audio import audio_origins, audio_routes
from serving.api.headers import SecurityHeaders
from serving.api.health import health_routes
from serving.api.keyword import keyword_routes
from serving.api.pages import PageFiles, page_routes
from serving.api.semantic import semantic_routes
from serving.api.similar import similar_routes
from serving.api.tags import tag_routes
from serving.api.users import user_routes
from serving.api.warm import warm_routes
from serving.health import HealthChecks
from serving.recommended_tags import RecommendedTags
from serving.search import DEFAULT_DEADLINE_SECONDS, SemanticSearch
from serving.shown_similarity import shown_scale
from serving.similar import SimilarTracks
from serving.text_tower import embeds_queries_on_modal
from serving.warm_up import WarmUp

DESCRIPTION: Final = (
    "Search a music catalogue by describing a mood. No route needs authentication; only public"
    " tracks are ever returned."
)

RETRY_AFTER_SECONDS: Final = 5


def create_app(
    backends: Backends,
    *,
    search: SemanticSearch | None = None,
    deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
) -> FastAPI:
    """The API and its page over `backends`, which stay the caller's to close.

    `search` instead of the configured one; otherwise a query is answered within `deadline_seconds`.
    A model that runs in this process is loaded and warm when this returns.

    Raises `ConfigurationError` for a model that does not tell texts apart; a remote one that nobody
    has asked yet is asked by the first warm-up.
    """
    search = search or SemanticSearch(backends, deadline_seconds=deadline_seconds)
    warm_up = WarmUp(search)
    warm_up.at_start(with_model=not embeds_queries_on_modal(backends.settings))
    app = FastAPI(
        title="mood search",
        version=version("mood-search"),
        description=DESCRIPTION,
        # FastAPI's own pages load scripts from other hosts; ours is in `pages`.
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(SecurityHeaders, audio_origins=audio_origins(backends.settings))
    app.add_exception_handler(BackendError, _backend_is_down)
    app.include_router(keyword_routes(backends))
    app.include_router(semantic_routes(search))
    app.include_router(warm_routes(warm_up))
    similar = SimilarTracks(backends, search.index, deadline_seconds=deadline_seconds)
    app.include_router(similar_routes(similar))
    tags = RecommendedTags(backends, search.index, deadline_seconds=deadline_seconds)
    app.include_router(tag_routes(tags))
    app.include_router(audio_routes(backends))
    app.include_router(user_routes(backends.flags, session_secret(backends.settings)))
    app.include_router(health_routes(HealthChecks(backends, search)))
    app.include_router(page_routes(app, shown_scale(search.text_tower.model)))
    app.mount("/static", PageFiles(), name="static")
    return app


def _backend_is_down(_request: Request, error: Exception) -> JSONResponse:
    """For routes that cannot answer without the backend."""
    return JSONResponse(
        {"detail": " ".join(str(error).split())},
        status_code=503,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
