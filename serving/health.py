"""Whether the backends answer: shared by `/readyz` and `moodsearch doctor`."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from resources.backends import Backends
from resources.catalogue.work.overview import Overview
from resources.errors import MoodSearchError, one_line
from serving.availability import LOG_INTERVAL_SECONDS, AtMostEvery, DeadlineWorkers
from serving.search.query_embedder import embeds_queries_on_modal
from serving.search.semantic import SemanticSearch

DEFAULT_CHECK_SECONDS: Final = 5.0
"""How long a check may take; the checks run at the same time."""

DEFAULT_MAX_AGE_SECONDS: Final = 10.0
"""How long it is said again that all is well: anybody may ask, and each check writes to the object
store and asks the vector store, which bill that."""

FAILURE_MAX_AGE_SECONDS: Final = 2.0
"""How long a failure is said again: shorter, for who waits for a backend to come back."""

REMOTE_FAILURE_SECONDS: Final = 60.0
"""How long a failed query counts against a model that runs elsewhere."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Health:
    """The state of one backend, or of the work where `is_backend` is False. `detail`: one line for
    people, without secrets."""

    name: str
    ok: bool
    detail: str
    is_backend: bool = True


class HealthChecks:
    """Checks every backend, in parallel and in bounded time. Safe to use from threads.

    A model that runs elsewhere is asked only with `ask_remote_model`: each call would start a
    container and be paid for. Otherwise the last query that failed tells.
    """

    def __init__(
        self,
        backends: Backends,
        search: SemanticSearch,
        *,
        ask_remote_model: bool = False,
        check_seconds: float = DEFAULT_CHECK_SECONDS,
        max_age_seconds: float = DEFAULT_MAX_AGE_SECONDS,
    ) -> None:
        self._backends = backends
        self._search = search
        self._ask_remote_model = ask_remote_model
        self._check_seconds = check_seconds
        self._max_age_seconds = max_age_seconds
        self._workers = DeadlineWorkers(8)
        self._may_log = AtMostEvery(LOG_INTERVAL_SECONDS)
        self._lock = threading.Lock()
        self._checked_at = float("-inf")
        self._outcome: list[Health] = []

    def all(self) -> list[Health]:
        """The state of the database, object store, vector store and model, and of the work on the
        index. Never raises: a check that fails in a way that nobody foresaw is logged, and its
        backend is not ok."""
        with self._lock:
            is_well = all(health.ok for health in self._outcome if health.is_backend)
            max_age = self._max_age_seconds if is_well else FAILURE_MAX_AGE_SECONDS
            if time.monotonic() - self._checked_at > max_age:
                self._outcome = self._check()
                self._checked_at = time.monotonic()
            return self._outcome

    def _check(self) -> list[Health]:
        checks: dict[str, Callable[[], str]] = {
            "database": self._database,
            "object_store": self._object_store,
            "vector_store": self._vector_store,
            "model": self._model,
            "work": self._work,
        }
        with ThreadPoolExecutor(len(checks)) as threads:
            return list(threads.map(self._outcome_of, checks.keys(), checks.values()))

    def _outcome_of(self, name: str, check: Callable[[], str]) -> Health:
        is_backend = name != "work"
        try:
            detail = self._workers.run(check, self._check_seconds)
            return Health(name, True, detail, is_backend)
        except MoodSearchError as error:
            return Health(name, False, one_line(error), is_backend)
        except Exception as error:
            if self._may_log():
                logger.exception("checking %s failed", name)
            detail = f"error: {type(error).__name__}; the log has its traceback"
            return Health(name, False, detail, is_backend)

    def _database(self) -> str:
        return f"PostgreSQL {Overview(self._backends.database).server_version()}"

    def _object_store(self) -> str:
        self._backends.store.check()
        return "S3" if self._backends.settings.uses_r2 else "folder"

    def _vector_store(self) -> str:
        settings = self._backends.settings
        name = "turbopuffer" if settings.turbopuffer_enabled else "pgvector"
        vectors = self._search.index.vectors()
        if vectors is None:
            namespace = settings.turbopuffer_namespace
            self._backends.open_vectors(namespace, self._backends.track_model).check()
            return f"{name}, nothing indexed yet"
        vectors.check()
        return f"{name}, namespace {vectors.namespace}"

    def _model(self) -> str:
        serving = self._search.index.last()
        tower = serving.embedder
        short = f"{tower.model.id} ({tower.model.fingerprint[:8]})"
        if embeds_queries_on_modal(serving.backends.settings) and not self._ask_remote_model:
            failure = self._search.recent_failure(REMOTE_FAILURE_SECONDS)
            if failure:
                raise MoodSearchError(failure)
            return f"{short} on Modal"
        tower.wake()
        return f"{short}, mean similarity of unlike texts {tower.similarity():.2f}"

    def _work(self) -> str:
        failed = self._backends.failed_runs.all()
        if failed:
            last = failed[0]
            blocks = "1 block" if len(failed) == 1 else f"{len(failed):,} blocks"
            raise MoodSearchError(
                f"runs of {blocks} failed; the last ({last.job}, tracks {last.block.key},"
                f" {last.failed_at:%Y-%m-%d %H:%M %Z}): {last.reason}"
            )
        oldest = Overview(self._backends.database).oldest_change()
        if oldest is None:
            return "no change is waiting to reach the index"
        return f"the oldest change that has not reached the index is of {oldest:%Y-%m-%d %H:%M %Z}"
