"""Dagster's home and storage, beside the catalogue, shared by every process of the product."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import dagster as dg
import psycopg
from psycopg import sql

from resources.backends import DAGSTER_SCHEMA, Backends

REPOSITORY: Final = Path(__file__).resolve().parents[1]
"""Where `dagster.yaml` and `workspace.yaml` are."""


def prepare_dagster(backends: Backends) -> dict[str, str]:
    """Make Dagster's home under the home and its schema in the database.

    Returns the environment variables that Dagster's processes need. One holds the database's
    address, with the password if there is one: never print them.
    """
    home = backends.settings.moodsearch_home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(REPOSITORY / "dagster.yaml", home / "dagster.yaml")
    with psycopg.connect(backends.database_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(DAGSTER_SCHEMA))
        )
    return {
        "DAGSTER_HOME": str(home),
        "MOODSEARCH_DAGSTER_URL": backends.dagster_url,
        "MOODSEARCH_HOME": str(backends.settings.moodsearch_home),
    }


@contextmanager
def dagster_instance(backends: Backends) -> Iterator[dg.DagsterInstance]:
    """The instance, for runs in this process; pooled connections halve a warm run."""
    os.environ.update(prepare_dagster(backends))
    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(statement_timeout=60_000, pool_recycle=3600, max_overflow=4)
        yield instance
