"""Runs with a model whose texts all land in one place, and what the UI shows of one."""

import dataclasses

import dagster as dg
import numpy as np
import pytest

from resources.backends import Backends
from resources.embedding.collapse import COLLAPSED_SIMILARITY, PromptVectors
from resources.embedding.offline import load_offline_model
from resources.embedding.offline.model import OfflineModel
from tests.pipelines.conftest import Ran, Run, Upload

pytestmark = pytest.mark.slow

CHECK = "text_tower_tells_texts_apart"


@pytest.fixture
def collapsed() -> OfflineModel:
    """The shipped model with a text projection of zeros but for its bias."""
    model = load_offline_model(threads=1)
    text = dataclasses.replace(
        model.text,
        skip=np.zeros_like(model.text.skip),
        out=np.zeros_like(model.text.out),
        bias=np.ones_like(model.text.bias),
    )
    description = dataclasses.replace(model.model, id="collapsed", fingerprint="c" * 64)
    return dataclasses.replace(model, model=description, load_text=lambda: text)


def _evaluation(ran: Ran) -> dg.AssetCheckEvaluation:
    (found,) = [
        each for each in ran.outcome.get_asset_check_evaluations() if each.check_name == CHECK
    ]
    return found


def test_a_run_does_not_begin_an_index_of_a_collapsed_model(
    backends: Backends, upload: Upload, run: Run, collapsed: OfflineModel
) -> None:
    upload(1)
    backends.local_model = collapsed
    ran = run()
    assert not ran.success
    (failure,) = [event for event in ran.outcome.all_events if event.is_step_failure]
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    assert "collapsed" in str(data.description)
    assert backends.generations.all() == []


def test_the_check_shows_the_measured_mean(backends: Backends, upload: Upload, run: Run) -> None:
    upload(1)
    shown = _evaluation(run())
    assert shown.passed
    mean = shown.metadata["mean_similarity"].value
    assert isinstance(mean, float)
    assert 0 < mean < COLLAPSED_SIMILARITY
    assert shown.metadata["model"].value == backends.text_model.model.id


def test_the_check_finds_a_model_that_was_indexed_before_there_was_one(
    backends: Backends, upload: Upload, run: Run, collapsed: OfflineModel
) -> None:
    upload(1)
    backends.local_model = collapsed
    assert backends.generation.is_live
    shown = _evaluation(run())
    assert not shown.passed
    assert shown.metadata["mean_similarity"].value == pytest.approx(1)
    assert "choose another model" in str(shown.description)


def test_a_run_asks_no_text_tower_that_was_asked_before(
    backends: Backends, upload: Upload, run: Run
) -> None:
    model = load_offline_model(threads=1)
    PromptVectors(backends.store).of(model)
    upload(1)
    backends.local_model = load_offline_model(threads=1)
    ran = run()
    assert ran.success
    assert _evaluation(ran).passed
    assert "text" not in vars(backends.local_model)
