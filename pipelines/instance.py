"""Dagster's home and storage, beside the catalogue, shared by every process of the product."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import dagster as dg
import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict

from resources.backends import DAGSTER_SCHEMA, Backends
from resources.catalogue.database import database_error
from resources.catalogue.schema.migrate import ensure_schema, refused
from resources.machine.postgres import cannot_write

REPOSITORY: Final = Path(__file__).resolve().parents[1]
"""Where `dagster.yaml` and `workspace.yaml` are."""

CODE_SERVER_WORKSPACE: Final = Path(__file__).with_name("code_server.yaml")
"""For programs that ask the code server whose socket MOODSEARCH_CODE_SERVER names."""

CODE_SERVER: Final = (
    *("dagster", "api", "grpc", "--module-name", "pipelines.definitions"),
    *("--location-name", "pipelines.definitions", "--empty-working-directory"),
)
"""The module and arguments of that server; its socket is to be added."""


def prepare_dagster(backends: Backends) -> dict[str, str]:
    """Make Dagster's home under the home and its schema in the database.

    Returns the environment variables that Dagster's processes need. One holds the database's
    address, with the password if there is one: never print them. Raises `UserError` when the home
    cannot be written to or the database's user may not do it, `BackendError` when the database does
    not answer.
    """
    home = backends.settings.moodsearch_home / "dagster"
    try:
        home.mkdir(parents=True, exist_ok=True)
        _copy(REPOSITORY / "dagster.yaml", home / "dagster.yaml")
    except OSError as error:
        raise cannot_write(home, error) from None
    try:
        with psycopg.connect(
            backends.database_url, autocommit=True, connect_timeout=10
        ) as connection:
            ensure_schema(connection, DAGSTER_SCHEMA)
    except psycopg.OperationalError as error:
        raise database_error(error) from None
    except psycopg.ProgrammingError as error:
        raise refused(error) from None
    return {
        "DAGSTER_HOME": str(home),
        "MOODSEARCH_DAGSTER_URL": storage_url(backends.database_url),
        "MOODSEARCH_HOME": str(backends.settings.moodsearch_home),
    }


def storage_url(database_url: str) -> str:
    """SQLAlchemy URL of Dagster's storage in the database that libpq finds at `database_url`.

    It names the driver, because SQLAlchemy 2.1 would take psycopg 3 otherwise, which
    dagster-postgres does not work with. Hosts are in the query, the one place where SQLAlchemy
    takes every kind: names, IPv6 addresses, folders of sockets, and several of them.
    """
    parts = {name: str(value) for name, value in conninfo_to_dict(database_url).items()}
    user, password = parts.pop("user", None), parts.pop("password", None)
    database = parts.pop("dbname", None)
    search_path = f"-csearch_path={DAGSTER_SCHEMA}"
    # The server goes by the last one where a setting is given twice.
    parts["options"] = f"{parts.get('options', '')} {search_path}".strip()
    hosts = parts.get("host", "").split(",")
    if parts.get("port", "").isdigit():
        parts["port"] = ",".join([parts["port"]] * len(hosts))  # One for all, in words for each.
    url = sa.URL.create("postgresql+psycopg2", user, password, database=database, query=parts)
    return url.render_as_string(hide_password=False)


@contextmanager
def dagster_instance(backends: Backends) -> Iterator[dg.DagsterInstance]:
    """The instance, for runs in this process; pooled connections halve a warm run."""
    os.environ.update(prepare_dagster(backends))
    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(statement_timeout=60_000, pool_recycle=3600, max_overflow=4)
        yield instance


def _copy(source: Path, target: Path) -> None:
    """Replace `target` in one step, if at all: a process that read it half-written would take
    Dagster's default storage, files of its own."""
    content = source.read_bytes()
    if target.is_file() and target.read_bytes() == content:
        return
    beside, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
    try:
        with os.fdopen(beside, "wb") as file:
            file.write(content)
        Path(name).replace(target)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
