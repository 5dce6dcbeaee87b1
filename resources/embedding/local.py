"""The embedding model that runs in this process, as `CLAP_MODEL` says."""

from threadpoolctl import threadpool_limits

from resources.embedding.offline import load_offline_model
from resources.embedding.protocol import EmbeddingModel
from resources.errors import ConfigurationError
from resources.settings import Settings


def load_local_model(settings: Settings) -> EmbeddingModel:
    """Load it, to be called from many threads, each of which it uses alone.

    Raises `ConfigurationError` for a model that this version does not know.
    """
    if settings.clap_model != "offline":
        raise ConfigurationError(
            f"CLAP_MODEL: {settings.clap_model!r} is not known; this version runs offline"
        )
    # BLAS would start as many threads as there are cores for each of ours, which wait for each
    # other in loops: 58 times slower on a busy machine.
    threadpool_limits(limits=1, user_api="blas")
    return load_offline_model(threads=1)
