"""Dagster's home under ours, and its instance for runs in this process."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import dagster as dg

from pipelines.storage import make_dagster_schema
from resources.backends import Backends
from resources.machine.folders import make_private
from resources.machine.postgres import cannot_write

INSTANCE: Final = Path(__file__).with_name("dagster.yaml")
"""A link to the repository's own file; an installed package has a copy in its place."""

CODE_SERVER_WORKSPACE: Final = Path(__file__).with_name("code_server.yaml")
"""For programs that ask the code server whose socket MOODSEARCH_CODE_SERVER names."""

CODE_SERVER: Final = (
    *("api", "grpc", "--module-name", "pipelines.definitions"),
    *("--location-name", "pipelines.definitions", "--empty-working-directory"),
)
"""The arguments of `dagster` for that server; its socket is to be added."""


def prepare_dagster(backends: Backends) -> dict[str, str]:
    """Make Dagster's home under the home and its schema in the database.

    Returns the environment variables that Dagster's processes need. Raises `UserError` when the
    home cannot be written to or the database's user may not do it, `BackendError` when the database
    does not answer.
    """
    home = backends.settings.moodsearch_home / "dagster"
    try:
        make_private(home)
        _copy(INSTANCE, home / "dagster.yaml")
    except OSError as error:
        raise cannot_write(home, error) from None
    make_dagster_schema(backends.database_url)
    return {
        "DAGSTER_HOME": str(home),
        "MOODSEARCH_HOME": str(backends.settings.moodsearch_home),
    }


@contextmanager
def dagster_instance(backends: Backends) -> Iterator[dg.DagsterInstance]:
    """The instance, for runs in this process."""
    os.environ.update(prepare_dagster(backends))
    with dg.DagsterInstance.get() as instance:
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
