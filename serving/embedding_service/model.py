"""The model that the service runs, chosen by the settings."""

from resources.embedding.offline import load_offline_model
from resources.embedding.protocol import EmbeddingModel
from resources.errors import ConfigurationError
from resources.settings import Settings


def load_model(settings: Settings) -> EmbeddingModel:
    """What `CLAP_MODEL` says, ready to run. Raises `ConfigurationError` for an unknown one."""
    if settings.clap_model != "offline":
        raise ConfigurationError(
            f"CLAP_MODEL: {settings.clap_model!r} is not known; this version runs offline"
        )
    # Requests are embedded in parallel, each by one thread.
    return load_offline_model(threads=1)
