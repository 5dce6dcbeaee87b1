"""Exports whose files are known by hash: those pinned here, and those looked up once."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, Field

from resources.errors import ConfigurationError
from resources.machine.folders import make_private


class Export(BaseModel, frozen=True):
    """One revision of a repository. `sha256`: in hex, by name in the repository."""

    id: str
    revision: str
    licence: str
    sha256: Mapping[str, Annotated[str, Field(pattern="^[0-9a-f]{64}$")]]


_UNFUSED: Final = Export(
    id="Xenova/clap-htsat-unfused",
    revision="c28f2883575e590e04d3146ff0713c2448d691ba",
    licence="Apache-2.0",
    sha256={
        "onnx/audio_model_quantized.onnx": (
            "3fcff2c8824e7bcb83a983f2a49edab3b60cbcf4872ac70efee517355173bd1f"
        ),
        "onnx/text_model_quantized.onnx": (
            "1a3df8b197e249816e08415fd040434c44762b2eea7eb7bf8a48a0f0bf3c14e5"
        ),
        "onnx/audio_model.onnx": (
            "a1c2b43c44f71e0fa841a4b86700886c199bf87699ea45632c4d831bc6c88957"
        ),
        "onnx/text_model.onnx": (
            "6df7c51f2d78e236a03f2b816e613d538c815639d13644fe7c2124f439da9648"
        ),
        "tokenizer.json": "dc239041d98de27ffc3975473a1a23e3db4c937b23c138c38bbc66588bd247e5",
        "preprocessor_config.json": (
            "9739f58296aa6f9ac18008fd0150fb2649bc554985fbde86d0a4041c882ac753"
        ),
    },
)

PINNED: Final[Mapping[str, Export]] = {_UNFUSED.id: _UNFUSED}
"""By id. Needs no look-up: who only wants to know the model asks nobody."""

DEFAULT_EXPORT: Final = _UNFUSED
"""What is offered to people who have the model that ships."""


def lock_path(locks: Path, model_id: str, revision: str) -> Path:
    """Where in the folder `locks` the hashes of an export that is not pinned here are kept."""
    return locks / f"{model_id.replace('/', '--')}@{revision}.json"


def read_lock(path: Path) -> Export | None:
    """None if nothing was looked up yet. Raises `ConfigurationError` for a damaged file."""
    try:
        return Export.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigurationError(
            f"{path} is damaged: delete it, and the hub is asked for the model's hashes again"
        ) from None


def write_lock(path: Path, export: Export) -> None:
    """Whole or not at all. Raises `ConfigurationError` where nothing can be written."""
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        make_private(path.parent)
        draft.write_text(export.model_dump_json(indent=2) + "\n")
        draft.replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"cannot write {path}: {error.strerror}; set MOODSEARCH_HOME to a writable folder"
        ) from None
