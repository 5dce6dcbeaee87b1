"""The OpenAPI document as one HTML page: no script, no other host."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

Schema = Mapping[str, Any]
Row = tuple[str, ...]

_PLACEHOLDERS: Final = {"boolean": True, "integer": 0, "number": 0.0, "string": "…"}

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – API</title>
<link rel="icon" href="static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="static/style.css">
</head>
<body>
<main class="docs">
<h1>{title} <small>{version}</small></h1>
<p>{description}</p>
<p>The same for programs: <a href="openapi.json">openapi.json</a>.</p>
{operations}
</main>
</body>
</html>
"""


def render_openapi(document: Schema) -> str:
    """A page that shows every operation of `document` (OpenAPI 3.1) with its parameters and
    answers."""
    info = document["info"]
    operations = [
        _operation(document, method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return _PAGE.format(
        title=escape(info["title"]),
        version=escape(info["version"]),
        description=escape(info.get("description", "")),
        operations="\n".join(operations),
    )


def _operation(document: Schema, method: str, path: str, operation: Schema) -> str:
    parts = [
        f"<section><h2><code>{escape(method.upper())} {escape(path)}</code></h2>",
        f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>",
    ]
    parameters = operation.get("parameters", [])
    if parameters:
        rows = [_parameter(document, parameter) for parameter in parameters]
        parts.append(_table(("parameter", "type", "", "meaning"), rows))
    for status, response in operation["responses"].items():
        parts.append(f"<h3>{escape(status)}</h3><p>{escape(response['description'])}</p>")
        rows = [
            (name, _kind(document, header["schema"]), header.get("description", ""))
            for name, header in response.get("headers", {}).items()
        ]
        if rows:
            parts.append(_table(("header", "type", "meaning"), rows))
        for content in response.get("content", {}).values():
            schema = _resolve(document, content.get("schema", {}))
            rows = list(_fields(document, schema))
            if rows:
                parts.append(_table(("field", "type", "meaning"), rows))
                example = json.dumps(_example(document, schema), indent=2, ensure_ascii=False)
                parts.append(f"<pre>{escape(example)}</pre>")
    return "\n".join((*parts, "</section>"))


def _parameter(document: Schema, parameter: Schema) -> Row:
    schema = parameter["schema"]
    default = schema.get("default")
    need = "optional" if default is None else f"default {default}"
    return (
        parameter["name"],
        _kind(document, schema),
        "required" if parameter.get("required") else need,
        parameter.get("description", ""),
    )


def _fields(document: Schema, schema: Schema, prefix: str = "") -> Iterator[Row]:
    """Rows for the schema's properties, those of nested objects under dotted names. Where there are
    several kinds of objects, each kind's come below a row that names it."""
    for name, field in schema.get("properties", {}).items():
        yield f"{prefix}{name}", _kind(document, field), field.get("description", "")
        items = _resolve(document, field.get("items", field))
        path = f"{prefix}{name}{'[]' if 'items' in field else ''}"
        for value, kind in _kinds(document, items).items():
            yield f"{path} ({value})", "object", kind.get("description", "")
            yield from _fields(document, kind, f"{path}.")
        if "properties" in items:
            yield from _fields(document, items, f"{path}.")


def _kinds(document: Schema, schema: Schema) -> dict[str, Schema]:
    """The kinds of objects among which a property decides, by what that property says."""
    mapping = schema.get("discriminator", {}).get("mapping", {})
    return {value: _resolve(document, {"$ref": target}) for value, target in mapping.items()}


def _kind(document: Schema, schema: Schema) -> str:
    schema = _resolve(document, schema)
    if kinds := _kinds(document, schema):
        return " or ".join(kinds)
    if "anyOf" in schema:
        return " or ".join(_kind(document, each) for each in schema["anyOf"])
    if "items" in schema:
        most = f", at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"list of {_kind(document, schema['items'])}{most}"
    if "const" in schema:
        return json.dumps(schema["const"])
    limits = [
        f"{word} {schema[key]}"
        for key, word in (
            ("minLength", "at least"),
            ("maxLength", "at most"),
            ("minimum", "from"),
            ("maximum", "to"),
        )
        if key in schema
    ]
    unit = " characters" if "maxLength" in schema else ""
    kind = str(schema.get("type", "any"))
    return f"{kind}, {' '.join(limits)}{unit}" if limits else kind


def _example(document: Schema, schema: Schema) -> Any:
    """A value that `schema` describes, from its examples where it has some."""
    schema = _resolve(document, schema)
    example: Any
    match schema:
        case {"examples": [first, *_]} | {"const": first}:
            example = first
        case {"anyOf": [first, *_]} | {"oneOf": [first, *_]}:
            example = _example(document, first)
        case {"items": items}:
            example = [_example(document, items)]
        case {"properties": fields}:
            example = {name: _example(document, field) for name, field in fields.items()}
        case {"additionalProperties": field}:
            example = {"name": _example(document, field)}
        case _:
            example = _PLACEHOLDERS.get(schema.get("type", ""))
    return example


def _resolve(document: Schema, schema: Any) -> Schema:
    """`schema`, or what its `$ref` points at; OpenAPI allows `true` for "anything"."""
    if not isinstance(schema, Mapping):
        return {}
    if "$ref" not in schema:
        return schema
    found: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return _resolve(document, found)


def _table(headings: Row, rows: list[Row]) -> str:
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        f"<tr><td><code>{escape(first)}</code></td>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'
