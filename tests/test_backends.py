"""Backends: one database for the product and for Dagster, whatever its address, shared by threads,
and every failure of a start said in one line with nothing left running."""

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from pipelines.instance import INSTANCE, dagster_instance, prepare_dagster
from pipelines.storage import storage_url
from resources.backends import Backends
from resources.catalogue.connection import BOUNDED
from resources.catalogue.database import DAGSTER_SCHEMA, SessionLock
from resources.errors import BackendError, ConfigurationError, UserError
from resources.machine.postgres import EmbeddedPostgres
from resources.session_secret import session_secret
from resources.settings import load_settings
from serving.cli import up
from tests.imports import loaded_by

ROOT = Path(__file__).resolve().parents[1]
SEARCH_PATH = f"-csearch_path={DAGSTER_SCHEMA}"
UNWRITABLE = Path("/proc/moodsearch")
"""Where not even root can make a folder."""


@pytest.fixture
def backends(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backends]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with Backends(load_settings()) as backends:
        yield backends


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # Not under pytest's folders: they are closed to the other user that Postgres runs as for root.
    path = Path(tempfile.mkdtemp(prefix="moodsearch-tests-"))
    monkeypatch.setenv("MOODSEARCH_HOME", str(path))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def _one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


# Dagster's address


def _as_libpq_sees_it(url: str) -> dict[str, str]:
    """What psycopg2 is given for a SQLAlchemy URL, as libpq's own parser reads it."""
    address = sa.make_url(url)
    _, arguments = address.get_dialect()().create_connect_args(address)
    names = {"database": "dbname"}
    text = psycopg.conninfo.make_conninfo(
        **{names.get(name, name): value for name, value in arguments.items()}
    )
    return {name: str(value) for name, value in conninfo_to_dict(text).items()}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user@host/app",
        "postgres://user:word@host:5433/app",
        "postgresql://user:p%40ss%2Fw%3Ard%3F%23%25@host:5432/app",
        "postgresql://us%40er:%20%26%3D%2B@host/app",
        "postgresql://user:word@[::1]:5432/app",
        "postgresql://user:word@[2001:db8::1%25eth0]/app",
        "postgresql:///app?host=/var/run/postgresql",
        "postgresql://user@/app?host=/tmp/a%20folder&port=5433",
        "postgresql://user@%2Fvar%2Frun%2Fpostgresql/app",
        "postgresql://user:word@one:5432,two:5433/app?target_session_attrs=read-write",
        "postgresql://user:word@host/app?sslmode=require&application_name=a%26b%3Dc",
        "postgresql://user:word@host/app%20name%2F1",
        "postgresql://user:word@host",
        "postgresql://",
    ],
)
def test_dagster_finds_the_database_that_libpq_finds(url: str) -> None:
    bounds = {name: str(value) for name, value in BOUNDED.items()}
    expected = bounds | {name: str(value) for name, value in conninfo_to_dict(url).items()}
    assert _as_libpq_sees_it(storage_url(url)) == {**expected, "options": SEARCH_PATH}


@pytest.mark.parametrize(
    ("options", "merged"),
    [
        ("-cstatement_timeout%3D5000", f"-cstatement_timeout=5000 {SEARCH_PATH}"),
        ("-c%20search_path%3Dother%20-c%20a.b%3D1", f"-c search_path=other -c a.b=1 {SEARCH_PATH}"),
        ("endpoint%3Dep-cool-1", f"endpoint=ep-cool-1 {SEARCH_PATH}"),
    ],
)
def test_options_of_the_address_are_kept(options: str, merged: str) -> None:
    url = f"postgresql://user:word@host/app?options={options}&sslmode=require"
    assert _as_libpq_sees_it(storage_url(url))["options"] == merged
    assert sa.make_url(storage_url(url)).query["sslmode"] == "require"


def test_one_port_goes_for_every_host() -> None:
    seen = _as_libpq_sees_it(storage_url("postgresql:///app?host=one,two&port=5433"))
    assert (seen["host"], seen["port"]) == ("one,two", "5433,5433")


@given(word=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_any_user_password_and_database_arrive_as_they_are(word: str) -> None:
    quoted = quote(word, safe="")
    seen = _as_libpq_sees_it(storage_url(f"postgresql://{quoted}:{quoted}@host/{quoted}"))
    assert (seen["user"], seen["password"], seen["dbname"]) == (word, word, word)


def test_dagster_starts_on_an_address_with_options(
    database_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    separator = "&" if "?" in database_url else "?"
    monkeypatch.setenv("DATABASE_URL", f"{database_url}{separator}options=-cwork_mem%3D5MB")
    with Backends(load_settings()) as backends:
        with dagster_instance(backends) as instance:
            assert instance.get_runs_count() == 0
        tables = backends.database.rows(
            "SELECT 1 FROM pg_tables WHERE schemaname = %(schema)s", {"schema": DAGSTER_SCHEMA}
        )
        assert tables
        assert backends.database.rows("SHOW work_mem")[0]["work_mem"] == "5MB"


# What runs here and what does not


def test_by_default_nothing_is_far_away_and_nothing_charges(backends: Backends) -> None:
    assert not backends.store.is_remote
    assert not backends.audio_model.is_remote
    assert not backends.classifier.is_remote
    charged = (
        *backends.audio_model.charges_for,
        *backends.vectors.charges_for,
        *backends.classifier.charges_for,
    )
    assert charged == ()


def test_services_say_that_they_are_far_away_and_charge(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "http://127.0.0.1:9"
    for name, value in {
        "DATABASE_URL": database_url,
        "R2_ENDPOINT_URL": nowhere,
        "R2_BUCKET": "audio",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "MODAL_ENABLED": "true",
        "MODAL_EMBED_AUDIO_URL": nowhere,
        "MODAL_EMBED_TEXT_URL": nowhere,
        "TURBOPUFFER_ENABLED": "true",
        "TURBOPUFFER_API_KEY": "key",
        "TURBOPUFFER_BASE_URL": nowhere,
        "REPLICATE_ENABLED": "true",
        "REPLICATE_API_TOKEN": "token",
    }.items():
        monkeypatch.setenv(name, value)
    with Backends(load_settings()) as backends:
        assert backends.store.is_remote
        assert backends.audio_model.is_remote
        assert backends.classifier.is_remote
        charged = (
            *backends.audio_model.charges_for,
            *backends.vectors.charges_for,
            *backends.classifier.charges_for,
        )
    assert {measure.service for measure in charged} == {"modal", "turbopuffer", "replicate"}


# Dagster's home and schema


def test_dagsters_settings_are_replaced_in_one_step_and_only_when_they_differ(
    backends: Backends,
) -> None:
    copy = backends.settings.moodsearch_home / "dagster" / "dagster.yaml"
    prepare_dagster(backends)
    first = copy.stat()
    prepare_dagster(backends)
    assert copy.stat().st_ino == first.st_ino
    assert copy.stat().st_mtime_ns == first.st_mtime_ns
    copy.write_text("storage: {}")
    with copy.open() as reader:
        prepare_dagster(backends)
        assert reader.read() == "storage: {}"  # Whoever reads the old file reads all of it.
    assert copy.read_bytes() == INSTANCE.read_bytes()
    assert [path.name for path in copy.parent.iterdir()] == ["dagster.yaml"]


def test_a_schema_that_the_administrator_made_for_dagster_is_enough(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user may not create schemas, and each refusal names what has to be run."""
    user = "dagster_" + str(conninfo_to_dict(database_url)["dbname"])
    monkeypatch.setenv("DATABASE_URL", database_url.replace("postgres:@", f"{user}:@"))
    with psycopg.connect(database_url, autocommit=True) as administrator:
        administrator.execute(f"CREATE ROLE {user} LOGIN".encode())
        try:
            administrator.execute(f"GRANT USAGE ON SCHEMA moodsearch TO {user}".encode())
            tables = f"GRANT ALL ON ALL TABLES IN SCHEMA moodsearch, public TO {user}"
            administrator.execute(tables.encode())
            with Backends(load_settings()) as backends:
                with pytest.raises(ConfigurationError) as caught:
                    prepare_dagster(backends)
                wanted = f"CREATE SCHEMA {DAGSTER_SCHEMA} AUTHORIZATION {user}"
                assert _one_line(caught).endswith(f"run: {wanted}")
                administrator.execute(f"CREATE SCHEMA {DAGSTER_SCHEMA}".encode())
                with pytest.raises(ConfigurationError) as caught:
                    prepare_dagster(backends)
                wanted = f"GRANT ALL ON SCHEMA {DAGSTER_SCHEMA} TO {user}"
                assert _one_line(caught).endswith(f"run: {wanted}")
                administrator.execute(wanted.encode())
                with dagster_instance(backends) as instance:
                    assert instance.get_runs_count() == 0
        finally:
            administrator.execute(f"DROP OWNED BY {user} CASCADE".encode())
            administrator.execute(f"DROP ROLE {user}".encode())


# A start that fails


def test_a_service_that_is_not_configured_is_not_imported(database_url: str) -> None:
    program = (
        "from resources.backends import Backends\n"
        "from resources.settings import load_settings\n"
        "with Backends(load_settings()) as b:\n"
        "    b.store, b.audio_model, b.text_model, b.vectors, b.classifier, b.work"
    )
    clients = ["boto3", "turbopuffer", "replicate", "modal", "huggingface_hub", "httpx", "alembic"]
    assert loaded_by(program, clients, DATABASE_URL=database_url) == []


@pytest.mark.slow
def test_a_start_that_fails_leaves_no_server_running(home: Path) -> None:
    with EmbeddedPostgres(home) as server, psycopg.connect(server.url, autocommit=True) as its:
        its.execute("CREATE TABLE public.tracks (lap_seconds real)")
    with pytest.raises(ConfigurationError, match=r"public\.tracks"):
        Backends(load_settings())
    assert not (home / "postgres" / "postmaster.pid").exists()


def test_a_home_that_cannot_be_written_to_is_one_line(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOODSEARCH_HOME", str(UNWRITABLE))
    with pytest.raises(UserError, match="MOODSEARCH_HOME") as caught:
        Backends(load_settings())
    assert _one_line(caught)
    with pytest.raises(UserError, match="SESSION_SECRET") as caught:
        session_secret(load_settings())
    assert _one_line(caught)
    monkeypatch.setenv("DATABASE_URL", database_url)
    with Backends(load_settings()) as backends:
        with pytest.raises(UserError, match="MOODSEARCH_HOME") as caught:
            prepare_dagster(backends)
        assert _one_line(caught)
    with pytest.raises(UserError, match="MOODSEARCH_HOME") as caught:
        up.run("127.0.0.1", 0, 0)
    assert _one_line(caught)


@pytest.mark.parametrize("name", ["postgres", "postgres.users", "postgres.start"])
def test_something_else_in_the_home_under_our_names_is_one_line(home: Path, name: str) -> None:
    """As a disk that became read-only: the rest of the home is there."""
    (home / name).write_text("") if name == "postgres" else (home / name).mkdir()
    with pytest.raises(UserError, match="MOODSEARCH_HOME") as caught:
        Backends(load_settings())
    assert _one_line(caught)


# The session secret


def test_a_session_secret_is_made_once_and_kept(home: Path) -> None:
    secret = session_secret(load_settings())
    assert len(secret) >= 32
    assert session_secret(load_settings()) == secret
    assert (home / "session_secret").stat().st_mode & 0o077 == 0
    assert [path.name for path in home.iterdir()] == ["session_secret"]


def test_an_empty_session_secret_is_refused(home: Path) -> None:
    (home / "session_secret").write_text("\n")
    with pytest.raises(UserError, match="delete it"):
        session_secret(load_settings())


# Threads and locks

OPEN_FROM_THREADS = textwrap.dedent(
    """
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier
    from pipelines.shared import shared_backends

    together = Barrier(8)

    def opened(_):
        together.wait()
        return id(shared_backends())

    with ThreadPoolExecutor(8) as threads:
        print(len(set(threads.map(opened, range(8)))))
    """
)


@pytest.mark.slow
def test_threads_that_ask_at_once_share_one_set_of_backends(database_url: str) -> None:
    printed = subprocess.check_output(
        [sys.executable, "-c", OPEN_FROM_THREADS],
        env={**os.environ, "DATABASE_URL": database_url},
        cwd=ROOT,
        text=True,
    )
    assert printed == "1\n"


def test_a_lock_is_held_by_one_until_it_lets_go(database_url: str) -> None:
    with SessionLock(database_url, 1) as first:
        assert first.is_held
        with SessionLock(database_url, 1) as second, SessionLock(database_url, 2) as other:
            assert (second.is_held, other.is_held) == (False, True)
    with SessionLock(database_url, 1) as third:
        assert third.is_held


def test_a_lock_whose_connection_was_lost_is_taken_again(database_url: str) -> None:
    with SessionLock(database_url, 1) as lock, psycopg.connect(database_url, autocommit=True) as us:
        us.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"
        )
        with SessionLock(database_url, 1) as another:
            assert another.is_held
            for _ in range(3):
                lock.keep()
            assert not lock.is_held
        lock.keep()
        assert lock.is_held
        with SessionLock(database_url, 1) as another:
            assert not another.is_held


@pytest.mark.slow
def test_a_server_that_is_down_is_waited_for(home: Path) -> None:
    server = EmbeddedPostgres(home)
    with SessionLock(server.url, 1) as lock:
        server.close()
        for _ in range(3):
            lock.keep()
        assert not lock.is_held
        with pytest.raises(BackendError), SessionLock(server.url, 1):
            pass
        with EmbeddedPostgres(home):
            lock.keep()
            assert lock.is_held
