"""The embedding model that runs in this process, as `CLAP_MODEL` says."""

from threadpoolctl import threadpool_limits

from resources.embedding.offline import load_offline_model
from resources.embedding.protocol import EmbeddingModel
from resources.settings import Settings


def load_local_model(settings: Settings, *, audio_threads: int = 1) -> EmbeddingModel:
    """The model, to be called from many threads.

    `audio_threads`: for each call that embeds audio, where CLAP runs; what ships is too small to
    gain from more than one. CLAP's files are fetched and opened when they are first needed, each
    tower's alone; what is wrong with them is said then.
    """
    # BLAS would start as many threads as there are cores for each of ours, which wait for each
    # other in loops: 58 times slower on a busy machine.
    threadpool_limits(limits=1, user_api="blas")
    if settings.clap_model == "offline":
        return load_offline_model(threads=1)
    # With the hub's client and the tokenizer: 0.3 s to import, which the model that ships spares.
    from resources.embedding.clap.model import load_clap  # noqa: PLC0415

    return load_clap(settings, audio_threads=audio_threads)
