"""The query body of the loopback turbopuffer."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.fakes.turbopuffer.filters import Predicate, compile_filter
from tests.fakes.turbopuffer.schema import Attribute, Json, RefusalError, decode_vector

LARGEST_LIMIT = 10_000
_FIELDS = {
    "rank_by",
    "limit",
    "top_k",
    "filters",
    "include_attributes",
    "exclude_attributes",
    "consistency",
    "aggregate_by",
    "vector_encoding",
}
_UNIMPLEMENTED = {"offset", "group_by", "compute_attributes", "rerank_by", "queries"}


@dataclass(frozen=True)
class Query:
    """`order_by`: the attribute that ranks; with `vector`, by the distance to it. `counts`: labels
    of counts, instead of rows."""

    matches: Predicate
    counts: tuple[str, ...] = ()
    order_by: str = "id"
    descending: bool = False
    vector: NDArray[np.float32] | None = None
    limit: int = 0
    attributes: frozenset[str] = frozenset()
    encodes_vectors: bool = False

    def row(self, document: Json) -> Json:
        row: Json = {"id": document["id"]}
        for name in self.attributes & document.keys():
            value = document[name]
            if isinstance(value, np.ndarray):
                raw = value.astype("<f4").tobytes()
                value = base64.b64encode(raw).decode() if self.encodes_vectors else value.tolist()
            row[name] = value
        return row


def parse_query(body: Any, schema: Mapping[str, Attribute]) -> Query:
    """Refuses what the service would refuse, and what this server does not implement."""
    if not isinstance(body, dict):
        raise RefusalError(422, "invalid type, expected a map")
    for name in body:
        if name in _UNIMPLEMENTED:
            raise RefusalError(400, f"this test server does not implement {name!r}")
        if name not in _FIELDS:
            raise RefusalError(422, f"unknown field {name!r}")
    _check_consistency(body.get("consistency", {"level": "strong"}))
    encoding = body.get("vector_encoding", "float")
    if encoding not in {"float", "base64"}:
        raise RefusalError(422, "vector_encoding: unknown variant, expected `float` or `base64`")
    matches = compile_filter(body["filters"], schema) if "filters" in body else _everything
    if "aggregate_by" in body:
        if "rank_by" in body:
            raise RefusalError(400, "aggregate_by cannot be combined with rank_by")
        return Query(matches, counts=_parse_counts(body["aggregate_by"]))
    if "rank_by" not in body:
        raise RefusalError(400, "one of rank_by and aggregate_by is required")
    order_by, descending, vector = _parse_rank_by(body["rank_by"], schema, "filters" in body)
    return Query(
        matches,
        order_by=order_by,
        descending=descending,
        vector=vector,
        limit=_parse_limit(body),
        attributes=_parse_attributes(body, schema),
        encodes_vectors=encoding == "base64",
    )


def _everything(_document: Json) -> bool:
    return True


def _check_consistency(value: Any) -> None:
    if not isinstance(value, dict) or value.get("level") not in {"strong", "eventual"}:
        raise RefusalError(422, "consistency: unknown variant, expected `strong` or `eventual`")


def _parse_counts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, dict) or not value:
        raise RefusalError(422, "aggregate_by: invalid type, expected a map")
    if any(aggregate != ["Count"] for aggregate in value.values()):
        raise RefusalError(400, 'this test server implements ["Count"] alone')
    return tuple(value)


def _parse_rank_by(
    value: Any, schema: Mapping[str, Attribute], filtered: bool
) -> tuple[str, bool, NDArray[np.float32] | None]:
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        raise RefusalError(422, "rank_by: invalid type, expected a sequence")
    name, method, *rest = (*value, None)
    if name != "id" and name not in schema:
        raise RefusalError(400, f"rank_by: unknown attribute {name!r}")
    if len(value) == 2 and method in {"asc", "desc"}:
        if name != "id" and not schema[name].filterable:
            raise RefusalError(400, f"rank_by: attribute {name!r} is not filterable")
        return name, method == "desc", None
    if len(value) != 3 or method not in {"ANN", "kNN"}:
        raise RefusalError(422, f"rank_by: unknown form {str(value)[:80]}")
    if method == "kNN" and not filtered:
        raise RefusalError(400, "rank_by: kNN needs filters")
    vector = decode_vector(rest[0])
    if name == "id" or schema[name].dimension != vector.size:
        raise RefusalError(400, f"rank_by: {vector.size} dimensions do not fit {name!r}")
    return name, False, vector


def _parse_limit(body: Json) -> int:
    if ("limit" in body) == ("top_k" in body):
        raise RefusalError(400, "exactly one of limit and top_k is required")
    limit = body.get("limit", body.get("top_k"))
    if isinstance(limit, dict) and set(limit) == {"total"}:
        limit = limit["total"]
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise RefusalError(422, "limit: invalid type, expected an integer")
    if not 1 <= limit <= LARGEST_LIMIT:
        raise RefusalError(400, f"limit: {limit} is outside [1, {LARGEST_LIMIT}]")
    return limit


def _parse_attributes(body: Json, schema: Mapping[str, Attribute]) -> frozenset[str]:
    if "include_attributes" in body and "exclude_attributes" in body:
        raise RefusalError(400, "include_attributes and exclude_attributes exclude each other")
    included = body.get("include_attributes", "exclude_attributes" in body)
    excluded = body.get("exclude_attributes", [])
    if isinstance(included, bool):
        included = list(schema) if included else []
    for names in (included, excluded):
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise RefusalError(422, "include_attributes: expected a boolean or a sequence of names")
    unknown = set(included) - {"id"} - set(schema)
    if unknown:
        raise RefusalError(400, f"include_attributes: unknown attribute {min(unknown)!r}")
    return frozenset(included) - frozenset(excluded) - {"id"}
