"""`GET /tracks/{track_id}/recommended-tags`: genres that a track could be tagged with."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg.conninfo import conninfo_to_dict

from resources.backends import Backends
from resources.catalogue.database import Database
from resources.catalogue.work.overview import Overview
from resources.catalogue.work.records import AudioRecord, IndexRecord
from resources.costs.measures import Measure
from resources.genres.protocol import GenrePrediction
from resources.settings import load_settings
from serving.api.app import create_app
from serving.tags import on_demand as genres_on_demand
from serving.tags.on_demand import CONCURRENT_CLASSIFICATIONS
from tests.catalogue.rows import add_track, update_track
from tests.fakes.loopback import Answer, Host, Request
from tests.fakes.replicate import SCORES, TOKEN, prediction, uploaded_file
from tests.serving.moods import EMBED_TEXT, answers, index

pytestmark = pytest.mark.slow

UPLOAD = "POST /v1/files"
CREATE = "POST /v1/predictions"
HEARD = ["ambient", "electronic", "techno", "krautrock", "rock"]
"""What Replicate's scores say, best first."""


@pytest.fixture
def replicate() -> Iterator[Host]:
    """Replicate with the host of its outputs."""
    with Host() as host:
        host.on(UPLOAD, Answer(201, uploaded_file(f"{host.url}/audio.mp3")))
        host.on("DELETE /v1/files/f1", Answer(204, b""))
        host.on(CREATE, Answer(201, prediction("succeeded", output=f"{host.url}/out.json")))
        host.on("GET /out.json", Answer(200, SCORES))
        yield host


@pytest.fixture
def with_replicate(
    backends: Backends, replicate: Host, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backends]:
    """Other backends on the same database that classify on Replicate."""
    monkeypatch.setenv("REPLICATE_ENABLED", "true")
    monkeypatch.setenv("REPLICATE_API_TOKEN", TOKEN)
    monkeypatch.setenv("REPLICATE_BASE_URL", replicate.url)
    with Backends(load_settings()) as remote:
        remote.local_model = backends.local_model
        yield remote


@pytest.fixture
def replicate_client(with_replicate: Backends) -> Iterator[TestClient]:
    with TestClient(create_app(with_replicate)) as client:
        yield client


def recommended(client: TestClient, track_id: object, **parameters: int) -> Any:
    return client.get(f"/tracks/{track_id}/recommended-tags", params=parameters)


def names(response: Any) -> list[str]:
    assert response.status_code == 200
    assert response.json()["available"] is True
    return [tag["name"] for tag in response.json()["tags"]]


def add_indexed_track(
    backends: Backends, *, file_id: str = "file-1", visibility: str = "public"
) -> int:
    """A track whose file is stored, embedded and indexed, but not classified."""
    mood = "bossa nova music"
    track = add_track(backends.database, mood, file_id=file_id, visibility=visibility)
    backends.store.put(f"audio/{file_id}.mp3", b"sound")
    note_indexed(backends, track, file_id, mood)
    return track


def note_indexed(backends: Backends, track: int, file_id: str, mood: str) -> None:
    index(backends, {track: mood})
    backends.records.audio([AudioRecord(track, file_id, 1.0, None)])
    record = IndexRecord(track, file_id, "attributes")
    backends.records.indexed(backends.generation.id, [record])


def store(backends: Backends, track: int, *predictions: tuple[str, float]) -> None:
    backends.records.genres(track, "file-1", [GenrePrediction(*each) for each in predictions])


def extra(backends: Backends, track: int) -> Any:
    (row,) = backends.database.rows(
        "SELECT extra FROM public.tracks WHERE id = %(id)s", {"id": track}
    )
    return row["extra"]


def hold_predictions(replicate: Host) -> threading.Event:
    """Replicate answers only when the event is set."""
    go_on = threading.Event()

    def answer(_request: Request) -> object:
        assert go_on.wait(30)
        return prediction("succeeded", output=f"{replicate.url}/out.json")

    replicate.on(CREATE, Answer(201, answer))
    return go_on


def until_asked(replicate: Host, times: int) -> None:
    until = time.monotonic() + 20
    while len(replicate.sent(CREATE)) < times:
        assert time.monotonic() < until, "the classifier was never asked"
        time.sleep(0.02)


def tag(database: Database, track: int, *tags: str) -> None:
    for name in tags:
        database.rows(
            "WITH tag AS (INSERT INTO public.tags (name) VALUES (%(name)s) RETURNING id)"
            " INSERT INTO public.track_tags SELECT %(track)s, id FROM tag",
            {"track": track, "name": name},
        )


def eventually_stored(backends: Backends, track: int) -> list[str]:
    until = time.monotonic() + 20
    while "genre_predictions" not in extra(backends, track):
        assert time.monotonic() < until, "the predictions were never stored"
        time.sleep(0.02)
    return [each["name"] for each in extra(backends, track)["genre_predictions"]]


def test_stored_predictions_are_answered_best_first_without_asking_anybody(
    client: TestClient, backends: Backends, model_host: Host
) -> None:
    track = add_indexed_track(backends)
    store(backends, track, ("techno", 0.87), ("ambient", 0.4))
    asked = len(model_host.requests)
    assert recommended(client, track).json() == {
        "track_id": track,
        "tags": [{"name": "techno", "score": 0.87}, {"name": "ambient", "score": 0.4}],
        "available": True,
    }
    assert len(model_host.requests) == asked


def test_tags_that_the_track_has_are_left_out_whatever_their_case(
    client: TestClient, backends: Backends
) -> None:
    track, other = add_track(backends.database), add_track(backends.database)
    store(backends, track, ("techno", 0.9), ("dub techno", 0.8), ("straße", 0.7), ("ska", 0.6))
    tag(backends.database, track, "TECHNO", " Dub  Techno", "STRASSE")
    tag(backends.database, other, "Ska")
    assert names(recommended(client, track)) == ["ska"]


def test_a_track_that_has_them_all_gets_none(client: TestClient, backends: Backends) -> None:
    track = add_track(backends.database)
    store(backends, track, ("techno", 0.9))
    tag(backends.database, track, "Techno")
    assert names(recommended(client, track)) == []


def test_limit_holds_and_counts_what_is_left(client: TestClient, backends: Backends) -> None:
    track = add_track(backends.database)
    store(backends, track, *((f"tag {n:02}", 0.9 - n / 100) for n in range(30)))
    tag(backends.database, track, "Tag 00", "Tag 01")
    assert names(recommended(client, track)) == [f"tag {n:02}" for n in range(2, 7)]
    assert len(names(recommended(client, track, limit=1))) == 1
    assert len(names(recommended(client, track, limit=20))) == 20
    for limit in (0, 21):
        assert recommended(client, track, limit=limit).status_code == 422


def test_only_public_tracks_are_answered_or_classified(
    replicate_client: TestClient, backends: Backends, replicate: Host
) -> None:
    private = add_indexed_track(backends, visibility="private")
    for unknown in (private, private + 1000, 2**63 - 1):
        assert recommended(replicate_client, unknown).status_code == 404
    for impossible in (-1, 2**63, "x"):
        assert recommended(replicate_client, impossible).status_code == 422
    assert replicate.requests == []


def test_what_is_not_stored_is_classified_from_the_embedding_and_stored(
    client: TestClient, backends: Backends, model_host: Host
) -> None:
    track = add_indexed_track(backends)
    first = recommended(client, track)
    assert names(first)[0] == "bossa nova"
    assert extra(backends, track)["genre_predictions_file_id"] == "file-1"
    asked = len(model_host.requests)
    assert recommended(client, track).json() == first.json()
    assert len(model_host.requests) == asked


def test_what_else_is_in_extra_stays(client: TestClient, backends: Backends) -> None:
    track = add_indexed_track(backends)
    update_track(backends.database, track, extra='{"album": "x"}')
    assert names(recommended(client, track))
    assert extra(backends, track)["album"] == "x"


def test_a_new_file_makes_stored_predictions_stale(
    replicate_client: TestClient, backends: Backends, replicate: Host
) -> None:
    track = add_indexed_track(backends)
    store(backends, track, ("ska", 0.9))
    update_track(backends.database, track, file_id="file-2")
    backends.store.put("audio/file-2.mp3", b"other sound")
    # The index still holds the vector of the old file: it says nothing about the new one.
    assert names(recommended(replicate_client, track)) == []
    assert replicate.requests == []
    note_indexed(backends, track, "file-2", "ambient music")
    assert names(recommended(replicate_client, track)) == HEARD
    assert extra(backends, track)["genre_predictions_file_id"] == "file-2"


def test_requests_at_the_same_time_classify_once(
    replicate_client: TestClient, backends: Backends, replicate: Host
) -> None:
    track = add_indexed_track(backends)
    done = prediction("succeeded", output=f"{replicate.url}/out.json")
    replicate.on(CREATE, Answer(201, done, delay_seconds=0.3))
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: recommended(replicate_client, track), range(8)))
    assert [names(response) for response in found] == [HEARD] * 8
    assert len(replicate.sent(CREATE)) == 1
    assert names(recommended(replicate_client, track)) == HEARD
    assert len(replicate.sent(CREATE)) == 1


def test_a_slow_classifier_is_not_waited_for_and_its_answer_stored(
    with_replicate: Backends, replicate: Host
) -> None:
    track = add_indexed_track(with_replicate)
    go_on = hold_predictions(replicate)
    with TestClient(create_app(with_replicate, deadline_seconds=1)) as client:
        unavailable = {"track_id": track, "tags": [], "available": False}
        assert recommended(client, track).json() == unavailable
        assert "genre_predictions" not in extra(with_replicate, track)
        go_on.set()
        assert eventually_stored(with_replicate, track)[:5] == HEARD
        assert names(recommended(client, track)) == HEARD
    assert len(replicate.sent(CREATE)) == 1


def test_requests_that_wait_do_not_hold_up_what_is_stored(
    replicate_client: TestClient, backends: Backends, replicate: Host
) -> None:
    stored, slow = add_indexed_track(backends), add_indexed_track(backends, file_id="file-2")
    store(backends, stored, ("ska", 0.9))
    go_on = hold_predictions(replicate)
    with ThreadPoolExecutor(20) as threads:
        waiting = [threads.submit(recommended, replicate_client, slow) for _ in range(20)]
        until_asked(replicate, 1)
        assert names(recommended(replicate_client, stored)) == ["ska"]
        go_on.set()
        assert [names(each.result()) for each in waiting] == [HEARD] * 20


def test_only_so_many_tracks_are_classified_at_a_time(
    replicate_client: TestClient, backends: Backends, replicate: Host
) -> None:
    tracks = [add_indexed_track(backends, file_id=f"file-{n}") for n in range(9)]
    go_on = hold_predictions(replicate)
    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(recommended, replicate_client, track) for track in tracks[:8]]
        until_asked(replicate, CONCURRENT_CLASSIFICATIONS)
        assert recommended(replicate_client, tracks[8]).json()["available"] is False
        go_on.set()
        assert [names(each.result()) for each in waiting] == [HEARD] * 8
    assert names(recommended(replicate_client, tracks[8])) == HEARD


@pytest.mark.parametrize("status", [401, 402, 404])
def test_a_classifier_that_is_down_makes_them_unavailable_and_is_asked_again(
    replicate_client: TestClient, backends: Backends, replicate: Host, status: int
) -> None:
    track = add_indexed_track(backends)
    done = Answer(201, prediction("succeeded", output=f"{replicate.url}/out.json"))
    replicate.on(CREATE, Answer(status, {"detail": "no"}), done)
    unavailable = {"track_id": track, "tags": [], "available": False}
    assert recommended(replicate_client, track).json() == unavailable
    assert names(recommended(replicate_client, track)) == HEARD


def test_audio_that_cannot_be_classified_has_none_and_is_not_sent_again(
    replicate_client: TestClient, backends: Backends, replicate: Host
) -> None:
    track = add_indexed_track(backends)
    replicate.on(CREATE, Answer(201, prediction("failed", error="cannot decode")))
    assert names(recommended(replicate_client, track)) == []
    assert names(recommended(replicate_client, track)) == []
    assert len(replicate.sent(CREATE)) == 1


def test_a_track_without_audio_has_none(
    replicate_client: TestClient, backends: Backends, replicate: Host
) -> None:
    track = add_indexed_track(backends)
    backends.store.delete("audio/file-1.mp3")
    assert names(recommended(replicate_client, track)) == []
    backends.database.rows("ALTER TABLE public.tracks ALTER file_id DROP NOT NULL")
    backends.database.rows("UPDATE public.tracks SET file_id = NULL")
    assert names(recommended(replicate_client, track)) == []
    assert replicate.sent(CREATE) == []


def test_a_track_that_is_not_indexed_yet_has_none(client: TestClient, backends: Backends) -> None:
    track = add_track(backends.database)
    assert names(recommended(client, track)) == []
    assert "genre_predictions" not in extra(backends, track)


def test_a_model_that_does_not_answer_makes_them_unavailable(
    client: TestClient, backends: Backends, model_host: Host
) -> None:
    track = add_indexed_track(backends)
    model_host.on(EMBED_TEXT, Answer(403, {"error": "no"}))
    assert recommended(client, track).json()["available"] is False
    model_host.on(EMBED_TEXT, answers())
    assert names(recommended(client, track))[0] == "bossa nova"


def test_a_database_that_is_down_makes_them_unavailable(
    client: TestClient, backends: Backends
) -> None:
    track = add_track(backends.database)
    backends.database.close()
    assert recommended(client, track).json() == {"track_id": track, "tags": [], "available": False}


def test_nothing_is_classified_that_cannot_be_stored(
    with_replicate: Backends, database_url: str, replicate: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, other = (
        add_indexed_track(with_replicate),
        add_indexed_track(with_replicate, file_id="file-2"),
    )
    store(with_replicate, stored, ("ska", 0.9))
    user = "reader_" + str(conninfo_to_dict(database_url)["dbname"])
    monkeypatch.setenv("DATABASE_URL", database_url.replace("postgres:@", f"{user}:@"))
    with psycopg.connect(database_url, autocommit=True) as administrator:
        administrator.execute(f"CREATE ROLE {user} LOGIN".encode())
        try:
            administrator.execute(f"GRANT ALL ON SCHEMA moodsearch TO {user}".encode())
            tables = f"GRANT ALL ON ALL TABLES IN SCHEMA moodsearch TO {user}"
            administrator.execute(tables.encode())
            tables = f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}"
            administrator.execute(tables.encode())
            with Backends(load_settings()) as reader:
                reader.local_model = with_replicate.local_model
                with TestClient(create_app(reader)) as client:
                    assert names(recommended(client, stored)) == ["ska"]
                    assert recommended(client, other).json()["available"] is False
            assert replicate.requests == []
        finally:
            administrator.execute(f"DROP OWNED BY {user} CASCADE".encode())
            administrator.execute(f"DROP ROLE {user}".encode())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements of a classification end after a moment."""
    monkeypatch.setattr(genres_on_demand, "STATEMENT_SECONDS", 0.2)


@contextmanager
def unwritable(database_url: str, table: str = "public.tracks") -> Iterator[None]:
    """Somebody holds the table against writing; it can be read."""
    with psycopg.connect(database_url) as holder:
        holder.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE".encode())
        yield
        holder.rollback()


@pytest.mark.usefixtures("impatient")
def test_what_cannot_be_stored_is_kept_and_stored_later_without_paying_again(
    replicate_client: TestClient, backends: Backends, replicate: Host, database_url: str
) -> None:
    track = add_indexed_track(backends)
    with unwritable(database_url):
        for _ in range(2):
            assert names(recommended(replicate_client, track)) == HEARD
    assert "genre_predictions" not in extra(backends, track)
    assert names(recommended(replicate_client, track)) == HEARD
    assert extra(backends, track)["genre_predictions_file_id"] == "file-1"
    assert backends.classified_by.counts() == {"effnet-discogs 1532dd06": 1}
    assert len(replicate.sent(CREATE)) == 1


@pytest.mark.usefixtures("impatient")
def test_a_refusal_that_cannot_be_stored_is_not_paid_for_again(
    replicate_client: TestClient, backends: Backends, replicate: Host, database_url: str
) -> None:
    track = add_indexed_track(backends)
    replicate.on(CREATE, Answer(201, prediction("failed", error="cannot decode")))
    with unwritable(database_url, "moodsearch.track_genres"):
        assert names(recommended(replicate_client, track)) == []
    overview = Overview(backends.database)
    assert overview.genre_failures(10) == {}
    assert names(recommended(replicate_client, track)) == []
    assert list(overview.genre_failures(10)) == [track]
    assert len(replicate.sent(CREATE)) == 1


@pytest.mark.usefixtures("impatient")
def test_what_is_kept_says_nothing_about_another_file(
    replicate_client: TestClient, backends: Backends, replicate: Host, database_url: str
) -> None:
    track = add_indexed_track(backends)
    with unwritable(database_url):
        assert names(recommended(replicate_client, track)) == HEARD
    update_track(backends.database, track, file_id="file-2")
    backends.store.put("audio/file-2.mp3", b"other sound")
    note_indexed(backends, track, "file-2", "ambient music")
    assert names(recommended(replicate_client, track)) == HEARD
    assert extra(backends, track)["genre_predictions_file_id"] == "file-2"
    assert len(replicate.sent(CREATE)) == 2


@pytest.mark.usefixtures("impatient")
def test_only_the_latest_are_kept(
    replicate_client: TestClient,
    backends: Backends,
    replicate: Host,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(genres_on_demand, "MOST_UNSAVED", 1)
    first, second = (add_indexed_track(backends, file_id=f"file-{n}") for n in (1, 2))
    with unwritable(database_url):
        for track in (first, second):
            assert names(recommended(replicate_client, track)) == HEARD
    assert names(recommended(replicate_client, second)) == HEARD
    assert len(replicate.sent(CREATE)) == 2
    assert names(recommended(replicate_client, first)) == HEARD
    assert len(replicate.sent(CREATE)) == 3


@pytest.mark.usefixtures("impatient")
def test_a_database_that_refuses_them_costs_no_more(
    replicate_client: TestClient, backends: Backends, replicate: Host
) -> None:
    track = add_indexed_track(backends)
    rule = "ALTER TABLE public.tracks ADD CONSTRAINT app CHECK (NOT extra ? 'genre_predictions')"
    backends.database.rows(rule)
    for _ in range(3):
        assert names(recommended(replicate_client, track)) == HEARD
    assert len(replicate.sent(CREATE)) == 1


@pytest.mark.usefixtures("impatient")
def test_tags_that_cannot_be_written_do_not_hold_up_the_answer(
    replicate_client: TestClient, backends: Backends, database_url: str
) -> None:
    track = add_indexed_track(backends)
    update_track(backends.database, track, extra='{"auto_tag": true}')
    with unwritable(database_url, "public.tags"):
        assert names(recommended(replicate_client, track)) == HEARD
    assert "genre_predictions" in extra(backends, track)


def test_without_another_thread_they_are_unavailable_until_there_is_one(
    replicate_client: TestClient, backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    track, start = add_indexed_track(backends), threading.Thread.start

    def out_of_threads(thread: threading.Thread) -> None:
        if thread.name == "classify":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", out_of_threads)
        for _ in range(2):
            assert recommended(replicate_client, track).json()["available"] is False
    assert names(recommended(replicate_client, track)) == HEARD


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ([{"name": "ska", "confidence": 1}, {"name": "dub", "confidence": 0.5}], ["ska", "dub"]),
        ([{"name": "dub", "confidence": 0.5}, {"name": "ska", "confidence": 1}], ["ska", "dub"]),
        (
            [3, {"name": 1, "confidence": 0.1}, {"name": "x"}, {"name": "y", "confidence": 7}],
            [],
        ),
        ([{"name": "ska", "confidence": 0.9}, {"name": "Ska", "confidence": 0.8}], ["ska"]),
        ([], []),
    ],
)
def test_what_an_app_has_stored_itself_is_read_with_care(
    client: TestClient, backends: Backends, stored: list[object], expected: list[str]
) -> None:
    track = add_track(backends.database)
    content = {"genre_predictions": stored, "genre_predictions_file_id": "file-1"}
    update_track(backends.database, track, extra=json.dumps(content))
    assert names(recommended(client, track)) == expected


def test_an_app_without_tags_gets_them_all(client: TestClient, backends: Backends) -> None:
    track = add_track(backends.database)
    store(backends, track, ("ska", 0.9))
    backends.database.rows("DROP TABLE public.track_tags, public.tags CASCADE")
    assert names(recommended(client, track)) == ["ska"]


def test_what_a_recording_is_for_is_not_recommended(client: TestClient, backends: Backends) -> None:
    track = add_track(backends.database)
    heard = ("non-music", 0.9), ("interview", 0.9), ("spoken word", 0.5), ("ambient", 0.4)
    store(backends, track, *heard)
    assert names(recommended(client, track)) == ["spoken word", "ambient"]


def test_replicate_is_asked_for_a_track_that_is_not_embedded_yet(
    replicate_client: TestClient, backends: Backends, replicate: Host
) -> None:
    track = add_track(backends.database)
    backends.store.put("audio/file-1.mp3", b"sound")
    assert names(recommended(replicate_client, track)) == []
    assert replicate.requests == []
    backends.records.audio([AudioRecord(track, "file-1", 1.0, None)])
    assert names(recommended(replicate_client, track)) == HEARD
    assert backends.classified_by.counts() == {"effnet-discogs 1532dd06": 1}


def test_a_marked_track_is_tagged_as_soon_as_it_is_classified(
    replicate_client: TestClient, backends: Backends
) -> None:
    track = add_indexed_track(backends)
    update_track(backends.database, track, extra='{"auto_tag": true}')
    assert names(recommended(replicate_client, track)) == HEARD
    assert "auto_tag" not in extra(backends, track)
    assert names(recommended(replicate_client, track))[:3] == ["techno", "krautrock", "rock"]


def test_two_processes_classify_a_track_once(
    with_replicate: Backends, backends: Backends, replicate: Host
) -> None:
    track = add_indexed_track(backends)
    go_on = hold_predictions(replicate)
    with Backends(load_settings()) as another:
        another.local_model = backends.local_model
        with (
            TestClient(create_app(with_replicate)) as first,
            TestClient(create_app(another)) as second,
            ThreadPoolExecutor(2) as threads,
        ):
            answers = [threads.submit(recommended, each, track) for each in (first, second)]
            until_asked(replicate, 1)
            go_on.set()
            assert [names(answer.result()) for answer in answers] == [HEARD, HEARD]
    assert len(replicate.sent(CREATE)) == 1


def test_what_was_asked_on_demand_is_counted(
    replicate_client: TestClient, with_replicate: Backends
) -> None:
    recommended(replicate_client, add_indexed_track(with_replicate))
    with_replicate.ledger.save()
    amounts = with_replicate.usage.totals()["replicate"].amounts
    assert amounts[Measure.REPLICATE_PREDICTIONS] == 1
