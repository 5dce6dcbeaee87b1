"""The filter language of the loopback turbopuffer: the comparisons on scalars, And, Or and Not."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.turbopuffer.schema import Attribute, Json, RefusalError, check_id, check_value

Predicate = Callable[[Json], bool]

# Documented: "Lt" and "Lte" match documents that lack the attribute.
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Eq": lambda value, wanted: bool(value == wanted),
    "NotEq": lambda value, wanted: bool(value != wanted),
    "Lt": lambda value, wanted: value is None or value < wanted,
    "Lte": lambda value, wanted: value is None or value <= wanted,
    "Gt": lambda value, wanted: value is not None and value > wanted,
    "Gte": lambda value, wanted: value is not None and value >= wanted,
    "In": lambda value, wanted: value in wanted,
    "NotIn": lambda value, wanted: value not in wanted,
}


def compile_filter(value: Any, schema: Mapping[str, Attribute]) -> Predicate:
    """A test of one document. Refuses unknown operators and attributes that are not filterable."""
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        raise RefusalError(422, "filters: invalid type, expected a sequence")
    if len(value) == 2 and value[0] in {"And", "Or"}:
        return _compile_group(value[0], value[1], schema)
    if len(value) == 2 and value[0] == "Not":
        inner = compile_filter(value[1], schema)
        return lambda document: not inner(document)
    if len(value) != 3 or value[1] not in _COMPARISONS:
        raise RefusalError(422, f"filters: unknown form {str(value)[:80]}")
    return _compile_comparison(value[0], value[1], value[2], schema)


def _compile_group(operator: str, parts: Any, schema: Mapping[str, Attribute]) -> Predicate:
    if not isinstance(parts, list):
        raise RefusalError(422, f"filters: {operator} expects a sequence of filters")
    predicates = [compile_filter(part, schema) for part in parts]
    combine = all if operator == "And" else any
    return lambda document: combine(predicate(document) for predicate in predicates)


def _compile_comparison(
    name: str, operator: str, wanted: Any, schema: Mapping[str, Attribute]
) -> Predicate:
    wanted_values = wanted if operator in {"In", "NotIn"} else [wanted]
    if not isinstance(wanted_values, list):
        raise RefusalError(422, f"filters: {operator} expects a sequence")
    if name == "id":
        for item in wanted_values:
            check_id(item)
    elif name not in schema:
        raise RefusalError(400, f"filters: unknown attribute {name!r}")
    elif not schema[name].filterable:
        raise RefusalError(400, f"filters: attribute {name!r} is not filterable")
    else:
        for item in wanted_values:
            check_value(name, item, schema[name])
    if wanted is None and operator not in {"Eq", "NotEq"}:
        raise RefusalError(400, f"filters: {operator} cannot compare with null")
    compare = _COMPARISONS[operator]
    return lambda document: compare(document.get(name), wanted)
