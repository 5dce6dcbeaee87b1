"""Which index answers, and with whose text model: those of the live generation.

Another model's index takes over while processes serve. A process goes on with the old one until it
has loaded the new one's text model, so that no search waits for that or compares vectors of two
models. Both are in memory meanwhile.
"""

import logging
import threading
import time
from dataclasses import dataclass
from typing import Final

from resources.backends import Backends
from resources.catalogue.work.generations import Generation
from resources.embedding.collapse import PromptVectors
from resources.embedding.protocol import EmbeddingModel, ModelDescription
from resources.errors import MoodSearchError, one_line
from resources.vectors.protocol import VectorStore
from serving.availability import AtMostEvery
from serving.search.query_embedder import QueryEmbedder

RECHECK_SECONDS: Final = 3.0
"""How often it is asked which generation is live."""

RELOAD_SECONDS: Final = 30.0
"""How often a model that cannot be loaded is tried again."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Serving:
    """A model and the index of its vectors; `vectors`: None before anything was indexed."""

    backends: Backends
    embedder: QueryEmbedder
    generation: Generation | None = None
    vectors: VectorStore | None = None

    @property
    def model(self) -> ModelDescription:
        """Of the vectors. Loads nothing."""
        return self.backends.track_model


class LiveIndex:
    """Safe to use from threads. `text_model`: instead of the configured one."""

    def __init__(
        self,
        backends: Backends,
        *,
        text_model: EmbeddingModel | None = None,
        recheck_seconds: float = RECHECK_SECONDS,
    ) -> None:
        self._backends = backends
        self._text_model = text_model
        self._recheck_seconds = recheck_seconds
        self._serving: Serving | None = None
        self._looked_up_at = float("-inf")
        self._lock = threading.Lock()
        self._may_load = AtMostEvery(RELOAD_SECONDS)
        self._loading: str | None = None
        self._is_loading = False

    def serving(self) -> Serving:
        """What answers now: text and tracks by one model. Raises `BackendError` when the database
        does not answer."""
        now = time.monotonic()
        is_fresh = now - self._looked_up_at < self._recheck_seconds
        serving = self._serving
        if is_fresh and serving is not None and serving.generation is not None:
            return serving
        # Outside the lock: a database that hangs must not hold up more than who asked it.
        generations = self._backends.generations.all()
        self._looked_up_at = now
        live = next((each for each in generations if each.is_live), None)
        serving = self._serving
        if serving is None or serving.generation is None or live is None:
            if serving is None or serving.generation != live:
                new = self._open(live, serving)
                with self._lock:
                    self._serving = serving = new
            return serving
        if serving.generation.id == live.id:
            self._loading = None  # What was being loaded was rolled back.
            return serving
        if all(each.id != serving.generation.id for each in generations):
            # Its index was dropped: what it finds is gone.
            new = self._open(live)
            with self._lock:
                self._take_over(new)
            return new
        self._begin_to_load(live)
        return serving

    def last(self) -> Serving:
        """What answered last, whether or not the database does now. Raises as `serving` does when
        nothing did."""
        return self._serving or self.serving()

    def vectors(self) -> VectorStore | None:
        """The index that answers; None before anything was indexed."""
        return self.serving().vectors

    def _open(self, generation: Generation | None, known: Serving | None = None) -> Serving:
        """`known`: whose text model may be loaded already."""
        own = self._backends if generation is None else self._backends.of(generation)
        if known is not None and known.backends is own:
            embedder = known.embedder
        else:
            is_configured = own is self._backends
            model = self._text_model if self._text_model and is_configured else own.text_model
            embedder = QueryEmbedder(model, PromptVectors(own.store))
        if generation is None:
            return Serving(own, embedder)
        vectors = own.open_vectors(generation.namespace, own.track_model)
        return Serving(own, embedder, generation, vectors)

    def _begin_to_load(self, live: Generation) -> None:
        """Unless that is going on, or was tried just now."""
        with self._lock:
            is_new = self._loading != live.id
            if not is_new and (self._is_loading or not self._may_load()):
                return
            if is_new:
                self._may_load = AtMostEvery(RELOAD_SECONDS)
                self._may_load()
            self._loading, self._is_loading = live.id, True
        threading.Thread(target=self._load, args=(live,), daemon=True).start()

    def _load(self, live: Generation) -> None:
        new = None
        try:
            new = self._open(live)
            new.embedder.refuse_known_collapse()
            new.embedder.wake()
        except MoodSearchError as error:
            new = None
            logger.warning("%s cannot answer yet: %s", live.name, one_line(error))
        except Exception:
            new = None
            logger.exception("%s could not be loaded", live.name)
        with self._lock:
            if self._loading != live.id:
                return  # Another is live by now.
            self._is_loading = False
            if new is not None:
                logger.info("%s answers from now on", live.name)
                self._take_over(new)

    def _take_over(self, new: Serving) -> None:
        old, self._serving = self._serving, new
        self._loading = None
        if old is not None and old.backends is not new.backends:
            old.backends.unload_models()
