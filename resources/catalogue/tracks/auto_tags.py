"""Tagging tracks whose uploader asked for it (`extra.auto_tag`) with the genres heard in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import psycopg

from resources.catalogue.database import Connection, Database
from resources.catalogue.schema.app_tables import column_types
from resources.catalogue.tracks.genres import comparable_tag, has_tags, own_tags, read_predictions
from resources.catalogue.work.blocks import Block
from resources.errors import first_line
from resources.genres.labels import is_tag
from resources.genres.protocol import GenrePrediction

MOST_TAGS: Final = 5
SHARE_OF_THE_TOP_SCORE: Final = 0.5

_IS_DUE: Final = """
extra -> 'auto_tag' NOT IN ('false', 'null')
AND extra ->> 'genre_predictions_file_id' = file_id::text
"""


@dataclass
class AutoTagged:
    """Tracks that were tagged, and why others could not be, by id."""

    done: list[int] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)


class AutoTags:
    def __init__(self, database: Database) -> None:
        self._database = database

    def apply(self, block: Block, *, within: float | None = None) -> AutoTagged:
        """Tag the marked tracks of `block` whose present file has predictions, and clear their
        marks. Nothing happens where the app has no tags such as ours. `within`: seconds that a
        statement may take.

        Raises `BackendError`.
        """
        outcome = AutoTagged()
        for track_id in self._marked(block, within):
            try:
                with self._database.transaction(within) as connection:
                    _tag(connection, track_id)
            except (psycopg.ProgrammingError, psycopg.IntegrityError) as error:
                # The app's tables refuse it. The genres themselves are stored, and other tracks
                # must not wait for this.
                outcome.problems[track_id] = first_line(error)
            else:
                outcome.done.append(track_id)
        return outcome

    def _marked(self, block: Block, within: float | None) -> list[int]:
        with self._database.transaction(within) as connection:
            if not has_tags(connection):
                return []
            rows = connection.execute(
                "SELECT id FROM public.tracks"
                f" WHERE id BETWEEN %s AND %s AND {_IS_DUE} ORDER BY id",
                [block.first, block.last],
            ).fetchall()
        return [row["id"] for row in rows]


def top_tags(predictions: Sequence[GenrePrediction]) -> list[str]:
    """The best of `predictions` (best first): at most five, with at least half the top score.

    What is no tag counts as a score, so that a recording that is no music above all does not get
    the tags of the little music that was heard in it.
    """
    if not predictions:
        return []
    least = predictions[0].confidence * SHARE_OF_THE_TOP_SCORE
    tags = [each.name for each in predictions if each.confidence >= least and is_tag(each.name)]
    return tags[:MOST_TAGS]


def _tag(connection: Connection, track_id: int) -> None:
    # Locked, so that neither the mark nor the file changes meanwhile.
    row = connection.execute(
        "SELECT artist_did, extra -> 'genre_predictions' AS predictions FROM public.tracks"
        f" WHERE id = %s AND {_IS_DUE} FOR UPDATE",
        [track_id],
    ).fetchone()
    if row is None:
        return
    has = {comparable_tag(tag) for tag in own_tags(connection, track_id)}
    top = top_tags(read_predictions(row["predictions"]) or [])
    new = [name for name in top if comparable_tag(name) not in has]
    _create_tags(connection, new, row["artist_did"])
    connection.execute(
        "INSERT INTO public.track_tags (track_id, tag_id)"
        " SELECT %s, id FROM public.tags WHERE name = ANY(%s) ON CONFLICT DO NOTHING",
        [track_id, new],
    )
    connection.execute(
        "UPDATE public.tracks SET extra = extra - 'auto_tag' WHERE id = %s", [track_id]
    )


def _create_tags(connection: Connection, names: Sequence[str], artist_did: str) -> None:
    """Those of `names` that are missing, as the artist's."""
    has_creator = "created_by_did" in column_types(connection, ["tags"])["tags"]
    columns, values = ("name, created_by_did", "name, %(did)s") if has_creator else ("name", "name")
    # In the order of their names, so that two of us never wait for each other.
    connection.execute(
        f"""
        INSERT INTO public.tags ({columns})
        SELECT {values} FROM unnest(%(names)s::text[]) AS wanted (name)
        WHERE NOT EXISTS (SELECT 1 FROM public.tags g WHERE g.name = wanted.name)
        ORDER BY name
        ON CONFLICT DO NOTHING
        """,
        {"names": list(names), "did": artist_did},
    )
