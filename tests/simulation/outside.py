"""The outside world: an object store, audio files, embedding models, a classifier, and the gate
before the vector store. All of them follow from the seed and nothing else."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from assets.window_vectors import Pulse, WindowVectors, decode_object, probe_object
from resources.audio.decode import DecodedWindows
from resources.audio.probe import AudioProbe
from resources.costs.measures import Measure
from resources.embedding.protocol import EMBEDDING_DIMENSION, ModelDescription, Vector
from resources.errors import ObjectNotFoundError
from resources.genres.protocol import GenrePrediction, GenreRequest
from resources.object_store.protocol import ObjectStore
from resources.vectors.protocol import Match, VectorDocument, VectorStore
from tests.audio.files import float_wav
from tests.simulation.faults import Gate

NOT_AUDIO: Final = b"<html><body>502 Bad Gateway</body></html>"
_SAMPLES: Final = 960
_STEP: Final = 2.0**-16
"""Between the amplitudes of two files: exact in a float."""


def audio_of(number: int) -> bytes:
    """A file of 20 ms that says its number."""
    return float_wav(np.full((1, _SAMPLES), number * _STEP, np.float32), 48_000)


@lru_cache(maxsize=20_000)
def vector_of(number: int, model: str) -> Vector:
    """What a model (by its id) makes of the file of that number."""
    digest = hashlib.sha256(f"{model} {number}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    vector = rng.standard_normal(EMBEDDING_DIMENSION)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def vector_of_text(text: str, model: str) -> Vector:
    """What a model (by its id) makes of a query."""
    key = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)
    return vector_of(key, f"text {model}")


class SimulatedObjects:
    """Objects in memory. Like S3 and R2 it is consistent: what was written is what is read, unless
    it is out of reach. `hidden`: keys that are answered as if they were not there; `lies` come for
    single reads: no such object, or a proxy's page in its place."""

    is_remote = False

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.objects: dict[str, bytes] = {}
        self.hidden: set[str] = set()

    def put(self, key: str, data: bytes) -> None:
        self._gate.call("store", f"put {key}", lambda: self.objects.__setitem__(key, data))

    def put_file(self, key: str, path: Path) -> None:
        self.put(key, path.read_bytes())

    def get(self, key: str) -> bytes:
        return self._gate.call("store", f"get {key}", lambda: self._answer(key), writes=False)

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        content = self._gate.call(
            "store", f"open {key}", lambda: self._answer(key, lies=False), writes=False
        )
        yield io.BytesIO(content)

    def exists(self, key: str) -> bool:
        return self._gate.call("store", f"exists {key}", lambda: self._has(key), writes=False)

    def size(self, key: str) -> int:
        return len(self.get(key))

    def delete(self, key: str) -> None:
        self._gate.call("store", f"delete {key}", lambda: self.objects.pop(key, None))

    def keys(self, prefix: str) -> Iterator[str]:
        found = self._gate.call(
            "store",
            f"list {prefix}",
            lambda: sorted(key for key in self.objects if key.startswith(prefix)),
            writes=False,
        )
        yield from found

    def url(self, key: str) -> str | None:  # noqa: ARG002
        return None

    def check(self) -> None:
        self._gate.call("store", "check", lambda: None, writes=False)

    def _has(self, key: str) -> bool:
        return key in self.objects and key not in self.hidden

    def _answer(self, key: str, *, lies: bool = True) -> bytes:
        if not self._has(key) or self._gate.lies():
            raise ObjectNotFoundError(key)
        # Audio that is a page is the audio's own fault, for good: only tables are lied about.
        if lies and self._gate.lies():
            return NOT_AUDIO
        return self.objects[key]


class SimulatedVectors:
    """The product's own store behind the gate. A write of several may come to half of them.

    `held`: what the namespace holds by now, for invariants that look after every step."""

    charges_for: Sequence[Measure] = ()

    def __init__(self, real: VectorStore, gate: Gate, held: dict[int, VectorDocument]) -> None:
        self._real = real
        self._gate = gate
        self._held = held
        self.namespace = real.namespace
        self.model = real.model

    def upsert(self, documents: Sequence[VectorDocument]) -> None:
        ids = [document.id for document in documents]
        if len(documents) > 1 and self._gate.lies():
            half = documents[: len(documents) // 2]
            self._gate.call("vectors", f"half of upsert {ids}", lambda: self._upsert(half))
        self._gate.call("vectors", f"upsert {ids}", lambda: self._upsert(documents))

    def delete(self, ids: Sequence[int]) -> None:
        self._gate.call("vectors", f"delete {list(ids)}", lambda: self._delete(ids))

    def query(self, vector: NDArray[np.float32], limit: int) -> list[Match]:
        return self._gate.call(
            "vectors", "query", lambda: self._real.query(vector, limit), writes=False
        )

    def vector(self, track_id: int) -> NDArray[np.float32] | None:
        return self._gate.call(
            "vectors", f"vector {track_id}", lambda: self._real.vector(track_id), writes=False
        )

    def count(self) -> int:
        return self._gate.call("vectors", "count", self._real.count, writes=False)

    def ids(self, first: int, last: int) -> list[int]:
        return self._gate.call("vectors", "ids", lambda: self._real.ids(first, last), writes=False)

    def drop(self) -> None:
        self._gate.call("vectors", f"drop {self.namespace}", self._drop)

    def warm(self) -> None:
        self._gate.call("vectors", "warm", self._real.warm, writes=False)

    def check(self) -> None:
        self._gate.call("vectors", "check", self._real.check, writes=False)

    def _upsert(self, documents: Sequence[VectorDocument]) -> None:
        self._real.upsert(documents)
        self._held.update({document.id: document for document in documents})

    def _delete(self, ids: Sequence[int]) -> None:
        self._real.delete(ids)
        for id_ in ids:
            self._held.pop(id_, None)

    def _drop(self) -> None:
        self._real.drop()
        self._held.clear()


@dataclass
class Embedded:
    """A file that a model embedded for an actor."""

    actor: str
    model: str
    number: int


@dataclass
class SimulatedModel:
    """A model that knows which file it hears. `heard`: what was embedded since somebody looked."""

    name: str
    gate: Gate
    heard: list[Embedded] = field(default_factory=list)
    is_remote: bool = True
    charges_for: Sequence[Measure] = ()

    @cached_property
    def model(self) -> ModelDescription:
        fingerprint = hashlib.sha256(self.name.encode()).hexdigest()
        return ModelDescription(self.name, "1", EMBEDDING_DIMENSION, fingerprint, "MIT")

    def embed_audio(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        numbers = [round(float(window[0]) / _STEP) for window in windows]
        return self.gate.call("model", f"embed {numbers}", lambda: self._embed(numbers))

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = [vector_of_text(text, self.name) for text in texts]
        return self.gate.call("model", "embed texts", lambda: np.stack(vectors), writes=False)

    def _embed(self, numbers: Sequence[int]) -> NDArray[np.float32]:
        actor = self.gate.schedule.current
        who = actor.name if actor is not None else ""
        self.heard += [Embedded(who, self.name, number) for number in numbers]
        return np.stack([vector_of(number, self.name) for number in numbers])


def genres_of(vector: Vector) -> list[GenrePrediction]:
    """What the classifier says of a vector, best first."""
    first, second = abs(float(vector[0])), abs(float(vector[1]))
    best, other = max(first, second), min(first, second)
    return [
        GenrePrediction(f"genre {round(float(vector[2]) * 1e4)}", round(best, 6)),
        GenrePrediction("ambient", round(other, 6)),
    ]


@dataclass
class SimulatedClassifier:
    """Hears a genre in a vector. `needs_embedding`: one that listens to the audio instead hears the
    same, by the number of its file."""

    gate: Gate
    store: SimulatedObjects
    needs_embedding: bool
    is_remote: bool = True
    charges_for: Sequence[Measure] = ()
    model: str = "the classifier"

    @property
    def name(self) -> str:
        return "by embedding" if self.needs_embedding else "by audio"

    def classify(self, request: GenreRequest) -> Sequence[GenrePrediction]:
        return self.gate.call(
            "classifier", f"classify {request.track_id}", lambda: self._classify(request)
        )

    def _classify(self, request: GenreRequest) -> Sequence[GenrePrediction]:
        if request.vector is not None:
            return genres_of(request.vector)
        content = self.store.objects[request.audio_key]
        number = round(float(np.frombuffer(content[-4:], "<f4")[0]) / _STEP)
        return genres_of(vector_of(number, self.model))


class SimulatedWorker:
    """Decodes as a worker process does, in this one."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def probe(self, key: str) -> AudioProbe:
        return probe_object(self._store, key, Pulse())

    def decode(self, key: str) -> DecodedWindows:
        return decode_object(self._store, key, Pulse())

    def embed(self, key: str) -> WindowVectors:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""
