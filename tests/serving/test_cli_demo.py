"""`moodsearch demo`: a stranger's first minute. The right style is on top of every query."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.demo import DEMO_PIECES, DEMO_QUERIES, EXTRA_QUERIES, DemoQuery

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STYLE_OF = {piece.title: piece.style for piece in DEMO_PIECES}


def _moodsearch(home: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "serving.cli", *arguments],
        env={**os.environ, "MOODSEARCH_HOME": str(home), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    # Not under pytest's folders: they are closed to the other user that Postgres runs as for root.
    with tempfile.TemporaryDirectory(
        prefix="moodsearch-tests-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def first_output(home: Path) -> str:
    return _moodsearch(home, "demo")


def _printed_styles(output: str, query: DemoQuery) -> list[str]:
    """Styles of the printed results, best first."""
    table = output.split(f'"{query.query}"', 1)[1].split('"', 1)[0]
    rows = re.findall(r"│\s*\d+\s*│\s*(.+?)\s*│", table)
    return [STYLE_OF[title] for title in rows]


@pytest.mark.parametrize("query", DEMO_QUERIES, ids=lambda query: query.query)
def test_the_style_that_was_asked_for_is_on_top(first_output: str, query: DemoQuery) -> None:
    styles = _printed_styles(first_output, query)
    assert len(styles) == 5
    assert styles[0] == query.style


def test_a_second_demo_embeds_nothing_and_prints_the_same(home: Path, first_output: str) -> None:
    second = _moodsearch(home, "demo")
    assert "Everything is indexed already." in second
    for query in DEMO_QUERIES:
        assert _printed_styles(second, query) == _printed_styles(first_output, query)


def test_other_queries_find_their_style_too(
    home: Path, first_output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resources.backends import Backends
    from resources.settings import load_settings
    from serving.search.semantic import SemanticSearch

    monkeypatch.setenv("MOODSEARCH_HOME", str(home / "demo"))
    with Backends(load_settings()) as backends:
        search = SemanticSearch(backends)
        wrong = [
            query.query
            for query in EXTRA_QUERIES
            if STYLE_OF[search.search(query.query, 1).results[0].title] != query.style
        ]
    assert len(EXTRA_QUERIES) >= 20
    assert len(wrong) <= 0.1 * len(EXTRA_QUERIES), wrong
