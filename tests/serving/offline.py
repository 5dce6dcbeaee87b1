"""Tracks that are indexed where their description is, by the model that ships."""

from collections.abc import Mapping

from resources.backends import Backends
from resources.vectors.protocol import VectorDocument
from tests.catalogue.rows import add_track


def index_descriptions(backends: Backends, moods: Mapping[str, str]) -> dict[str, int]:
    """Add a public track for each title with its description. Returns their ids by title."""
    ids = {title: add_track(backends.database, title) for title in moods}
    vectors = backends.text_model.embed_text(list(moods.values()))
    backends.vectors.upsert(
        [
            VectorDocument(ids[title], vector, title, "artist", "did:plc:artist")
            for title, vector in zip(moods, vectors, strict=True)
        ]
    )
    return ids
