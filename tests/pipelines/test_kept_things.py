"""Everything that is stored is in one kind's charge: a test here fails for what is not."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import resources.vectors
from assets.forgetting.finding import gone
from assets.forgetting.registry import HOLDS_NOTHING, kinds
from assets.forgetting.scan import scan
from assets.forgetting.vectors import every_store
from resources.backends import Backends
from resources.catalogue.work.records import IndexRecord
from resources.settings import load_settings
from resources.vectors.protocol import VectorDocument
from tests.audio.covers import JPEG
from tests.fakes.turbopuffer.server import TurbopufferServer
from tests.pipelines.conftest import Run, write_noise
from tests.vectors.samples import axis

TABLES = """
SELECT table_schema || '.' || table_name AS name FROM information_schema.tables
WHERE table_schema IN ('moodsearch', 'public') AND table_type = 'BASE TABLE' ORDER BY 1
"""


def _in_nobodys_charge(backends: Backends) -> list[str]:
    """Tables and objects."""
    places = [row["name"] for row in backends.database.rows(TABLES)]
    assert len(places) > 20
    places += backends.store.keys("")
    found = []
    for place in places:
        holders = [kind.name for kind in kinds(backends) if kind.holds(place)]
        holders += [each for each in HOLDS_NOTHING if place == each or _is_below(place, each)]
        if len(holders) != 1:
            found.append(f"{place}: {holders}")
    return found


def _is_below(key: str, prefix: str) -> bool:
    return prefix.endswith("/") and key.startswith(prefix)


@pytest.fixture
def everything(backends: Backends, run: Run, tmp_path: Path) -> Backends:
    """All that the product writes for a track with a cover."""
    (tmp_path / "cover.jpg").write_bytes(JPEG)
    backends.uploads.add(write_noise(tmp_path / "one.wav", 1))
    run()
    run("classify_genres")
    return backends


@pytest.mark.slow
def test_every_table_and_every_object_is_in_one_kinds_charge(everything: Backends) -> None:
    assert _in_nobodys_charge(everything) == []
    prefixes = {key.split("/")[0] for key in everything.store.keys("")}
    assert prefixes == {"audio", "artwork", "moodsearch"}


@pytest.mark.slow
def test_a_table_or_an_object_that_nobody_registered_is_told(everything: Backends) -> None:
    everything.database.rows("CREATE TABLE moodsearch.moments (track_id bigint)")
    everything.database.rows("CREATE TABLE public.playlist_tracks (track_id bigint)")
    everything.store.put("moodsearch/moments/0-999.parquet", b"")
    everything.store.put("lyrics/1.txt", b"")
    assert _in_nobodys_charge(everything) == [
        "moodsearch.moments: []",
        "public.playlist_tracks: []",
        "lyrics/1.txt: []",
        "moodsearch/moments/0-999.parquet: []",
    ]


def test_what_holds_nothing_of_a_track_has_no_column_or_row_for_one(backends: Backends) -> None:
    columns = backends.database.rows(
        "SELECT table_schema || '.' || table_name AS name, column_name AS column"
        " FROM information_schema.columns WHERE table_schema = 'moodsearch'"
    )
    assert all(HOLDS_NOTHING.values())
    named = {row["name"] for row in columns}
    assert {place for place in HOLDS_NOTHING if "/" not in place} <= named
    forbidden = {"track_id", "file_id", "title", "user_did", "artist_did"}
    wrong = [row for row in columns if row["name"] in HOLDS_NOTHING and row["column"] in forbidden]
    assert wrong == []


@pytest.fixture
def with_turbopuffer(backends: Backends, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backends]:
    """With vectors in the database and in turbopuffer."""
    with TurbopufferServer() as server:
        monkeypatch.setenv("TURBOPUFFER_ENABLED", "true")
        monkeypatch.setenv("TURBOPUFFER_API_KEY", server.api_key)
        monkeypatch.setenv("TURBOPUFFER_BASE_URL", server.url)
        with Backends(load_settings()) as both:
            yield both


def _stores() -> set[type]:
    """Every implementation of a vector store."""
    modules = [
        importlib.import_module(f"resources.vectors.{module.name}")
        for module in pkgutil.iter_modules(resources.vectors.__path__)
    ]
    return {
        found
        for module in modules
        for _, found in inspect.getmembers(module, inspect.isclass)
        if hasattr(found, "upsert") and not getattr(found, "_is_protocol", False)
    }


def test_every_vector_store_is_reached(backends: Backends, with_turbopuffer: Backends) -> None:
    document = VectorDocument(7, axis(0), "a title", "a.handle", "did:plc:a")
    for each in (backends, with_turbopuffer):
        each.vectors.upsert([document])
    stores = every_store(with_turbopuffer)
    assert {type(store) for store in stores} == _stores()
    assert len(stores) == 2
    subject = gone(with_turbopuffer.database, [7])
    places = {trace.place for trace in scan(with_turbopuffer, subject)}
    assert len([place for place in places if place.startswith("vectors of")]) == 1
    for kind in kinds(with_turbopuffer):
        kind.remove(subject)
    assert list(scan(with_turbopuffer, subject)) == []
    assert [store.vector(7) for store in stores] == [None, None]


def test_a_store_that_the_settings_do_not_lead_to_is_told_and_remembered(
    backends: Backends, with_turbopuffer: Backends
) -> None:
    generation = with_turbopuffer.generation
    backends.records.indexed(generation.id, [IndexRecord(7, "a-file", "")])
    subject = gone(backends.database, [7])
    for kind in kinds(backends):
        kind.remove(subject)
    assert [(trace.place, trace.problem != "") for trace in scan(backends, subject)] == [
        ("moodsearch.track_documents", False),
        (generation.id, True),
    ]
