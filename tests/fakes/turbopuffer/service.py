"""The namespaces of the loopback turbopuffer and its routes, without HTTP."""

import re
import threading
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.turbopuffer.namespace import Namespace
from tests.fakes.turbopuffer.schema import Json, RefusalError

_NAMESPACE = re.compile(r"[A-Za-z0-9\-_.]{1,128}")


class Service:
    """Safe to use from threads: one request at a time, each sees all before it."""

    def __init__(self) -> None:
        self.namespaces: dict[str, Namespace] = {}
        self._lock = threading.Lock()

    def answer(self, method: str, target: str, body: Json) -> Json:
        """The answer to an authenticated request; raises `RefusalError`."""
        url = urlsplit(target)
        with self._lock:
            if (method, url.path) == ("GET", "/v1/namespaces"):
                return self._list(parse_qs(url.query))
            for pattern, action in _ROUTES.items():
                found = re.fullmatch(pattern, f"{method} {url.path}")
                if found:
                    return action(self, _namespace_name(found[1]), body)
        raise RefusalError(404, f"no route {method} {url.path}")

    def existing(self, name: str) -> Namespace:
        if name not in self.namespaces:
            raise RefusalError(404, f"namespace '{name}' was not found")
        return self.namespaces[name]

    def _list(self, query: dict[str, list[str]]) -> Json:
        prefix = query.get("prefix", [""])[0]
        after = query.get("cursor", [""])[0]
        size = int(query.get("page_size", ["100"])[0])
        names = sorted(n for n in self.namespaces if n.startswith(prefix) and n > after)
        page: Json = {"namespaces": [{"id": name} for name in names[:size]]}
        return page | ({"next_cursor": names[size - 1]} if len(names) > size else {})


def _namespace_name(segment: str) -> str:
    name = unquote(segment)
    if not _NAMESPACE.fullmatch(name):
        raise RefusalError(400, f"invalid namespace name {name[:150]!r}")
    return name


def _write(service: Service, name: str, body: Json) -> Json:
    namespace = service.namespaces.get(name, Namespace())
    answer = namespace.write(body)
    # Documented: the first request that writes documents creates the namespace.
    if namespace.documents:
        service.namespaces[name] = namespace
    return answer


def _query(service: Service, name: str, body: Json) -> Json:
    return service.existing(name).query(body)


def _delete_all(service: Service, name: str, _body: Json) -> Json:
    service.existing(name)
    del service.namespaces[name]
    return {"status": "OK"}


def _schema(service: Service, name: str, _body: Json) -> Json:
    schema = service.existing(name).schema
    return {attribute: kind.as_json() for attribute, kind in schema.items()}


def _metadata(service: Service, name: str, body: Json) -> Json:
    return {
        "schema": _schema(service, name, body),
        "approx_row_count": len(service.existing(name).documents),
        "approx_logical_bytes": 0,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "encryption": {"sse": True},
        "index": {"status": "up-to-date"},
    }


def _warm(service: Service, name: str, _body: Json) -> Json:
    service.existing(name)
    return {"status": "OK", "message": "cache is warm"}


_ROUTES: dict[str, Callable[[Service, str, Json], Json]] = {
    r"POST /v2/namespaces/([^/]+)": _write,
    r"POST /v2/namespaces/([^/]+)/query": _query,
    r"DELETE /v2/namespaces/([^/]+)": _delete_all,
    r"GET /v2/namespaces/([^/]+)/metadata": _metadata,
    r"GET /v1/namespaces/([^/]+)/schema": _schema,
    r"GET /v1/namespaces/([^/]+)/hint_cache_warm": _warm,
}
