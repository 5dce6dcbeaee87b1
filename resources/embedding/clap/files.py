"""The files of a CLAP export, and the identity that they make."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from resources.embedding.clap.mel import PREPROCESSING_VERSION
from resources.embedding.protocol import EMBEDDING_DIMENSION, ModelDescription
from resources.errors import ConfigurationError

Precision = Literal["int8", "fp32"]


@dataclass(frozen=True)
class Names:
    """Where an export has the files of one precision, as exporters for transformers.js lay it
    out."""

    audio_model: str
    text_model: str
    tokenizer: str = "tokenizer.json"

    @property
    def all(self) -> tuple[str, str, str]:
        return self.audio_model, self.text_model, self.tokenizer


NAMES: Final[Mapping[Precision, Names]] = {
    "int8": Names("onnx/audio_model_quantized.onnx", "onnx/text_model_quantized.onnx"),
    "fp32": Names("onnx/audio_model.onnx", "onnx/text_model.onnx"),
}


class ClapFiles(ABC):
    """The files of one CLAP export in one precision; fetched and checked when asked for.

    Everything here raises `ConfigurationError`, one line that names the fix, for a file that is
    missing or is not the one that was pinned, and `BackendError` when the hub does not answer.
    """

    def __init__(self, precision: Precision) -> None:
        self._precision = precision
        self._names = NAMES[precision]

    @property
    @abstractmethod
    def model(self) -> ModelDescription:
        """Fetches nothing where the files' hashes are known. The fingerprint covers id, revision,
        every file's SHA-256, precision and pre-processing version."""

    @abstractmethod
    def checked(self, name: str) -> Path:
        """The file of that name in a repository."""

    def audio_model(self) -> Path:
        return self.checked(self._names.audio_model)

    def text_model(self) -> Path:
        return self.checked(self._names.text_model)

    def tokenizer(self) -> Path:
        return self.checked(self._names.tokenizer)


PREPROCESSOR_CONFIG: Final = "preprocessor_config.json"

_HEARD: Final[Mapping[str, object]] = {
    "truncation": "rand_trunc",
    "padding": "repeatpad",
    "sampling_rate": 48_000,
    "max_length_s": 10,
    "fft_window_size": 1024,
    "hop_length": 480,
    "feature_size": 64,
    "frequency_min": 50,
    "frequency_max": 14_000,
    "top_db": None,
}
"""The pre-processing that `mel.py` has: that of laion/clap-htsat-unfused."""

_UNSAID: Final[Mapping[str, object]] = {
    **_HEARD,
    "truncation": "fusion",
    "frequency_min": 0,
}
"""What transformers' `ClapFeatureExtractor` takes for a value that its file does not have."""


def describe(
    model_id: str, revision: str, licence: str, precision: Precision, hashes: Mapping[str, str]
) -> ModelDescription:
    """The model that `hashes`, SHA-256 in hex by the names in `NAMES[precision]`, make."""
    names = NAMES[precision]
    parts = [model_id, revision, precision, f"{PREPROCESSING_VERSION}"]
    parts += [hashes[name] for name in names.all]
    fingerprint = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return ModelDescription(model_id, revision, EMBEDDING_DIMENSION, fingerprint, licence)


def sha256_of(path: Path) -> str:
    """In hex. Raises `ConfigurationError` for a file that cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigurationError(f"CLAP_MODEL: {path} cannot be read: {error.strerror}") from None


def require_supported(config: Path, origin: str) -> None:
    """Raise `ConfigurationError` unless this preprocessor_config.json asks for the spectrogram that
    is computed here. A tower that hears another one answers without an error, and wrongly.

    `origin`: whose file it is, for the message.
    """
    try:
        values = json.loads(config.read_bytes())
    except (OSError, ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise ConfigurationError(f"CLAP_MODEL: {origin}: its {PREPROCESSOR_CONFIG} is not JSON")
    values = {**_UNSAID, **values}
    for name, heard in _HEARD.items():
        if values[name] != heard:
            raise ConfigurationError(
                f"CLAP_MODEL: {origin} hears {name} {json.dumps(values[name])}, and only "
                f"{json.dumps(heard)} is supported; use an export of laion/clap-htsat-unfused"
            )
