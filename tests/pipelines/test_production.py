"""The whole production configuration over loopback: an app's Postgres over TCP with a password and
the rights that the README grants, audio in S3, embeddings by our service, vectors in turbopuffer,
genres from Replicate, Dagster's runs in the same database."""

import logging
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg.rows import dict_row

from pipelines.backfill import plan
from pipelines.forget import forget
from pipelines.forget import plan as to_be_forgotten
from pipelines.instance import dagster_instance
from pipelines.models import begin
from resources.backends import Backends
from resources.catalogue.database import trusted_sql
from resources.embedding.clap.folder import FolderFiles
from resources.embedding.clap.model import ClapModel
from resources.embedding.offline import load_offline_model
from resources.embedding.protocol import EmbeddingModel
from resources.errors import UserError
from resources.settings import load_settings
from resources.vectors.protocol import LARGEST_ID
from serving.embedding_service import create_embedding_service
from serving.search.semantic import SemanticSearch
from tests.embedding_service.running import only_here, running
from tests.fakes.loopback import Answer, Host
from tests.fakes.replicate import SCORES, TOKEN, prediction
from tests.fakes.tcp_postgres import ADMINISTRATOR, tcp_postgres
from tests.fakes.turbopuffer.server import TurbopufferServer
from tests.object_store.conftest import (  # noqa: F401  Fixtures of another folder.
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
    s3_bucket,
    s3_client,
    s3_endpoint,
)
from tests.pipelines.conftest import write_noise
from tests.pipelines.daemon import Daemon
from tests.pipelines.test_model_switch import FIXTURE

pytestmark = pytest.mark.slow

README = Path(__file__).parents[2] / "README.md"
PUBLIC_URL = "https://audio.example"
PASSWORD = "the-password-of-moodsearch"
QUERY = "white noise"

APP_TABLES = """
CREATE TABLE artists (did varchar PRIMARY KEY, handle varchar, display_name varchar);
CREATE TABLE albums (
    id varchar PRIMARY KEY, artist_did varchar, slug varchar, title varchar, image_url varchar
);
CREATE TABLE tracks (
    id serial PRIMARY KEY, title varchar NOT NULL, artist_did varchar REFERENCES artists,
    file_id varchar NOT NULL, file_type varchar NOT NULL, r2_url varchar, image_url varchar,
    album_id varchar, visibility varchar NOT NULL DEFAULT 'public',
    extra jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE tags (id serial PRIMARY KEY, name varchar UNIQUE, created_by_did varchar);
CREATE TABLE track_tags (
    track_id int REFERENCES tracks ON DELETE CASCADE, tag_id int REFERENCES tags,
    PRIMARY KEY (track_id, tag_id)
);
CREATE TABLE playlists (
    id varchar PRIMARY KEY, owner_did varchar, name varchar, image_url varchar,
    track_count int DEFAULT 0, show_on_profile bool DEFAULT false
);
"""


class App:
    """What the app that owns the catalogue does, with its own connections and as its own user."""

    def __init__(
        self, connection: psycopg.Connection[dict[str, Any]], s3: Any, bucket: str, files: Path
    ) -> None:
        self._connection = connection
        self._s3 = s3
        self._bucket = bucket
        self._files = files

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        cursor = self._connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []

    def upload(self, seed: int, title: str, extra: str = "{}") -> int:
        """By the artist `did:plc:a`."""
        (row,) = self.rows(
            "INSERT INTO tracks (title, artist_did, file_id, file_type, r2_url, extra)"
            " VALUES (%s, 'did:plc:a', %s, 'wav', %s, %s) RETURNING id",
            *(title, f"file-{seed}", self._put(seed), extra),
        )
        return int(row["id"])

    def replace(self, track: int, seed: int) -> None:
        self.rows(
            "UPDATE tracks SET file_id = %s, r2_url = %s WHERE id = %s",
            *(f"file-{seed}", self._put(seed), track),
        )

    def _put(self, seed: int) -> str:
        """The public address of a file of noise."""
        key = f"uploads/{seed}.wav"
        content = write_noise(self._files / f"{seed}.wav", seed).read_bytes()
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
        return f"{PUBLIC_URL}/{key}"

    def genres_and_tags(self, track: int) -> tuple[dict[str, Any], set[str]]:
        """The track's `extra`, and its tags."""
        (row,) = self.rows("SELECT extra FROM tracks WHERE id = %s", track)
        tags = self.rows(
            "SELECT name FROM track_tags JOIN tags ON id = tag_id WHERE track_id = %s", track
        )
        return row["extra"], {tag["name"] for tag in tags}


@pytest.fixture
def database_address() -> Iterator[str]:
    """`host:port/database` of an app's database in which the README's grants were run."""
    (grants,) = re.findall(r"^```sql\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    with tcp_postgres() as host:
        server = f"postgresql://postgres:{ADMINISTRATOR}@{host}"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(b"CREATE ROLE app LOGIN PASSWORD 'the-apps-own'")
            connection.execute(f"CREATE ROLE moodsearch LOGIN PASSWORD '{PASSWORD}'".encode())
            connection.execute(b"CREATE DATABASE app OWNER app")
        with psycopg.connect(f"postgresql://app:the-apps-own@{host}/app") as connection:
            connection.execute(APP_TABLES.encode())
        with psycopg.connect(f"{server}/app") as connection:
            for extension in ("vector", "pg_trgm", "unaccent"):
                connection.execute(f"CREATE EXTENSION {extension}".encode())
            connection.execute(grants.encode())
        yield f"{host}/app"


@pytest.fixture
def app(
    database_address: str,
    s3_client: Any,  # noqa: F811
    s3_bucket: str,  # noqa: F811
    tmp_path: Path,
) -> Iterator[App]:
    with psycopg.connect(
        f"postgresql://app:the-apps-own@{database_address}", autocommit=True, row_factory=dict_row
    ) as connection:
        connection.execute("INSERT INTO artists VALUES ('did:plc:a', 'a.example', 'Nova')")
        yield App(connection, s3_client, s3_bucket, tmp_path)


@pytest.fixture
def turbopuffer() -> Iterator[TurbopufferServer]:
    with TurbopufferServer() as server:
        yield server


@pytest.fixture
def replicate() -> Iterator[Host]:
    with Host() as host:
        host.on("GET /out.json", Answer(200, SCORES))
        done = prediction("succeeded", output=f"{host.url}/out.json")
        host.on("POST /v1/predictions", Answer(201, done))
        yield host


@contextmanager
def deployed(model: EmbeddingModel) -> Iterator[dict[str, str]]:
    """The settings that lead to a deployment of the embedding service with `model`."""
    with running(create_embedding_service(model, may_reach=only_here)) as url:
        yield {
            "modal_embed_audio_url": f"{url}/embed_audio",
            "modal_embed_text_url": f"{url}/embed_text",
        }


@pytest.fixture
def backends(
    database_address: str,
    s3_endpoint: str,  # noqa: F811
    s3_bucket: str,  # noqa: F811
    turbopuffer: TurbopufferServer,
    replicate: Host,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Backends]:
    for name, value in {
        "DATABASE_URL": f"postgresql://moodsearch:{PASSWORD}@{database_address}?sslmode=disable",
        "R2_ENDPOINT_URL": s3_endpoint,
        "R2_BUCKET": s3_bucket,
        "R2_PUBLIC_BUCKET_URL": PUBLIC_URL,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "MODAL_ENABLED": "true",
        "TURBOPUFFER_ENABLED": "true",
        "TURBOPUFFER_API_KEY": turbopuffer.api_key,
        "TURBOPUFFER_BASE_URL": turbopuffer.url,
        "REPLICATE_ENABLED": "true",
        "REPLICATE_API_TOKEN": TOKEN,
        "REPLICATE_BASE_URL": replicate.url,
    }.items():
        monkeypatch.setenv(name, value)
    with deployed(load_offline_model(threads=1)) as addresses:
        for name, value in addresses.items():
            monkeypatch.setenv(name.upper(), value)
        with Backends(load_settings()) as backends:
            yield backends


@pytest.fixture
def daemon(backends: Backends, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """With its runs in the app's database."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with dagster_instance(backends) as instance:
        yield Daemon(instance)


@pytest.fixture
def second(backends: Backends, tmp_path: Path) -> Iterator[Backends]:
    """Another process, configured for a second model: CLAP's towers, small, deployed beside the
    first."""
    clap = Path(shutil.copytree(FIXTURE, tmp_path / "clap"))
    model = ClapModel(FolderFiles(clap, "int8"), text_threads=1)
    with (
        deployed(model) as addresses,
        Backends(load_settings(clap_model=str(clap), **addresses)) as second,
    ):
        yield second


class Listeners:
    """Search in each process all the time. `unavailable`: why an answer was missing."""

    def __init__(self, *processes: Backends) -> None:
        self.answers = 0
        self.unavailable: list[str | None] = []
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._search, args=(SemanticSearch(each),), daemon=True)
            for each in processes
        ]

    def _search(self, search: SemanticSearch) -> None:
        while not self._ending.wait(0.05):
            answer = search.search(QUERY)
            self.answers += 1
            if not answer.available:
                self.unavailable.append(answer.reason)

    def __enter__(self) -> "Listeners":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(30)


def found(backends: Backends, query: str = QUERY) -> dict[int, tuple[str, str]]:
    """Title and handle of what a search finds, by id."""
    answer = SemanticSearch(backends).search(query, 50)
    assert answer.available, answer.reason
    return {each.id: (each.title, each.artist_handle) for each in answer.results}


def documents(backends: Backends, turbopuffer: TurbopufferServer) -> dict[int, tuple[str, str]]:
    """Title and handle in the index of the backends' model, by id."""
    stored = turbopuffer.service.namespaces[backends.vectors.namespace].documents
    return {
        int(id_): (document["title"], document["artist_handle"]) for id_, document in stored.items()
    }


def assert_index_equals_catalogue(backends: Backends, app: App) -> None:
    shown = app.rows("SELECT id FROM tracks WHERE visibility = 'public' ORDER BY id")
    assert backends.vectors.ids(0, LARGEST_ID) == [row["id"] for row in shown]
    assert plan(backends) == []


def test_an_upload_is_found_tagged_and_followed_until_it_is_deleted(
    backends: Backends, app: App, daemon: Daemon, turbopuffer: TurbopufferServer
) -> None:
    first = app.upload(1, "Silt", extra='{"auto_tag": true}')
    second, third = app.upload(2, "Compline"), app.upload(3, "Ice")
    daemon.do_what_is_due(backends)
    assert found(backends) == documents(backends, turbopuffer)
    assert found(backends)[first] == ("Silt", "a.example")

    # Genres, and tags for the track that was marked.
    genres = [name for name, _ in _genres(app, first)]
    extra, tags = app.genres_and_tags(first)
    assert {"ambient", "techno"} <= set(genres)
    assert tags
    assert tags <= set(genres)
    assert "auto_tag" not in extra
    assert app.genres_and_tags(second)[1] == set()

    # Another file, another title, another name of the artist.
    before = backends.vectors.vector(first)
    app.replace(first, 4)
    app.rows("UPDATE tracks SET title = 'Fog' WHERE id = %s", second)
    daemon.do_what_is_due(backends)
    after = backends.vectors.vector(first)
    assert before is not None
    assert after is not None
    assert not np.allclose(before, after)
    extra, _ = app.genres_and_tags(first)
    assert extra["genre_predictions_file_id"] == "file-4"
    app.rows("UPDATE artists SET handle = 'nova.example'")
    daemon.do_what_is_due(backends)
    expected = {
        id_: (title, "nova.example")
        for id_, title in ((first, "Silt"), (second, "Fog"), (third, "Ice"))
    }
    assert documents(backends, turbopuffer) == expected
    assert found(backends) == expected

    # Hidden at once for listeners, with the next run in the index; shown again; deleted.
    app.rows("UPDATE tracks SET visibility = 'private' WHERE id = %s", second)
    assert set(found(backends)) == {first, third}
    daemon.do_what_is_due(backends)
    assert set(documents(backends, turbopuffer)) == {first, third}
    app.rows("UPDATE tracks SET visibility = 'public' WHERE id = %s", second)
    daemon.do_what_is_due(backends)
    assert set(found(backends)) == {first, second, third}
    app.rows("DELETE FROM tracks WHERE id = %s", third)
    assert set(found(backends)) == {first, second}
    daemon.do_what_is_due(backends)
    assert set(documents(backends, turbopuffer)) == {first, second}
    assert_index_equals_catalogue(backends, app)

    # Forgotten: refused while the app shows it, and without a trace once it is deleted there.
    with pytest.raises(UserError, match="the app shows"):
        to_be_forgotten(backends, str(second))
    app.rows("DELETE FROM tracks WHERE id = %s", second)
    daemon.do_what_is_due(backends)
    receipt = forget(backends, to_be_forgotten(backends, str(second)))
    assert receipt.left == []
    assert set(documents(backends, turbopuffer)) == set(found(backends)) == {first}


def test_another_model_takes_over_and_back_while_people_search(
    backends: Backends, second: Backends, app: App, daemon: Daemon
) -> None:
    ids = [app.upload(seed, f"track {seed}") for seed in range(1, 4)]
    daemon.do_what_is_due(backends)
    with Listeners(backends, second) as listeners:
        begin(second)
        ids.append(app.upload(4, "meanwhile"))
        daemon.do_what_is_due(second)
        live = backends.live
        assert live is not None
        assert live.track_model.fingerprint == second.track_model.fingerprint
        assert set(found(second)) == set(found(backends)) == set(ids)
        app.rows("DELETE FROM tracks WHERE id = %s", ids.pop())
        daemon.do_what_is_due(second)
        assert second.generations.rollback() is not None
        daemon.do_what_is_due(backends)
        live = backends.live
        assert live is not None
        assert live.track_model.fingerprint == backends.track_model.fingerprint
        assert set(found(second)) == set(found(backends)) == set(ids)
    assert listeners.unavailable == []
    assert listeners.answers > 20
    assert_index_equals_catalogue(backends, app)


def test_a_deployment_that_is_replaced_in_place_stops_searches_until_a_restart(
    backends: Backends, second: Backends, app: App, daemon: Daemon
) -> None:
    track = app.upload(1, "Silt")
    daemon.do_what_is_due(backends)
    addresses = {
        name: str(getattr(second.settings, name))
        for name in ("modal_embed_audio_url", "modal_embed_text_url")
    }
    with Backends(load_settings(**addresses)) as replaced:
        answer = SemanticSearch(replaced).search(QUERY)
    assert "MODAL_EMBED_TEXT_URL" in str(answer.reason)
    # The model that answers still runs in a process that is configured for the new one.
    assert set(found(second)) == {track}


def test_no_secret_is_logged_or_stored(
    backends: Backends,
    app: App,
    daemon: Daemon,
    turbopuffer: TurbopufferServer,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    app.upload(1, "Silt")
    daemon.do_what_is_due(backends)
    found(backends)
    turbopuffer.api_key = "another-key-since"
    app.upload(2, "refused")
    assert not any(run.success for run in daemon.tick(backends))
    assert not SemanticSearch(backends).search("rain").available
    events = [event for run in daemon.runs for event in daemon.instance.all_logs(run.run_id)]
    texts = {
        "logs": caplog.text,
        "output": "".join(capfd.readouterr()),
        "events": "\n".join(str(event) for event in events),
        **dict(_tables(backends)),
    }
    assert events
    assert len(texts) > 20
    secrets = (PASSWORD, SECRET_ACCESS_KEY, TOKEN, "tpuf_test_key")
    assert [(where, s) for where, text in texts.items() for s in secrets if s in text] == []


def _genres(app: App, track: int) -> list[tuple[str, float]]:
    extra, _ = app.genres_and_tags(track)
    return [(each["name"], each["confidence"]) for each in extra["genre_predictions"]]


def _tables(backends: Backends) -> Iterator[tuple[str, str]]:
    """Every table of ours and of Dagster's, and all that is in it as text."""
    names = backends.database.column(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname LIKE 'moodsearch%'"
    )
    for name in names:
        with backends.database.transaction() as connection:
            rows = connection.execute(trusted_sql(f"SELECT t::text AS row FROM {name} t"))
            yield name, "\n".join(str(each["row"]) for each in rows)
