"""The OpenAPI document as one HTML page: no script, no other host."""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

Schema = Mapping[str, Any]
Row = tuple[str, ...]

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
        _operation(method, path, operation)
        for path, methods in _inlined(document, document["paths"]).items()
        for method, operation in methods.items()
    ]
    return _PAGE.format(
        title=escape(info["title"]),
        version=escape(info["version"]),
        description=escape(info.get("description", "")),
        operations="\n".join(operations),
    )


def _operation(method: str, path: str, operation: Schema) -> str:
    parameters = [_parameter(parameter) for parameter in operation.get("parameters", [])]
    parts = [
        f"<section><h2><code>{escape(method.upper())} {escape(path)}</code></h2>",
        f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>",
        _table(("parameter", "type", "", "meaning"), parameters),
    ]
    for status, response in operation["responses"].items():
        parts.append(f"<h3>{escape(status)}</h3><p>{escape(response['description'])}</p>")
        headers = [
            (name, _kind(header["schema"]), header.get("description", ""))
            for name, header in response.get("headers", {}).items()
        ]
        parts.append(_table(("header", "type", "meaning"), headers))
        for content in response.get("content", {}).values():
            fields = list(_fields(content.get("schema", {})))
            parts.append(_table(("field", "type", "meaning"), fields))
    return "\n".join((*parts, "</section>"))


def _parameter(parameter: Schema) -> Row:
    schema = parameter["schema"]
    default = schema.get("default")
    need = "optional" if default is None else f"default {default}"
    return (
        parameter["name"],
        _kind(schema),
        "required" if parameter.get("required") else need,
        parameter.get("description", ""),
    )


def _fields(schema: Schema, prefix: str = "") -> Iterator[Row]:
    """Rows for the schema's properties, those of nested objects under dotted names. Where there are
    several kinds of objects, each kind's come below a row that names it."""
    for name, field in schema.get("properties", {}).items():
        yield f"{prefix}{name}", _kind(field), field.get("description", "")
        items = field.get("items", field)
        path = f"{prefix}{name}{'[]' if 'items' in field else ''}"
        for value, kind in _kinds(items).items():
            yield f"{path} ({value})", "object", kind.get("description", "")
            yield from _fields(kind, f"{path}.")
        if "properties" in items:
            yield from _fields(items, f"{path}.")


def _kinds(schema: Schema) -> dict[str, Schema]:
    """The kinds of objects among which a property decides, by what that property says."""
    if "discriminator" not in schema:
        return {}
    deciding = schema["discriminator"]["propertyName"]
    return {kind["properties"][deciding]["const"]: kind for kind in schema["oneOf"]}


def _kind(schema: Schema) -> str:
    if kinds := _kinds(schema):
        return " or ".join(kinds)
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "items" in schema:
        most = f", at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"list of {_kind(schema['items'])}{most}"
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


def _inlined(document: Schema, part: Any) -> Any:
    """`part` with what each of its `$ref` points at in its place."""
    if isinstance(part, list):
        return [_inlined(document, each) for each in part]
    if not isinstance(part, Mapping):
        return part
    if "$ref" not in part:
        return {name: _inlined(document, value) for name, value in part.items()}
    found: Any = document
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return _inlined(document, found)


def _table(headings: Row, rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        f"<tr><td><code>{escape(first)}</code></td>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'
