"""Dagster's storage: tables in a schema of their own, in the catalogue's database.

`dagster.yaml` names the class, so every program of Dagster finds its storage by the same settings
as the rest of the product: no address and no secret is in a file, a variable or a command line.
"""

import weakref
from typing import Any, Final, Self

import psycopg
import sqlalchemy as sa
from dagster_postgres import DagsterPostgresStorage
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.dialects import plugins
from sqlalchemy.engine import CreateEnginePlugin
from sqlalchemy.pool import NullPool, QueuePool

from resources.catalogue.connection import BOUNDED
from resources.catalogue.database import DAGSTER_SCHEMA, database_error
from resources.catalogue.schema.migrate import ensure_schema, refused
from resources.machine.postgres import EmbeddedPostgres
from resources.settings import load_settings

_KEPT: Final = "moodsearch_kept_connection"


class KeptConnection(CreateEnginePlugin):
    """Dagster opens a connection for every question that it asks its storage, ten in a second when
    nothing happens. Each of its engines keeps one instead, and checks it before each use, so that a
    restart of the server goes by unnoticed. More are opened while they are needed."""

    def __init__(self, url: sa.URL, kwargs: dict[str, Any]) -> None:
        super().__init__(url, kwargs)
        kwargs["pool_pre_ping"] = True
        if kwargs.get("poolclass") is NullPool:
            kwargs.update(poolclass=QueuePool, pool_size=1, max_overflow=-1)

    def update_url(self, url: sa.URL) -> sa.URL:
        return url


plugins.register(_KEPT, __name__, KeptConnection.__name__)


class CatalogueStorage(DagsterPostgresStorage):
    """Storage beside the catalogue that the settings name; starts the embedded server, if it is
    that one, and lets go of it with the instance."""

    @classmethod
    def config_type(cls) -> Any:
        """Nothing is configured in `dagster.yaml`."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Self:  # noqa: ARG003
        """Raises `UserError` for wrong settings or rights and `BackendError` when the database does
        not answer."""
        settings = load_settings()
        if settings.database_url is not None:
            return cls._in_database(settings.database_url.get_secret_value(), inst_data)
        server = EmbeddedPostgres(settings.moodsearch_home)
        try:
            storage = cls._in_database(server.url, inst_data)
        except BaseException:
            server.close()
            raise
        # An instance keeps the parts of its storage, not the whole. Of these, Dagster never lets go
        # of the run storage that it asks first: an annotation is resolved in its scope.
        weakref.finalize(storage.schedule_storage, server.close)
        return storage

    @classmethod
    def _in_database(cls, database_url: str, inst_data: Any) -> Self:
        make_dagster_schema(database_url)
        url = sa.make_url(storage_url(database_url)).update_query_dict({"plugin": _KEPT})
        return cls(url.render_as_string(hide_password=False), inst_data=inst_data)


def make_dagster_schema(database_url: str) -> None:
    """Raises `UserError` when the database's user may not do it, and `BackendError` when the
    database does not answer."""
    try:
        with psycopg.connect(database_url, autocommit=True, **BOUNDED) as connection:
            ensure_schema(connection, DAGSTER_SCHEMA)
    except psycopg.OperationalError as error:
        raise database_error(error) from None
    except psycopg.ProgrammingError as error:
        raise refused(error) from None


def storage_url(database_url: str) -> str:
    """SQLAlchemy URL of Dagster's storage in the database that libpq finds at `database_url`.

    It names the driver, because SQLAlchemy 2.1 would take psycopg 3 otherwise, which
    dagster-postgres does not work with. Hosts are in the query, the one place where SQLAlchemy
    takes every kind: names, IPv6 addresses, folders of sockets, and several of them.
    """
    parts = {name: str(value) for name, value in BOUNDED.items()}
    parts |= {name: str(value) for name, value in conninfo_to_dict(database_url).items()}
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
