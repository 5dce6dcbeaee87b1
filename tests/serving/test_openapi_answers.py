"""Requests made from the OpenAPI document, by the real Schemathesis over real HTTP: nothing fails,
and every answer is one that the document promises, in status, content type, headers and schema."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.audio.artwork import picture_key
from resources.backends import Backends
from resources.catalogue.tracks.uploads import artwork_path
from resources.genres.protocol import GenrePrediction
from resources.settings import load_settings
from serving.api.app import create_app
from serving.tokens import make_token
from tests.audio.files import png
from tests.catalogue.rows import update_track
from tests.serving.conftest import SECRET
from tests.serving.openapi_hooks import COVER, TOKEN, TRACKS
from tests.serving.page.browser import served
from tests.serving.page.catalogue import fill

LISTENER = "did:plc:listener"
CASES = 2_000
CASES_OF_A_ROUTE = 500
"""At most: three routes have no parameters, and so little to vary."""

SEED = 5
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def address(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of the real API over a small catalogue, with the model that ships. Nobody is limited: a
    refusal would say nothing about the routes. tests/serving/test_request_limit.py is about it."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SESSION_SECRET", SECRET)
    monkeypatch.setenv("API_RATE_LIMIT_PER_MINUTE", "0")
    with Backends(load_settings()) as backends:
        fill(backends)
        predictions = [GenrePrediction("techno", 0.9), GenrePrediction("ambient", 0.4)]
        backends.records.genres(1, "tone", predictions)
        backends.store.put(picture_key(COVER), png())
        for track_id in TRACKS:
            update_track(backends.database, track_id, image_url=artwork_path(track_id, COVER))
        backends.flags.grant(LISTENER, "vibe-search")
        with served(create_app(backends)) as address:
            yield address


def schemathesis(address: str, report: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json"),
            *("--phases", "examples,coverage,fuzzing", "--checks", "all"),
            *("--max-examples", str(CASES_OF_A_ROUTE), "--seed", str(SEED)),
            *("--generation-database", "none", "--continue-on-failure", "--no-color"),
            # A slow machine is no failure.
            *("--suppress-health-check", "all", "--request-timeout", "30"),
            *("--report-ndjson-path", str(report)),
        ],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.serving.openapi_hooks",
            TOKEN: make_token(SECRET, LISTENER),
        },
        cwd=report.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def answers(report: Path) -> Iterator[tuple[str, int, bytes]]:
    """Route, status and content of every answer."""
    for line in report.read_text().splitlines():
        recorder: dict[str, Any] = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for interaction in recorder.get("interactions", {}).values():
            response = interaction["response"]
            content = base64.b64decode((response["content"] or {}).get("$base64", ""))
            yield recorder["label"], response["status_code"], content


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_answer_is_one_that_the_document_promises(address: str, tmp_path: Path) -> None:
    report = tmp_path / "events.ndjson"
    run = schemathesis(address, report)
    assert run.returncode == 0, run.stdout + run.stderr
    generated = re.search(r"(\d+) generated", run.stdout)
    assert generated, run.stdout
    assert int(generated[1]) >= CASES

    # Without these the above would say little: that something was found, heard and recommended.
    seen = list(answers(report))
    statuses: dict[str, set[int]] = {}
    for route, status, _ in seen:
        statuses.setdefault(route, set()).add(status)
    for route, found in statuses.items():
        assert found & {200, 202}, route
    assert {200, 206, 404, 422} <= statuses["GET /tracks/{track_id}/audio"]
    assert {200, 401} <= statuses["GET /me"]
    kinds = re.findall(rb'"type":"(\w+)"', b"".join(c for r, s, c in seen if r == "GET /search/"))
    assert {b"track", b"artist", b"album", b"tag", b"playlist"} <= set(kinds)
    assert any(b'"techno"' in c for r, _, c in seen if r.endswith("recommended-tags"))
    assert any(b"vibe-search" in c for r, _, c in seen if r == "GET /me")
