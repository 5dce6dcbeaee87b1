"""Generations of the index: one for each model, built beside the live one and then taking over."""

from dataclasses import dataclass
from typing import LiteralString

from resources.catalogue.connection import WHOLE_CATALOGUE_SECONDS
from resources.catalogue.database import ANSWER_SECONDS, Database
from resources.embedding.protocol import ModelDescription

_COLUMNS = "id, namespace, model, model_id, is_live"


@dataclass(frozen=True)
class Generation:
    """A namespace of vectors of one model. `model`: the model's fingerprint."""

    id: str
    namespace: str
    model: str
    model_id: str
    is_live: bool


@dataclass(frozen=True)
class OtherModel:
    """The index that answers is another model's than the configured one.

    `is_being_built`: a backfill has begun to build the configured model's own index. As text: one
    line that names the command that does so.
    """

    live: Generation
    configured: ModelDescription
    is_being_built: bool

    @property
    def live_name(self) -> str:
        return f"{self.live.model_id} ({self.live.model[:8]})"

    @property
    def configured_name(self) -> str:
        return f"{self.configured.id} ({self.configured.fingerprint[:8]})"

    def __str__(self) -> str:
        remedy = (
            "its own index is being built and answers when it is complete; moodsearch backfill goes"
            " on with it"
            if self.is_being_built
            else "run moodsearch backfill to index the catalogue for it"
        )
        return (
            f"the index holds vectors of {self.live_name}, but the configured model is"
            f" {self.configured_name}; {remedy}"
        )


class Generations:
    """Generations of one index.

    `store`: pgvector or turbopuffer; `namespace`: the configured name, which the first generation
    has as it is.
    """

    def __init__(self, database: Database, store: str, namespace: str) -> None:
        self._database = database
        self._index = f"{store}:{namespace}"
        self._namespace = namespace
        self._building = f"building:{self._index}"

    def live(self) -> Generation | None:
        """The generation that answers; None before anything was indexed."""
        found = self._select("is_live AND index_name = %(index)s", {"index": self._index})
        return found[0] if found else None

    def all(self) -> list[Generation]:
        """Oldest first."""
        return self._select("index_name = %(index)s", {"index": self._index})

    def find(self, model: ModelDescription) -> Generation | None:
        """The generation of `model`; None when nothing was ever to be indexed for it."""
        found = self._select("id = %(id)s", {"id": self.id_of(model)})
        return found[0] if found else None

    def _select(self, which: LiteralString, parameters: dict[str, str]) -> list[Generation]:
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM moodsearch.generations WHERE {which} ORDER BY created_at",
            parameters,
            within=ANSWER_SECONDS,
        )
        return [Generation(**row) for row in rows]

    def retire(self, generation: Generation) -> bool:
        """Forget a generation, so that its namespace can be dropped; False when it is live."""
        parameters = {"key": self._building, "id": generation.id}
        with self._database.transaction(WHOLE_CATALOGUE_SECONDS) as connection:
            is_retired = connection.execute(
                "DELETE FROM moodsearch.generations WHERE id = %(id)s AND NOT is_live", parameters
            ).rowcount
            if is_retired:
                connection.execute(
                    "DELETE FROM moodsearch.track_documents WHERE generation = %(id)s", parameters
                )
                connection.execute(
                    "DELETE FROM moodsearch.settings"
                    " WHERE key = %(key)s AND value = to_jsonb(%(id)s::text)",
                    parameters,
                )
        return bool(is_retired)

    def other_model(self, model: ModelDescription) -> OtherModel | None:
        """The live index, when it is not `model`'s. None, too, before anything was indexed."""
        rows = self._database.rows(
            f"""
            SELECT {_COLUMNS}, EXISTS (
                SELECT 1 FROM moodsearch.settings
                WHERE key = %(key)s AND value = to_jsonb(%(id)s::text)
            ) AS is_being_built
            FROM moodsearch.generations
            WHERE is_live AND index_name = %(index)s AND model <> %(model)s
            """,
            {
                "key": self._building,
                "id": self.id_of(model),
                "index": self._index,
                "model": model.fingerprint,
            },
            within=ANSWER_SECONDS,
        )
        if not rows:
            return None
        (row,) = rows
        is_being_built = row.pop("is_being_built")
        return OtherModel(Generation(**row), model, is_being_built)

    def waits_for_backfill(self, model: ModelDescription) -> OtherModel | None:
        """The live index, when it is not `model`'s and nobody has asked for one that is: a changed
        setting alone must not embed a whole catalogue again."""
        other = self.other_model(model)
        return None if other is None or other.is_being_built else other

    def start_building(self, model: ModelDescription) -> Generation:
        """The generation of `model`, which somebody asked to have built beside the live one: from
        now on sensors and runs go on with it, until it takes over. No effect on the live one."""
        generation = self.open(model)
        if not generation.is_live:
            self._database.rows(
                "INSERT INTO moodsearch.settings VALUES (%(key)s, to_jsonb(%(id)s::text))"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                {"key": self._building, "id": generation.id},
            )
        return generation

    def id_of(self, model: ModelDescription) -> str:
        """The id that the generation of `model` has, or would have."""
        return f"{self._index}:{model.fingerprint}"

    def open(self, model: ModelDescription) -> Generation:
        """The generation of `model`, made when there is none. The very first is live at once."""
        rows = self._database.rows(
            f"""
            INSERT INTO moodsearch.generations (id, index_name, namespace, model, model_id, is_live)
            SELECT %(id)s, %(index)s,
                CASE WHEN found THEN %(namespace)s || '-' || left(%(model)s, 8)
                    ELSE %(namespace)s END,
                %(model)s, %(model_id)s, NOT found
            FROM (
                SELECT EXISTS (
                    SELECT 1 FROM moodsearch.generations WHERE index_name = %(index)s
                ) AS found
            ) others
            ON CONFLICT (id) DO UPDATE SET model_id = excluded.model_id
            RETURNING {_COLUMNS}
            """,
            {
                "id": self.id_of(model),
                "index": self._index,
                "namespace": self._namespace,
                "model": model.fingerprint,
                "model_id": model.id,
            },
        )
        return Generation(**rows[0])

    def promote_when_complete(self, generation: Generation) -> bool:
        """Make `generation` live once no public track is left that only the live one holds, but for
        those that cannot be reached at present.

        Returns whether it took over now.
        """
        parameters = {"id": generation.id, "index": self._index}
        with self._database.transaction(WHOLE_CATALOGUE_SECONDS) as connection:
            waiting = connection.execute(
                """
                SELECT 1
                FROM moodsearch.generations g
                LEFT JOIN moodsearch.generations live
                    ON live.is_live AND live.index_name = g.index_name
                WHERE g.id = %(id)s AND (g.is_live OR EXISTS (
                    SELECT 1
                    FROM moodsearch.track_documents theirs
                    LEFT JOIN moodsearch.track_documents own
                        ON own.track_id = theirs.track_id AND own.generation = g.id
                    -- What was tried in vain must not keep everything else from answering.
                    LEFT JOIN moodsearch.work w
                        ON w.job = 'index' AND w.track_id = theirs.track_id
                            AND w.last_error IS NOT NULL
                    -- Nor what no index may hold: hidden tracks, and audio that cannot be used.
                    CROSS JOIN LATERAL moodsearch.pending(
                        g.model, g.id, theirs.track_id, theirs.track_id) missing
                    WHERE theirs.generation = live.id
                        AND own.track_id IS NULL AND w.track_id IS NULL
                        AND missing.step <> 'remove'
                ))
                """,
                parameters,
            ).fetchone()
            if waiting is not None:
                return False
            connection.execute(
                "UPDATE moodsearch.generations SET is_live = false"
                " WHERE is_live AND index_name = %(index)s",
                parameters,
            )
            connection.execute(
                "UPDATE moodsearch.generations SET is_live = true WHERE id = %(id)s", parameters
            )
            connection.execute(
                "DELETE FROM moodsearch.settings WHERE key = %(key)s", {"key": self._building}
            )
            return True
