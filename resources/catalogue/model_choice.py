"""The model that the person at this machine chose, once."""

from typing import Final, Literal

from resources.catalogue.database import Database

Choice = Literal["clap", "offline", "live"]
"""`live`: whichever answers, because somebody chose among the indexes."""

CHOICES: Final[tuple[Choice, ...]] = ("clap", "offline", "live")

_KEY: Final = "model_choice"


class ModelChoice:
    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> Choice | None:
        """None before anybody was asked."""
        rows = self._database.rows(
            "SELECT value #>> '{}' AS choice FROM moodsearch.settings WHERE key = %(key)s",
            {"key": _KEY},
        )
        if not rows:
            return None
        return next(each for each in CHOICES if each == rows[0]["choice"])

    def write(self, choice: Choice) -> None:
        self._database.rows(
            "INSERT INTO moodsearch.settings VALUES (%(key)s, to_jsonb(%(choice)s::text))"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            {"key": _KEY, "choice": choice},
        )
