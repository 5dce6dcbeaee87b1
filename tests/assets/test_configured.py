"""What definitions show of the settings: kinds and pools name what is in use."""

import os
import subprocess
import sys

import pytest

from assets import configured
from resources.settings import Settings, load_settings

MODAL = {
    "MODAL_ENABLED": "true",
    "MODAL_EMBED_AUDIO_URL": "https://audio.example",
    "MODAL_EMBED_TEXT_URL": "https://text.example",
}
TURBOPUFFER = {"TURBOPUFFER_ENABLED": "true", "TURBOPUFFER_API_KEY": "key"}
REPLICATE = {"REPLICATE_ENABLED": "true", "REPLICATE_API_TOKEN": "token"}
R2 = {
    "R2_ENDPOINT_URL": "https://r2.example",
    "R2_BUCKET": "audio",
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


def _kinds(settings: Settings) -> set[str]:
    return (
        configured.audio_kinds(settings)
        | configured.embedding_kinds(settings)
        | configured.index_kinds(settings)
        | configured.genre_kinds(settings)
    )


def test_by_default_everything_runs_here() -> None:
    assert _kinds(load_settings()) == {"ffmpeg", "parquet", "onnx", "postgres", "pgvector"}
    assert configured.genre_pool(load_settings()) is None


@pytest.mark.parametrize(
    ("environment", "kind"),
    [(MODAL, "modal"), (TURBOPUFFER, "turbopuffer"), (REPLICATE, "replicate"), (R2, "s3")],
    ids=["modal", "turbopuffer", "replicate", "r2"],
)
def test_kinds_name_a_service_where_it_is_enabled(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], kind: str
) -> None:
    assert kind not in _kinds(load_settings())
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert kind in _kinds(load_settings())


def test_runs_that_use_replicate_share_a_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REPLICATE.items():
        monkeypatch.setenv(name, value)
    assert configured.genre_pool(load_settings()) == configured.REPLICATE_POOL


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "kinds"),
    [(TURBOPUFFER, "turbopuffer"), ({"TURBOPUFFER_ENABLED": "true"}, "pgvector,postgres")],
    ids=["right settings", "wrong settings"],
)
def test_definitions_load_with_any_settings(environment: dict[str, str], kinds: str) -> None:
    """A run says what is wrong with them; a graph that does not load could not."""
    script = (
        "from pipelines.definitions import defs;"
        "spec = defs.resolve_assets_def('search_index').specs_by_key;"
        "print(*sorted(next(iter(spec.values())).kinds), sep=',')"
    )
    printed = subprocess.check_output(
        [sys.executable, "-W", "ignore", "-c", script], env={**os.environ, **environment}, text=True
    )
    assert printed.strip() == kinds
