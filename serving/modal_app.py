"""The embedding service on Modal: `modal deploy -m serving.modal_app`.

Importing this module contacts nobody. It is imported again inside the containers, where neither
`requirements/` nor the deployer's settings are; the objects that it makes there must be the same
in number, or Modal refuses to run them.
"""

from pathlib import Path
from typing import Final

import modal
import numpy as np
from starlette.applications import Starlette

from resources.embedding.local import load_local_model
from resources.embedding.protocol import WINDOW_SAMPLES, EmbeddingModel
from resources.settings import Settings, load_settings
from serving.embedding_service import Limits, create_embedding_service

APP_NAME: Final = "plyr-clap"

PYTHON_VERSION: Final = "3.11"

CPU_CORES: Final = 2.0

MEMORY_MEBIBYTES: Final = 4096

IDLE_SECONDS: Final = 300
"""How long a container waits for the next request; billed."""

MAX_CONTAINERS: Final = 20
"""The bill's upper bound: endpoints without a proxy token are open to everybody."""

REQUIREMENTS: Final = Path(__file__).resolve().parents[1] / "requirements" / "runtime.txt"

IMAGE_PACKAGES: Final = frozenset({
    "annotated-types", "anyio", "av", "certifi", "flatbuffers", "h11", "httpcore", "httpx",
    "idna", "numpy", "onnxruntime", "packaging", "protobuf", "pydantic", "pydantic-core",
    "pydantic-settings", "python-dotenv", "starlette", "threadpoolctl", "typing-extensions",
    "typing-inspection",
})  # fmt: skip
"""What the service imports, and what that needs in turn. Modal brings its own client."""

SOURCES: Final = ("resources", "serving")

SOURCE_SUFFIXES: Final = frozenset({".py", ".onnx", ".npz", ".txt"})
"""Code, and the weights of the model that ships; Modal would leave out all but code."""


def is_left_out(path: Path) -> bool:
    """Whether a file of `SOURCES` stays out of the image."""
    return path.suffix not in SOURCE_SUFFIXES


def pinned(requirements: str, names: frozenset[str]) -> list[str]:
    """The lines of a requirements file that pin `names`, markers included and hashes left out.

    Raises `ValueError` for names that it does not pin.
    """
    lines = [line.removesuffix("\\").strip() for line in requirements.splitlines()]
    pins = [line for line in lines if line.split("==", 1)[0] in names]
    if missing := names - {line.split("==", 1)[0] for line in pins}:
        raise ValueError(f"not pinned: {', '.join(sorted(missing))}")
    return pins


def service_image(settings: Settings) -> modal.Image:
    """Rarely changed layers first; the sources are mounted when a container starts."""
    packages = pinned(REQUIREMENTS.read_text(), IMAGE_PACKAGES) if modal.is_local() else []
    return (
        modal.Image.debian_slim(python_version=PYTHON_VERSION)
        .uv_pip_install(*packages)
        .env({"CLAP_MODEL": settings.clap_model, "CLAP_PRECISION": settings.clap_precision})
        .add_local_python_source(*SOURCES, ignore=is_left_out)
    )


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
        """Also runs the model once, so that the snapshot has what it prepares at first use."""
        self.model = load_local_model(load_settings())
        self.model.embed_audio(np.zeros((1, WINDOW_SAMPLES), np.float32))
        self.model.embed_text(["warm"])

    @modal.asgi_app(requires_proxy_auth=_SETTINGS.modal_proxy_auth is not None)
    def web(self) -> Starlette:
        """`/embed_audio`, `/embed_text` and `/healthz` under one address."""
        return create_embedding_service(self.model)
