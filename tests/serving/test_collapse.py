"""A model whose texts all land in one place is refused wherever it would be used."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from resources.backends import Backends
from resources.embedding.collapse import (
    COLLAPSED_SIMILARITY,
    UNLIKE_TEXTS,
    PromptVectors,
    mean_similarity,
    refuse_collapsed,
)
from resources.errors import ConfigurationError
from resources.settings import load_settings
from serving.api.app import create_app
from tests.catalogue.rows import add_track
from tests.fakes.loopback import Answer, Host
from tests.serving.collapsed_clap import write_collapsed_clap
from tests.serving.command import Command, run_program
from tests.serving.moods import EMBED_TEXT, MODEL, index
from tests.serving.test_warm_up import on_modal, wait_until

__all__ = ["on_modal"]

ONE_PLACE = Answer(200, {"embedding": [1.0] + [0.0] * 511, "dimensions": 512})


@pytest.fixture
def collapsed(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`CLAP_MODEL` is an ONNX export whose text projection is zero but for its bias."""
    folder = write_collapsed_clap(tmp_path / "collapsed")
    monkeypatch.setenv("CLAP_MODEL", str(folder))
    monkeypatch.setenv("CLAP_PRECISION", "fp32")
    monkeypatch.setenv("DATABASE_URL", database_url)


@pytest.mark.parametrize("similarity", [0.9, 1.0, float("nan")])
def test_what_is_not_below_the_limit_is_refused(similarity: float) -> None:
    with pytest.raises(ConfigurationError, match="CLAP_MODEL: moods"):
        refuse_collapsed(MODEL, similarity)


def test_what_is_below_the_limit_is_not() -> None:
    refuse_collapsed(MODEL, 0.899)


def test_the_similarity_is_the_mean_over_pairs() -> None:
    vectors = np.eye(512, dtype=np.float32)[[0, 0, 1]]
    assert mean_similarity(vectors) == pytest.approx(1 / 3)


def test_the_prompts_are_24_unlike_texts() -> None:
    assert len(set(UNLIKE_TEXTS)) == len(UNLIKE_TEXTS) == 24


@pytest.mark.slow
@pytest.mark.usefixtures("collapsed")
def test_the_api_does_not_start_with_a_collapsed_model() -> None:
    outcome = run_program("serve", "--port", "0")
    assert outcome.status == 1
    assert outcome.is_one_error_line, outcome.errors
    assert "24 unlike texts have a mean similarity of 1.000" in outcome.errors


@pytest.mark.usefixtures("collapsed")
@pytest.mark.parametrize("command", [["backfill"], ["up", "--port", "0", "--dagster-port", "{}"]])
def test_nothing_is_indexed_by_a_collapsed_model(moodsearch: Command, command: list[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        command = [each.format(free.getsockname()[1]) for each in command]
    with Backends(load_settings()) as backends:
        add_track(backends.database)
        outcome = moodsearch(*command)
        assert outcome.status == 1
        assert outcome.is_one_error_line, outcome.errors
        assert "collapsed" in outcome.errors
        assert backends.generations.all() == []


@pytest.mark.usefixtures("collapsed")
def test_doctor_says_that_a_model_is_collapsed(moodsearch: Command) -> None:
    outcome = moodsearch("doctor")
    assert outcome.status == 1
    assert "its text tower is collapsed" in outcome.output


def test_a_collapsed_model_on_modal_is_found_by_the_first_warm_up(
    on_modal: Backends, model_host: Host
) -> None:
    index(on_modal, {add_track(on_modal.database): "dark techno"})
    model_host.on(EMBED_TEXT, ONE_PLACE)
    model = on_modal.text_model.model
    with TestClient(create_app(on_modal)) as client:
        client.post("/search/warm")
        wait_until(lambda: PromptVectors(on_modal.store).kept(model) is not None)
        wait_until(_search_is_refused(client))
        state = client.get("/readyz").json()["backends"]["model"]
        assert not state["ok"]
        assert "collapsed" in state["detail"]
    # The next process knows without asking.
    before = len(model_host.requests)
    with pytest.raises(ConfigurationError, match="collapsed"):
        create_app(on_modal)
    assert len(model_host.requests) == before


def _search_is_refused(client: TestClient) -> Callable[[], bool]:
    return lambda: (
        client.get("/search/semantic", params={"q": "solo piano"}).json()["available"] is False
    )


def test_a_model_is_asked_once_and_then_what_was_kept_counts(
    backends: Backends, model_host: Host
) -> None:
    prompts = PromptVectors(backends.store)
    vectors = prompts.of(backends.text_model)
    assert sorted(json.loads(each.body)["text"] for each in model_host.requests) == sorted(
        UNLIKE_TEXTS
    )
    np.testing.assert_array_equal(prompts.of(backends.text_model), vectors)
    assert len(model_host.requests) == len(UNLIKE_TEXTS)
    assert mean_similarity(vectors) < COLLAPSED_SIMILARITY


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"PK\3\4 an archive"])
def test_what_was_kept_and_is_damaged_is_measured_again(
    backends: Backends, model_host: Host, damage: bytes
) -> None:
    prompts = PromptVectors(backends.store)
    vectors = prompts.of(backends.text_model)
    (key,) = backends.store.keys("moodsearch/prompts/")
    backends.store.put(key, damage)
    np.testing.assert_array_equal(prompts.of(backends.text_model), vectors)
    assert len(model_host.requests) == 2 * len(UNLIKE_TEXTS)
    assert prompts.kept(backends.text_model.model) is not None
