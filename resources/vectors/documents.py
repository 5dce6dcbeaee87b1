"""The rules that hold for documents and queries in every vector store."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from resources.embedding.protocol import ModelDescription
from resources.errors import ModelMismatchError
from resources.vectors.protocol import LARGEST_LIMIT, Match, VectorDocument

LENGTH_TOLERANCE: Final = 1e-3
"""How far a vector's length may be from 1. float32 rounding of 512 values stays below 1e-6; what is
left is room for models that normalise in half precision."""


def normal_documents(
    documents: Sequence[VectorDocument], dimension: int, largest_id: int
) -> list[VectorDocument]:
    """The documents as they are stored: checked, one for each id, ascending.

    Ascending, because concurrent writers that lock rows in the same order cannot deadlock. Raises
    `ValueError`, which names the document, for anything that must not be stored.
    """
    by_id: dict[int, VectorDocument] = {}
    for document in documents:
        check_id(document.id, largest_id)
        try:
            vector = checked_vector(document.vector, dimension)
        except ValueError as error:
            raise ValueError(f"document {document.id}: {error}") from None
        by_id[int(document.id)] = replace(
            document,
            id=int(document.id),
            vector=vector,
            title=storable_text(document.title),
            artist_handle=storable_text(document.artist_handle),
            artist_did=storable_text(document.artist_did),
        )
    return [by_id[id_] for id_ in sorted(by_id)]


def check_id(id_: int, largest_id: int) -> None:
    """Raise `ValueError` for an id outside [0, `largest_id`]."""
    if not 0 <= id_ <= largest_id:
        raise ValueError(f"id {id_} is outside [0, {largest_id}]")


def checked_vector(vector: NDArray[np.float32], dimension: int) -> NDArray[np.float32]:
    """`vector` as (dimension,) float32. Raises `ValueError` unless it is finite and of length 1."""
    checked = np.asarray(vector, dtype=np.float32)
    if checked.shape != (dimension,):
        raise ValueError(f"the vector has shape {checked.shape} instead of ({dimension},)")
    if not np.isfinite(checked).all():
        raise ValueError("the vector is not finite")
    length = float(np.linalg.norm(checked.astype(np.float64)))
    if abs(length - 1) > LENGTH_TOLERANCE:
        raise ValueError(f"the vector has length {length:.4g} instead of 1")
    return checked


def check_limit(limit: int) -> None:
    """Raise `ValueError` for a limit that no query can have."""
    if not 1 <= limit <= LARGEST_LIMIT:
        raise ValueError(f"limit {limit} is outside [1, {LARGEST_LIMIT}]")


def storable_text(text: str) -> str:
    """`text` without what UTF-8 in Postgres cannot hold: NUL is left out, half of a surrogate pair
    becomes a question mark."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def best_first(matches: Sequence[Match]) -> list[Match]:
    """By similarity, equals by id: the same answer from every store."""
    return sorted(matches, key=lambda match: (-match.similarity, match.track_id))


def model_mismatch(namespace: str, stored: str, model: ModelDescription) -> ModelMismatchError:
    """`stored`: the model of the namespace's vectors, in short form."""
    return ModelMismatchError(
        f'namespace "{namespace}" holds vectors of {stored}, but the configured model is '
        f'{short_form(model.id, model.fingerprint)}; run "moodsearch backfill" to rebuild the '
        "index for the configured model"
    )


def short_form(model_id: str, fingerprint: str) -> str:
    return f"{model_id} ({fingerprint[:8]})"
