"""A namespace of the loopback turbopuffer: documents in memory, searched exactly."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.fakes.turbopuffer.filters import compile_filter
from tests.fakes.turbopuffer.query import Query, parse_query
from tests.fakes.turbopuffer.schema import (
    LARGEST_DOCUMENT_BYTES,
    MOST_ATTRIBUTES,
    Attribute,
    Id,
    Json,
    RefusalError,
    check_id,
    check_name,
    check_value,
    decode_vector,
    id_kind,
    infer_attribute,
    parse_schema,
)

_WRITE_FIELDS = {
    "upsert_rows",
    "upsert_columns",
    "deletes",
    "delete_by_filter",
    "distance_metric",
    "schema",
}
_UNIMPLEMENTED = {
    "patch_rows",
    "patch_columns",
    "patch_by_filter",
    "upsert_condition",
    "patch_condition",
    "delete_condition",
    "copy_from_namespace",
    "branch_from_namespace",
    "create_namespace",
    "sharding",
    "encryption",
    "return_affected_ids",
    "disable_backpressure",
}


class Namespace:
    """Not safe to use from threads: the server holds a lock."""

    def __init__(self) -> None:
        self.schema: dict[str, Attribute] = {}
        self.documents: dict[Id, Json] = {}
        self.distance_metric: str | None = None
        self.id_kind: str | None = None

    def write(self, body: Any) -> Json:
        """Apply a write as a whole, or refuse it as a whole."""
        if not isinstance(body, dict):
            raise RefusalError(422, "invalid type, expected a map")
        for name in body:
            if name in _UNIMPLEMENTED:
                raise RefusalError(400, f"this test server does not implement {name!r}")
            if name not in _WRITE_FIELDS:
                raise RefusalError(422, f"unknown field {name!r}")
        schema = self._merged_schema(parse_schema(body.get("schema", {})))
        rows = _rows(body)
        deletes = _ids(body.get("deletes", []))
        kind = self._checked_id_kind([row["id"] for row in rows] + deletes)
        documents = [_document(row, schema) for row in rows]
        metric = self._checked_metric(body.get("distance_metric"), schema)
        if len(schema) > MOST_ATTRIBUTES:
            raise RefusalError(400, f"{len(schema)} attributes, the limit is {MOST_ATTRIBUTES}")
        deleted = self._delete_by_filter(body.get("delete_by_filter"))
        self.schema, self.distance_metric, self.id_kind = schema, metric, kind
        for document in documents:
            self.documents[document["id"]] = document
        deleted += sum(self.documents.pop(id_, None) is not None for id_ in deletes)
        return {
            "status": "OK",
            "message": "",
            "rows_affected": len(documents) + deleted,
            "rows_upserted": len(documents),
            "rows_deleted": deleted,
            "billing": {"billable_logical_bytes_written": 0},
            "performance": {"server_total_ms": 0},
        }

    def query(self, body: Any) -> Json:
        """Rank or count, exactly."""
        query = parse_query(body, self.schema)
        matching = [document for document in self.documents.values() if query.matches(document)]
        answer: Json = {
            "billing": {"billable_logical_bytes_queried": 0, "billable_logical_bytes_returned": 0},
            "performance": {
                "approx_namespace_size": len(self.documents),
                "exhaustive_search_count": len(matching),
                "server_total_ms": 0,
            },
        }
        if query.counts:
            answer["aggregations"] = dict.fromkeys(query.counts, len(matching))
        elif query.vector is not None:
            answer["rows"] = self._nearest(query, query.vector, matching)
        else:
            ranked = [document for document in matching if query.order_by in document]
            ranked.sort(key=lambda document: document[query.order_by], reverse=query.descending)
            answer["rows"] = [query.row(document) for document in ranked[: query.limit]]
        return answer

    def _nearest(
        self, query: Query, vector: NDArray[np.float32], documents: list[Json]
    ) -> list[Json]:
        found = [document for document in documents if query.order_by in document]
        if not found:
            return []
        matrix = np.stack([document[query.order_by] for document in found])
        if self.distance_metric == "cosine_distance":
            lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(vector)
            distances = 1 - (matrix @ vector) / lengths
        else:
            distances = ((matrix - vector) ** 2).sum(axis=1)
        order = np.argsort(distances, kind="stable")[: query.limit]
        return [query.row(found[i]) | {"$dist": float(distances[i])} for i in order]

    def _merged_schema(self, declared: dict[str, Attribute]) -> dict[str, Attribute]:
        for name, attribute in declared.items():
            known = self.schema.get(name)
            if known is not None and known.type != attribute.type:
                raise RefusalError(400, f"schema.{name}: {known.type}, not {attribute.type}")
            if known is None and attribute.dimension and self.documents:
                raise RefusalError(400, f"schema.{name}: too late to add a vector attribute")
        return {**self.schema, **declared}

    def _checked_id_kind(self, ids: list[Id]) -> str | None:
        kinds = {id_kind(id_) for id_ in ids} | ({self.id_kind} if self.id_kind else set())
        if len(kinds) > 1:
            raise RefusalError(400, f"ids of several kinds: {sorted(kinds)}")
        return kinds.pop() if kinds else None

    def _checked_metric(self, metric: Any, schema: dict[str, Attribute]) -> str | None:
        if metric is not None and metric not in {"cosine_distance", "euclidean_squared"}:
            raise RefusalError(422, f"distance_metric: unknown variant {metric!r}")
        if self.distance_metric and metric and metric != self.distance_metric:
            raise RefusalError(400, "distance_metric cannot change")
        has_vectors = any(attribute.dimension for attribute in schema.values())
        if has_vectors and not (metric or self.distance_metric):
            raise RefusalError(400, "distance_metric is required on the first write with vectors")
        return metric or self.distance_metric

    def _delete_by_filter(self, value: Any) -> int:
        if value is None:
            return 0
        matches = compile_filter(value, self.schema)
        doomed = [id_ for id_, document in self.documents.items() if matches(document)]
        for id_ in doomed:
            del self.documents[id_]
        return len(doomed)


def _rows(body: Json) -> list[Json]:
    rows = body.get("upsert_rows", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RefusalError(422, "upsert_rows: invalid type, expected a sequence of maps")
    rows = rows + _rows_from_columns(body.get("upsert_columns", {}))
    seen: set[Id] = set()
    for row in rows:
        if check_id(row.get("id")) in seen:
            raise RefusalError(400, f"id {row['id']!r} comes twice")
        seen.add(row["id"])
    return rows


def _rows_from_columns(columns: Any) -> list[Json]:
    if not isinstance(columns, dict) or not all(isinstance(c, list) for c in columns.values()):
        raise RefusalError(422, "upsert_columns: invalid type, expected a map of sequences")
    if len({len(column) for column in columns.values()}) > 1:
        raise RefusalError(400, "upsert_columns: columns of several lengths")
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _ids(value: Any) -> list[Id]:
    if not isinstance(value, list):
        raise RefusalError(422, "deletes: invalid type, expected a sequence")
    return [check_id(item) for item in value]


def _document(row: Json, schema: dict[str, Attribute]) -> Json:
    """The row as it is kept. Adds new attributes to `schema`."""
    document: Json = {"id": row["id"]}
    size = 0
    for name, value in row.items():
        if name == "id" or value is None:
            continue
        if name not in schema:
            schema[check_name(name)] = infer_attribute(name, value)
        attribute = schema[name]
        if attribute.dimension:
            vector = decode_vector(value)
            if vector.size != attribute.dimension:
                raise RefusalError(400, f"{name}: {vector.size} dimensions, not {attribute.type}")
            size += vector.nbytes
            document[name] = vector
        else:
            check_value(name, value, attribute)
            size += len(str(value).encode())
            document[name] = value
    if size > LARGEST_DOCUMENT_BYTES:
        raise RefusalError(400, f"document of {size} bytes")
    return document
