"""What the loopback turbopuffer accepts as ids, attributes and vectors.

Written to the service's documentation (turbopuffer.com/docs/write, autumn 2026). Where that leaves
room, the stricter reading is taken: what passes here should pass there.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Id = int | str
Json = dict[str, Any]

LARGEST_ATTRIBUTE_BYTES = 8 * 2**20
LARGEST_FILTERABLE_BYTES = 4 * 2**10
LARGEST_DOCUMENT_BYTES = 64 * 2**20
MOST_ATTRIBUTES = 1_024
MOST_DIMENSIONS = 10_752
_SCALARS = ("string", "int", "uint", "float", "uuid", "datetime", "bool")
_VECTOR_TYPE = re.compile(r"\[(\d+)\]f(32|16)")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class RefusalError(Exception):
    """The request is answered with `status` and an error body."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Attribute:
    """An attribute's type. `dimension` is 0 unless it is a vector."""

    type: str
    filterable: bool = True
    dimension: int = 0

    def as_json(self) -> Json:
        if self.dimension:
            return {"type": self.type, "ann": True, "filterable": False}
        return {"type": self.type, "filterable": self.filterable}


def parse_schema(value: Any) -> dict[str, Attribute]:
    """The `schema` of a write."""
    if not isinstance(value, dict):
        raise RefusalError(422, "schema: invalid type, expected a map")
    return {check_name(name): _parse_attribute(name, entry) for name, entry in value.items()}


def _parse_attribute(name: str, entry: Any) -> Attribute:
    entry = {"type": entry} if isinstance(entry, str) else entry
    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
        raise RefusalError(422, f"schema.{name}: expected a type or an object with a type")
    unknown = set(entry) - {"type", "ann", "filterable"}
    if unknown:
        raise RefusalError(422, f"schema.{name}: unknown field {min(unknown)!r}")
    if not all(isinstance(entry.get(key, False), bool) for key in ("ann", "filterable")):
        raise RefusalError(422, f"schema.{name}: ann and filterable are booleans here")
    kind = entry["type"]
    vector = _VECTOR_TYPE.fullmatch(kind)
    if vector:
        dimension = int(vector[1])
        if not 1 <= dimension <= MOST_DIMENSIONS:
            raise RefusalError(400, f"schema.{name}: {dimension} dimensions")
        if entry.get("ann") is not True:
            raise RefusalError(400, f"schema.{name}: this server knows vectors with ann only")
        return Attribute(kind, filterable=False, dimension=dimension)
    if kind.removeprefix("[]") not in _SCALARS:
        raise RefusalError(422, f"schema.{name}: unknown variant {kind!r}")
    return Attribute(kind, filterable=entry.get("filterable", True))


def check_name(name: str) -> str:
    """Attribute names: at most 128 bytes, no leading `$`."""
    if not name or name.startswith("$") or len(name.encode()) > 128:
        raise RefusalError(400, f"invalid attribute name {name[:40]!r}")
    return name


def infer_attribute(name: str, value: Any) -> Attribute:
    """The type of an attribute that comes without a schema."""
    if name == "vector":
        dimension = decode_vector(value).size
        return Attribute(f"[{dimension}]f32", filterable=False, dimension=dimension)
    sample, prefix = (value[0], "[]") if isinstance(value, list) and value else (value, "")
    for kind, python in (("bool", bool), ("int", int), ("float", float), ("string", str)):
        if isinstance(sample, python):
            return Attribute(prefix + kind)
    raise RefusalError(400, f"attribute {name!r}: cannot infer a type from {type(value).__name__}")


def check_value(name: str, value: Any, attribute: Attribute) -> None:
    """Refuse a value of another type than the attribute's, or too large a one."""
    if value is None:
        return
    values = value if attribute.type.startswith("[]") and isinstance(value, list) else [value]
    if attribute.type.startswith("[]") and not isinstance(value, list):
        raise RefusalError(400, f"attribute {name!r}: expected {attribute.type}")
    for item in values:
        if not _fits(item, attribute.type.removeprefix("[]")):
            raise RefusalError(400, f"attribute {name!r}: expected {attribute.type}")
    size = len(json.dumps(value, ensure_ascii=False).encode())
    largest = LARGEST_FILTERABLE_BYTES if attribute.filterable else LARGEST_ATTRIBUTE_BYTES
    if size > largest:
        raise RefusalError(400, f"attribute {name!r}: {size} bytes, the limit is {largest}")


def _fits(value: Any, kind: str) -> bool:
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if kind == "int":
        return is_integer and -(2**63) <= value < 2**63
    if kind == "uint":
        return is_integer and 0 <= value < 2**64
    if kind == "float":
        return is_integer or isinstance(value, float)
    if kind == "bool":
        return isinstance(value, bool)
    return isinstance(value, str)


def check_id(value: Any) -> Id:
    """An unsigned 64-bit integer, a UUID, or a string of at most 64 bytes."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64:
        return value
    if isinstance(value, str) and 0 < len(value.encode()) <= 64:
        return value
    raise RefusalError(400, f"invalid id {str(value)[:80]!r}")


def id_kind(value: Id) -> str:
    """A namespace holds one kind of ids."""
    if isinstance(value, int):
        return "uint"
    return "uuid" if _UUID.fullmatch(value) else "string"


def decode_vector(value: Any) -> NDArray[np.float32]:
    """From an array of numbers, or base64 of little-endian float32."""
    if isinstance(value, str):
        try:
            raw = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise RefusalError(400, "vector: invalid base64") from None
        if len(raw) % 4:
            raise RefusalError(400, "vector: base64 of something else than float32")
        vector = np.frombuffer(raw, dtype="<f4").astype(np.float32)
    elif isinstance(value, list) and all(_fits(item, "float") for item in value):
        vector = np.array(value, dtype=np.float32)
    else:
        raise RefusalError(422, "vector: invalid type, expected a sequence of numbers or base64")
    if not np.isfinite(vector).all():
        raise RefusalError(400, "vector: not finite")
    return vector
