"""Feature flags of users, kept in our own schema beside the app's tables."""

from typing import Final

from resources.catalogue.database import ANSWER_SECONDS, Database

MOST_FLAGS: Final = 1_000
"""Flags of one user that are read."""


class Flags:
    """A user is known by a DID (decentralised identifier), or any other stable name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def grant(self, user_did: str, flag: str) -> None:
        """No error when the user has it."""
        self._database.rows(
            "INSERT INTO moodsearch.feature_flags (user_did, flag) VALUES (%(user)s, %(flag)s)"
            " ON CONFLICT DO NOTHING",
            {"user": user_did, "flag": flag},
        )

    def revoke(self, user_did: str, flag: str) -> None:
        """No error when the user does not have it."""
        self._database.rows(
            "DELETE FROM moodsearch.feature_flags WHERE user_did = %(user)s AND flag = %(flag)s",
            {"user": user_did, "flag": flag},
        )

    def of(self, user_did: str) -> list[str]:
        """The user's flags, sorted, the first `MOST_FLAGS` of them."""
        rows = self._database.rows(
            "SELECT flag FROM moodsearch.feature_flags WHERE user_did = %(user)s"
            " ORDER BY flag LIMIT %(most)s",
            {"user": user_did, "most": MOST_FLAGS},
            within=ANSWER_SECONDS,
        )
        return [str(row["flag"]) for row in rows]
