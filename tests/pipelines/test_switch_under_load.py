"""Two models take over from each other to and fro while people search and the catalogue changes:
every answer is there, and is one model's."""

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from assets.block_run import NoProgress
from pipelines.backfill import backfill, plan
from resources.backends import Backends
from resources.settings import load_settings
from serving.search.semantic import SemanticSearch
from tests.pipelines.conftest import Upload
from tests.pipelines.test_model_switch import FIXTURE
from tests.serving.command import start_program

pytestmark = pytest.mark.slow

QUERY = "white noise"
TRACKS = 6
TURNS = 4
FOLLOWED_WITHIN_SECONDS = 30

Answer = dict[int, float]
"""Similarities by track id."""
Ask = Callable[[], Answer | None]
"""None: not available."""


class Searcher(threading.Thread):
    """Asks all the time. `wrong`: what was answered that is no model's; `by`: whose answer it was
    last."""

    def __init__(self, ask: Ask, expected: dict[str, Answer]) -> None:
        super().__init__(daemon=True)
        self._ask = ask
        self._expected = expected
        self._ending = threading.Event()
        self.answers = 0
        self.wrong: list[Answer | None] = []
        self.by: str | None = None

    def run(self) -> None:
        while not self._ending.wait(0.01):
            answer = self._ask()
            self.answers += 1
            whose = None if answer is None else self._whose(answer)
            if whose is None:
                self.wrong.append(answer)
            else:
                self.by = whose

    def _whose(self, answer: Answer) -> str | None:
        for model, similarities in self._expected.items():
            if all(abs(similarities[id_] - s) < 0.002 for id_, s in answer.items()):
                return model
        return None

    def follows(self, model: str) -> bool:
        deadline = time.monotonic() + FOLLOWED_WITHIN_SECONDS
        while self.by != model and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.by == model

    def end(self) -> None:
        self._ending.set()
        self.join(30)


def _expected(backends: Backends, ids: list[int]) -> Answer:
    (query,) = backends.text_model.embed_text([QUERY])
    vectors = {id_: backends.vectors.vector(id_) for id_ in ids}
    return {id_: float(np.dot(query, v)) for id_, v in vectors.items() if v is not None}


def _in_process(backends: Backends) -> Ask:
    search = SemanticSearch(backends)

    def ask() -> Answer | None:
        answer = search.search(QUERY, 50)
        return {r.id: r.similarity for r in answer.results} if answer.available else None

    return ask


@contextmanager
def _serving() -> Iterator[Ask]:
    """By another process, configured as this one's environment says."""
    process = start_program("serve", "--port", "0")
    try:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        address = next(m[0] for line in lines if (m := re.search(r"http://127\S+:\d+", line)))
        with httpx.Client(base_url=address, timeout=30) as client:

            def ask() -> Answer | None:
                answer = client.get("/search/semantic", params={"q": QUERY, "limit": 50}).json()
                found = {each["id"]: each["similarity"] for each in answer["results"]}
                return found if answer["available"] else None

            yield ask
    finally:
        process.kill()
        process.communicate()


@contextmanager
def _edits(backends: Backends, ids: list[int]) -> Iterator[None]:
    """Tracks are renamed, hidden and shown meanwhile."""
    ending = threading.Event()

    def edit() -> None:
        turn = 0
        while not ending.wait(0.05):
            turn += 1
            visibility = "private" if turn % 2 else "public"
            backends.database.rows(
                "UPDATE public.tracks SET visibility = %(visibility)s, title = %(title)s"
                " WHERE id = %(id)s",
                {"visibility": visibility, "title": f"title {turn}", "id": ids[turn // 2 % 3]},
            )

    thread = threading.Thread(target=edit, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(30)


@pytest.mark.timeout(600)
def test_no_answer_is_missing_or_of_two_models_while_models_take_over(
    backends: Backends, upload: Upload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clap = str(shutil.copytree(FIXTURE, tmp_path / "clap"))
    monkeypatch.setenv("API_RATE_LIMIT_PER_MINUTE", "0")
    ids = [upload(seed) for seed in range(TRACKS)]
    backfill(backends, plan(backends), progress=NoProgress())
    with Backends(load_settings(clap_model=clap)) as other:
        # The vectors of both, before anything is edited.
        backfill(other, plan(other), progress=NoProgress())
        expected = {"own": _expected(backends, ids), "other": _expected(other, ids)}
        assert backends.generations.rollback() is not None
        monkeypatch.setenv("CLAP_MODEL", clap)
        with _serving() as ask_elsewhere, _edits(backends, ids):
            searchers = [
                Searcher(ask, expected)
                for ask in (_in_process(backends), _in_process(other), ask_elsewhere)
            ]
            for searcher in searchers:
                searcher.start()
            for turn in range(TURNS):
                model = "other" if turn % 2 else "own"
                assert [searcher.follows(model) for searcher in searchers] == [True] * 3
                started = time.monotonic()
                assert backends.generations.rollback() is not None
                assert time.monotonic() - started < 5
                live = backends if turn % 2 else other
                backfill(live, plan(live, limit=2), progress=NoProgress())
            for searcher in searchers:
                searcher.end()
    assert [searcher.wrong for searcher in searchers] == [[], [], []]
    assert all(searcher.answers > 20 for searcher in searchers)
