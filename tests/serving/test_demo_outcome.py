"""`moodsearch demo` in trouble: what it finds decides its exit code, and it mends its index."""

import tempfile
from collections.abc import Iterator

import pytest

from resources.backends import Backends
from resources.catalogue.database import Database
from resources.settings import load_settings
from serving.demo import DEMO_PIECES, DEMO_QUERIES
from serving.demo.home import demo_environment
from tests.serving.command import Command

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Not under pytest's folders: they are closed to the other user that Postgres runs as for root.
    with tempfile.TemporaryDirectory(
        prefix="moodsearch-tests-", ignore_cleanup_errors=True
    ) as folder:
        monkeypatch.setenv("MOODSEARCH_HOME", folder)
        yield


def _open_the_demos() -> Backends:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in demo_environment(load_settings()).items():
            patch.setenv(name, value)
        return Backends(load_settings())


def test_its_pieces_stay_out_of_the_configured_catalogue(
    moodsearch: Command, database: Database
) -> None:
    outcome = moodsearch("demo")
    assert outcome.status == 0
    assert "Next: moodsearch demo --serve" in outcome.output
    assert database.rows("SELECT FROM public.tracks") == []
    with _open_the_demos() as backends:
        assert backends.tracks.count_public() == len(DEMO_PIECES)


def test_the_demo_fails_when_nothing_answers(
    moodsearch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracks are embedded by the service, and its endpoint for texts does not exist."""
    assert moodsearch("demo").status == 0
    monkeypatch.setenv("MODAL_ENABLED", "true")
    monkeypatch.setenv("MODAL_EMBED_AUDIO_URL", "http://127.0.0.1:1/embed_audio")
    monkeypatch.setenv("MODAL_EMBED_TEXT_URL", "http://127.0.0.1:1/embed_text")
    outcome = moodsearch("demo")
    assert outcome.status == 1
    assert f'"{DEMO_QUERIES[0].query}": ' in outcome.output


def test_the_demo_fails_when_nothing_is_found_and_indexes_again_what_was_lost(
    moodsearch: Command,
) -> None:
    assert moodsearch("demo").status == 0
    with _open_the_demos() as backends:
        backends.vectors.delete(backends.vectors.ids(0, 10**9))
        assert backends.vectors.count() == 0
    again = moodsearch("demo")
    assert again.status == 0
    assert "were not as recorded" in again.output
    with _open_the_demos() as backends:
        assert backends.vectors.count() == len(DEMO_PIECES)
        backends.database.rows("UPDATE public.tracks SET visibility = 'private'")
    hidden = moodsearch("demo")
    assert hidden.status == 1
    assert f'"{DEMO_QUERIES[0].query}": nothing was found' in hidden.output


def test_a_home_that_cannot_be_written_to_is_one_line(
    moodsearch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOODSEARCH_HOME", "/proc/moodsearch")
    outcome = moodsearch("demo")
    assert outcome.status == 1
    assert outcome.is_one_error_line
