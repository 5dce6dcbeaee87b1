"""What the settings choose, as far as definitions show it: kinds, pools, what costs money."""

from typing import Final

from resources.errors import ConfigurationError
from resources.settings import Settings, load_settings

REPLICATE_POOL: Final = "replicate"
"""Runs that use Replicate, which limits how often it is asked: as many at once as `dagster.yaml`
lets into a pool."""


def configured() -> Settings:
    """The settings; the defaults where they are wrong, so that definitions load and a run can say
    what is wrong with them."""
    try:
        return load_settings()
    except ConfigurationError:
        return Settings.model_construct()


def audio_kinds(settings: Settings) -> set[str]:
    return {"ffmpeg", "parquet", *(["s3"] if settings.uses_r2 else [])}


def embedding_kinds(settings: Settings) -> set[str]:
    return {"modal" if settings.modal_enabled else "onnx", "parquet"}


def index_kinds(settings: Settings) -> set[str]:
    return {"turbopuffer"} if settings.turbopuffer_enabled else {"postgres", "pgvector"}


def genre_kinds(settings: Settings) -> set[str]:
    """Zero-shot, genres are compared with the text embeddings of their names."""
    if settings.replicate_enabled:
        return {"replicate", "parquet"}
    on_modal = settings.modal_enabled and settings.clap_text == "modal"
    return {"modal" if on_modal else "onnx", "parquet"}


def genre_pool(settings: Settings) -> str | None:
    return REPLICATE_POOL if settings.replicate_enabled else None


def cost_tag(*, paid: bool) -> dict[str, str]:
    """Whether a service charges for the asset's runs; to select by."""
    return {"cost": "paid" if paid else "free"}
