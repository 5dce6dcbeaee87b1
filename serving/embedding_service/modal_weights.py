"""What runs on Modal while an image is built: fetching a model's files into it.

Modal builds the image again when this function's source or its arguments change, and sends along
this package alone: nothing of `resources` may be imported here.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from huggingface_hub import hf_hub_download


def fetch_weights(model_id: str, revision: str, sha256: Mapping[str, str]) -> None:
    """Fetch files of a repository, by name, into the hub client's cache. Raises `ValueError`, which
    ends the build, for one whose hash is another."""
    for name, expected in sha256.items():
        path = hf_hub_download(model_id, name, revision=revision)
        with Path(path).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise ValueError(f"{name} of {model_id}@{revision} has SHA-256 {found}, not {expected}")
