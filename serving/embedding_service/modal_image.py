"""The image of the embedding service on Modal: packages, the model's files, sources."""

from pathlib import Path
from typing import Final

import modal

from resources.embedding.clap.folder import FolderFiles
from resources.embedding.clap.hub import HubFiles
from resources.settings import Settings
from serving.embedding_service.modal_weights import fetch_weights

PYTHON_VERSION: Final = "3.11"

REQUIREMENTS: Final = Path(__file__).with_name("requirements.txt")
"""A link to the repository's pinned versions; an installed package has a copy in its place."""

IMAGE_PACKAGES: Final = frozenset({
    "annotated-types", "anyio", "av", "certifi", "click", "filelock", "flatbuffers", "fsspec",
    "h11", "hf-xet", "httpcore", "httpcore2", "httpx", "httpx2", "huggingface-hub", "idna",
    "numpy", "onnxruntime", "packaging", "platformdirs", "protobuf", "pydantic", "pydantic-core",
    "pydantic-settings", "python-dotenv", "pyyaml", "starlette", "threadpoolctl", "tokenizers",
    "tqdm", "truststore", "typing-extensions", "typing-inspection",
})  # fmt: skip
"""What the service imports, and what that needs in turn. Modal brings its own client."""

SOURCES: Final = ("resources", "serving")

SOURCE_SUFFIXES: Final = frozenset({".py", ".onnx", ".npz", ".txt"})
"""Code, and the weights of the model that ships; Modal would leave out all but code."""

WEIGHTS: Final = "/clap"
"""Where the image has the model's files: a folder's, or the hub client's cache."""

HOME: Final = f"{WEIGHTS}/home"
"""`MOODSEARCH_HOME` in the image, for the hashes of a model that is not pinned."""


def service_image(settings: Settings) -> modal.Image:
    """Rarely changed layers first; the sources are mounted when a container starts.

    Raises `ConfigurationError` and `BackendError` as the model's files do. Asks the hub for nothing
    unless a model is neither pinned nor was looked up before.
    """
    image = modal.Image.debian_slim(python_version=PYTHON_VERSION)
    if modal.is_local():  # else the image exists, and this runs in it
        packages = pinned(REQUIREMENTS.read_text(), IMAGE_PACKAGES)
        image = with_model(image.uv_pip_install(*packages), settings)
    return image.add_local_python_source(*SOURCES, ignore=is_left_out)


def with_model(image: modal.Image, settings: Settings) -> modal.Image:
    """`image` with the files of the model, and with the variables that lead to them."""
    model = settings.clap_model
    if settings.clap_folder is not None:
        model = f"{WEIGHTS}/{settings.clap_folder.name}"
        for path in FolderFiles(settings.clap_folder, settings.clap_precision).everything():
            # A cache's folder has links to files outside of it, which Modal would refuse.
            image = image.add_local_file(path.resolve(), f"{model}/{path.name}", copy=True)
    elif model != "offline":
        image = _with_fetched(image, settings)
    return image.env({"CLAP_MODEL": model, "CLAP_PRECISION": settings.clap_precision})


def _with_fetched(image: modal.Image, settings: Settings) -> modal.Image:
    files = HubFiles(settings.clap_model, settings.clap_precision, settings.clap_locks)
    image = image.env({"HF_HOME": f"{WEIGHTS}/hub"}).run_function(
        fetch_weights,
        args=(files.export.id, files.export.revision, files.hashes()),
        env={"HF_HUB_DISABLE_XET": "1"},  # whose own cache would be in the image as well
    )
    if files.lock is not None:
        image = image.add_local_file(files.lock, f"{HOME}/models/{files.lock.name}", copy=True)
    return image.env({"HF_HUB_OFFLINE": "1", "MOODSEARCH_HOME": HOME})


def is_left_out(path: Path) -> bool:
    """Whether a file of `SOURCES` stays out of the image."""
    return path.suffix not in SOURCE_SUFFIXES or path.name == REQUIREMENTS.name


def pinned(requirements: str, names: frozenset[str]) -> list[str]:
    """The lines of a requirements file that pin `names`, markers included and hashes left out.

    Raises `ValueError` for names that it does not pin.
    """
    lines = [line.removesuffix("\\").strip() for line in requirements.splitlines()]
    pins = [line for line in lines if line.split("==", 1)[0] in names]
    if missing := names - {line.split("==", 1)[0] for line in pins}:
        raise ValueError(f"not pinned: {', '.join(sorted(missing))}")
    return pins
