"""Audio that was forgotten and stays out of a catalogue of our own."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from resources.catalogue.database import Database

SHORTEST_PREFIX: Final = 8
"""Digits of a hash that name an exclusion."""


@dataclass(frozen=True)
class Exclusion:
    """`hash`: 64 hexadecimal digits, which only the file itself can be compared with."""

    hash: str
    excluded_at: datetime


class Exclusions:
    """HMACs (RFC 2104) of file ids, with a key of this installation's own: whoever reads the table
    alone learns no title, no path and no hash that is known elsewhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, file_ids: Collection[str]) -> None:
        """Keep this audio out from now on."""
        key = self._make_key()
        self._database.rows(
            "INSERT INTO moodsearch.exclusions (hash) SELECT unnest(%(hashes)s::text[])"
            " ON CONFLICT DO NOTHING",
            {"hashes": [_hash(key, file_id) for file_id in file_ids]},
        )

    def has(self, file_id: str) -> bool:
        return bool(self.matching([file_id]))

    def matching(self, file_ids: Collection[str]) -> dict[str, str]:
        """Which of these file ids are excluded, with their hashes."""
        key = self._key()
        if key is None:
            return {}
        hashes = {_hash(key, file_id): file_id for file_id in file_ids}
        rows = self._database.rows(
            "SELECT hash FROM moodsearch.exclusions WHERE hash = ANY(%(hashes)s)",
            {"hashes": list(hashes)},
        )
        return {hashes[row["hash"]]: row["hash"] for row in rows}

    def all(self) -> list[Exclusion]:
        """The latest first."""
        rows = self._database.rows(
            "SELECT hash, excluded_at FROM moodsearch.exclusions ORDER BY excluded_at DESC, hash"
        )
        return [Exclusion(**row) for row in rows]

    def lift(self, hash_or_prefix: str) -> int:
        """Let in again what has this hash, or one that begins so. Returns how many there were."""
        rows = self._database.rows(
            "DELETE FROM moodsearch.exclusions"
            " WHERE length(%(prefix)s) >= %(shortest)s AND starts_with(hash, %(prefix)s)"
            " RETURNING hash",
            {"prefix": hash_or_prefix, "shortest": SHORTEST_PREFIX},
        )
        return len(rows)

    def _key(self) -> str | None:
        """None before anything was excluded. In the catalogue, so that every machine that adds to
        it keeps the same files out."""
        rows = self._database.rows(
            "SELECT value FROM moodsearch.settings WHERE key = 'exclusion_key'"
        )
        return str(rows[0]["value"]) if rows else None

    def _make_key(self) -> str:
        self._database.rows(
            "INSERT INTO moodsearch.settings VALUES ('exclusion_key', to_jsonb(%(new)s::text))"
            " ON CONFLICT DO NOTHING",
            {"new": secrets.token_hex(32)},
        )
        key = self._key()
        assert key is not None
        return key


def _hash(key: str, file_id: str) -> str:
    return hmac.new(bytes.fromhex(key), file_id.encode(), hashlib.sha256).hexdigest()
