"""What people see beside a result, in place of the cosine."""

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from resources.embedding.offline import load_offline_model
from serving.search.shown_similarity import CLAP, OFFLINE, ShownScale, shown_scale
from tests.serving.moods import MODEL

scales = st.sampled_from([OFFLINE, CLAP])
cosines = st.floats(-1, 1)


@given(scales, cosines, cosines)
def test_a_nearer_track_is_never_shown_as_a_worse_one(
    scale: ShownScale, one: float, other: float
) -> None:
    nearer, farther = max(one, other), min(one, other)
    assert 0 <= scale.percent(farther) <= scale.percent(nearer) <= 100


def test_the_midpoint_is_shown_as_a_half() -> None:
    for scale in (OFFLINE, CLAP):
        assert scale.percent(scale.midpoint) == 50
        assert scale.percent(scale.midpoint + scale.width) == 73


def test_each_model_has_its_scale_and_unknown_ones_that_of_clap() -> None:
    assert shown_scale(load_offline_model().model) is OFFLINE
    assert shown_scale(replace(MODEL, id="Xenova/clap-htsat-unfused")) is CLAP
    assert shown_scale(MODEL) is CLAP


def test_what_clap_says_of_good_and_of_unrelated_pairs_is_far_apart() -> None:
    assert CLAP.percent(0.2) > 60
    assert CLAP.percent(0.1) < 30


@pytest.mark.parametrize("name", ["similarity-midpoint", "similarity-width"])
def test_the_page_has_the_scale_of_the_model_that_answers(client: TestClient, name: str) -> None:
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f'data-{name}="{CLAP.parameters[name]}"' in page.text


def test_a_page_that_did_not_change_is_not_sent_again(client: TestClient) -> None:
    etag = client.get("/").headers["ETag"]
    again = client.get("/", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
