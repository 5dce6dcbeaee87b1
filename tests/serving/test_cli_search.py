"""`moodsearch search`, with the model that ships."""

import json

import pytest
from fastapi.testclient import TestClient

from resources.backends import Backends
from resources.settings import load_settings
from serving.api.app import create_app
from serving.search.shown_similarity import OFFLINE
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
    assert "No results" in outcome.output
    assert json.loads(moodsearch("search", QUERY, "--json").output) == {
        "results": [],
        "query": QUERY,
        "available": True,
    }


def test_the_table_shows_percent_and_json_the_cosine(moodsearch: Command) -> None:
    with Backends(load_settings()) as backends:
        index_descriptions(backends, MOODS)
    best = json.loads(moodsearch("search", QUERY, "--limit", "1", "--json").output)["results"][0]
    assert -1 <= best["similarity"] <= 1
    (line,) = [
        ln
        for ln in moodsearch("search", QUERY, "--limit", "1").output.splitlines()
        if "artist" in ln
    ]
    assert f"{OFFLINE.percent(best['similarity'])} %" in line


SONGS = {
    "With a singer": "techno with vocals",
    "Without one": "techno",
    "For strings": "string quartet",
    "At the piano": "solo piano",
    "A drummer": "drum loop",
}


@pytest.mark.parametrize(
    ("query", "first", "not_first"),
    [
        ("techno without vocals", "Without one", "With a singer"),
        ("techno -vocals", "Without one", "With a singer"),
        ("I want some techno, no singing please", "Without one", "With a singer"),
        ("classical music but no piano", "For strings", "At the piano"),
        ("give me a string quartett", "For strings", "At the piano"),
    ],
)
def test_what_is_excluded_does_not_come_first(
    moodsearch: Command, query: str, first: str, not_first: str
) -> None:
    with Backends(load_settings()) as backends:
        index_descriptions(backends, SONGS)
    found = json.loads(moodsearch("search", query, "--json").output)
    assert found["query"] == query
    titles = [result["title"] for result in found["results"]]
    assert titles[0] == first
    assert titles.index(not_first) > 0


def test_nothing_but_an_exclusion_finds_the_rest(moodsearch: Command) -> None:
    with Backends(load_settings()) as backends:
        index_descriptions(backends, SONGS)
    results = json.loads(moodsearch("search", "no drums", "--json").output)["results"]
    assert results[-1]["title"] == "A drummer"


@pytest.mark.parametrize("query", ["asdf qwer", "the of and", "🙂🙂🙂"])
def test_a_query_without_meaning_is_answered_with_a_low_number(
    moodsearch: Command, query: str
) -> None:
    with Backends(load_settings()) as backends:
        index_descriptions(backends, SONGS)
    results = json.loads(moodsearch("search", query, "--json").output)["results"]
    assert len(results) == len(SONGS)
    assert all(OFFLINE.percent(result["similarity"]) < 30 for result in results)
