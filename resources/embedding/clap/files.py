"""The files of a CLAP export, and the identity that they make."""

from pathlib import Path
from typing import Protocol

from resources.embedding.protocol import ModelDescription


class ClapFiles(Protocol):
    """The files of one CLAP export in one precision; fetched and checked when asked for.

    Every method raises `ConfigurationError`, one line that names the fix, for a file that is
    missing, is not the one that was pinned or cannot be fetched.
    """

    @property
    def model(self) -> ModelDescription:
        """Fetches nothing where the files' hashes are known. The fingerprint covers id, revision,
        every file's SHA-256, precision and pre-processing version."""
        ...

    def audio_model(self) -> Path: ...

    def text_model(self) -> Path: ...

    def tokenizer(self) -> Path: ...
