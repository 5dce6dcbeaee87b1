"""Runs an ASGI application on loopback."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Final

import httpx
import uvicorn
from starlette.types import ASGIApp

from resources.embedding.protocol import EmbeddingModel
from serving.embedding_service import Limits, create_embedding_service
from serving.embedding_service.addresses import Address
from serving.web.connections import ConnectionLimits, limited_config

HERE: Final = ip_address("127.0.0.1")


def only_here(address: Address) -> bool:
    """This host's usual address; 127.0.0.2 stands for everybody's private network."""
    return address == HERE


@contextmanager
def running(application: ASGIApp, limits: ConnectionLimits | None = None) -> Iterator[str]:
    """The URL at which uvicorn serves `application`, in a thread of this process."""
    config = limited_config(application, limits, log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@contextmanager
def limited(model: EmbeddingModel, limits: Limits) -> Iterator[httpx.Client]:
    """A client of a service of its own."""
    with (
        running(create_embedding_service(model, limits, may_reach=only_here)) as url,
        httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
    ):
        yield client


def raw(url: str, content: bytes) -> socket.socket:
    """A connection to the host of `url` on which `content` was sent."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.sendall(content)
    return connection
