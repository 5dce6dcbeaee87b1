"""What may be stored of tracks besides what a run of today's model stores."""

import numpy as np
import polars as pl

from assets.tables import VECTOR, BlockTable, Embeddings
from assets.windows import WindowParts
from resources.backends import Backends
from resources.catalogue.work.records import IndexRecord
from resources.embedding.protocol import EMBEDDING_DIMENSION, ModelDescription
from resources.vectors.protocol import VectorDocument
from tests.pipelines.conftest import BLOCK
from tests.pipelines.tables import embeddings_table

OTHER = ModelDescription("another", "", EMBEDDING_DIMENSION, "f" * 64, "")
NAMESPACE = "another-namespace"


def index_with_another_model(backends: Backends, ids: list[int]) -> None:
    """Embeddings, windows and an index of a model that was configured before."""
    rows = embeddings_table(backends, BLOCK).read().filter(pl.col("track_id").is_in(ids))
    BlockTable(backends, Embeddings, BLOCK, OTHER.fingerprint).merge(rows.to_dicts())
    windows = rows.select(
        "track_id",
        "file_id",
        windows=pl.Series([[v] for v in rows["vector"].to_numpy()], dtype=pl.List(VECTOR)),
        starts_seconds=pl.lit([0.0]),
    )
    WindowParts(backends.store, BLOCK, OTHER.fingerprint).append(windows)
    generation = "pgvector:plyr-tracks:" + OTHER.fingerprint
    backends.database.rows(
        "INSERT INTO moodsearch.generations"
        " (id, index_name, namespace, model, model_id, clap_model, clap_precision)"
        " VALUES (%(id)s, 'pgvector:plyr-tracks', %(namespace)s, %(model)s, 'another',"
        " 'another', 'int8')",
        {"id": generation, "namespace": NAMESPACE, "model": OTHER.fingerprint},
    )
    backends.open_vectors(NAMESPACE, OTHER).upsert(
        [
            VectorDocument(id_, np.asarray(vector, np.float32), f"title {id_}", "handle", "did")
            for id_, vector in zip(rows["track_id"], rows["vector"].to_numpy(), strict=True)
        ]
    )
    files = dict(rows.select("track_id", "file_id").iter_rows())
    backends.records.embedded(OTHER.fingerprint, list(files.items()))
    backends.records.indexed(generation, [IndexRecord(id_, files[id_], "") for id_ in files])


def keep_an_earlier_edition(backends: Backends) -> None:
    """As after the embeddings' file was out of reach for a while: they are in a second edition, and
    the first is back."""
    table = embeddings_table(backends, BLOCK)
    backends.store.put(f"{table.name}.2.parquet", backends.store.get(table.key))
    backends.stored_tables.wrote(table.name, 2)
