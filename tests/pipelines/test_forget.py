"""Forgetting on request: nothing of a track or an artist is left, and all of the others is."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from assets.block_run import NoProgress
from assets.forgetting.finding import subject_of
from assets.forgetting.scan import Trace, scan
from pipelines.backfill import backfill
from pipelines.backfill import plan as plan_backfill
from pipelines.forget import forget, plan, traces
from pipelines.instance import dagster_instance
from resources.backends import Backends
from resources.catalogue.exclusions import Exclusions
from resources.catalogue.names.index import KeywordIndex
from resources.errors import ExcludedError, UserError
from resources.settings import load_settings
from tests.audio.covers import JPEG
from tests.catalogue.names import add_playlist, add_tag
from tests.catalogue.test_migrations import APP_TABLES
from tests.pipelines.conftest import BLOCK, write_noise
from tests.pipelines.leftovers import index_with_another_model, keep_an_earlier_edition

pytestmark = pytest.mark.slow

RUNS = "Dagster's runs"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three files with a cover each, in folders of their own."""
    files = []
    for seed in range(3):
        folder = tmp_path / "music" / str(seed)
        folder.mkdir(parents=True)
        (folder / "cover.jpg").write_bytes(JPEG + bytes([seed]))
        files.append(write_noise(folder / f"Pièce {seed}.wav", seed))
    return files


@pytest.fixture
def ids(backends: Backends, files: list[Path]) -> list[int]:
    """The files' tracks, indexed and classified, by two models, with all that may be stored."""
    ids = [backends.uploads.add(path).track_id for path in files]
    for track_id in ids:
        add_tag(backends.database, f"tag {track_id}", track=track_id)
    backfill(backends, plan_backfill(backends), progress=NoProgress())
    index_with_another_model(backends, ids)
    return ids


def _of(backends: Backends, track_id: int) -> list[Trace]:
    """What is stored of one track alone once its changes were followed, but for what Dagster
    shows."""
    KeywordIndex(backends.database, backends.database_url).follow()
    backends.work.absorb_changes()
    backends.work.settle("index", BLOCK)
    return list(scan(backends, subject_of(backends.database, [track_id], frozenset())))


def test_nothing_is_left_of_a_track_and_everything_of_its_neighbours(
    backends: Backends, files: list[Path], ids: list[int]
) -> None:
    subject = plan(backends, str(ids[0]))
    places = {trace.place for trace in traces(backends, subject)}
    assert places >= {
        "public.tracks",
        "public.track_tags",
        "public.tags",
        "moodsearch.track_audio",
        "moodsearch.track_embeddings",
        "moodsearch.track_documents",
        "moodsearch.track_genres",
        "moodsearch/trackaudio/",
        "moodsearch/embeddings/",
        "moodsearch/windows/",
        "moodsearch/genrepredictions/",
        f"vectors of {backends.generation.namespace}",
        "vectors of another-namespace",
        "audio/",
        "artwork/",
        RUNS,
    }
    neighbours = {id_: _of(backends, id_) for id_ in ids[1:]}
    keep_an_earlier_edition(backends)
    receipt = forget(backends, subject)
    assert receipt.left == []
    assert receipt.removed[RUNS] == 2
    assert {id_: _of(backends, id_) for id_ in ids[1:]} == neighbours
    assert files[0].exists()
    # Nothing is pending: the index is as the catalogue is.
    assert plan_backfill(backends) == []


def test_the_file_stays_out_until_it_is_let_in_again(
    backends: Backends, files: list[Path], ids: list[int]
) -> None:
    forget(backends, plan(backends, str(ids[0])))
    renamed = files[0].rename(files[0].with_name("Another name.wav"))
    with pytest.raises(ExcludedError, match="forget --lift"):
        backends.uploads.add(renamed)
    (excluded,) = Exclusions(backends.database).all()
    assert Exclusions(backends.database).lift(excluded.hash[:12]) == 1
    assert backends.uploads.add(renamed).is_new


def test_nothing_is_left_of_an_artist(backends: Backends, ids: list[int]) -> None:
    database = backends.database
    database.rows("INSERT INTO public.artists VALUES ('did:plc:loud', 'loud.example', 'Loud')")
    database.rows(
        "UPDATE public.tracks SET artist_did = 'did:plc:loud' WHERE id = ANY(%(ids)s)",
        {"ids": ids[:2]},
    )
    add_playlist(database, "A loud list", owner="loud")
    backends.flags.grant("did:plc:loud", "vibe-search")
    neighbour = {trace.place for trace in _of(backends, ids[2])}
    subject = plan(backends, "@loud.example")
    assert subject.track_ids == set(ids[:2])
    assert forget(backends, subject).left == []
    assert {trace.place for trace in _of(backends, ids[2])} == neighbour
    assert backends.flags.of("did:plc:loud") == []
    assert database.rows("SELECT FROM public.playlists") == []
    assert database.rows("SELECT FROM public.artists WHERE did = 'did:plc:loud'") == []


def test_a_cover_and_a_file_that_others_have_stay(backends: Backends, ids: list[int]) -> None:
    """As of an album, and of two rows with the same bytes."""
    backends.database.rows(
        "UPDATE public.tracks t SET file_id = o.file_id, image_url = o.image_url"
        " FROM public.tracks o WHERE o.id = %(from)s AND t.id = %(to)s",
        {"from": ids[0], "to": ids[1]},
    )
    before = [key for key in backends.store.keys("a") if not key.startswith("moodsearch/")]
    assert forget(backends, plan(backends, str(ids[0]))).left == []
    assert list(backends.store.keys("a")) == before
    assert Exclusions(backends.database).all() == []


def test_dagster_shows_the_others_and_a_sentence_for_the_block(
    backends: Backends, ids: list[int]
) -> None:
    forget(backends, plan(backends, str(ids[0])))
    home = backends.settings.moodsearch_home / "dagster" / "storage"
    with dagster_instance(backends) as instance:
        assert instance.get_runs() == []
        assert [path for path in home.rglob("*") if path.is_file()] == []
        for asset in ("track_audio", "clap_embeddings", "search_index", "genre_predictions"):
            key = dg.AssetKey(asset)
            assert instance.get_materialized_partitions(key) == {BLOCK.key}
            event = instance.get_latest_materialization_event(key)
            assert event is not None
            assert event.asset_materialization is not None
            assert "forgotten" in str(event.asset_materialization.metadata["summary"].value)
    backfill(backends, plan_backfill(backends), progress=NoProgress())


def test_what_is_interrupted_is_done_again(
    backends: Backends, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = plan(backends, str(ids[0]))

    def fail(key: str) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(backends.store, "delete", fail)
        with pytest.raises(OSError, match="the disk is gone"):
            forget(backends, subject)
    assert forget(backends, plan(backends, str(ids[0]))).left == []


@pytest.mark.parametrize(
    ("place", "plant"),
    [
        ("moodsearch.work", "INSERT INTO moodsearch.work (job, track_id) VALUES ('index', 1)"),
        (
            "moodsearch.failed_runs",
            "INSERT INTO moodsearch.failed_runs (job, first_id, last_id, reason)"
            " SELECT 'index', 0, 999, 'audio/' || file_id || '.wav is missing'"
            " FROM moodsearch.track_audio WHERE track_id = 1",
        ),
        (
            "moodsearch.search_texts_track",
            "INSERT INTO moodsearch.search_texts VALUES ('track', '1', ' one ')"
            " ON CONFLICT DO NOTHING",
        ),
        (
            "moodsearch.search_sources",
            "UPDATE moodsearch.search_sources SET compared_to = '1' WHERE kind = 'track'",
        ),
        (
            "moodsearch.outbox",
            "INSERT INTO moodsearch.outbox (consumer, kind, key) VALUES ('work', 'tracks', '1')",
        ),
    ],
)
def test_a_row_that_is_put_there_is_found_and_removed(
    backends: Backends, files: list[Path], place: str, plant: str
) -> None:
    backends.uploads.add(files[0])
    backends.database.rows(
        "INSERT INTO moodsearch.track_audio (track_id, file_id, state)"
        " SELECT id, file_id, 'decodable' FROM public.tracks"
    )
    backends.database.rows(plant)
    subject = plan(backends, "1")
    assert place in {trace.place for trace in scan(backends, subject)}
    assert forget(backends, subject).left == []


@pytest.fixture
def app(
    empty_database_url: str, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backends]:
    """Beside an app, whose three tracks are indexed."""
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(APP_TABLES)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    with Backends(load_settings()) as backends:
        for number, path in enumerate(files):
            backends.store.put(f"audio/an-apps-file-{number}.wav", path.read_bytes())
        backends.database.rows(
            "INSERT INTO public.tracks (title, artist_did, file_id, file_type)"
            " SELECT 'Title ' || n, 'did:plc:a', 'an-apps-file-' || n, 'wav'"
            " FROM generate_series(0, 2) AS n"
        )
        backends.database.rows("DELETE FROM public.tracks WHERE file_type = 'mp3'")
        backfill(backends, plan_backfill(backends), progress=NoProgress())
        yield backends


def test_beside_an_app_a_public_track_is_refused_and_of_a_hidden_one_what_is_ours_goes(
    app: Backends,
) -> None:
    (first, second, _) = [
        row["id"] for row in app.database.rows("SELECT id FROM public.tracks ORDER BY id")
    ]
    for what in (str(first), "a.example"):
        with pytest.raises(UserError, match="the app shows"):
            plan(app, what)
    app.database.rows(
        "UPDATE public.tracks SET visibility = 'private', extra = extra || '{\"own\": 1}'"
        " WHERE id = %(id)s",
        {"id": first},
    )
    neighbour = _of(app, second)
    objects = list(app.store.keys("audio/"))
    receipt = forget(app, plan(app, str(first)))
    assert receipt.left == []
    assert receipt.removed["tracks.extra"] == 1
    (row,) = app.database.rows(
        "SELECT visibility, extra FROM public.tracks WHERE id = %(id)s", {"id": first}
    )
    assert row == {"visibility": "private", "extra": {"own": 1}}
    assert list(app.store.keys("audio/")) == objects
    assert _of(app, second) == neighbour
    assert Exclusions(app.database).all() == []


def test_beside_an_app_predictions_that_the_app_wrote_stay(app: Backends) -> None:
    app.database.rows(
        "WITH forgotten AS (DELETE FROM moodsearch.track_genres)"
        " UPDATE public.tracks SET visibility = 'private'"
    )
    before = app.database.rows("SELECT extra FROM public.tracks")
    assert forget(app, plan(app, "a.example")).left == []
    assert app.database.rows("SELECT extra FROM public.tracks") == before
    assert all(row["extra"] for row in before)


def test_who_is_unknown_is_said_so(backends: Backends) -> None:
    for name, reason in {"nobody": "no artist", "Twin": "several artists"}.items():
        backends.database.rows(
            "INSERT INTO public.artists VALUES (%(name)s || 1, %(name)s || 1, 'Twin'),"
            " (%(name)s || 2, %(name)s || 2, 'Twin') ON CONFLICT DO NOTHING",
            {"name": reason},
        )
        with pytest.raises(UserError, match=reason):
            plan(backends, name)
