"""Runs the API until it is told to stop."""

import contextlib
import errno
import logging.config
import socket
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import uvicorn

from resources.backends import Backends
from resources.errors import UserError
from resources.settings import Settings
from serving.api.app import create_app
from serving.web.connections import limited_config
from serving.web.hosts import allowed_hosts, bracketed, is_loopback

SHUTDOWN_SECONDS: Final = 5
"""How long requests that are being answered may take after the signal to stop."""

_PROBES: Final = ("/healthz", "/readyz")

LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"probes": {"()": "serving.api.server.NotAProbe"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["probes"]}
    },
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {
        "serving": {"level": "INFO"},
        "uvicorn": {"level": "WARNING"},
        "uvicorn.access": {"level": "INFO"},
    },
}
"""One line for an event, on standard error."""

logger = logging.getLogger(__name__)


class NotAProbe(logging.Filter):
    """Leaves out of the access log that somebody asks every second whether we live."""

    def filter(self, record: logging.LogRecord) -> bool:
        match record.name, record.args:
            # Uvicorn's arguments: client, method, path with query, HTTP version, status.
            case "uvicorn.access", (_, _, str(path), _, _):
                return path.split("?", 1)[0] not in _PROBES
        return True


def serve(backends: Backends, host: str, port: int) -> None:
    """Answer on `host`:`port` (0: any free one) until SIGINT or SIGTERM, and then finish what is
    being answered.

    Raises `UserError` when nobody can listen there, and `ConfigurationError` for a model that
    cannot be used.
    """
    with _listen(host, port) as listener:
        # Before uvicorn does: the start has something to say, too.
        logging.config.dictConfig(LOGGING)
        app = create_app(backends, hosts=own_names(backends.settings, host))
        config = limited_config(app, log_config=None, timeout_graceful_shutdown=SHUTDOWN_SECONDS)
        # Uvicorn raises the signal again after a clean stop; that is how a server ends.
        with contextlib.suppress(KeyboardInterrupt):
            _Server(config).run(sockets=[listener])


def own_names(settings: Settings, host: str) -> list[str] | None:
    """What the API may be called where it serves one's own library to this machine alone: there
    the person is known by being here, and a page of another site must not pass for them. None for
    any name: what everybody may ask has nothing to hide from a page."""
    if settings.database_url is not None or not is_loopback(host):
        return None
    origins = [urlsplit(origin).hostname or "" for origin in settings.api_allowed_origins]
    return [*allowed_hosts(host), *map(bracketed, origins)]


class _Server(uvicorn.Server):
    """Says where it is once it answers."""

    async def startup(self, sockets: Sequence[socket.socket] | None = None) -> None:
        await super().startup(list(sockets or []))
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            host = f"[{host}]" if ":" in host else host
            logger.info("mood search is at http://%s:%d", host, port)


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises `UserError`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        raise UserError(f"{host!r} is no address to listen on; choose another --host") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Now, not when the model is loaded: otherwise a second server would find the port free.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise UserError(_why_not(error, host, port)) from None
    return listener


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; stop what runs there, or choose another --port"
    return f"cannot listen on {host}:{port}: {error.strerror}; choose another --host or --port"
