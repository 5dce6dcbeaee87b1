"""Whether there is a catalogue: asked by commands that only read, which never make one."""

from pathlib import Path

from resources.errors import NoCatalogueError
from resources.settings import Settings


def has_server(home: Path) -> bool:
    """Whether the embedded server has its data under `home`."""
    try:
        return (home / "postgres" / "PG_VERSION").exists()
    except PermissionError:
        return True  # It is there, and starting it says what may not be done.


def no_catalogue(settings: Settings) -> NoCatalogueError:
    """The error for a command that needs a catalogue and may not make one."""
    if settings.database_url is not None:
        return NoCatalogueError(
            "the database of DATABASE_URL holds no catalogue of mood search yet; "
            "moodsearch backfill or up makes one"
        )
    return NoCatalogueError(
        f"there is no catalogue in {settings.moodsearch_home} yet; moodsearch add PATH makes one"
    )
