"""The application: routes, errors and headers over backends that somebody else owns."""

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from resources.backends import Backends
from resources.session_secret import session_secret
from serving.api.artwork import artwork_routes
from serving.api.audio import audio_origins, audio_routes
from serving.api.clients import as_peers
from serving.api.errors import add_error_handlers
from serving.api.headers import SecurityHeaders, cross_origin
from serving.api.health import health_routes
from serving.api.keyword import keyword_routes
from serving.api.pages import PageFiles, page_routes
from serving.api.playable import WAV_REQUESTS_FOR_A_SEARCH, playable_routes
from serving.api.request_limit import LIMITED_RESPONSES, OpenStreams, RequestLimit
from serving.api.semantic import semantic_routes
from serving.api.similar import similar_routes
from serving.api.users import user_routes
from serving.health import HealthChecks
from serving.search.query_embedder import embeds_queries_on_modal
from serving.search.semantic import DEFAULT_DEADLINE_SECONDS, SemanticSearch
from serving.search.shown_similarity import shown_scale
from serving.search.similar import SimilarTracks
from serving.search.warm_up import WarmUp
from serving.tags.recommended import RecommendedTags
from serving.web.queue import PLACES, BoundedQueue

DESCRIPTION: Final = (
    "Search a music catalogue by describing a mood. No route needs authentication; only public"
    " tracks are ever returned."
)

MOST_BODY_BYTES: Final = 64 * 1024
"""Of a request, for every route that does not say otherwise: they take words and numbers."""

QUEUES: Final = (
    re.compile(r"/search/semantic|/tracks/[^/]*/(similar|recommended-tags)"),
    re.compile(r"/search/?"),
)
"""What waits for the model and the vector store, and what waits for the database alone."""


def create_app(
    backends: Backends,
    *,
    search: SemanticSearch | None = None,
    deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
    places: int = PLACES,
    hosts: Sequence[str] | None = None,
) -> FastAPI:
    """The API and its page over `backends`, which stay the caller's to close.

    `search` instead of the configured one; otherwise a query is answered within `deadline_seconds`.
    `places`: searches of each queue that are answered or wait; the rest are refused. `hosts`: the
    names that requests may call it by; None for any.
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
        # A redirect would lead to whatever host the caller named.
        redirect_slashes=False,
        max_body_size=MOST_BODY_BYTES,
    )
    settings, secret = backends.settings, session_secret(backends.settings)
    # The last one added is the first that a request passes.
    for paths in QUEUES:
        app.add_middleware(BoundedQueue, paths=paths, places=places)
    if hosts is not None:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    if settings.api_allowed_origins:
        app.add_middleware(CORSMiddleware, **cross_origin(settings.api_allowed_origins))
    app.add_middleware(SecurityHeaders, audio_origins=audio_origins(settings))
    if settings.api_trusted_proxies:
        proxies = as_peers(settings.api_trusted_proxies)
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies)
    add_error_handlers(app)
    app.include_router(keyword_routes(backends))
    similar = SimilarTracks(backends, search.index, deadline_seconds=deadline_seconds)
    tags = RecommendedTags(backends, search.index, deadline_seconds=deadline_seconds)
    limit = Depends(RequestLimit(settings, secret))
    for router in (semantic_routes(search, warm_up), similar_routes(similar, tags)):
        app.include_router(router, dependencies=[limit], responses=LIMITED_RESPONSES)
    app.include_router(audio_routes(backends))
    may_play = [
        Depends(RequestLimit(settings, secret, times=WAV_REQUESTS_FOR_A_SEARCH)),
        Depends(OpenStreams(settings, secret), scope="request"),
    ]
    app.include_router(
        playable_routes(backends), dependencies=may_play, responses=LIMITED_RESPONSES
    )
    app.include_router(artwork_routes(backends))
    app.include_router(user_routes(backends.flags, secret))
    app.include_router(health_routes(HealthChecks(backends, search)))
    app.include_router(page_routes(app, lambda: shown_scale(search.model)))
    app.mount("/static", PageFiles(), name="static")
    return app
