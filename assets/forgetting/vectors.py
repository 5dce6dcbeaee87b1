"""Vectors of every generation, in whichever store they are."""

from dataclasses import dataclass

from assets.forgetting.subject import Subject
from resources.backends import Backends
from resources.embedding.protocol import EMBEDDING_DIMENSION, ModelDescription
from resources.vectors.pgvector import PgvectorStore
from resources.vectors.protocol import VectorStore


def every_store(backends: Backends) -> list[VectorStore]:
    """Each namespace that there is: those in the database, and where the vectors are elsewhere, one
    for each generation."""
    rows = backends.database.rows(
        "SELECT namespace, model_id, fingerprint, dimension FROM moodsearch.vector_namespaces"
        " ORDER BY namespace"
    )
    found: list[VectorStore] = []
    for row in rows:
        model = _model(row["model_id"], row["fingerprint"], row["dimension"])
        found.append(PgvectorStore(backends.database.pool, row["namespace"], model))
    if backends.settings.turbopuffer_enabled:
        found += [
            backends.open_vectors(each.namespace, _model(each.model_id, each.model))
            for each in backends.generations.all()
        ]
    return found


def out_of_reach(backends: Backends) -> list[str]:
    """Generations that were indexed where the settings do not lead any more."""
    settings = backends.settings
    configured = f"turbopuffer:{settings.turbopuffer_namespace}"
    reached = configured if settings.turbopuffer_enabled else ""
    rows = backends.database.rows(
        "SELECT id FROM moodsearch.generations"
        " WHERE index_name NOT LIKE 'pgvector:%%' AND index_name <> %(reached)s ORDER BY id",
        {"reached": reached},
    )
    return [str(row["id"]) for row in rows]


@dataclass(frozen=True)
class Vectors:
    """The subject's documents in every namespace."""

    backends: Backends
    name: str = "vectors"
    stays_while_hidden: bool = False

    def holds(self, place: str) -> bool:
        return place.startswith("moodsearch.vectors_")

    def remove(self, subject: Subject) -> int:
        ids = sorted(subject.track_ids)
        removed = 0
        for store in every_store(self.backends) if ids else []:
            found = subject.track_ids.intersection(store.ids(ids[0], ids[-1]))
            store.delete(sorted(found))
            removed += len(found)
        return removed


def _model(id_: str, fingerprint: str, dimension: int = EMBEDDING_DIMENSION) -> ModelDescription:
    """As far as a store asks: it compares fingerprints."""
    return ModelDescription(id_, "", dimension, fingerprint, "")
