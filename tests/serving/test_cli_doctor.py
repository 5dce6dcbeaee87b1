"""`moodsearch doctor`, with the model that ships."""

from pathlib import Path

import pytest

from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.records import AudioRecord, IndexRecord
from resources.machine.folders import make_private
from resources.settings import load_settings
from tests.catalogue.rows import add_track
from tests.serving.command import Command
from tests.serving.conftest import SECRET
from tests.serving.moods import OTHER_MODEL
from tests.serving.offline import index_descriptions


def test_a_new_installation_is_in_order(
    moodsearch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESSION_SECRET", SECRET)
    outcome = moodsearch("doctor")
    assert outcome.status == 0, outcome.output
    assert "Everything is in order." in outcome.output
    for name in ("database", "object store", "vector store", "model", "dagster"):
        assert name in outcome.output
    assert SECRET not in outcome.output


def test_doctor_tells_of_a_home_that_others_may_look_into(moodsearch: Command) -> None:
    home = load_settings().moodsearch_home
    make_private(home)
    before = home.stat().st_mode
    try:
        for permissions, is_told in ((0o700, False), (0o755, True), (0o750, True), (0o701, True)):
            home.chmod(permissions)
            outcome = moodsearch("doctor")
            assert outcome.status == 0
            assert (f"chmod 700 {home}" in outcome.output) == is_told
    finally:
        home.chmod(before)


def test_another_package_under_one_of_our_names_is_wrong(
    moodsearch: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed = tmp_path / "django_site-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: django_site\nVersion: 1.0\n")
    (installed / "top_level.txt").write_text("serving\nsite_pages\n")
    monkeypatch.syspath_prepend(tmp_path)
    outcome = moodsearch("doctor")
    assert outcome.status == 1
    assert "the package serving is installed by django-site, too" in outcome.output
    assert "in an environment of its own" in outcome.output
    assert "the package resources" not in outcome.output


def test_who_may_ask_the_api_and_how_often_is_shown(
    moodsearch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "120 requests of a client in a minute" in moodsearch("doctor").output
    monkeypatch.setenv("API_RATE_LIMIT_PER_MINUTE", "0")
    monkeypatch.setenv("API_TRUSTED_PROXIES", "10.0.0.0/8")
    monkeypatch.setenv("API_ALLOWED_ORIGINS", "https://app.example.com")
    output = moodsearch("doctor").output
    for shown in ("no rate limit", "10.0.0.0/8", "https://app.example.com"):
        assert shown in output


def test_what_is_pending_is_counted_by_kind_and_is_not_wrong(moodsearch: Command) -> None:
    with Backends(load_settings()) as backends:
        for number in range(3):
            add_track(backends.database, file_id=f"file-{number}")
    outcome = moodsearch("doctor")
    assert outcome.status == 0, outcome.output
    assert "probe 3" in outcome.output
    assert "moodsearch backfill" in outcome.output


def test_audio_that_cannot_be_used_is_shown_with_its_reason(moodsearch: Command) -> None:
    with Backends(load_settings()) as backends:
        track = add_track(backends.database, "[red]broken[/red]")
        backends.records.audio([AudioRecord(track, "file-1", None, "no audio stream")])
    outcome = moodsearch("doctor")
    assert outcome.status == 0, outcome.output
    assert "[red]broken[/red]" in outcome.output
    assert "no audio stream" in outcome.output


def test_work_that_keeps_failing_is_wrong(moodsearch: Command) -> None:
    with Backends(load_settings()) as backends:
        track = add_track(backends.database)
        backends.attempts.note_errors("index", {track: "the vector store does not answer"})
    outcome = moodsearch("doctor")
    assert outcome.status == 1
    assert "the vector store does not answer" in outcome.output


def test_a_run_that_failed_is_wrong_and_its_cause_is_named(moodsearch: Command) -> None:
    with Backends(load_settings()) as backends:
        backends.failed_runs.note("index", Block(0, 999), "ZeroDivisionError: division by zero")
    outcome = moodsearch("doctor")
    assert outcome.status == 1
    assert "runs of 1 block failed" in outcome.output
    assert "tracks 0-999" in outcome.output
    assert "ZeroDivisionError: division by zero" in outcome.output


def test_the_oldest_change_that_is_waiting_is_told(moodsearch: Command) -> None:
    with Backends(load_settings()) as backends:
        add_track(backends.database)
        backends.database.rows("UPDATE moodsearch.outbox SET changed_at = '2026-01-02 03:04Z'")
    outcome = moodsearch("doctor")
    assert "has not reached the index is of 2026-01-02" in outcome.output


def test_an_index_that_lost_its_documents_is_wrong(moodsearch: Command) -> None:
    with Backends(load_settings()) as backends:
        (track,) = index_descriptions(backends, {"Waves": "calm ambient"}).values()
        backends.records.audio([AudioRecord(track, "file-1", 60.0, None)])
        backends.records.indexed(backends.generation.id, [IndexRecord(track, "file-1", "digest")])
        assert moodsearch("doctor").status == 0
        backends.vectors.drop()
    outcome = moodsearch("doctor")
    assert outcome.status == 1
    assert "0 tracks, but 1 are recorded" in outcome.output


def test_an_index_whose_model_cannot_be_loaded_is_wrong_and_the_remedy_is_named(
    moodsearch: Command,
) -> None:
    with Backends(load_settings()) as backends:
        backends.generations.open(OTHER_MODEL.for_tracks())
    outcome = moodsearch("doctor")
    assert outcome.status == 1
    assert "moodsearch models build" in outcome.output
    assert OTHER_MODEL.id in outcome.output


def test_beside_an_app_another_model_is_only_built_when_it_is_asked_for(
    moodsearch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAP_MODEL", "offline")
    with Backends(load_settings()) as backends:
        backends.generations.open(OTHER_MODEL.for_tracks())
        backfilled = moodsearch("backfill")
        assert backfilled.status == 0
        assert f"answered by {OTHER_MODEL.id}" in backfilled.output
        assert "moodsearch models build" in backfilled.output
        assert backends.generations.find(backends.track_model) is None
        assert moodsearch("doctor").status == 1
        built = moodsearch("models", "build", "offline")
        assert built.status == 0, built.errors
        assert "answers until it is complete" in built.output
        after = moodsearch("doctor")
        assert after.status == 0, after.output


def test_changes_that_triggers_missed_are_shown_and_why(moodsearch: Command) -> None:
    assert "missed" not in moodsearch("doctor").output
    with Backends(load_settings()) as backends:
        backends.database.rows("ALTER TABLE moodsearch.outbox RENAME TO hidden")
        add_track(backends.database)
        backends.database.rows("ALTER TABLE moodsearch.hidden RENAME TO outbox")
    outcome = moodsearch("doctor")
    assert outcome.status == 0, outcome.output
    assert "changes of public.tracks, noted once since " in outcome.output
    assert 'relation "moodsearch.outbox" does not exist' in outcome.output


def test_a_column_that_the_app_dropped_is_wrong_and_what_was_missed_is_shown(
    moodsearch: Command,
) -> None:
    assert moodsearch("doctor").status == 0
    with Backends(load_settings()) as backends:
        add_track(backends.database)
        backends.database.rows("ALTER TABLE public.tracks DROP COLUMN title")
        backends.database.rows("UPDATE public.tracks SET file_id = 'new'")
    outcome = moodsearch("doctor")
    assert outcome.status == 1
    assert "index: column t.title does not exist" in outcome.output
    assert "changes of public.tracks, noted once since " in outcome.output


def test_the_state_of_keyword_search_is_shown_and_what_its_triggers_missed(
    moodsearch: Command,
) -> None:
    assert "complete: track, artist, handle, album, tag, playlist" in moodsearch("doctor").output
    with Backends(load_settings()) as backends:
        backends.database.rows("ALTER TABLE moodsearch.outbox RENAME TO hidden")
        backends.database.rows("INSERT INTO public.tags (name) VALUES ('techno')")
        backends.database.rows("ALTER TABLE moodsearch.hidden RENAME TO outbox")
        backends.database.rows("UPDATE moodsearch.search_sources SET compared_at = NULL")
        backends.database.rows("ALTER TABLE public.albums DISABLE TRIGGER moodsearch_updated")
    outcome = moodsearch("doctor")
    assert outcome.status == 0, outcome.output
    assert "moodsearch serve does it" in outcome.output
    assert "changes of public.tags, until they are compared: relation" in outcome.output
    assert "GRANT TRIGGER ON public.albums" in outcome.output
