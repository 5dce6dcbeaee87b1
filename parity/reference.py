"""What transformers answers."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import ClapFeatureExtractor, ClapModel

RATE = 48_000
Array = NDArray[np.float32]


def mel(extractor: ClapFeatureExtractor, samples: Array) -> Array:
    """(n,) at 48 kHz, at most 480000 -> (1001, 64) decibels."""
    features = extractor(samples, sampling_rate=RATE, return_tensors="np")["input_features"]
    spectrogram: Array = features[0, 0].astype(np.float32)
    return spectrogram


def wrong_mel(extractor: ClapFeatureExtractor, samples: Array) -> Array:
    """With the filters of fused checkpoints: HTK's scale, no norm."""
    spectrogram = extractor._np_extract_fbank_features(samples, extractor.mel_filters)
    return np.asarray(spectrogram, np.float32)


@torch.no_grad()
def audio_vectors(model: ClapModel, spectrograms: Iterable[Array]) -> Array:
    """(n, 512), rows of length 1."""
    assert not model.training
    rows = [
        model.get_audio_features(input_features=torch.from_numpy(each)[None, None]).pooler_output
        for each in spectrograms
    ]
    return np.concatenate([row.numpy() for row in rows])


@torch.no_grad()
def text_vectors(model: ClapModel, ids: Iterable[Sequence[int]]) -> Array:
    """(n, 512), rows of length 1."""
    assert not model.training
    rows = [
        model.get_text_features(input_ids=torch.tensor([list(each)])).pooler_output for each in ids
    ]
    return np.concatenate([row.numpy() for row in rows])
