"""Stage 2: contrastive training of both towers on generated clips and sampled captions."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from resources.embedding.offline.text import pieces_of, words
from training.augment import augment
from training.captions import Attributes, caption, count_attributes
from training.network import PARTS, SEGMENT, AudioTower, TextTower
from training.teacher import TokenTable
from training.teacher import load as load_table
from training.vocabulary import close

BATCH = 192
LEARNING_RATE = 2e-3
LEAST_CLIPS = 30
MOST_OFTEN = 6.0  # a clip with a rare attribute is drawn, relative to the median
CAPTIONS_PER_CLIP = 2
SMOOTHING = 0.02  # share of a target that goes to every caption alike
AVERAGE_OVER = 300  # steps that the shipped weights are a moving average of
TEXT_JITTER = 0.3  # length of the noise added to a caption's mean vector of length 1


Batch = tuple[Tensor, Tensor, Tensor]


class Clips:
    """Spectrograms and closed tags of the generated clips, and batches of them."""

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        self.rng = rng
        self.spectrograms = np.load(folder / "spectrograms.npy", mmap_mode="r")
        self.tags = [close(tags) for tags in json.loads((folder / "tags.json").read_text())]
        self.attributes: Attributes = count_attributes(self.tags, LEAST_CLIPS)
        index = self.attributes.index
        self.has = np.zeros((len(self.tags), len(index)), bool)
        for row, tags in enumerate(self.tags):
            self.has[row, [index[t] for t in tags if t in index]] = True
        rarity = (self.has * self.attributes.counts**-0.5).max(1)
        drawn = np.minimum(rarity, MOST_OFTEN * np.median(rarity))
        self.shares = drawn / drawn.sum()

    def draw(self, count: int) -> np.ndarray:
        """Rows of that many clips, those with rare attributes more often than the rest."""
        return self.rng.choice(len(self.tags), count, replace=False, p=self.shares)

    def segments(self, rows: np.ndarray) -> Tensor:
        """Random augmented segments (n, 80, SEGMENT) of those clips."""
        out = np.empty((len(rows), 80, SEGMENT), np.float32)
        for k, row in enumerate(rows):
            whole = self.spectrograms[row]
            for _ in range(4):
                start = int(self.rng.integers(0, whole.shape[1] - SEGMENT + 1))
                piece = whole[:, start : start + SEGMENT]
                if piece.mean() > 8:
                    break
            out[k] = piece.astype(np.float32) / 255
        return torch.from_numpy(augment(out, self.rng))


class TextTable(nn.Module):
    """Captions to mean token vectors, exactly as the product does it."""

    def __init__(self, table: TokenTable) -> None:
        super().__init__()
        self.vocabulary = {piece: row for row, piece in enumerate(table.pieces)}
        self.register_buffer("vectors", torch.from_numpy(
            table.table * (table.steps * table.importances)[:, None]).float())  # fmt: skip

    def forward(self, texts: list[str]) -> Tensor:
        """(n, d) of length 1."""
        rows = [[row for w in words(t) for row in pieces_of(w, self.vocabulary)] for t in texts]
        means = [self.vectors[found].sum(0) for found in rows]
        return functional.normalize(torch.stack(means), dim=1)


def _positives(has: np.ndarray, demanded: list[list[list[int]]]) -> Tensor:
    """(clips, captions): 1 where the clip has, for every phrase, one attribute that it may mean."""
    out = np.ones((len(has), len(demanded)), np.float32)
    for column, phrases in enumerate(demanded):
        for owners in phrases:
            out[:, column] *= has[:, owners].any(1)
    return torch.from_numpy(out)


def _batch(clips: Clips, lookup: TextTable) -> Batch:
    """Segments (n, 80, SEGMENT), captions' mean vectors (m, d) and which belong together (n, m)."""
    rows = clips.draw(BATCH)
    sampled = [
        caption(clips.tags[row], clips.attributes, clips.rng)
        for row in rows
        for _ in range(CAPTIONS_PER_CLIP)
    ]
    positive = _positives(clips.has[rows], [demanded for _, demanded in sampled])
    return clips.segments(rows), lookup([words for words, _ in sampled]), positive


def _ahead(make: Callable[[], Batch], count: int) -> Iterator[Batch]:
    """`count` results of `make`, the next one made in a thread while this one is used."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(make)
        for _ in range(count - 1):
            done, waiting = waiting.result(), pool.submit(make)
            yield done
        yield waiting.result()


def _loss(scores: Tensor, positive: Tensor) -> Tensor:
    """InfoNCE with several positives, in both directions, targets smoothed."""

    def one_way(logits: Tensor, mask: Tensor) -> Tensor:
        share = (1 - SMOOTHING) * mask / mask.sum(1, keepdim=True) + SMOOTHING / mask.shape[1]
        return -(share * functional.log_softmax(logits, 1)).sum(1).mean()

    return (one_way(scores, positive) + one_way(scores.T, positive.T)) / 2


def _parts_loss(heard: Tensor, spoken: Tensor, scales: Tensor, positive: Tensor) -> Tensor:
    """Each part of the joint space learns on its own, so that their errors differ."""
    pairs = zip(heard.split(PARTS, 1), spoken.split(PARTS, 1), scales, strict=True)
    return sum(
        _loss(functional.normalize(a, dim=1) @ functional.normalize(b, dim=1).T * scale, positive)
        for a, b, scale in pairs
    )


def _average(tower: nn.Module) -> AveragedModel:
    """A moving average of weights and of batch statistics, short at first."""

    def blend(old: Tensor, new: Tensor, count: Tensor) -> Tensor:
        share = 1 / min(AVERAGE_OVER, float(count) + 2)
        return old + share * (new - old) if old.is_floating_point() else new

    return AveragedModel(tower, avg_fn=blend, use_buffers=True)


def train(
    data: Path,
    table: Path,
    out: Path,
    steps: int,
    seed: int,
    threads: int,
) -> None:
    """Train for `steps` from scratch and write the averaged weights of both towers to `out`.

    On an accelerator if there is one.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    clips = Clips(data, rng)
    print(f"{len(clips.tags)} clips, {len(clips.attributes.names)} attributes", flush=True)
    lookup = TextTable(load_table(table))
    audio = AudioTower().to(device, memory_format=torch.channels_last)
    text = TextTower(lookup.vectors.shape[1]).to(device)
    scales = nn.Parameter(torch.full((len(PARTS),), math.log(1 / 0.07), device=device))
    decayed = [p for m in (audio, text) for p in m.parameters() if p.ndim > 1]
    plain = [p for m in (audio, text) for p in m.parameters() if p.ndim <= 1] + [scales]
    groups = [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=LEARNING_RATE)
    averages = [_average(audio), _average(text)]
    warm = 60
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda s: min(
        (s + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * min(1, s / steps))))  # fmt: skip
    start, running = time.monotonic(), 0.0
    batches = _ahead(lambda: _batch(clips, lookup), steps)
    for step, (segments, means, positive) in enumerate(batches):
        jitter = TEXT_JITTER * torch.randn_like(means) / math.sqrt(means.shape[1])
        spoken = text(functional.normalize(means + jitter, dim=1).to(device))
        with torch.autocast(device.type, torch.bfloat16):
            heard = audio.segment(segments.to(device))
        loss = _parts_loss(heard, spoken, scales.exp().clamp(max=60), positive.to(device))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([*audio.parameters(), *text.parameters()], 2.0)
        optimiser.step()
        schedule.step()
        for average, tower in zip(averages, (audio, text), strict=True):
            average.update_parameters(tower)
        running = loss.item() if step == 0 else 0.97 * running + 0.03 * loss.item()
        if step % 50 == 49:
            warmth = ", ".join(f"{value:.1f}" for value in scales.exp().tolist())
            seconds = time.monotonic() - start
            print(f"step {step + 1} loss {running:.3f} scales {warmth} {seconds:.0f} s", flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    audio, text = (average.module.cpu() for average in averages)
    torch.save({"audio": audio.state_dict(), "text": text.state_dict()}, out)
