"""Tracks marked with `extra.auto_tag` get the top genres as tags, once."""

import json

import pytest

from resources.catalogue.database import Database
from resources.catalogue.tracks.auto_tags import AutoTags, top_tags
from resources.catalogue.work.records import TrackRecords
from resources.genres.protocol import GenrePrediction
from tests.catalogue.rows import BLOCK, add_track, update_track

HEARD = (("techno", 0.8), ("ambient", 0.5), ("dub", 0.4), ("jazz", 0.39))


def marked(database: Database, mark: object = True, heard: object = HEARD) -> int:
    """A marked track with predictions for its present file."""
    track = add_track(database)
    update_track(database, track, extra=json.dumps({"auto_tag": mark, "kept": 1}))
    assert isinstance(heard, tuple)
    TrackRecords(database).genres(track, "file-1", [GenrePrediction(*each) for each in heard])
    return track


def tags(database: Database, track: int) -> list[str]:
    rows = database.rows(
        "SELECT name FROM public.track_tags JOIN public.tags ON id = tag_id"
        " WHERE track_id = %(id)s ORDER BY name",
        {"id": track},
    )
    return [row["name"] for row in rows]


def is_marked(database: Database, track: int) -> bool:
    (row,) = database.rows("SELECT extra FROM public.tracks WHERE id = %(id)s", {"id": track})
    assert row["extra"]["kept"] == 1
    return "auto_tag" in row["extra"]


def tag(database: Database, track: int, name: str) -> None:
    database.rows(
        "WITH tag AS (INSERT INTO public.tags (name) VALUES (%(name)s) RETURNING id)"
        " INSERT INTO public.track_tags SELECT %(track)s, id FROM tag",
        {"track": track, "name": name},
    )


def predictions(*confidences: float) -> list[GenrePrediction]:
    return [GenrePrediction(str(n), confidence) for n, confidence in enumerate(confidences)]


@pytest.mark.parametrize(
    ("confidences", "count"),
    [
        ((), 0),
        ((0.1,), 1),
        ((0.8, 0.4, 0.39), 2),
        ((0.8,) * 5, 5),
        ((0.8,) * 6, 5),
        ((0.0, 0.0), 2),
    ],
)
def test_the_top_tags_have_at_least_half_the_top_score(
    confidences: tuple[float, ...], count: int
) -> None:
    assert top_tags(predictions(*confidences)) == [str(n) for n in range(count)]


def test_what_a_recording_is_for_is_no_tag_but_counts_as_a_score() -> None:
    heard = [("non-music", 0.9), ("interview", 0.9), ("spoken word", 0.5), ("ambient", 0.2)]
    assert top_tags([GenrePrediction(*each) for each in heard]) == ["spoken word"]


def test_a_marked_track_gets_the_top_tags_and_loses_its_mark(database: Database) -> None:
    track = marked(database)
    assert AutoTags(database).apply(BLOCK).done == [track]
    assert tags(database, track) == ["ambient", "dub", "techno"]
    assert not is_marked(database, track)
    (creator,) = {
        row["created_by_did"] for row in database.rows("SELECT created_by_did FROM public.tags")
    }
    assert creator == "did:plc:artist"
    assert AutoTags(database).apply(BLOCK).done == []


def test_they_are_added_to_the_users_own_and_not_repeated(database: Database) -> None:
    other, track = add_track(database), marked(database)
    tag(database, track, "Techno")
    tag(database, track, "mine")
    tag(database, other, "ambient")
    AutoTags(database).apply(BLOCK)
    assert tags(database, track) == ["Techno", "ambient", "dub", "mine"]
    assert tags(database, other) == ["ambient"]
    assert database.rows("SELECT count(*) AS n FROM public.tags")[0]["n"] == 4


@pytest.mark.parametrize("mark", [False, None])
def test_a_mark_that_is_not_set_asks_for_nothing(database: Database, mark: object) -> None:
    track = marked(database, mark)
    assert AutoTags(database).apply(BLOCK).done == []
    assert tags(database, track) == []


def test_another_files_predictions_do_not_tag(database: Database) -> None:
    track = marked(database)
    update_track(database, track, file_id="file-2")
    assert AutoTags(database).apply(BLOCK).done == []
    assert is_marked(database, track)


def test_a_track_in_which_nothing_was_heard_loses_its_mark(database: Database) -> None:
    track = marked(database, heard=())
    AutoTags(database).apply(BLOCK)
    assert tags(database, track) == []
    assert not is_marked(database, track)


def test_an_app_without_tags_keeps_its_marks(database: Database) -> None:
    track = marked(database)
    database.rows("DROP TABLE public.track_tags, public.tags CASCADE")
    assert AutoTags(database).apply(BLOCK).done == []
    assert is_marked(database, track)


def test_tags_without_a_creator_are_made_too(database: Database) -> None:
    track = marked(database)
    database.rows("ALTER TABLE public.tags DROP created_by_did")
    AutoTags(database).apply(BLOCK)
    assert tags(database, track) == ["ambient", "dub", "techno"]


def test_tables_that_refuse_tags_leave_the_mark_and_say_why(database: Database) -> None:
    track = marked(database)
    database.rows("ALTER TABLE public.tags ADD colour text NOT NULL")
    outcome = AutoTags(database).apply(BLOCK)
    assert outcome.done == []
    assert "colour" in outcome.problems[track]
    assert is_marked(database, track)
    assert tags(database, track) == []
