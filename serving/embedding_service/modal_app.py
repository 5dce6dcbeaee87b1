"""The embedding service on Modal: `modal deploy -m serving.embedding_service.modal_app`.

Importing this module contacts nobody, but for the hub where `CLAP_MODEL` is a model whose hashes
are not known yet. It is imported again inside the containers, where neither the pinned versions nor
the deployer's settings are; the objects that it makes there must be the same in number, or Modal
refuses to run them.
"""

from typing import Final

import modal
from starlette.applications import Starlette

from resources.embedding.protocol import EmbeddingModel
from resources.settings import load_settings
from serving.embedding_service import Limits, create_embedding_service, open_model
from serving.embedding_service.modal_image import service_image

APP_NAME: Final = "plyr-clap"

CPU_CORES: Final = 2.0

MEMORY_MEBIBYTES: Final = 4096

IDLE_SECONDS: Final = 300
"""How long a container waits for the next request; billed."""

MAX_CONTAINERS: Final = 20
"""The bill's upper bound: endpoints without a proxy token are open to everybody."""

_SETTINGS: Final = load_settings()

# The image has the sources, with the weights; Modal would mount the code alone once more.
app = modal.App(APP_NAME, image=service_image(_SETTINGS), include_source=False)


@app.cls(
    cpu=CPU_CORES,
    memory=MEMORY_MEBIBYTES,
    scaledown_window=IDLE_SECONDS,
    max_containers=MAX_CONTAINERS,
    enable_memory_snapshot=True,
)
@modal.concurrent(max_inputs=Limits.audio_requests, target_inputs=2 * Limits.workers)
class ClapService:
    """One container: the model, loaded once and then restored from a snapshot of memory."""

    model: EmbeddingModel

    @modal.enter(snap=True)
    def load(self) -> None:
        """Both towers have run when the snapshot is taken."""
        self.model = open_model(load_settings())

    @modal.asgi_app(requires_proxy_auth=_SETTINGS.modal_proxy_auth is not None)
    def web(self) -> Starlette:
        """`/embed_audio`, `/embed_text` and `/healthz` under one address."""
        return create_embedding_service(self.model)
