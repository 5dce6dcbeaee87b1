"""Where a run works: a temporary folder, its audio files, and a PostgreSQL of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from pydantic import SecretStr

from resources.backends import Backends
from resources.settings import Settings

CODECS: Final = ("mp3", "flac", "m4a", "opus")

CONFIGURATION: Final = (
    *("MOODSEARCH_", "R2_", "AWS_", "CLAP_", "MODAL_", "TURBOPUFFER_", "REPLICATE_"),
    *("DATABASE_URL", "SESSION_SECRET", "DAGSTER_"),
    # Every start would compile what it imports.
    "PYTHONDONTWRITEBYTECODE",
)


@dataclass(frozen=True)
class Workplace:
    """`server`: URL of the PostgreSQL server. `quick`: a smoke run, whose figures mean little."""

    folder: Path
    server: str
    quick: bool

    @property
    def track_seconds(self) -> int:
        """Length of a track."""
        return 20 if self.quick else 180

    def choose(self, quick: int, full: int) -> int:
        """How many, in a quick run and in a full one."""
        return quick if self.quick else full

    def sound(self, codec: str) -> Path:
        """The track in `codec`."""
        return self.folder / "sounds" / f"track.{codec}"

    def home(self, name: str) -> Path:
        """An installation's home."""
        return self.folder / name

    def database_url(self, name: str) -> str:
        """URL of an installation's database."""
        return urlsplit(self.server)._replace(path=f"/{name}").geturl()

    @contextmanager
    def installation(self, name: str) -> Iterator[Backends]:
        """A fresh catalogue of its own: database, object store and index."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = SecretStr(self.database_url(name))
        with Backends(Settings(moodsearch_home=self.home(name), database_url=url)) as backends:
            yield backends


def forget_configuration() -> None:
    """The environment's own settings have no say in what is measured."""
    for name in list(os.environ):
        if name.startswith(CONFIGURATION):
            del os.environ[name]
