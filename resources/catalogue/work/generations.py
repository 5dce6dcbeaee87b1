"""Generations of the index: one for each model, built beside the live one and then taking over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, LiteralString

from resources.catalogue.connection import WHOLE_CATALOGUE_SECONDS
from resources.catalogue.database import ANSWER_SECONDS, Connection, Database
from resources.catalogue.work.patience import OFTEN
from resources.embedding.protocol import EMBEDDING_DIMENSION, ModelDescription
from resources.errors import UserError
from resources.settings import ModelSetting

_COLUMNS = (
    "id, namespace, model, model_id, clap_model, clap_precision, is_live, is_building, replaced_at"
)


@dataclass(frozen=True)
class Generation:
    """A namespace of vectors of one model. `model`: the model's fingerprint; `clap_model` and
    `clap_precision`: the settings that load it. `replaced_at`: when another took over from it."""

    id: str
    namespace: str
    model: str
    model_id: str
    clap_model: str
    clap_precision: str
    is_live: bool = False
    is_building: bool = False
    replaced_at: datetime | None = None

    @property
    def takes_changes(self) -> bool:
        """Whether it is kept equal to the catalogue. From any other, tracks are only removed."""
        return self.is_live or self.is_building

    @property
    def name(self) -> str:
        """Of its model, for people."""
        return f"{self.model_id} ({self.model[:8]})"

    @property
    def setting(self) -> ModelSetting:
        return ModelSetting(self.clap_model, self.clap_precision)

    @property
    def description(self) -> ModelDescription:
        """Of its model, as far as it is recorded."""
        return ModelDescription(self.model_id, "", EMBEDDING_DIMENSION, self.model, "")


@dataclass(frozen=True)
class OtherModel:
    """The index that answers is another model's than the configured one. As text: one line that
    names the command that changes it."""

    live: Generation
    configured: ModelDescription
    is_being_built: bool

    @property
    def configured_name(self) -> str:
        return f"{self.configured.id} ({self.configured.fingerprint[:8]})"

    def __str__(self) -> str:
        remedy = (
            "its own index is being built and answers when it is complete"
            if self.is_being_built
            else "moodsearch models build builds an index for it"
        )
        return (
            f"searches are answered by {self.live.name}, but the configured model is"
            f" {self.configured_name}; {remedy}"
        )


class Generations:
    """Generations of one index.

    `store`: pgvector or turbopuffer; `namespace`: the configured name, which the first generation
    has as it is; `setting`: what loads the models that are passed to the methods.
    """

    def __init__(
        self, database: Database, store: str, namespace: str, setting: ModelSetting
    ) -> None:
        self._database = database
        self._index = f"{store}:{namespace}"
        self._namespace = namespace
        self._setting = setting

    def live(self) -> Generation | None:
        """The generation that answers; None before anything was indexed."""
        found = self._select("is_live AND index_name = %(index)s", {"index": self._index})
        return found[0] if found else None

    def all(self) -> list[Generation]:
        """The live one first, then what is being built, then what was replaced last."""
        return self._select("index_name = %(index)s", {"index": self._index})

    def find(self, model: ModelDescription) -> Generation | None:
        """The generation of `model`; None when nothing was ever to be indexed for it."""
        found = self._select("id = %(id)s", {"id": self.id_of(model)})
        return found[0] if found else None

    def _select(self, which: LiteralString, parameters: dict[str, str]) -> list[Generation]:
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM moodsearch.generations WHERE {which} {_IN_ORDER}",
            parameters,
            within=ANSWER_SECONDS,
        )
        return [Generation(**row) for row in rows]

    def targets(
        self, own: ModelDescription, connection: Connection, *, hold: bool = False
    ) -> list[Generation]:
        """What changes of the catalogue concern, the live one first: all, or the one that `own`
        would have while there is none. With `hold`, none is added until the transaction ends: what
        it finds nothing to do for is not forgotten for one that begins meanwhile."""
        if hold:
            connection.execute("LOCK TABLE moodsearch.generations IN SHARE MODE")
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM moodsearch.generations WHERE index_name = %s {_IN_ORDER}",
            [self._index],
        ).fetchall()
        return [Generation(**row) for row in rows] or [self.first(own)]

    def first(self, model: ModelDescription) -> Generation:
        """The generation of `model` as it would be if it were the first."""
        return Generation(
            self.id_of(model),
            self._namespace,
            model.fingerprint,
            model.id,
            *self._setting,
            is_live=True,
        )

    def begin_to_drop(self, generation: Generation) -> bool:
        """Forget what a generation holds, so that its namespace can be dropped; False when it is
        live. To be ended by `dropped`, and to be repeated where that did not come."""
        rows = self._database.rows(
            "UPDATE moodsearch.generations SET is_building = false, replaced_at = NULL"
            " WHERE id = %(id)s AND NOT is_live RETURNING id",
            {"id": generation.id},
        )
        if rows:
            # Apart: it may take long, and whoever works looks at the generations.
            with self._database.transaction(WHOLE_CATALOGUE_SECONDS) as connection:
                connection.execute(
                    "DELETE FROM moodsearch.track_documents WHERE generation = %s", [generation.id]
                )
        return bool(rows)

    def dropped(self, generation: Generation) -> None:
        """Its namespace is gone."""
        self._database.rows(
            "DELETE FROM moodsearch.generations WHERE id = %(id)s AND NOT is_live",
            {"id": generation.id},
        )

    def replaced_before(self, age: timedelta) -> list[Generation]:
        """Generations that another took over from longer ago than `age`, or that were given up."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM moodsearch.generations"
            " WHERE index_name = %(index)s AND NOT is_live AND NOT is_building"
            " AND coalesce(replaced_at, created_at) < now() - %(age)s",
            {"index": self._index, "age": age},
        )
        return [Generation(**row) for row in rows]

    def other_model(self, model: ModelDescription) -> OtherModel | None:
        """The live index, when it is not `model`'s. None, too, before anything was indexed."""
        generations = {generation.id: generation for generation in self.all()}
        live = next((each for each in generations.values() if each.is_live), None)
        if live is None or live.model == model.fingerprint:
            return None
        own = generations.get(self.id_of(model))
        return OtherModel(live, model, own is not None and own.is_building)

    def start_building(self, model: ModelDescription) -> Generation:
        """The generation of `model`, which somebody asked to have built beside the live one: from
        now on sensors and runs go on with it, until it takes over. No effect on the live one."""
        generation = self.open(model)
        rows = self._database.rows(
            "UPDATE moodsearch.generations SET is_building = NOT is_live"
            f" WHERE id = %(id)s RETURNING {_COLUMNS}",
            {"id": generation.id},
        )
        return Generation(**rows[0])

    def id_of(self, model: ModelDescription) -> str:
        """The id that the generation of `model` has, or would have."""
        return f"{self._index}:{model.fingerprint}"

    def open(self, model: ModelDescription) -> Generation:
        """The generation of `model`, made when there is none. The very first is live at once."""
        rows = self._database.rows(
            f"""
            INSERT INTO moodsearch.generations
                (id, index_name, namespace, model, model_id, clap_model, clap_precision, is_live)
            SELECT %(id)s, %(index)s,
                CASE WHEN found THEN %(namespace)s || '-' || left(%(model)s, 8)
                    ELSE %(namespace)s END,
                %(model)s, %(model_id)s, %(clap_model)s, %(clap_precision)s, NOT found
            FROM (
                SELECT EXISTS (
                    SELECT 1 FROM moodsearch.generations WHERE index_name = %(index)s
                ) AS found
            ) others
            ON CONFLICT (id) DO UPDATE SET model_id = excluded.model_id,
                clap_model = excluded.clap_model, clap_precision = excluded.clap_precision
            RETURNING {_COLUMNS}
            """,
            {
                "id": self.id_of(model),
                "index": self._index,
                "namespace": self._namespace,
                "model": model.fingerprint,
                "model_id": model.id,
                "clap_model": self._setting.clap_model,
                "clap_precision": self._setting.clap_precision,
            },
        )
        return Generation(**rows[0])

    def missing(self, generation: Generation) -> int:
        """Tracks whose present audio only the live index holds."""
        rows = self._database.rows(
            f"SELECT count(*) AS missing {_ONLY_LIVE}",
            {"id": generation.id},
            within=WHOLE_CATALOGUE_SECONDS,
        )
        return int(rows[0]["missing"])

    def is_complete(self, generation: Generation) -> bool:
        """Whether no public track is left that only the live index holds, but for some that cannot
        be reached: those that were tried often, and one in a hundred of what was tried. Never when
        it holds less than half of what the live one does: that is an outage."""
        held = self._database.rows(
            """
            SELECT (
                SELECT count(*) FROM moodsearch.track_documents WHERE generation = g.id
            ) AS own, (
                SELECT count(*) FROM moodsearch.track_documents WHERE generation = live.id
            ) AS live
            FROM moodsearch.generations g
            JOIN moodsearch.generations live ON live.is_live AND live.index_name = g.index_name
            WHERE g.id = %(id)s
            """,
            {"id": generation.id},
            within=WHOLE_CATALOGUE_SECONDS,
        )
        if not held or 2 * held[0]["own"] < held[0]["live"]:
            return not held
        if held[0]["live"] - held[0]["own"] >= _MOST_LOOKED_AT:
            return False
        (lacking,) = self._database.rows(
            f"""
            WITH only_live AS MATERIALIZED (
                SELECT g.model, g.id, theirs.track_id {_ONLY_LIVE} LIMIT {_MOST_LOOKED_AT}
            )
            SELECT count(*) FILTER (WHERE w.last_error IS NULL) AS untried,
                count(*) FILTER (WHERE w.attempts < %(often)s AND w.last_error IS NOT NULL) AS tried
            FROM only_live o
            -- What no index may hold is not missing: hidden tracks, and audio that cannot be used.
            CROSS JOIN LATERAL moodsearch.pending(o.model, o.id, o.track_id, o.track_id) p
            LEFT JOIN moodsearch.work w ON w.job = 'index' AND w.track_id = o.track_id
            WHERE p.step <> 'remove'
            """,
            {"id": generation.id, "often": OFTEN},
            within=WHOLE_CATALOGUE_SECONDS,
        )
        return not lacking["untried"] and lacking["tried"] <= max(1, held[0]["live"] // 100)

    def promote_when_complete(self, generation: Generation) -> bool:
        """Make `generation` live if it is being built and complete. Returns whether it took over
        now."""
        if not self.is_complete(generation):
            return False
        with self._promoting() as connection:
            is_building = connection.execute(
                "SELECT FROM moodsearch.generations WHERE id = %s AND is_building",
                [generation.id],
            ).fetchone()
            if is_building is None:
                return False
            self._promote(connection, generation)
            return True

    def promote(self, generation: Generation) -> None:
        """Make `generation` live now, complete or not. Raises `UserError` when it is gone."""
        with self._promoting() as connection:
            self._promote(connection, generation)

    def rollback(self) -> Generation | None:
        """Make the generation live that was so before, and stop what is being built: it would take
        over again. Returns what answers now; None where nothing was replaced."""
        with self._promoting() as connection:
            row = connection.execute(
                f"""
                SELECT {_COLUMNS} FROM moodsearch.generations
                WHERE index_name = %s AND NOT is_live AND replaced_at IS NOT NULL
                ORDER BY replaced_at DESC LIMIT 1
                """,
                [self._index],
            ).fetchone()
            if row is None:
                return None
            self._stop_building(connection)
            self._promote(connection, generation := Generation(**row))
        return generation

    def stop_building(self) -> None:
        """Give up what is being built."""
        with self._promoting() as connection:
            self._stop_building(connection)

    @contextmanager
    def _promoting(self) -> Iterator[Connection]:
        """One at a time."""
        with self._database.transaction() as connection:
            connection.execute("LOCK TABLE moodsearch.generations IN SHARE ROW EXCLUSIVE MODE")
            yield connection

    def _stop_building(self, connection: Connection) -> None:
        connection.execute(
            "UPDATE moodsearch.generations SET is_building = false WHERE index_name = %s",
            [self._index],
        )

    def _promote(self, connection: Connection, generation: Generation) -> None:
        connection.execute(
            "UPDATE moodsearch.generations SET is_live = false, replaced_at = clock_timestamp()"
            " WHERE is_live AND index_name = %s AND id <> %s",
            [self._index, generation.id],
        )
        promoted = connection.execute(
            "UPDATE moodsearch.generations SET is_live = true, is_building = false WHERE id = %s",
            [generation.id],
        ).rowcount
        if not promoted:
            raise UserError(f"the index of {generation.name} is gone")


_IN_ORDER: LiteralString = (
    "ORDER BY is_live DESC, is_building DESC, replaced_at DESC NULLS LAST, created_at"
)

_MOST_LOOKED_AT: Final = 10_000
"""Tracks: with more to do, an index is not complete anyway."""

_ONLY_LIVE: LiteralString = """
FROM moodsearch.generations g
JOIN moodsearch.generations live ON live.is_live AND live.index_name = g.index_name
JOIN moodsearch.track_documents theirs ON theirs.generation = live.id
LEFT JOIN moodsearch.track_documents own ON own.track_id = theirs.track_id
    AND own.generation = g.id AND own.file_id = theirs.file_id
WHERE g.id = %(id)s AND own.track_id IS NULL
"""
