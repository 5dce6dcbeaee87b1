"""Generations of the index: one for each model, built beside the live one and then taking over."""

from dataclasses import dataclass

from resources.catalogue.database import Database
from resources.embedding.protocol import ModelDescription


@dataclass(frozen=True)
class Generation:
    """An index of one model's vectors. `model`: the model's fingerprint."""

    model: str
    model_id: str
    namespace: str
    is_live: bool


class Generations:
    """`base_namespace`: the namespace's configured name; the first generation has it as it is."""

    def __init__(self, database: Database, base_namespace: str) -> None:
        self._database = database
        self._base = base_namespace

    def live(self) -> Generation | None:
        """The generation that answers; None before anything was indexed."""
        rows = self._database.rows(
            "SELECT model, model_id, namespace, is_live FROM moodsearch.generations WHERE is_live"
        )
        return Generation(**rows[0]) if rows else None

    def open(self, model: ModelDescription) -> Generation:
        """The generation of `model`, made when there is none. The very first is live at once."""
        rows = self._database.rows(
            """
            INSERT INTO moodsearch.generations (model, model_id, namespace, is_live)
            SELECT %(model)s, %(model_id)s,
                CASE WHEN found THEN %(base)s || '-' || left(%(model)s, 8) ELSE %(base)s END,
                NOT found
            FROM (SELECT EXISTS (SELECT 1 FROM moodsearch.generations) AS found) g
            ON CONFLICT (model) DO UPDATE SET model_id = excluded.model_id
            RETURNING model, model_id, namespace, is_live
            """,
            {"model": model.fingerprint, "model_id": model.id, "base": self._base},
        )
        return Generation(**rows[0])

    def promote_when_complete(self, model: str) -> bool:
        """Make `model`'s generation live once it holds every public track that the live one holds.

        Returns whether it took over now.
        """
        rows = self._database.rows(
            """
            WITH complete AS (
                SELECT 1 FROM moodsearch.generations g
                WHERE g.model = %(model)s AND NOT g.is_live AND NOT EXISTS (
                    SELECT 1 FROM moodsearch.track_state s
                    JOIN public.tracks t ON t.id = s.track_id AND t.visibility = 'public'
                    JOIN moodsearch.generations l ON l.is_live AND l.model = s.indexed_model
                )
            ), demoted AS (
                UPDATE moodsearch.generations SET is_live = false
                WHERE is_live AND EXISTS (SELECT 1 FROM complete)
                RETURNING 1
            )
            SELECT EXISTS (SELECT 1 FROM complete) AS complete, count(*) FROM demoted
            """,
            {"model": model},
        )
        if not rows[0]["complete"]:
            return False
        self._database.rows(
            "UPDATE moodsearch.generations SET is_live = true WHERE model = %(model)s",
            {"model": model},
        )
        return True
