"""The outbox: two consumers read it, no change is lost however late it commits, it is bounded."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.catalogue.database import Database
from resources.catalogue.names import index as index_module
from resources.catalogue.names.index import KeywordIndex
from resources.catalogue.schema import triggers
from resources.catalogue.work import pending
from resources.catalogue.work.contents import Contents
from resources.catalogue.work.pending import PendingWork
from resources.catalogue.work.records import TrackRecords
from tests.catalogue.names import add_tag
from tests.catalogue.rows import add_artist, add_track, finish

WRITERS = range(3)


@pytest.fixture
def index(database: Database, database_url: str) -> KeywordIndex:
    return KeywordIndex(database, database_url)


@pytest.fixture
def apps(database: Database, database_url: str) -> Iterator[list[psycopg.Connection]]:
    """Connections of the app's, each with a transaction of its own."""
    with ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(database_url)) for _ in WRITERS]


def waiting(database: Database, consumer: str) -> int:
    rows = database.rows(
        "SELECT count(*) AS n FROM moodsearch.outbox WHERE consumer = %(name)s", {"name": consumer}
    )
    return int(rows[0]["n"])


def listed(database: Database) -> set[int]:
    rows = database.rows("DELETE FROM moodsearch.work WHERE job = 'index' RETURNING track_id")
    return {row["track_id"] for row in rows}


def kept(database: Database) -> dict[int, str]:
    rows = database.rows("SELECT key, text FROM moodsearch.search_texts WHERE kind = 'track'")
    return {int(row["key"]): row["text"].strip() for row in rows}


def test_a_change_that_commits_after_later_ones_were_read_is_read_then(
    database: Database, work: PendingWork, index: KeywordIndex, apps: list[psycopg.Connection]
) -> None:
    early, late, _ = apps
    first, second = add_track(database, "one"), add_track(database, "two")
    work.absorb_changes()
    index.follow()
    listed(database)
    # The row of the first has the smaller number, and is committed last.
    early.execute("UPDATE public.tracks SET title = 'one again' WHERE id = %s", [first])
    late.execute("UPDATE public.tracks SET title = 'two again' WHERE id = %s", [second])
    late.commit()
    assert work.absorb_changes() == 1
    assert listed(database) == {second}
    assert index.follow() == 1
    early.commit()
    assert work.absorb_changes() == 1
    assert listed(database) == {first}
    assert index.follow() == 1
    assert kept(database) == {first: "one again", second: "two again"}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("write", "write", "commit", "roll back", "absorb", "follow")),
        st.sampled_from(WRITERS),
    ),
    max_size=25,
)


@given(steps=STEPS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_each_change_is_read_once_it_is_committed_and_before_that_never(
    database: Database,
    work: PendingWork,
    index: KeywordIndex,
    apps: list[psycopg.Connection],
    steps: list[tuple[str, int]],
) -> None:
    """Each app renames a track of its own, in transactions that begin and end in any order."""
    for app in apps:
        app.rollback()
    database.rows("DELETE FROM public.tracks")
    ids = [add_track(database, "0", file_id=f"file-{n}") for n in WRITERS]
    work.absorb_changes()
    index.follow()
    listed(database)
    titles = dict.fromkeys(ids, "0")
    unlisted: set[int] = set()
    written: dict[int, str] = {}
    for number, (step, writer) in enumerate(steps, start=1):
        track, app = ids[writer], apps[writer]
        if step == "write":
            app.execute("UPDATE public.tracks SET title = %s WHERE id = %s", [str(number), track])
            written[track] = str(number)
        elif step == "commit":
            app.commit()
            if track in written:
                titles[track] = written.pop(track)
                unlisted.add(track)
        elif step == "roll back":
            app.rollback()
            written.pop(track, None)
        elif step == "absorb":
            assert work.absorb_changes() == len(unlisted)
            assert listed(database) == unlisted
            unlisted = set()
        else:
            index.follow()
            assert kept(database) == titles
    for app in apps:
        app.rollback()
    work.absorb_changes()
    assert listed(database) == unlisted
    index.follow()
    assert kept(database) == titles
    assert (waiting(database, "work"), waiting(database, "names")) == (0, 0)


def test_a_consumer_that_is_killed_before_it_commits_takes_nothing(
    database: Database, database_url: str, work: PendingWork, index: KeywordIndex
) -> None:
    add_track(database, "nova")
    with psycopg.connect(database_url) as killed:
        killed.execute("DELETE FROM moodsearch.outbox")
        # Its rows are locked, and left to it.
        assert work.absorb_changes() == 0
        killed.rollback()
    assert work.absorb_changes() == 1
    assert index.follow() > 0


def test_each_consumer_reads_what_concerns_it(
    database: Database, work: PendingWork, index: KeywordIndex
) -> None:
    track = add_track(database)
    tag = add_tag(database, "nova", track=None)
    for number, (write, for_work, for_names) in enumerate(
        (
            ("UPDATE public.tracks SET title = 'else'", 1, 1),
            ("UPDATE public.tracks SET file_id = 'else'", 1, 0),
            ("UPDATE public.tracks SET extra = '{\"plays\": 1}'", 0, 0),
            ("UPDATE public.artists SET display_name = 'else'", 0, 1),
            ("UPDATE public.artists SET handle = 'else'", 1, 1),
            ("UPDATE public.tags SET name = 'else'", 0, 1),
            (f"INSERT INTO public.track_tags VALUES ({track}, {tag})", 1, 0),
            ("DELETE FROM public.track_tags", 1, 0),
            ("TRUNCATE public.playlists", 0, 1),
        )
    ):
        database.rows("TRUNCATE moodsearch.outbox")
        database.rows(write)
        seen = (waiting(database, "work"), waiting(database, "names"))
        assert seen == (for_work, for_names), number


def test_a_track_that_gets_or_loses_a_tag_is_looked_at(
    database: Database, work: PendingWork
) -> None:
    track = add_track(database)
    tag = add_tag(database, "nova", track=track)
    work.absorb_changes()
    listed(database)
    for write in (
        f"DELETE FROM public.track_tags WHERE tag_id = {tag}",
        f"INSERT INTO public.track_tags VALUES ({track}, {tag})",
        f"DELETE FROM public.tags WHERE id = {tag}",
    ):
        database.rows(write)
        assert work.absorb_changes() == 1
        assert listed(database) == {track}


def test_many_changes_of_no_track_do_not_hide_those_behind_them(
    database: Database, work: PendingWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "_ABSORB_AT_ONCE", 3)
    for n in range(10):
        add_artist(database, f"artist-{n}")
    track = add_track(database, artist="artist-9")
    assert work.absorb_changes() > 0
    assert listed(database) == {track}


def test_where_no_api_follows_the_names_are_compared_when_one_does(
    database: Database, work: PendingWork, index: KeywordIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "OUTBOX_ROWS", 5)
    for n in range(4):
        add_track(database, f"nova {n}")
    work.absorb_changes()
    assert waiting(database, "names") == 5  # The artist's as well.
    add_track(database, "quasar")
    work.absorb_changes()
    assert waiting(database, "names") == 0
    assert {state.kind for state in index.states() if state.missed} == {"track", "artist", "handle"}
    assert index.keep() > 0
    assert sorted(kept(database).values()) == ["nova 0", "nova 1", "nova 2", "nova 3", "quasar"]
    assert not [state for state in index.states() if state.missed]


def test_where_no_sensor_runs_the_tracks_are_compared_when_one_does(
    database: Database,
    work: PendingWork,
    records: TrackRecords,
    index: KeywordIndex,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(index_module, "OUTBOX_ROWS", 5)
    tracks = {add_track(database, file_id=f"file-{n}") for n in range(9)}
    index.follow()
    assert waiting(database, "work") == 0
    missed = Contents(database).missed_changes()
    assert {each.table for each in missed} == {"tracks", "artists"}
    assert work.reconcile() == 9
    assert listed(database) == tracks
    finish(work, records)
    assert Contents(database).missed_changes() == []


def test_a_change_that_commits_after_the_others_became_a_comparison_is_read(
    database: Database, work: PendingWork, index: KeywordIndex, apps: list[psycopg.Connection]
) -> None:
    late = apps[0]
    tracks = [add_track(database, f"nova {n}") for n in range(4)]
    late.execute("UPDATE public.tracks SET title = 'late' WHERE id = %s", [tracks[0]])
    database.rows("SELECT moodsearch.bound_outbox('names', 2)")
    assert index.keep() > 0
    assert kept(database)[tracks[0]] == "nova 0"
    late.commit()
    assert index.follow() == 1
    assert kept(database)[tracks[0]] == "late"


def test_the_outbox_is_bounded_by_some_megabytes(database: Database) -> None:
    add_track(database)
    database.rows(
        "INSERT INTO moodsearch.outbox (consumer, kind, key)"
        " SELECT 'names', 'tracks', n FROM generate_series(1, 10000) n"
    )
    (row,) = database.rows("SELECT pg_total_relation_size('moodsearch.outbox') AS bytes")
    assert row["bytes"] / 10_000 * triggers.OUTBOX_ROWS < 25_000_000
