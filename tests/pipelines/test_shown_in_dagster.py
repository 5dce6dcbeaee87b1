"""What a person sees of a run in Dagster's UI, and what a forced run does."""

import base64
import io
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import get_args

import dagster as dg
import polars as pl
import pytest

from resources.backends import Backends
from resources.catalogue.work.records import Computed
from tests.pipelines.conftest import BLOCK, Ran, Run, Upload
from tests.pipelines.tables import embeddings_table

pytestmark = pytest.mark.slow

ASSETS = ["track_audio", "clap_embeddings", "search_index"]


def _metadata(ran: Ran, asset: str) -> Mapping[str, dg.MetadataValue]:
    (event,) = ran.outcome.asset_materializations_for_node(asset)
    return event.metadata


def _rows(value: dg.MetadataValue) -> list[dict[str, object]]:
    assert isinstance(value, dg.TableMetadataValue)
    return [dict(record.data) for record in value.records]


def _title(backends: Backends, track_id: int, title: str) -> None:
    backends.database.rows(
        "UPDATE public.tracks SET title = %(title)s WHERE id = %(id)s",
        {"title": title, "id": track_id},
    )


def _break(backends: Backends, track_id: int) -> None:
    backends.store.put("audio/broken.wav", b"nothing that is audio")
    backends.database.rows(
        "UPDATE public.tracks SET file_id = 'broken', file_type = 'wav' WHERE id = %(id)s",
        {"id": track_id},
    )


def test_previews_name_tracks_and_hold_no_vectors(
    backends: Backends, upload: Upload, run: Run
) -> None:
    titles = ["First", "Second", "Third"]
    for seed, title in enumerate(titles):
        _title(backends, upload(seed, seconds=61.0 if seed == 0 else 1.0), title)
    ran = run()
    for asset in ASSETS:
        rows = _rows(_metadata(ran, asset)["preview"])
        assert [row["title"] for row in rows] == titles
        assert all(row["artist"] for row in rows)
    assert [row["duration"] for row in _rows(_metadata(ran, "track_audio")["preview"])] == [
        "1:01",
        "0:01",
        "0:01",
    ]
    for row in _rows(_metadata(ran, "clap_embeddings")["preview"]):
        others = {title for title in titles if title != row["title"]}
        assert {part.split(" (")[0] for part in str(row["sounds_like"]).split(", ")} == others
        assert not any("vector" in column for column in row)
    rows = _rows(_metadata(run("classify_genres"), "genre_predictions")["preview"])
    assert [row["title"] for row in rows] == titles
    assert all(row["genres"] for row in rows)


def test_the_tracks_of_this_run_come_first(backends: Backends, upload: Upload, run: Run) -> None:
    ids = [upload(seed) for seed in range(3)]
    run()
    _title(backends, ids[1], "Renamed")
    rows = _rows(_metadata(run(), "search_index")["preview"])
    assert [row["track_id"] for row in rows] == [ids[1], ids[2], ids[0]]
    assert rows[0]["title"] == "Renamed"


def test_what_cannot_be_played_is_shown_as_long_as_it_cannot(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(2)]
    _title(backends, ids[0], "Broken")
    _break(backends, ids[0])
    for failed_now in (1, 0):
        metadata = _metadata(run(), "track_audio")
        assert metadata["failed"].value == failed_now
        assert metadata["unplayable_in_block"].value == 1
        (row,) = _rows(metadata["unplayable"])
        assert row["title"] == "Broken"
        assert row["reason"]


def test_a_run_without_work_says_so(upload: Upload, run: Run) -> None:
    upload(1)
    assert str(_metadata(run(), "track_audio")["summary"].value) == "1 new"
    idle = run()
    for asset in ASSETS:
        assert str(_metadata(idle, asset)["summary"].value).startswith("nothing to do: 1 unchanged")


def test_plots_are_svg(upload: Upload, run: Run) -> None:
    for seed in range(3):
        upload(seed)
    ran = run()
    plots = [
        _metadata(ran, "track_audio")["durations"],
        _metadata(ran, "clap_embeddings")["similarity_spread"],
    ]
    for plot in plots:
        assert isinstance(plot, dg.MarkdownMetadataValue)
        _, _, encoded = str(plot.value).removesuffix(")").partition("data:image/svg+xml;base64,")
        picture = ET.fromstring(base64.b64decode(encoded))
        assert picture.tag == "{http://www.w3.org/2000/svg}svg"
        assert picture.findall(".//{http://www.w3.org/2000/svg}rect")


def test_a_forced_run_computes_everything_again(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(2)]
    run()
    run("classify_genres")
    forced = run(config={"force": True})
    for asset in ASSETS:
        counts = forced.counts(asset)
        assert (counts["new"], counts["changed"]) == (0, 2)
    assert forced.failed_checks() == set()
    assert (
        run("classify_genres", config={"force": True}).counts("genre_predictions")["changed"] == 2
    )
    assert backends.work.pending(BLOCK) == []
    assert backends.vectors.ids(BLOCK.first, BLOCK.last) == ids


def test_a_forced_run_predicts_genres_again_that_nothing_is_recorded_of(
    backends: Backends, upload: Upload, run: Run
) -> None:
    """The app wrote them, or the schema was lost."""
    upload(1)
    run()
    run("classify_genres")
    backends.database.rows("DELETE FROM moodsearch.track_genres")
    assert backends.work.pending(BLOCK) == []
    forced = run("classify_genres", config={"force": True})
    assert forced.counts("genre_predictions")["changed"] == 1


def test_a_forced_run_leaves_one_set_of_windows(
    backends: Backends, upload: Upload, run: Run
) -> None:
    """Of a track whose windows were stored together with another's."""
    ids = [upload(seed) for seed in range(2)]
    run()
    run(config={"force": True, "track_ids": ids[:1]})
    keys = list(backends.store.keys("moodsearch/windows/"))
    parts = [pl.read_parquet(io.BytesIO(backends.store.get(key))) for key in keys]
    assert sorted(pl.concat(parts)["track_id"]) == ids


def test_a_forced_run_of_some_tracks_leaves_the_others(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(2)]
    run()
    forced = run(config={"force": True, "track_ids": ids[:1]})
    assert forced.counts("clap_embeddings")["changed"] == 1
    assert forced.counts("clap_embeddings")["unchanged"] == 1


@pytest.mark.parametrize("computed", get_args(Computed))
def test_what_a_killed_forced_run_left_is_done_by_the_next(
    backends: Backends, upload: Upload, run: Run, computed: Computed
) -> None:
    """Until then the index answers with what it has."""
    upload(1)
    run()
    run("classify_genres")
    before = embeddings_table(backends, BLOCK).read()
    forgotten = backends.records.forget(
        computed,
        BLOCK,
        model=backends.track_model.fingerprint,
        generation=backends.generation.id,
    )
    assert forgotten != []
    assert len(backends.work.pending(BLOCK)) == 1
    assert backends.vectors.count() == 1
    assert run().success
    assert run("classify_genres").success
    assert embeddings_table(backends, BLOCK).read().equals(before)
    assert backends.work.pending(BLOCK) == []
