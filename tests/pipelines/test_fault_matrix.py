"""What each fault of each service does to search and indexing, as `docs/reliability.md` says.

Every table of the page is what these tests observe. `make reliability` writes it anew.
"""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

import dagster as dg
import pytest
from dagster._core.execution.context.system import StepExecutionContext

from pipelines.backfill import plan
from resources.backends import Backends
from resources.catalogue import connection as bounds
from resources.catalogue.database import Database
from resources.embedding.offline import load_offline_model
from resources.errors import BackendError
from resources.object_store.s3 import S3Store
from resources.settings import load_settings
from resources.vectors.protocol import LARGEST_ID
from resources.vectors.turbopuffer import TurbopufferStore
from serving.embedding_service import create_embedding_service
from serving.search.semantic import DEFAULT_DEADLINE_SECONDS, SemanticSearch
from tests.catalogue.rows import add_artist
from tests.embedding_service.running import only_here, running
from tests.fakes.faulty import Fault, FaultyWay
from tests.fakes.loopback import Answer, Host
from tests.fakes.postgres import PostgresProxy
from tests.fakes.replicate import SCORES, TOKEN, prediction
from tests.fakes.turbopuffer.server import TurbopufferServer
from tests.object_store.conftest import (  # noqa: F401  Fixtures of another folder.
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
    s3_bucket,
    s3_client,
    s3_endpoint,
)
from tests.pipelines.conftest import BLOCK, write_noise
from tests.pipelines.daemon import Daemon

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"

ALL: Final[tuple[Fault, ...]] = get_args(Fault)
SERVICES: Final[dict[str, tuple[Fault, ...]]] = {
    # What S3 says is XML, and objects may be anything.
    "S3": tuple(fault for fault in ALL if fault != "JSON of another shape"),
    "Embedding service": ALL,
    "turbopuffer": ALL,
    "Replicate": ALL,
    "PostgreSQL": ("refused connection", "no answer", "answer cut off in the middle"),
}

PATIENCE_SECONDS: Final = 5.0
"""In place of 30 and 120."""

KNOWN_QUERY: Final = "white noise"
FIRST_DELAY_SECONDS: Final = 30
IN_TIME: Final = f"unavailable within {DEFAULT_DEADLINE_SECONDS:g} s"
A_MOMENT_SECONDS: Final = 2.0
"""For a busy machine."""


@dataclass(frozen=True)
class Observed:
    """A row of a table. `newcomer`: a search by a process that starts to serve during the fault;
    `upload` and `title`: of a new track, and of one that is indexed."""

    fault: Fault
    search: str = ""
    newcomer: str = ""
    upload: str = ""
    title: str = ""
    genres: str = ""

    def __str__(self) -> str:
        cells = (self.fault, self.search, self.newcomer, self.upload, self.title, self.genres)
        return f"| {' | '.join(cells)} |"


class Installation:
    """All services over ways that can be broken, and an app beside it that is spared."""

    def __init__(
        self,
        backends: Backends,
        ways: dict[str, FaultyWay | PostgresProxy],
        app: Database,
        put: Callable[[str, bytes], None],
        turbopuffer: TurbopufferServer,
        files: Path,
    ) -> None:
        self.backends = backends
        self.app = app
        self._ways = ways
        self._put = put
        self._turbopuffer = turbopuffer
        self._files = files
        self._uploads = 0
        self._queries = 0
        self._search = SemanticSearch(backends)
        self._daemon = Daemon(dg.DagsterInstance.ephemeral())

    def upload(self) -> None:
        self._uploads += 1
        name = f"upload-{self._uploads}"
        content = write_noise(self._files / f"{name}.wav", self._uploads).read_bytes()
        self._put(f"audio/{name}.wav", content)
        self.app.rows(
            "INSERT INTO public.tracks (title, artist_did, file_id, file_type)"
            " VALUES (%(name)s, %(did)s, %(name)s, 'wav')",
            {"name": name, "did": add_artist(self.app)},
        )

    def settle(self) -> None:
        """Do all that is due, and see that nothing is missing."""
        self._daemon.do_what_is_due(self.backends)
        shown = self.app.column("SELECT id FROM public.tracks ORDER BY id")
        assert self.backends.vectors.ids(0, LARGEST_ID) == shown
        assert plan(self.backends) == []
        titles = {row["id"]: row["title"] for row in self.app.rows("SELECT * FROM public.tracks")}
        assert {id_: each["title"] for id_, each in self._documents().items()} == titles
        assert self._searched(self._search, KNOWN_QUERY) == "answers"

    def observe(self, service: str, fault: Fault) -> Observed:
        """What `fault` does to an upload, a change of title and searches; all is well before and
        after."""
        self.upload()
        self.app.rows("UPDATE public.tracks SET title = title || '!' WHERE id = 1")
        _break(self._ways[service], fault)
        try:
            with ThreadPoolExecutor(3) as pool:
                known = pool.submit(self._searched, self._search, KNOWN_QUERY)
                new = pool.submit(self._searched, self._search)
                newcomer = pool.submit(self._newcomer_searched).result()
                search = _both(known.result(), new.result())
            upload = self._ran("index_tracks")
            title = "indexed" if self._has_new_title() else "waits"
            genres = self._ran("classify_genres")
            self._see_that_nothing_is_recorded_that_is_not_there()
        finally:
            _mend(self._ways[service], fault)
        self._wait_for_the_database()
        self.settle()
        return Observed(fault, search, newcomer, upload, title, genres)

    def _searched(self, search: SemanticSearch, query: str | None = None) -> str:
        """By `query`, or one that was never asked."""
        self._queries += 1
        began = time.monotonic()
        answer = search.search(query or f"white noise number {self._queries}")
        assert time.monotonic() - began < DEFAULT_DEADLINE_SECONDS + A_MOMENT_SECONDS
        if answer.available:
            assert answer.results
            return "answers"
        return IN_TIME

    def _ran(self, job: str) -> str:
        began = time.monotonic()
        kind = {"index_tracks": "index", "classify_genres": "genres"}[job]
        try:
            runs = self._daemon.tick(self.backends, job)
        except BackendError:
            # One that was asked for before.
            block = dg.RunRequest(partition_key=BLOCK.key)
            assert not self._daemon.execute(self.backends, job, block).success
            assert time.monotonic() - began < 60
            return "run fails; the next starts when the sensor is answered"
        assert time.monotonic() - began < 90
        if not runs:
            return "nothing to do yet"
        waiting = self._waiting(kind)
        if all(run.success for run in runs):
            return f"waits: {_cause(waiting[0])}" if waiting else "works"
        (reason,) = self.app.column(
            "SELECT reason FROM moodsearch.failed_runs WHERE job = %(job)s", {"job": kind}
        )
        return f"run fails: {_cause(reason)}"

    def _newcomer_searched(self) -> str:
        try:
            with Backends(load_settings()) as backends:
                return self._searched(SemanticSearch(backends))
        except BackendError:
            return "does not start"

    def _has_new_title(self) -> bool:
        (title,) = self.app.column("SELECT title FROM public.tracks WHERE id = 1")
        return bool(self._documents()[1]["title"] == title)

    def _waiting(self, job: str) -> list[str]:
        """Why tracks wait, and that their next turn comes soon."""
        rows = self.app.rows(
            "SELECT last_error, extract(epoch FROM next_attempt_at - now()) AS seconds"
            " FROM moodsearch.work WHERE job = %(job)s AND last_error IS NOT NULL",
            {"job": job},
        )
        assert all(row["seconds"] <= FIRST_DELAY_SECONDS for row in rows)
        return [row["last_error"] for row in rows]

    def _documents(self) -> dict[int, Any]:
        spaces = self._turbopuffer.service.namespaces
        return {
            int(id_): each for space in spaces.values() for id_, each in space.documents.items()
        }

    def _see_that_nothing_is_recorded_that_is_not_there(self) -> None:
        recorded = self.app.column("SELECT track_id FROM moodsearch.track_documents")
        assert set(recorded) <= set(self._documents())
        blamed = (
            "SELECT track_id FROM moodsearch.track_audio WHERE failure IS NOT NULL",
            "SELECT track_id FROM moodsearch.track_genres WHERE failure IS NOT NULL",
            "SELECT t.id FROM public.tracks t JOIN moodsearch.track_genres g ON g.track_id = t.id"
            " WHERE g.failure IS NULL AND NOT extra ? 'genre_predictions'",
        )
        assert [self.app.column(query) for query in blamed] == [[], [], []]

    def _wait_for_the_database(self) -> None:
        until = time.monotonic() + 20
        while True:
            try:
                self.backends.database.rows("SELECT 1")
                return
            except BackendError:
                assert time.monotonic() < until


def _break(way: FaultyWay | PostgresProxy, fault: Fault) -> None:
    if isinstance(way, FaultyWay):
        way.break_(fault)
    elif fault == "refused connection":
        way.close()
    else:
        (way.silent if fault == "no answer" else way.breaking).set()


def _mend(way: FaultyWay | PostgresProxy, fault: Fault) -> None:
    if isinstance(way, FaultyWay):
        way.mend()
    elif fault == "refused connection":
        way.open()
    else:
        way.silent.clear()
        way.breaking.clear()


def _both(known: str, new: str) -> str:
    """Of a query that was asked before, whose vector is kept, and of another."""
    return known if known == new else f"{known} what was asked before; else {new}"


def _cause(reason: str) -> str:
    """What an operator reads, as far as it is always the same."""
    variable = re.search(r"\b[A-Z0-9]+(_[A-Z0-9]+)+\b", reason)
    if variable is not None:
        return f"names `{variable[0]}`"
    table = re.search(r"moodsearch/\S+\.parquet", reason)
    if table is not None:
        return f"names `{table[0]}`"
    assert "127.0.0.1" in reason or "turbopuffer" in reason or "Replicate" in reason, reason
    return "names the service"


@pytest.fixture
def installation(
    database_url: str,
    s3_endpoint: str,  # noqa: F811
    s3_bucket: str,  # noqa: F811
    s3_client: Any,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Installation]:
    # A run's own second and third try, 5 and 10 seconds later, meet the same fault.
    monkeypatch.setattr(StepExecutionContext, "op_retry_policy", None)
    monkeypatch.setattr(bounds, "SILENCE_SECONDS", 1.0)
    with ExitStack() as stack:
        enter = stack.enter_context
        turbopuffer, replicate = enter(TurbopufferServer()), enter(Host())
        service = create_embedding_service(load_offline_model(threads=1), may_reach=only_here)
        ways: dict[str, FaultyWay | PostgresProxy] = {
            "S3": (s3 := enter(FaultyWay(s3_endpoint, speaks_s3=True))),
            "Embedding service": (modal := enter(FaultyWay(enter(running(service))))),
            "turbopuffer": (vectors := enter(FaultyWay(turbopuffer.url))),
            "Replicate": (genres := enter(FaultyWay(replicate.url))),
            "PostgreSQL": (postgres := enter(PostgresProxy(database_url))),
        }
        replicate.on("GET /out.json", Answer(200, SCORES))
        done = prediction("succeeded", output=f"{genres.url}/out.json")
        replicate.on("POST /v1/predictions", Answer(201, done))
        for name, value in {
            "DATABASE_URL": postgres.url,
            "R2_ENDPOINT_URL": s3.url,
            "R2_BUCKET": s3_bucket,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "MODAL_ENABLED": "true",
            "MODAL_EMBED_AUDIO_URL": f"{modal.url}/embed_audio",
            "MODAL_EMBED_TEXT_URL": f"{modal.url}/embed_text",
            "MODAL_TIMEOUT_SECONDS": str(PATIENCE_SECONDS),
            "TURBOPUFFER_ENABLED": "true",
            "TURBOPUFFER_API_KEY": turbopuffer.api_key,
            "TURBOPUFFER_BASE_URL": vectors.url,
            "REPLICATE_ENABLED": "true",
            "REPLICATE_API_TOKEN": TOKEN,
            "REPLICATE_TIMEOUT_SECONDS": str(PATIENCE_SECONDS),
            "REPLICATE_BASE_URL": genres.url,
        }.items():
            monkeypatch.setenv(name, value)
        backends = enter(Backends(load_settings()))
        backends.database = Database(postgres.url, statement_seconds=PATIENCE_SECONDS)
        backends.store = S3Store(
            *(s3.url, s3_bucket, ACCESS_KEY_ID, SECRET_ACCESS_KEY),
            patience_seconds=PATIENCE_SECONDS,
        )
        backends.vectors = TurbopufferStore(
            api_key=turbopuffer.api_key,
            region="api",
            base_url=vectors.url,
            namespace=backends.generation.namespace,
            model=backends.track_model,
            write_seconds=PATIENCE_SECONDS,
        )
        app = Database(database_url)
        stack.callback(app.close)

        def put(key: str, content: bytes) -> None:
            s3_client.put_object(Bucket=s3_bucket, Key=key, Body=content)

        yield Installation(backends, ways, app, put, turbopuffer, tmp_path)


@pytest.mark.parametrize("service", SERVICES)
def test_every_fault_does_what_the_page_says(
    service: str, installation: Installation, request: pytest.FixtureRequest
) -> None:
    installation.upload()
    installation.settle()
    observed = [str(installation.observe(service, fault)) for fault in SERVICES[service]]
    if request.config.getoption("--write-reliability"):
        _write(service, observed)
    assert _written(service) == observed


_ROWS = r"(<!-- observed: {} -->\n(?:\|[^\n]*\n){{2}})((?:\|[^\n]*\n)*)"


def _written(service: str) -> list[str]:
    """The rows of the page's table."""
    match = re.search(_ROWS.format(service), PAGE.read_text())
    assert match is not None
    return match[2].splitlines()


def _write(service: str, rows: list[str]) -> None:
    text = "".join(f"{row}\n" for row in rows)
    page = re.sub(_ROWS.format(service), lambda match: match[1] + text, PAGE.read_text())
    PAGE.write_text(page)
