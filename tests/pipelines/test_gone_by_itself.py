"""What is deleted or hidden goes by itself, with the work on its block: under every model, from
every place but Dagster's runs."""

import dagster as dg
import pytest

from assets.forgetting.finding import subject_of
from assets.forgetting.scan import scan
from assets.forgetting.subject import Subject
from pipelines.definitions import defs
from resources.backends import Backends
from resources.settings import load_settings
from tests.catalogue.rows import update_track
from tests.pipelines.conftest import Run, Upload
from tests.pipelines.leftovers import index_with_another_model, keep_an_earlier_edition

pytestmark = pytest.mark.slow

OF_THE_CATALOGUE = {"public.tracks", "audio/"}
EMBEDDINGS = {"moodsearch.track_embeddings", "moodsearch/embeddings/", "moodsearch/windows/"}


@pytest.fixture
def ids(backends: Backends, upload: Upload, run: Run) -> list[int]:
    """Three tracks, indexed and classified, by two models."""
    ids = [upload(seed) for seed in range(3)]
    run()
    run("classify_genres")
    index_with_another_model(backends, ids)
    keep_an_earlier_edition(backends)
    return ids


def _track(backends: Backends, track_id: int) -> Subject:
    subject = subject_of(backends.database, [track_id], frozenset())
    # Its artist has other tracks.
    assert subject.dids == frozenset()
    return subject


def _places(backends: Backends, subject: Subject) -> set[str]:
    return {trace.place for trace in scan(backends, subject)}


def _hide(backends: Backends, track_id: int) -> None:
    update_track(backends.database, track_id, visibility="private")


def _housekeeping(backends: Backends, instance: dg.DagsterInstance) -> None:
    job = defs.resolve_job_def("housekeeping")
    assert job.execute_in_process(instance=instance, resources={"backends": backends}).success


def _hidden_days_ago(backends: Backends, days: int) -> None:
    backends.database.rows(
        "UPDATE moodsearch.track_embeddings SET hidden_since = now() - make_interval(days => %(d)s)"
        " WHERE hidden_since IS NOT NULL",
        {"d": days},
    )


def test_of_a_deleted_track_nothing_is_left_and_of_others_everything(
    backends: Backends, ids: list[int], run: Run
) -> None:
    gone, stays = _track(backends, ids[0]), _track(backends, ids[1])
    before = _places(backends, stays)
    backends.database.rows("DELETE FROM public.tracks WHERE id = %(id)s", {"id": ids[0]})
    ran = run()
    assert ran.failed_checks() == set()
    assert _places(backends, gone) == set()
    assert _places(backends, stays) == before


def test_of_a_hidden_track_nothing_but_its_embedding_is_kept_and_it_comes_back_with_that(
    backends: Backends, ids: list[int], run: Run
) -> None:
    hidden, stays = _track(backends, ids[0]), _track(backends, ids[1])
    before = _places(backends, stays)
    _hide(backends, ids[0])
    run()
    backends.work.absorb_changes()
    run()
    assert _places(backends, hidden) - {"moodsearch.outbox"} == OF_THE_CATALOGUE | EMBEDDINGS
    assert _places(backends, stays) == before
    update_track(backends.database, ids[0], visibility="public")
    ran = run()
    counts = ran.counts("clap_embeddings")
    assert (counts["new"], counts["changed"]) == (0, 0)
    assert ran.failed_checks() == set()
    assert backends.vectors.vector(ids[0]) is not None


def test_the_embedding_of_a_hidden_track_goes_after_thirty_days(
    backends: Backends, instance: dg.DagsterInstance, ids: list[int], run: Run
) -> None:
    long, recently = _track(backends, ids[0]), _track(backends, ids[1])
    _hide(backends, ids[0])
    run()
    _hidden_days_ago(backends, 30)
    _hide(backends, ids[1])
    run()
    _housekeeping(backends, instance)
    assert _places(backends, long) - {"moodsearch.outbox"} == OF_THE_CATALOGUE
    assert _places(backends, recently) >= EMBEDDINGS


def test_a_track_that_is_shown_again_keeps_its_embedding(
    backends: Backends, instance: dg.DagsterInstance, ids: list[int], run: Run
) -> None:
    _hide(backends, ids[0])
    run()
    _hidden_days_ago(backends, 300)
    update_track(backends.database, ids[0], visibility="public")
    _housekeeping(backends, instance)
    assert _places(backends, _track(backends, ids[0])) >= EMBEDDINGS
    run()
    assert _places(backends, _track(backends, ids[0])) >= EMBEDDINGS
    _hide(backends, ids[0])
    run()
    _housekeeping(backends, instance)
    assert _places(backends, _track(backends, ids[0])) >= EMBEDDINGS


def test_with_zero_days_a_hidden_tracks_embedding_goes_with_the_rest(
    backends: Backends, ids: list[int], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOODSEARCH_KEEP_HIDDEN_DAYS", "0")
    backends.settings = load_settings()
    hidden = _track(backends, ids[0])
    _hide(backends, ids[0])
    run()
    assert _places(backends, hidden) - {"moodsearch.outbox"} == OF_THE_CATALOGUE


def test_a_blocks_table_is_written_once_for_all_that_go_from_it(
    backends: Backends, ids: list[int], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    put = backends.store.put

    def noting(key: str, data: bytes) -> None:
        written.append(key)
        put(key, data)

    monkeypatch.setattr(backends.store, "put", noting)
    backends.database.rows("DELETE FROM public.tracks WHERE id = ANY(%(ids)s)", {"ids": ids[:2]})
    run()
    tables = [key for key in written if key.startswith("moodsearch/")]
    assert len(tables) == len(set(tables)) > 0
