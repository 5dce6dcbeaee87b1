"""`moodsearch search`, with the model that ships."""

import json

from fastapi.testclient import TestClient

from resources.backends import Backends
from resources.settings import load_settings
from serving.api.app import create_app
from tests.serving.command import Command
from tests.serving.offline import index_descriptions

MOODS = {
    "Waves": "calm ambient pads, slow and quiet",
    "[bold]Riot[/bold] \x1b[31m": "aggressive heavy metal with distorted guitars",
    "Nocturne": "solo piano, melancholic",
}
QUERY = "angry loud metal"


def test_the_best_match_comes_first_and_titles_are_shown_as_they_are(moodsearch: Command) -> None:
    with Backends(load_settings()) as backends:
        index_descriptions(backends, MOODS)
    outcome = moodsearch("search", QUERY, "--limit", "2")
    assert outcome.status == 0
    assert outcome.errors == ""
    first, second = [line for line in outcome.output.splitlines() if "artist" in line]
    assert r"[bold]Riot[/bold] \x1b[31m" in first
    assert second.split()[0] == "2"
    assert "\x1b" not in outcome.output


def test_json_is_one_object_and_the_same_as_the_apis(moodsearch: Command) -> None:
    with Backends(load_settings()) as backends:
        index_descriptions(backends, MOODS)
        with TestClient(create_app(backends)) as client:
            expected = client.get("/search/semantic", params={"q": QUERY, "limit": 2}).json()
    outcome = moodsearch("search", QUERY, "--limit", "2", "--json")
    assert outcome.status == 0
    assert outcome.output.count("\n") == 1
    assert json.loads(outcome.output) == expected
    assert len(expected["results"]) == 2


def test_nothing_indexed_is_no_failure(moodsearch: Command) -> None:
    outcome = moodsearch("search", QUERY)
    assert outcome.status == 0
    assert "Nothing found" in outcome.output
    assert json.loads(moodsearch("search", QUERY, "--json").output) == {
        "results": [],
        "query": QUERY,
        "available": True,
    }
