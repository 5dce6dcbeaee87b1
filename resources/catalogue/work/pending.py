"""What is pending: the comparison of the catalogue with what is stored, and the list of tracks
whose turn it is.

`moodsearch.pending` alone decides whether there is something to do for a track. `moodsearch.work`
only says which tracks to look at and when, so that looking costs what changed and not what exists.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal

from resources.catalogue.connection import WHOLE_CATALOGUE_SECONDS
from resources.catalogue.database import Connection, Database
from resources.catalogue.schema.triggers import OUTBOX_ROWS, watch_changes
from resources.catalogue.tracks.audio_files import AudioFile
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.contents import read_block_size
from resources.catalogue.work.generations import Generation, Generations
from resources.embedding.protocol import ModelDescription

Job = Literal["index", "genres"]
Step = Literal["probe", "embed", "index", "remove"]

FIRST_DELAY_SECONDS: Final = 30
LONGEST_DELAY_SECONDS: Final = 6 * 3600

FEW: Final = 1_000
"""Tracks on the list."""

_ABSORB_AT_ONCE: Final = 20_000
_MAX_ID: Final = 2**63 - 1
LOCKED: Final = """
WITH locked AS (
    SELECT track_id FROM moodsearch.work
    WHERE job = %(job)s AND track_id = ANY(%(ids)s)
    ORDER BY track_id FOR UPDATE
)
"""
"""Rows are always locked in the order of their ids, so that two of us never wait for each other."""

_TAKE_CHANGES: Final = """
DELETE FROM moodsearch.outbox
WHERE consumer = 'work' AND id IN (
    SELECT id FROM moodsearch.outbox WHERE consumer = 'work'
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
RETURNING kind, key, changed_at
"""

_LIST_CHANGED: Final = """
WITH changes AS (
    SELECT * FROM unnest(%(kinds)s::text[], %(keys)s::text[], %(since)s::timestamptz[])
        AS taken (kind, key, changed_at)
), concerned AS (
    SELECT key::bigint AS track_id, changed_at FROM changes
    WHERE kind IN ('tracks', 'track_tags') AND key IS NOT NULL
    UNION ALL
    SELECT t.id, changed_at
    FROM changes JOIN public.tracks t ON t.artist_did::text = key WHERE kind = 'artists'
    UNION ALL
    -- A table was emptied.
    SELECT track_id, (SELECT min(changed_at) FROM changes)
    FROM moodsearch.known_tracks() AS track_id
    WHERE EXISTS (SELECT FROM changes WHERE key IS NULL)
)
INSERT INTO moodsearch.work (job, track_id, changed_at)
SELECT 'index', track_id, min(changed_at) FROM concerned GROUP BY track_id ORDER BY track_id
ON CONFLICT (job, track_id) DO UPDATE
SET attempts = 0, next_attempt_at = now(), last_error = NULL, changed_at = excluded.changed_at,
    is_build = false
"""
"""One statement, so that rows of the list are locked in the order of their ids here as well."""

_LIST_PENDING: Final = """
WITH found AS (
    SELECT * FROM moodsearch.pending(
        %(model)s, %(generation)s, 0, %(last)s, %(need_embedding)s)
), listed AS (
    INSERT INTO moodsearch.work (job, track_id, is_build)
    SELECT 'index', track_id, NOT %(is_live)s AND step <> 'remove' FROM found
    WHERE step = 'remove' OR step IS NOT NULL AND %(takes_changes)s
    UNION ALL
    SELECT 'genres', track_id, false FROM found WHERE needs_genres AND %(is_live)s
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) AS added FROM listed
"""

_PENDING_HERE: Final = """
SELECT track_id, step = 'remove' OR step IS NOT NULL AND %(takes_changes)s AS has_step,
    needs_genres AND %(is_live)s AS needs_genres
FROM moodsearch.pending(%(model)s, %(generation)s, %(first)s, %(last)s, %(need_embedding)s)
WHERE track_id = ANY(%(ids)s)
"""
"""What is to be done in one generation for some tracks of a block. Genres are those of what
answers."""

_LIST_GENRES: Final = """
INSERT INTO moodsearch.work (job, track_id)
SELECT 'genres', track_id FROM unnest(%(ids)s::bigint[]) AS track_id ORDER BY track_id
ON CONFLICT DO NOTHING
"""

_FORGET_FLAGS: Final = """
DELETE FROM moodsearch.feature_flags f
WHERE user_did = ANY(%(dids)s)
    AND NOT EXISTS (SELECT FROM public.artists WHERE did::text = f.user_did)
"""
"""Of artists who were deleted. Other users are not in the catalogue."""


@dataclass(frozen=True)
class PendingTrack:
    """A track for which something is to be done.

    `step` is the first of its steps that is missing (later ones follow from it); None when only its
    genres are. The catalogue's fields are None for a track that is deleted.
    """

    track_id: int
    step: Step | None
    needs_genres: bool
    is_deleted: bool
    file_id: str | None
    file_type: str | None
    r2_url: str | None
    title: str | None
    artist_handle: str | None
    artist_did: str | None
    attributes: str | None

    @property
    def audio(self) -> AudioFile:
        """Where its audio is. Only for a track that is not deleted."""
        assert self.file_id is not None
        assert self.file_type is not None
        return AudioFile(self.file_id, self.file_type, self.r2_url)


@dataclass(frozen=True)
class DueBlock:
    """A block with tracks whose turn it is in `generation`."""

    block: Block
    track_ids: list[int]
    attempts: int
    generation: Generation


class PendingWork:
    """Pending work for embeddings of `model`, indexed in its generation; and the list of tracks to
    look at, which is that of all `generations`.

    `genres_need_embedding`: whether a track must be embedded before it can be classified.
    """

    def __init__(
        self,
        database: Database,
        model: ModelDescription,
        generations: Generations,
        *,
        genres_need_embedding: bool = True,
    ) -> None:
        self._database = database
        self._model = model
        self._generations = generations
        self._need_embedding = genres_need_embedding
        self._own = {
            "model": model.fingerprint,
            "generation": generations.id_of(model),
            "need_embedding": genres_need_embedding,
        }
        self.block_size = read_block_size(database)

    def _targets(
        self, connection: Connection, *, hold: bool = False
    ) -> list[tuple[Generation, dict[str, object]]]:
        """What changes concern, the live one first, with what SQL here is told of each."""
        return [
            (
                each,
                {
                    "model": each.model,
                    "generation": each.id,
                    "takes_changes": each.takes_changes,
                    "is_live": each.is_live,
                    "need_embedding": self._need_embedding,
                },
            )
            for each in self._generations.targets(self._model, connection, hold=hold)
        ]

    def block_of(self, track_id: int) -> Block:
        return Block.containing(track_id, self.block_size)

    def pending(self, block: Block) -> list[PendingTrack]:
        """What is to be done in `block`, by id."""
        return self._select(block.first, block.last)

    def pending_everywhere(self, limit: int | None = None) -> list[PendingTrack]:
        """What is to be done in the whole catalogue, by id. Costs the size of the catalogue."""
        return self._select(0, _MAX_ID, limit)

    def _select(self, first: int, last: int, limit: int | None = None) -> list[PendingTrack]:
        columns = ", ".join(field.name for field in fields(PendingTrack))
        rows = self._database.rows(
            f"""
            SELECT {columns}
            FROM moodsearch.pending(
                %(model)s, %(generation)s, %(first)s, %(last)s, %(need_embedding)s)
            ORDER BY track_id LIMIT %(limit)s
            """,
            {**self._own, "first": first, "last": last, "limit": limit},
        )
        return [PendingTrack(**row) for row in rows]

    def count(self) -> dict[str, int]:
        """Tracks by the first step that is missing, and `genres`. Costs what the catalogue has."""
        rows = self._database.rows(
            """
            WITH pending AS (
                SELECT step, needs_genres
                FROM moodsearch.pending(
                    %(model)s, %(generation)s, 0, %(last)s, %(need_embedding)s)
            )
            SELECT step AS kind, count(*) AS tracks FROM pending WHERE step IS NOT NULL GROUP BY 1
            UNION ALL
            SELECT 'genres', count(*) FROM pending WHERE needs_genres HAVING count(*) > 0
            """,
            {**self._own, "last": _MAX_ID},
        )
        return {str(row["kind"]): int(row["tracks"]) for row in rows}

    def absorb_changes(self) -> int:
        """Put the tracks that changed since the last call on the list, due at once.

        Returns how many tracks that were. Costs the number of changes.
        """
        while True:
            changes, tracks = self._absorb()
            # Many changes that concern no track must not pass for an end of them.
            if tracks or changes < _ABSORB_AT_ONCE:
                return tracks

    def _absorb(self) -> tuple[int, int]:
        """How many changes were taken from the outbox, and how many tracks they concern."""
        with self._database.transaction() as connection:
            taken = connection.execute(_TAKE_CHANGES, {"limit": _ABSORB_AT_ONCE}).fetchall()
            listed = 0
            if taken:
                columns = zip(*(row.values() for row in taken), strict=True)
                names = ("kinds", "keys", "since")
                parameters = dict(zip(names, map(list, columns), strict=True))
                listed = connection.execute(_LIST_CHANGED, parameters).rowcount
                dids = [row["key"] for row in taken if row["kind"] == "artists" and row["key"]]
                connection.execute(_FORGET_FLAGS, {"dids": dids})
            connection.execute("SELECT moodsearch.bound_outbox('names', %s)", [OUTBOX_ROWS])
        return len(taken), listed

    def reconcile(self) -> int:
        """Put every track on the list that is pending in any generation. Costs the size of the
        catalogue for each.

        What triggers missed is found with the rest, and forgotten. Triggers that are missing are
        made before, where that is possible.
        """
        with self._database.own_connection() as connection:
            watch_changes(connection)
        with self._database.transaction(WHOLE_CATALOGUE_SECONDS) as connection:
            # Compared afterwards, in a statement that sees whatever these rows speak of.
            connection.execute("DELETE FROM moodsearch.changes_missed WHERE consumer = 'work'")
            added = 0
            for _, target in self._targets(connection):
                cursor = connection.execute(_LIST_PENDING, {**target, "last": _MAX_ID})
                added += int(cursor.fetchall()[0]["added"])
            return added

    def anything_due(self, job: Job) -> bool:
        """Whether any track's turn has come: one look into an index."""
        rows = self._database.rows(
            "SELECT EXISTS (SELECT 1 FROM moodsearch.work"
            " WHERE job = %(job)s AND next_attempt_at <= now()) AS due",
            {"job": job},
        )
        return bool(rows[0]["due"])

    def due_blocks(
        self, job: Job, limit: int, busy: Collection[Block] = (), *, builds: int = 0
    ) -> list[DueBlock]:
        """Blocks with tracks whose turn it is, the latest changes first; none of the `busy` ones.
        Of those where nothing changed, and only an index that is being built lacks something, at
        most `builds`.

        Settled tracks of these blocks are dropped. Costs the number of due tracks.
        """
        blocks = self._chosen(job, limit, busy, is_build=False)
        if builds > 0:
            blocks += self._chosen(job, builds, [*busy, *blocks], is_build=True)
        due = [self._due(job, block) for block in blocks]
        return [item for item in due if item is not None]

    def _chosen(
        self, job: Job, limit: int, busy: Collection[Block], *, is_build: bool
    ) -> list[Block]:
        rows = self._database.rows(
            """
            SELECT track_id / %(size)s AS block
            FROM moodsearch.work
            WHERE job = %(job)s AND next_attempt_at <= now() AND is_build = %(is_build)s
                AND track_id / %(size)s <> ALL(%(busy)s::bigint[])
            GROUP BY 1 ORDER BY max(changed_at) DESC, 1 LIMIT %(limit)s
            """,
            {
                "job": job,
                "size": self.block_size,
                "limit": limit,
                "is_build": is_build,
                "busy": [block.first // self.block_size for block in busy],
            },
        )
        return [Block.containing(r["block"] * self.block_size, self.block_size) for r in rows]

    def few_are_listed(self, job: Job) -> bool:
        """Whether so little is left on the list that an index may be complete."""
        rows = self._database.rows(
            "SELECT count(*) AS n FROM"
            " (SELECT FROM moodsearch.work WHERE job = %(job)s LIMIT %(most)s) listed",
            {"job": job, "most": FEW},
        )
        return int(rows[0]["n"]) < FEW

    def _due(self, job: Job, block: Block) -> DueBlock | None:
        """What is due in the block for the live generation, or else for the first of the others:
        what is being built keeps no upload waiting."""
        pending = self._settle(job, block)
        rows = self._database.rows(
            """
            SELECT track_id, attempts FROM moodsearch.work
            WHERE job = %(job)s AND track_id BETWEEN %(first)s AND %(last)s
                AND next_attempt_at <= now()
            ORDER BY track_id
            """,
            {"job": job, "first": block.first, "last": block.last},
        )
        attempts = {row["track_id"]: row["attempts"] for row in rows}
        for generation, track_ids in pending:
            due = sorted(track_ids.intersection(attempts))
            if due:
                most = max(attempts[track_id] for track_id in due)
                return DueBlock(block, due, most, generation)
        return None

    def postpone(self, job: Job, track_ids: Sequence[int]) -> None:
        """Count an attempt at the tracks and set their next one: after 30 s, doubling, at most 6 h.
        A run that succeeds takes them off the list before that."""
        self._database.rows(
            f"""
            {LOCKED}
            UPDATE moodsearch.work w
            SET attempts = attempts + 1,
                next_attempt_at = now() + make_interval(
                    secs => least(%(first_delay)s * 2.0 ^ least(attempts, 20), %(longest)s))
            FROM locked WHERE w.job = %(job)s AND w.track_id = locked.track_id
            """,
            {
                "job": job,
                "ids": list(track_ids),
                "first_delay": FIRST_DELAY_SECONDS,
                "longest": LONGEST_DELAY_SECONDS,
            },
        )

    def settle(self, job: Job, block: Block) -> None:
        """Take the block's tracks off the list for which nothing is left to do in any generation.
        Of those that leave the list of `index` some may lack nothing but their genres, such as one
        that was hidden for a while: they are put on that list."""
        self._settle(job, block)

    def _settle(self, job: Job, block: Block) -> list[tuple[Generation, set[int]]]:
        """See `settle`. Returns what is left on the list for each generation."""
        parameters = {"job": job, "first": block.first, "last": block.last}
        with self._database.transaction() as connection:
            # Locked first, compared afterwards in statements that see what was committed
            # meanwhile: a track that is put on the list right now must not be dropped from it.
            rows = connection.execute(
                """
                SELECT track_id FROM moodsearch.work
                WHERE job = %(job)s AND track_id BETWEEN %(first)s AND %(last)s
                ORDER BY track_id FOR UPDATE
                """,
                parameters,
            ).fetchall()
            listed = [row["track_id"] for row in rows]
            pending = []
            for generation, target in self._targets(connection, hold=True):
                steps, genres = _pending_here(connection, listed, target)
                pending.append((generation, genres if job == "genres" else steps))
                if job == "index" and genres:
                    connection.execute(_LIST_GENRES, {"ids": sorted(genres)})
            settled = set(listed).difference(*(track_ids for _, track_ids in pending))
            connection.execute(
                "DELETE FROM moodsearch.work WHERE job = %(job)s AND track_id = ANY(%(ids)s)",
                {**parameters, "ids": list(settled)},
            )
        return pending

    def ask_for(self, job: Job, track_ids: Sequence[int]) -> None:
        """Put tracks on the list, due at once."""
        self._database.rows(
            """
            INSERT INTO moodsearch.work (job, track_id)
            SELECT %(job)s, id FROM unnest(%(ids)s::bigint[]) AS id ORDER BY id
            ON CONFLICT (job, track_id) DO UPDATE SET attempts = 0, next_attempt_at = now()
            """,
            {"job": job, "ids": list(track_ids)},
        )


def _pending_here(
    connection: Connection, track_ids: list[int], target: dict[str, object]
) -> tuple[set[int], set[int]]:
    """Which of some tracks, by id, have a step to do in a generation, and which lack genres."""
    if not track_ids:
        return set(), set()
    # From the first to the last of them: one new track costs as much in a full block.
    parameters = {**target, "first": track_ids[0], "last": track_ids[-1], "ids": track_ids}
    rows = connection.execute(_PENDING_HERE, parameters).fetchall()
    steps = {row["track_id"] for row in rows if row["has_step"]}
    return steps, {row["track_id"] for row in rows if row["needs_genres"]}
