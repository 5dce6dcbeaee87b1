"""One's own library: a better model is built behind the one that answers, and takes over."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from assets.block_run import NoProgress
from pipelines.backfill import backfill, plan
from pipelines.models import begin_by_itself, state_of_models, wanted
from pipelines.reconcile import drop_replaced_generations
from resources.backends import Backends
from resources.catalogue.work.generations import Generation
from resources.embedding.clap.exports import DEFAULT_EXPORT
from resources.settings import load_settings
from serving.cli.model_choice import choose_model
from serving.search.semantic import SemanticSearch
from tests.embedding.test_kept_weights import earlier_model, keep
from tests.pipelines.conftest import write_noise

pytestmark = pytest.mark.slow


@pytest.fixture
def backends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backends]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("CLAP_MODEL", raising=False)
    monkeypatch.setenv("MOODSEARCH_HOME", str(tmp_path / "home"))
    with Backends(load_settings()) as backends:
        backends.uploads.add(write_noise(tmp_path / "noise.wav", 1))
        yield backends


@pytest.fixture
def earlier(backends: Backends, tmp_path: Path) -> Generation:
    """The library as an earlier release left it: indexed by the model that it shipped."""
    model = earlier_model(tmp_path / "earlier")
    keep(backends.store, model)
    generation = backends.generations.open(model.model.for_tracks())
    assert generation.is_live
    old = backends.of(generation)
    assert backfill(old, plan(old), progress=NoProgress()).embedded == 1
    return generation


def test_an_update_that_ships_another_model_builds_its_index_by_itself(
    backends: Backends, earlier: Generation
) -> None:
    search = SemanticSearch(backends)
    begun = begin_by_itself(backends)
    assert begun is not None
    assert begun.model == backends.track_model.fingerprint
    assert begin_by_itself(backends) is None
    assert len(search.search("white noise").results) == 1
    assert state_of_models(backends) == {
        "answers": earlier.name,
        "being_built": begun.name,
        "tracks_to_go": 1,
    }
    backfill(backends, plan(backends), progress=NoProgress())
    live = backends.generations.live()
    assert live is not None
    assert live.id == begun.id
    assert search.search("white noise").available


def test_what_was_rolled_back_is_not_begun_again(backends: Backends, earlier: Generation) -> None:
    begin_by_itself(backends)
    backfill(backends, plan(backends), progress=NoProgress())
    back = backends.generations.rollback()
    assert back is not None
    assert back.id == earlier.id
    assert begin_by_itself(backends) is None


def test_clap_is_built_once_the_person_chose_it(backends: Backends) -> None:
    backfill(backends, plan(backends), progress=NoProgress())
    assert begin_by_itself(backends) is None
    choose_model(Console(), backends, "clap")
    assert backends.model_choice.read() == "clap"
    assert wanted(backends).settings.clap_model == DEFAULT_EXPORT.id
    # Whose texts it would compare is only known with its files, which no test here has.
    choose_model(Console(), backends, "offline")
    assert wanted(backends) is backends


def test_what_somebody_chose_among_the_indexes_stays(
    backends: Backends, earlier: Generation
) -> None:
    begin_by_itself(backends)
    backfill(backends, plan(backends), progress=NoProgress())
    assert backends.generations.rollback() is not None
    backends.model_choice.write("live")
    drop_replaced_generations(backends, timedelta(0))
    assert wanted(backends).track_model.fingerprint == earlier.model
    assert begin_by_itself(backends) is None
    choose_model(Console(), backends, "offline")
    assert wanted(backends) is backends


def test_nobody_is_asked_without_a_terminal(backends: Backends) -> None:
    choose_model(Console(force_terminal=False), backends, None)
    assert backends.model_choice.read() is None
