"""Semantic search: what is found, what is never shown, and what a broken backend does to it."""

import logging
import socket
import time

import pytest

from resources.backends import Backends
from resources.catalogue.work.records import IndexRecord
from resources.embedding.protocol import EmbeddingModel
from serving.search.live_index import LiveIndex
from serving.search.semantic import SemanticSearch
from tests.catalogue.rows import add_track, update_track
from tests.fakes.loopback import Answer, Host
from tests.serving.moods import EMBED_TEXT, OTHER_MODEL, answers, embedder, index, mood


def titles(search: SemanticSearch, query: str, limit: int = 10) -> list[str]:
    answer = search.search(query, limit)
    assert answer.available, answer.reason
    return [found.title for found in answer.results]


def test_the_tracks_nearest_to_the_query_come_first(
    backends: Backends, search: SemanticSearch
) -> None:
    moods = ["solo piano", "dark techno", "dark ambient techno"]
    ids = {text: add_track(backends.database, text) for text in moods}
    index(backends, {id_: text for text, id_ in ids.items()})
    answer = search.search("dark ambient techno", 10)
    assert [found.title for found in answer.results] == [*reversed(moods)]
    assert [found.id for found in answer.results] == [ids[text] for text in reversed(moods)]


def test_the_similarity_is_the_cosine_with_six_digits(
    backends: Backends, search: SemanticSearch
) -> None:
    index(backends, {add_track(backends.database): "dark techno"})
    (found,) = search.search("dark ambient").results
    expected = float(mood("dark techno") @ mood("dark ambient"))
    assert found.similarity == pytest.approx(expected, abs=2e-6)
    assert found.similarity == round(found.similarity, 6)


def test_a_track_that_is_not_public_is_never_found_whatever_is_in_the_index(
    backends: Backends, search: SemanticSearch
) -> None:
    for visibility in ("private", "unlisted", "supporters", "PUBLIC"):
        hidden = add_track(backends.database, visibility, visibility=visibility)
        index(backends, {hidden: "dark techno"})
    index(backends, {add_track(backends.database, "shown"): "dark"})
    assert titles(search, "dark techno") == ["shown"]


def test_a_track_that_was_hidden_or_deleted_after_indexing_disappears_at_once(
    backends: Backends, search: SemanticSearch
) -> None:
    hidden, deleted = add_track(backends.database), add_track(backends.database)
    index(backends, {hidden: "dark techno", deleted: "dark techno"})
    assert len(titles(search, "dark techno")) == 2
    update_track(backends.database, hidden, visibility="private")
    backends.database.rows("DELETE FROM public.tracks WHERE id = %(id)s", {"id": deleted})
    assert titles(search, "dark techno") == []


def test_the_answer_shows_the_catalogue_and_not_the_index(
    backends: Backends, search: SemanticSearch
) -> None:
    track = add_track(backends.database, "old title")
    index(backends, {track: "dark techno"})
    update_track(backends.database, track, title="new title")
    assert titles(search, "dark techno") == ["new title"]


def test_limit_holds_when_the_nearest_tracks_are_hidden(
    backends: Backends, search: SemanticSearch
) -> None:
    hidden = [add_track(backends.database, visibility="private") for _ in range(100)]
    shown = [add_track(backends.database) for _ in range(12)]
    index(backends, dict.fromkeys(hidden, "dark techno") | dict.fromkeys(shown, "dark"))
    for limit in (1, 10, 12):
        assert len(titles(search, "dark techno", limit)) == limit


def test_fewer_than_limit_are_found_when_there_are_no_more(
    backends: Backends, search: SemanticSearch
) -> None:
    index(backends, {add_track(backends.database): "dark techno"})
    assert len(titles(search, "dark techno", 50)) == 1


def test_before_anything_is_indexed_nothing_is_found(search: SemanticSearch) -> None:
    assert titles(search, "dark techno") == []


def test_an_index_that_lost_what_is_recorded_in_it_is_not_available(
    backends: Backends, search: SemanticSearch
) -> None:
    track = add_track(backends.database)
    backends.generations.promote_when_complete(backends.generation)
    backends.records.indexed(backends.generation.id, [IndexRecord(track, "file-1", "digest")])
    answer = search.search("calm ambient")
    assert not answer.available
    assert "is empty, but tracks are recorded in it" in str(answer.reason)
    index(backends, {track: "calm ambient"})
    assert [found.id for found in search.search("calm ambient").results] == [track]


def test_an_empty_index_finds_nothing(backends: Backends, search: SemanticSearch) -> None:
    assert backends.generation.is_live
    assert titles(search, "dark techno") == []


def test_an_index_whose_model_cannot_be_loaded_makes_search_unavailable_and_names_the_remedy(
    backends: Backends,
) -> None:
    backends.generations.open(OTHER_MODEL.for_tracks())
    answer = SemanticSearch(backends).search("dark techno")
    assert not answer.available
    assert answer.results == []
    assert "moodsearch models build" in str(answer.reason)


def test_a_finished_index_of_another_model_is_noticed_without_a_restart(backends: Backends) -> None:
    backends.generations.open(OTHER_MODEL.for_tracks())
    index = LiveIndex(backends, recheck_seconds=0)
    assert index.serving().generation == backends.generations.live()
    own = backends.generations.start_building(backends.track_model)
    assert backends.generations.promote_when_complete(own)
    deadline = time.monotonic() + 10
    while (vectors := index.vectors()) is None or vectors.namespace != own.namespace:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_model_that_is_too_slow_makes_search_unavailable_within_the_deadline(
    backends: Backends, model: EmbeddingModel, model_host: Host
) -> None:
    index(backends, {add_track(backends.database): "dark techno"})
    model_host.on(EMBED_TEXT, answers(delay_seconds=1.5))
    started = time.monotonic()
    answer = SemanticSearch(backends, deadline_seconds=0.2).search("dark techno")
    assert time.monotonic() - started < 1
    assert not answer.available
    assert answer.reason == "no answer within 0.2 s"


@pytest.mark.slow
@pytest.mark.parametrize(
    "broken",
    [
        Answer(503, b"down"),
        Answer(500, b"no"),
        Answer(429, b"too many", {"Retry-After": "3600"}),
        Answer(200, b"not json"),
        Answer(200, {"embedding": [1, 2]}),
        Answer(200, {"embedding": [float("nan")] * 512}),
        Answer(200, {"embedding": [0.0] * 512}),
        Answer(303, b"", {"Location": "http://127.0.0.1:1/"}),
    ],
)
def test_a_broken_model_makes_search_unavailable(
    backends: Backends, search: SemanticSearch, model_host: Host, broken: Answer
) -> None:
    index(backends, {add_track(backends.database): "dark techno"})
    model_host.on(EMBED_TEXT, broken)
    answer = search.search("dark techno")
    assert not answer.available
    assert answer.reason


@pytest.mark.slow
def test_a_model_that_nobody_listens_for_makes_search_unavailable(backends: Backends) -> None:
    index(backends, {add_track(backends.database): "dark techno"})
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        gone = embedder(f"http://127.0.0.1:{nobody.getsockname()[1]}")
        answer = SemanticSearch(backends, text_model=gone).search("dark techno")
        gone.close()
    assert not answer.available
    assert answer.reason


def test_an_answer_that_came_too_late_for_one_query_serves_the_next(
    backends: Backends, model_host: Host
) -> None:
    index(backends, {add_track(backends.database, "found"): "dark techno"})
    model_host.on(EMBED_TEXT, answers(delay_seconds=1))
    search = SemanticSearch(backends, deadline_seconds=0.3)
    while not (answer := search.search("dark techno")).available:
        assert answer.reason == "no answer within 0.3 s"
    assert [found.title for found in answer.results] == ["found"]
    assert len(model_host.sent(EMBED_TEXT)) == 1


def test_search_is_available_again_once_the_model_is(
    backends: Backends, search: SemanticSearch, model_host: Host
) -> None:
    index(backends, {add_track(backends.database, "found"): "dark techno"})
    model_host.on(EMBED_TEXT, Answer(401, b"no"))
    assert not search.search("dark techno").available
    model_host.on(EMBED_TEXT, answers())
    assert titles(search, "dark techno") == ["found"]


def test_the_reason_is_logged_on_one_line_and_not_for_every_query(
    backends: Backends,
    search: SemanticSearch,
    model_host: Host,
    caplog: pytest.LogCaptureFixture,
) -> None:
    index(backends, {add_track(backends.database): "dark techno"})
    model_host.on(EMBED_TEXT, Answer(401, b"no"))
    with caplog.at_level(logging.WARNING, "serving"):
        for _ in range(3):
            search.search("dark techno")
    (line,) = [
        record.getMessage() for record in caplog.records if record.name == "serving.search.semantic"
    ]
    assert "\n" not in line


def test_queries_that_differ_only_in_surrounding_spaces_find_the_same(
    backends: Backends, search: SemanticSearch
) -> None:
    index(backends, {add_track(backends.database): "dark techno"})
    assert search.search("  dark techno ").results == search.search("dark techno").results
