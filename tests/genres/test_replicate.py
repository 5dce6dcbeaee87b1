"""effnet-discogs on Replicate, against the documented API on loopback."""

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from resources.costs.ledger import Ledger
from resources.costs.measures import Measure
from resources.errors import (
    BackendError,
    ConfigurationError,
    MoodSearchError,
    RefusedTrackError,
    TrackError,
)
from resources.genres import replicate
from resources.genres.protocol import GenreRequest
from resources.genres.replicate import (
    BURST,
    EFFNET_DISCOGS_VERSION,
    PREDICTIONS_PER_MINUTE,
    ReplicateClassifier,
)
from resources.object_store.folder import FolderStore
from resources.web.http import Backoff
from tests.fakes.loopback import Answer, Host
from tests.fakes.replicate import (
    SCORES,
    THROTTLED,
    TOKEN,
    prediction,
    uploaded_file,
)

CREATE = "POST /v1/predictions"
GET = "GET /v1/predictions/p1"
REQUEST = GenreRequest(1, "audio/1.mp3")


class PublicStore(FolderStore):
    """A folder that others can reach."""

    def url(self, key: str) -> str | None:
        return f"https://audio.example/{key}"


@pytest.fixture
def api() -> Iterator[Host]:
    with Host() as host:
        yield host


@pytest.fixture
def files() -> Iterator[Host]:
    """The host of the outputs, which is not the API's."""
    with Host() as host:
        host.on("GET /out.json", Answer(200, SCORES))
        yield host


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = PublicStore(tmp_path)
    store.put(REQUEST.audio_key, b"sound")
    return store


def classifier(
    api: Host,
    store: FolderStore,
    timeout_seconds: float = 10,
    ledger: Ledger | None = None,
    predictions_per_minute: int = PREDICTIONS_PER_MINUTE,
) -> ReplicateClassifier:
    return ReplicateClassifier(
        TOKEN,
        store,
        top_n=3,
        timeout_seconds=timeout_seconds,
        base_url=api.url,
        poll_seconds=0.01,
        backoff=Backoff(first_seconds=0.02, longest_seconds=0.1),
        predictions_per_minute=predictions_per_minute,
        ledger=ledger,
    )


def succeed(api: Host, files: Host) -> None:
    done = prediction("succeeded", output=f"{files.url}/out.json")
    api.on(CREATE, Answer(201, done))


def test_a_prediction_is_awaited_through_its_states(
    api: Host, files: Host, store: FolderStore
) -> None:
    api.on(CREATE, Answer(201, prediction("starting")))
    api.on(
        GET,
        Answer(200, prediction("starting")),
        Answer(200, prediction("processing")),
        Answer(200, prediction("succeeded", output=f"{files.url}/out.json")),
    )
    predictions = classifier(api, store).classify(REQUEST)
    assert [(each.name, each.confidence) for each in predictions] == [
        ("ambient", 0.61),
        ("electronic", 0.61),
        ("techno", 0.3),
    ]
    assert len(api.sent(GET)) == 3


def test_the_request_is_the_documented_one(api: Host, files: Host, store: FolderStore) -> None:
    succeed(api, files)
    classifier(api, store).classify(REQUEST)
    (sent,) = api.sent(CREATE)
    assert json.loads(sent.body) == {
        "version": EFFNET_DISCOGS_VERSION,
        "input": {
            "audio": "https://audio.example/audio/1.mp3",
            "output_format": "JSON",
            "top_n": 3,
        },
    }
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["Prefer"] in {"wait=9", "wait=10"}


def test_the_token_is_not_sent_to_the_host_of_the_output(
    api: Host, files: Host, store: FolderStore
) -> None:
    succeed(api, files)
    classifier(api, store).classify(REQUEST)
    (download,) = files.requests
    assert download.headers["Authorization"] is None
    assert TOKEN not in str(download.headers)


def test_an_output_inside_the_answer_is_read(api: Host, store: FolderStore) -> None:
    content = base64.b64encode(json.dumps(SCORES).encode()).decode()
    output = f"data:application/json;base64,{content}"
    api.on(CREATE, Answer(201, prediction("succeeded", output=output)))
    assert classifier(api, store).classify(REQUEST)[0].name == "ambient"


def test_audio_without_a_url_is_uploaded_and_removed_again(
    api: Host, files: Host, tmp_path: Path
) -> None:
    store = FolderStore(tmp_path)
    store.put(REQUEST.audio_key, b"the sound itself")
    api.on("POST /v1/files", Answer(201, uploaded_file("https://files.example/f1")))
    api.on("DELETE /v1/files/f1", Answer(204, b""))
    succeed(api, files)
    classifier(api, store).classify(REQUEST)
    (upload,) = api.sent("POST /v1/files")
    assert b"the sound itself" in upload.body
    assert b"audio/mpeg" in upload.body
    (created,) = api.sent(CREATE)
    assert json.loads(created.body)["input"]["audio"] == "https://files.example/f1"
    assert len(api.sent("DELETE /v1/files/f1")) == 1


def test_audio_that_is_too_large_to_upload_is_the_tracks_problem(
    api: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(tmp_path)
    with (tmp_path / "album.wav").open("wb") as file:
        file.truncate(replicate.MAX_UPLOAD_BYTES + 1)
    with pytest.raises(TrackError, match="too large"):
        classifier(api, store).classify(GenreRequest(1, "album.wav"))
    assert api.requests == []


def test_missing_audio_is_the_tracks_problem(api: Host, tmp_path: Path) -> None:
    with pytest.raises(TrackError, match="no audio file"):
        classifier(api, FolderStore(tmp_path)).classify(REQUEST)


def test_throttling_of_a_new_prediction_is_waited_out(
    api: Host, files: Host, store: FolderStore
) -> None:
    done = prediction("succeeded", output=f"{files.url}/out.json")
    api.on(CREATE, THROTTLED, THROTTLED, Answer(201, done))
    assert classifier(api, store).classify(REQUEST)
    assert len(api.sent(CREATE)) == 3


def test_throttling_of_a_poll_is_waited_out(api: Host, files: Host, store: FolderStore) -> None:
    api.on(CREATE, Answer(201, prediction("processing")))
    api.on(
        GET,
        Answer(429, {}, {"Retry-After": "1"}),
        Answer(503, {}),
        Answer(200, prediction("succeeded", output=f"{files.url}/out.json")),
    )
    assert classifier(api, store).classify(REQUEST)
    assert len(api.sent(GET)) == 3


def test_throttling_beyond_the_deadline_says_when_to_come_back(
    api: Host, store: FolderStore
) -> None:
    api.on(CREATE, Answer(429, {"detail": "throttled. Your rate limit resets in ~30s."}))
    started = time.monotonic()
    with pytest.raises(BackendError, match="429") as raised:
        classifier(api, store, timeout_seconds=2).classify(REQUEST)
    assert raised.value.retry_after_seconds == 30
    assert time.monotonic() - started < 20


def test_a_prediction_that_does_not_end_is_cancelled(api: Host, store: FolderStore) -> None:
    api.on(CREATE, Answer(201, prediction("processing")))
    api.on(GET, Answer(200, prediction("processing")))
    api.on(f"{CREATE}/p1/cancel", Answer(200, prediction("canceled")))
    with pytest.raises(BackendError, match=r"within 0\.3 seconds"):
        classifier(api, store, timeout_seconds=0.3).classify(REQUEST)
    assert len(api.sent(f"{CREATE}/p1/cancel")) == 1


@pytest.mark.parametrize(
    ("answer", "error", "mentions"),
    [
        (Answer(401, {"detail": "Invalid token."}), ConfigurationError, "REPLICATE_API_TOKEN"),
        (Answer(403, {}), ConfigurationError, "REPLICATE_API_TOKEN"),
        (Answer(402, {"title": "Insufficient credit"}), BackendError, "credit"),
        (
            Answer(422, {"detail": "input: audio\nmust be a URI"}),
            RefusedTrackError,
            "audio must be a URI",
        ),
        (Answer(422, {"detail": "Invalid version"}), BackendError, "Invalid version"),
        (Answer(404, {"detail": "Not found."}), BackendError, "404"),
        (Answer(500, b"<html>oops"), BackendError, "500"),
        (Answer(503, {}), BackendError, "503"),
        (Answer(201, b"<html>not JSON"), BackendError, "not what its client expects"),
        (Answer(201, {"unknown": "shape"}), BackendError, "not what its client expects"),
        (Answer(201, prediction("aborted")), BackendError, "aborted"),
        (Answer(201, prediction("canceled")), BackendError, "canceled"),
        (
            Answer(201, prediction("failed", error="could not\ndecode audio")),
            RefusedTrackError,
            "could not decode audio",
        ),
        (
            Answer(201, prediction("failed", error="Prediction interrupted; please retry (PA)")),
            BackendError,
            "interrupted",
        ),
        (Answer(201, prediction("succeeded")), BackendError, "without an output"),
        (Answer(201, prediction("succeeded", output="ftp://x")), BackendError, "not the address"),
        (Answer(201, prediction("succeeded", output="http://[")), BackendError, "not be fetched"),
        (
            Answer(201, prediction("succeeded", output="data:;base64,!")),
            BackendError,
            "not valid base64",
        ),
    ],
)
def test_an_error_says_whose_it_is_in_one_line(
    api: Host, store: FolderStore, answer: Answer, error: type[MoodSearchError], mentions: str
) -> None:
    api.on(CREATE, answer)
    with pytest.raises(error, match=mentions) as raised:
        classifier(api, store, timeout_seconds=2).classify(REQUEST)
    assert "\n" not in str(raised.value)
    assert TOKEN not in str(raised.value)
    assert len(api.sent(CREATE)) == 1


@pytest.mark.parametrize(
    ("answer", "mentions"),
    [
        (Answer(404, {"detail": "expired"}), "404"),
        (Answer(200, b" " * (2 << 20)), "more than 1048576 bytes"),
        (Answer(200, b"not JSON"), "not JSON"),
        (Answer(200, b"[" * 200_000), "not JSON"),
        (Answer(200, [0.5]), "not a score"),
        (Answer(200, {"Rock---Emo": "high"}), "not a score"),
        (Answer(200, {"Rock---Emo": True}), "not a score"),
        (Answer(200, {"Rock---Emo": 7}), "not as documented"),
        (Answer(200, b'{"Rock---Emo": NaN}'), "not as documented"),
        (Answer(200, b'{"Rock---Emo": 1' + b"0" * 400 + b"}"), "not as documented"),
    ],
)
def test_an_output_that_is_not_as_documented_is_refused(
    api: Host, files: Host, store: FolderStore, answer: Answer, mentions: str
) -> None:
    succeed(api, files)
    files.on("GET /out.json", answer)
    with pytest.raises(BackendError, match=mentions):
        classifier(api, store).classify(REQUEST)


def test_an_output_is_fetched_again_when_its_host_stumbles(
    api: Host, files: Host, store: FolderStore
) -> None:
    succeed(api, files)
    files.on("GET /out.json", Answer(503, {}), Answer(200, SCORES))
    assert classifier(api, store).classify(REQUEST)


def test_a_service_that_does_not_answer_in_time_is_down(api: Host, store: FolderStore) -> None:
    api.on(CREATE, Answer(201, prediction("succeeded"), delay_seconds=5))
    started = time.monotonic()
    with pytest.raises(BackendError, match="did not answer"):
        classifier(api, store, timeout_seconds=1).classify(REQUEST)
    assert time.monotonic() - started < 4


def test_a_service_that_is_not_there_is_down(store: FolderStore) -> None:
    with Host() as host:
        absent = host
    with pytest.raises(BackendError, match="did not answer"):
        classifier(absent, store, timeout_seconds=0.3).classify(REQUEST)


def test_a_token_that_no_header_can_carry_is_not_shown(store: FolderStore) -> None:
    with pytest.raises(ConfigurationError, match="REPLICATE_API_TOKEN") as raised:
        ReplicateClassifier(f"{TOKEN}\n", store, top_n=3, timeout_seconds=1)
    assert TOKEN not in str(raised.value)


def test_many_threads_share_one_classifier(api: Host, files: Host, store: FolderStore) -> None:
    succeed(api, files)
    shared = classifier(api, store)
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(shared.classify, [REQUEST] * 24))
    assert all(result == results[0] for result in results)
    assert len(api.sent(CREATE)) == 24


def test_no_more_predictions_are_asked_for_than_allowed(
    api: Host, files: Host, store: FolderStore
) -> None:
    succeed(api, files)
    shared = classifier(api, store, timeout_seconds=5, predictions_per_minute=1)

    def outcome(_: int) -> str:
        try:
            return shared.classify(REQUEST)[0].name
        except BackendError as error:
            return str(error)

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(outcome, range(2 * BURST)))
    assert outcomes.count("ambient") == BURST
    assert len(api.sent(CREATE)) == BURST
    (reason,) = set(outcomes) - {"ambient"}
    assert "as often as it allows" in reason


def test_what_was_used_is_noted(api: Host, files: Host, store: FolderStore) -> None:
    ledger = Ledger()
    asked = classifier(api, store, timeout_seconds=0.5, ledger=ledger)
    output = f"{files.url}/out.json"
    ran = {"metrics": {"predict_time": 1.5, "total_time": 9.0}}
    api.on(CREATE, Answer(201, prediction("succeeded", output=output) | ran))
    asked.classify(REQUEST)
    api.on(CREATE, Answer(201, prediction("failed", error="cannot decode") | ran))
    with pytest.raises(TrackError):
        asked.classify(REQUEST)
    assert ledger.reading() == {
        Measure.REPLICATE_PREDICTIONS: 2,
        Measure.REPLICATE_SECONDS: 3.0,
    }
    assert asked.is_remote
    assert set(asked.charges_for) == set(ledger.reading())
    api.on(CREATE, Answer(201, prediction("succeeded", output=output)))
    asked.classify(REQUEST)
    assert ledger.reading()[Measure.REPLICATE_UNTIMED] == 1
    api.on(CREATE, Answer(201, prediction("processing")))
    api.on(GET, Answer(200, prediction("processing")))
    api.on(f"{CREATE}/p1/cancel", Answer(200, prediction("canceled") | ran))
    with pytest.raises(BackendError):
        asked.classify(REQUEST)
    assert ledger.reading()[Measure.REPLICATE_PREDICTIONS] == 4
    assert ledger.reading()[Measure.REPLICATE_SECONDS] == 4.5


def test_what_was_refused_costs_nothing(api: Host, store: FolderStore) -> None:
    ledger = Ledger()
    api.on(CREATE, Answer(422, {"detail": "no"}))
    with pytest.raises(TrackError):
        classifier(api, store, ledger=ledger).classify(REQUEST)
    assert ledger.reading() == {}


def test_a_redirect_of_the_api_is_not_followed_with_the_token(
    api: Host, files: Host, store: FolderStore
) -> None:
    elsewhere = {"Location": f"{files.url}/v1/predictions"}
    api.on(CREATE, Answer(307, {}, elsewhere))
    with pytest.raises(BackendError):
        classifier(api, store).classify(REQUEST)
    assert files.requests == []


def test_an_output_that_redirects_is_fetched_without_the_token(
    api: Host, files: Host, store: FolderStore
) -> None:
    succeed(api, files)
    files.on("GET /out.json", Answer(302, b"", {"Location": f"{api.url}/elsewhere.json"}))
    api.on("GET /elsewhere.json", Answer(200, SCORES))
    assert classifier(api, store).classify(REQUEST)
    (download,) = api.sent("GET /elsewhere.json")
    assert download.headers["Authorization"] is None
