"""CLAP as transformers runs it on PyTorch, and the usual recipe in front of it for a file.

The program that `make bench` measures ours against: it reads one task per line as JSON and
answers each with the seconds that it took. Its weights are random; time does not depend on them.
"""

import json
import sys
import time
from collections.abc import Callable

import librosa
import numpy as np
import soundfile
import torch
from transformers import (
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    PreTrainedTokenizerFast,
)

SAMPLE_RATE = 48_000


class Peer:
    """`threads`: PyTorch's. `tokenizer`: a tokenizer.json."""

    def __init__(self, threads: int, tokenizer: str) -> None:
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.model = ClapModel(ClapConfig()).eval()
        # The published checkpoint's values, not the class's defaults.
        self.features = ClapFeatureExtractor(
            truncation="rand_trunc", padding="repeatpad", frequency_min=50, frequency_max=14_000
        )
        self.tokenizer = PreTrainedTokenizerFast(tokenizer_file=tokenizer)
        self.clip = np.random.default_rng(0).standard_normal(10 * SAMPLE_RATE) * 0.1

    def mel(self, clips: int) -> None:
        """Features of so many clips, one after the other."""
        for _ in range(clips):
            self.features(self.clip, sampling_rate=SAMPLE_RATE, return_tensors="np")

    def windows(self, batches: int, batch: int) -> None:
        """Samples to vectors."""
        for _ in range(batches):
            self._embed([self.clip] * batch)

    def query(self, texts: list[str]) -> None:
        """Texts to vectors, one after the other."""
        with torch.inference_mode():
            for text in texts:
                self.model.get_text_features(**self.tokenizer(text, return_tensors="pt"))

    def files(self, paths: list[str]) -> None:
        """Files to vectors: the whole file decoded and resampled, 10 s of it embedded."""
        for path in paths:
            samples, rate = soundfile.read(path, dtype="float32")
            mono = samples.mean(axis=1)
            self._embed([librosa.resample(mono, orig_sr=rate, target_sr=SAMPLE_RATE)])

    def _embed(self, clips: list[np.ndarray]) -> None:
        inputs = self.features(clips, sampling_rate=SAMPLE_RATE, return_tensors="pt")
        with torch.inference_mode():
            self.model.get_audio_features(input_features=inputs["input_features"])


def main() -> None:
    threads, tokenizer = int(sys.argv[1]), sys.argv[2]
    peer = Peer(threads, tokenizer)
    tasks: dict[str, Callable[..., None]] = {
        "mel": peer.mel,
        "windows": peer.windows,
        "query": peer.query,
        "files": peer.files,
    }
    for line in sys.stdin:
        name, arguments = json.loads(line)
        started = time.perf_counter()
        tasks[name](**arguments)
        print(json.dumps(time.perf_counter() - started), flush=True)


if __name__ == "__main__":
    main()
