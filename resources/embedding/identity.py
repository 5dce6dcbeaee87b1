"""Which model made a track's vector: the model itself and how the track was cut for it."""

import hashlib
from dataclasses import replace

from resources.audio.windows import WINDOWING_VERSION
from resources.embedding.protocol import ModelDescription


def track_model(model: ModelDescription) -> ModelDescription:
    """`model` with a fingerprint that also covers which windows of a track it hears and how their
    vectors are pooled. Everything stored for a track carries this one."""
    parts = f"{model.fingerprint}\n{WINDOWING_VERSION}"
    return replace(model, fingerprint=hashlib.sha256(parts.encode()).hexdigest())
