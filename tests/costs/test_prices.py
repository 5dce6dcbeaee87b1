"""What a catalogue would cost."""

import pytest

from resources.costs import prices
from resources.costs.measures import Measure, difference
from serving.embedding_service import modal_app
from serving.embedding_service.limits import Limits


def test_a_container_is_what_is_deployed() -> None:
    assert prices.MODAL_CORES == modal_app.CPU_CORES
    assert prices.MODAL_GIBIBYTES * 1024 == modal_app.MEMORY_MEBIBYTES
    assert prices.MODAL_IDLE_SECONDS == modal_app.IDLE_SECONDS
    assert prices.MODAL_MOST_CONTAINERS == modal_app.MAX_CONTAINERS
    assert 2 * Limits.workers == prices.MODAL_REQUESTS_AT_ONCE


def test_the_published_examples_come_out() -> None:
    assert pytest.approx(0.126, abs=0.001) == prices.MODAL_CONTAINER_SECOND * 3600
    assert pytest.approx(92, abs=1) == prices.MODAL_CONTAINER_MONTH
    assert prices.dollars_to_classify(5000) == pytest.approx(1.0)
    queries = {Measure.TURBOPUFFER_QUERIED_BYTES: 1e6 * prices.TURBOPUFFER_LEAST_QUERIED_BYTES}
    assert prices.dollars(queries) == pytest.approx(1.28)


def test_nothing_to_do_costs_nothing() -> None:
    assert (
        prices.dollars_to_embed(0)
        == prices.dollars_to_index(0)
        == prices.dollars_to_classify(0)
        == 0
    )
    nothing: dict[Measure, float] = {}
    assert isinstance(prices.dollars(nothing), float)


@pytest.mark.parametrize("measure", Measure)
def test_more_never_costs_less_and_counts_alone_cost_nothing(measure: Measure) -> None:
    once, twice = prices.dollars({measure: 1e9}), prices.dollars({measure: 2e9})
    assert twice == 2 * once
    billed = {
        Measure.REPLICATE_SECONDS,
        Measure.REPLICATE_UNTIMED,
        Measure.MODAL_CONTAINER_SECONDS,
        Measure.TURBOPUFFER_WRITTEN_BYTES,
        Measure.TURBOPUFFER_QUERIED_BYTES,
        Measure.TURBOPUFFER_RETURNED_BYTES,
    }
    assert (once > 0) == (measure in billed)


def test_queries_that_are_embedded_here_cost_nothing_on_modal() -> None:
    assert prices.on_modal(575, queries_too=False).per_1000_queries == 0
    assert prices.on_modal(575, queries_too=True).per_1000_queries > 1


def test_a_difference_leaves_out_what_did_not_change() -> None:
    before = {Measure.MODAL_TEXT_REQUESTS: 2.0}
    after = {Measure.MODAL_TEXT_REQUESTS: 2.0, Measure.REPLICATE_PREDICTIONS: 1.0}
    assert difference(after, before) == {Measure.REPLICATE_PREDICTIONS: 1.0}
