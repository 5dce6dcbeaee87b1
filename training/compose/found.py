"""Loops and hits from whatever makes a sound: struck things, clicks, blips, broken drums."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.compose.cutting import Clip, Rng, trim
from training.synthesis import dsp, effects, resonant, sampled, signals
from training.synthesis.drums import HITS
from training.synthesis.dsp import CLIP_SECONDS, Wave, add_at, biquad, normalise, samples

_HAND_PLAYED = ("tabla_high", "tabla_low", "conga", "woodblock", "shaker", "snap", "tom", "cowbell")


def _any_hit(rng: Rng) -> Wave:
    if rng.random() < 0.5:
        files = sampled.kit_files()
        return sampled.kit_hit(str(rng.choice(list(files))), rng)
    return HITS[str(rng.choice(list(HITS)))][0](rng)


def glitch_hit(rng: Rng) -> Wave:
    """A drum hit broken by a machine: stuttered, crushed, reversed, bent, gated; or a noise."""
    if rng.random() < 0.4:
        return signals.broken(rng)[: samples(rng.uniform(0.1, 1.5))]
    wave = trim(_any_hit(rng))[: samples(rng.uniform(0.08, 0.8))]
    if rng.random() < 0.6:  # its beginning repeated, each time shorter, higher or as it was
        grain, speed = samples(rng.uniform(0.008, 0.07)), rng.uniform(0.8, 1.25)
        grains = [wave[:grain]]
        for _ in range(int(rng.integers(2, 14))):
            grains.append(dsp.pitch_shift(grains[-1], speed))
        wave = np.concatenate([*grains, wave] if rng.random() < 0.5 else grains)
    if rng.random() < 0.6:
        wave = dsp.crush(normalise(wave), int(rng.integers(2, 8)), int(rng.integers(1, 14)))
    if rng.random() < 0.25:
        wave = wave[::-1].copy()
    if rng.random() < 0.3:
        ring = np.sin(2 * np.pi * rng.uniform(60, 2_000) * np.arange(len(wave)) / dsp.RATE)
        wave = (wave * ring).astype(np.float32)
    if rng.random() < 0.3:
        wave = wave * (rng.random(len(wave) // 200 + 1) < 0.7).repeat(200)[: len(wave)]
    if rng.random() < 0.3:
        wave = dsp.drive(wave, rng.uniform(2, 15))
    return normalise(wave.astype(np.float32))


def _sources(rng: Rng) -> tuple[list[Callable[[Rng], Wave]], set[str]]:
    """Makers of a loop's voices, and what such a loop is called besides."""
    hands = [HITS[name][0] for name in _HAND_PLAYED]
    kind = rng.integers(4)
    if kind == 0:
        return [resonant.struck_object, _any_hit, resonant.bell], {"mechanical"}
    if kind == 1:
        return [glitch_hit, effects.blip, effects.beep, glitch_hit], {"glitch_music", "electronic"}
    if kind == 2:
        return hands, {"hand_drums"}
    return [_any_hit, resonant.struck_object, effects.blip, glitch_hit, *hands], set()


def found_loop(rng: Rng) -> Clip:
    """A bar or two of a pattern nobody plans, on sounds that are no drum kit's; repeated."""
    makers, tags = _sources(rng)
    step = 60 / rng.uniform(70, 170) / 4
    count = int(rng.choice([12, 16, 16, 16, 24, 32]))
    bar = np.zeros(samples(step * count), np.float32)
    swing = rng.choice([0, 0, 0.3]) * step
    for _ in range(int(rng.integers(2, 6))):
        sound = trim(makers[rng.integers(len(makers))](rng))[: samples(rng.uniform(0.05, 0.6))]
        if rng.random() < 0.5:
            sound = dsp.pitch_shift(sound, rng.uniform(0.5, 2))
        played = rng.random(count) < rng.uniform(0.08, 0.5)
        played[0] |= rng.random() < 0.5
        for k in np.flatnonzero(played):
            start = k * step + swing * (k % 2) + max(0.0, rng.normal(0, 0.003))
            add_at(bar, normalise(sound), start, rng.uniform(0.3, 1))
    if rng.random() < 0.3:
        bar = dsp.drive(bar, rng.uniform(1, 10))
    if rng.random() < 0.35:
        bar = biquad(bar, "lowpass", float(np.exp(rng.uniform(np.log(900), np.log(9_000)))))
    if rng.random() < 0.2:
        bar = dsp.crush(normalise(bar), int(rng.integers(4, 9)), int(rng.integers(1, 6)))
    times = max(1, int(rng.integers(1, 1 + max(1, int(CLIP_SECONDS / (step * count))))))
    wave = np.tile(bar, times)
    if rng.random() < 0.3:
        wave = dsp.reverb(normalise(wave), rng, rng.uniform(0.2, 2.5), rng.uniform(0.1, 0.4))
    return wave, {"drum_loop", "beat", "percussion", *tags}
