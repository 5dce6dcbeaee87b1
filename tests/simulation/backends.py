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
from resources.embedding.protocol import ModelDescription
from resources.embedding_backends import EmbeddingBackends
from resources.settings import Settings
from resources.vectors.pgvector import PgvectorStore
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
    """What all processes share. `models`: by the setting that loads them."""

    url: str
    gate: Gate
    clock: Clock
    database: SimulatedDatabase
    store: SimulatedObjects
    classifier: SimulatedClassifier
    models: dict[str, SimulatedModel]
    documents: dict[str, dict[int, VectorDocument]] = field(default_factory=dict)
    """What each namespace holds."""

    def open_backends(self, model: SimulatedModel) -> Backends:
        """The product's own, as a new process opens them that is configured for that model."""
        return Backends(
            Settings(
                database_url=SecretStr(self.url),
                moodsearch_home=Path("/nonexistent"),
                turbopuffer_namespace="simulated",
                clap_model=model.name,
            )
        )

    def open_vectors(self, pool: Any, namespace: str, model: ModelDescription) -> VectorStore:
        held = self.documents.setdefault(namespace, {})
        return SimulatedVectors(PgvectorStore(pool, namespace, model), self.gate, held)


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
    """Where the product opens what is outside, and where it asks the operating system: threads,
    worker processes, who it is, and the time. Chunks are small: a run has several of them."""

    def __init__(self, schedule: Schedule, outside: Outside) -> None:
        def load(settings: Settings, **_: Any) -> SimulatedModel:
            return outside.models[settings.clap_model]

        def this_process() -> str:
            assert schedule.current is not None
            return schedule.current.name

        def worker(backends: EmbeddingBackends, **_: Any) -> SimulatedWorker:
            return SimulatedWorker(backends.store)

        self._patches: list[Any] = [
            patch("resources.backends.migrate"),
            patch("resources.backends.Database", lambda _url: outside.database),
            patch("resources.backends.PgvectorStore", outside.open_vectors),
            patch("resources.backends.ZeroShotClassifier", lambda *_, **__: outside.classifier),
            patch("resources.backends.load_local_model", load),
            # What is forgotten, and so opened again, does not hang on when memory is cleaned up.
            patch("resources.backends.WeakValueDictionary", dict),
            patch("resources.embedding_backends.load_local_model", load),
            patch("resources.embedding_backends.FolderStore", lambda _folder: outside.store),
            patch("assets.forgetting.vectors.PgvectorStore", outside.open_vectors),
            patch("assets.outcomes.ThreadPoolExecutor", _InTurn),
            patch("assets.outcomes.CHUNK_TRACKS", CHUNK_TRACKS),
            patch("assets.search_index._DOCUMENTS_AT_ONCE", 3),
            patch("assets.decoding.WorkerProcess", worker),
            patch("assets.block_run.this_process", this_process),
            patch("pipelines.runs.this_process", this_process),
            patch("pipelines.runs.is_gone", schedule.ended.__contains__),
            patch("pipelines.sensors.time", outside.clock),
            patch("sys.unraisablehook", _unraisable),
        ]

        self._locked = [
            attribute
            for owner in (Backends, EmbeddingBackends)
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
