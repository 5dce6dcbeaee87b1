"""Every kind of thing that is stored of tracks and artists. A test fails for a table, an object or
a vector store that is in nobody's charge here."""

from collections.abc import Callable, Sequence
from typing import Final

from assets.forgetting.catalogue import CatalogueRows, PredictionsInExtra
from assets.forgetting.objects import ImportedAudio, ImportedCovers
from assets.forgetting.parquet import ParquetRows
from assets.forgetting.rows import Position, all_rows, doubted_rows
from assets.forgetting.subject import Kept
from assets.forgetting.vectors import Vectors, out_of_reach
from resources.backends import Backends

HOLDS_NOTHING: Final = {
    "moodsearch.schema_files": "files of the schema",
    "moodsearch.settings": "settings of the installation",
    "moodsearch.exclusions": "keyed hashes, which stay so that audio does not come back",
    "moodsearch.stored_tables": "names of blocks' tables",
    "moodsearch.generations": "models and namespaces",
    "moodsearch.vector_namespaces": "models and namespaces",
    "moodsearch.changes_missed": "errors of triggers, by table",
    "moodsearch.usage": "amounts by day",
    "moodsearch/prompts/": "embeddings of genres' names",
    "moodsearch/models/": "weights of models",
}
"""Tables and prefixes of objects that hold nothing of a track or an artist, and what they hold."""


def kinds(
    backends: Backends,
    *,
    before_writing: Callable[[], None] = lambda: None,
    listed: Sequence[str] = (),
) -> list[Kept]:
    """In the order in which they are taken back: rows that say what is stored come last, so that
    what was interrupted can be done again. For `before_writing` and `listed` see
    `ParquetRows`."""

    def parquet(table: str, *, stays: bool = False, has_models: bool = False) -> ParquetRows:
        return ParquetRows(backends, table, stays, has_models, before_writing, listed)

    return [
        *doubted_rows(backends.database),
        Vectors(backends),
        parquet("trackaudio"),
        parquet("embeddings", stays=True, has_models=True),
        parquet("windows", stays=True, has_models=True),
        parquet("genrepredictions"),
        PredictionsInExtra(backends.database),
        CatalogueRows(backends.database),
        ImportedAudio(backends),
        ImportedCovers(backends),
        *all_rows(backends.database, out_of_reach(backends)),
        Position(backends.database),
    ]
