"""The product's backends with the simulated world behind them. One for each process that there
would be: what a process remembers is not another's."""

import sys
import threading
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pydantic import SecretStr

from resources.backends import Backends
from resources.embedding.protocol import EmbeddingModel, ModelDescription
from resources.embedding_backends import EmbeddingBackends
from resources.genres.protocol import GenreClassifier
from resources.object_store.protocol import ObjectStore
from resources.settings import Settings
from resources.vectors.protocol import VectorDocument, VectorStore
from tests.simulation.clock import Clock
from tests.simulation.database import SimulatedDatabase
from tests.simulation.faults import Gate
from tests.simulation.outside import (
    SimulatedClassifier,
    SimulatedModel,
    SimulatedObjects,
    SimulatedVectors,
    SimulatedWorker,
)
from tests.simulation.schedule import Killed, Schedule

CHUNK_TRACKS = 4
"""The most work that a kill may undo, here."""


@dataclass
class Outside:
    """What all processes share."""

    url: str
    gate: Gate
    clock: Clock
    database: SimulatedDatabase
    store: SimulatedObjects
    classifier: SimulatedClassifier
    documents: dict[str, dict[int, VectorDocument]] = field(default_factory=dict)
    """What each namespace holds."""


class SimulatedBackends(Backends):
    def __init__(self, outside: Outside, model: SimulatedModel) -> None:
        # The catalogue is open and in its newest schema.
        EmbeddingBackends.__init__(
            self,
            Settings(
                database_url=SecretStr(outside.url),
                moodsearch_home=Path("/nonexistent"),
                turbopuffer_namespace="simulated",
            ),
        )
        self._embedded = None
        self.outside = outside
        self._model = model
        self.database = outside.database

    @cached_property
    def store(self) -> ObjectStore:
        return self.outside.store

    @cached_property
    def local_model(self) -> EmbeddingModel:
        return self._model

    @cached_property
    def embedding_backends(self) -> EmbeddingBackends:
        return self

    @cached_property
    def classifier(self) -> GenreClassifier:
        return self.outside.classifier

    def open_vectors(self, namespace: str, model: ModelDescription) -> VectorStore:
        held = self.outside.documents.setdefault(namespace, {})
        return SimulatedVectors(super().open_vectors(namespace, model), self.outside.gate, held)

    def close(self) -> None:
        """The database is everybody's."""


class _InTurn:
    """An executor that does what it is given at once: what threads would do ahead is done ahead,
    in an order that the seed decides."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __enter__(self) -> "_InTurn":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, work: Any, *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments))
        except BaseException as error:
            future.set_exception(error)
        return future


def _unraisable(unraisable: Any) -> None:
    """A killed actor's generators are closed when they are collected, and are killed as well."""
    if not isinstance(unraisable.exc_value, Killed):
        sys.__unraisablehook__(unraisable)


class Seams:
    """Where the product asks the operating system: threads, worker processes, who it is, and the
    time. Chunks are small, so that a run has several of them."""

    def __init__(self, schedule: Schedule, clock: Clock) -> None:
        def this_process() -> str:
            assert schedule.current is not None
            return schedule.current.name

        def worker(backends: EmbeddingBackends, **_: Any) -> SimulatedWorker:
            return SimulatedWorker(backends.store)

        self._patches: list[Any] = [
            patch("assets.outcomes.ThreadPoolExecutor", _InTurn),
            patch("assets.outcomes.CHUNK_TRACKS", CHUNK_TRACKS),
            patch("assets.search_index._DOCUMENTS_AT_ONCE", 3),
            patch("assets.decoding.WorkerProcess", worker),
            patch("assets.block_run.this_process", this_process),
            patch("pipelines.runs.this_process", this_process),
            patch("pipelines.runs.is_gone", schedule.ended.__contains__),
            patch("pipelines.sensors.time", clock),
            patch("sys.unraisablehook", _unraisable),
        ]

        self._locked = [
            attribute
            for owner in (Backends, EmbeddingBackends, SimulatedBackends)
            for attribute in vars(owner).values()
            if isinstance(attribute, cached_property) and hasattr(attribute, "lock")
        ]

    def __enter__(self) -> None:
        for patch_ in self._patches:
            patch_.start()
        # Python 3.11 has one lock for all instances: a paused actor would hold up others.
        for each in self._locked:
            each.lock = nullcontext()

    def __exit__(self, *_: object) -> None:
        for each in self._locked:
            each.lock = threading.RLock()
        for patch_ in reversed(self._patches):
            patch_.stop()
