"""Music without a beat: dark drones and meditation bells."""

import numpy as np

from training.demo.score.take import Take
from training.demo.score.theory import hertz
from training.demo.synthesis.canvas import Canvas, master
from training.demo.synthesis.electronic import supersaw
from training.demo.synthesis.envelopes import breakpoints, drift, swell
from training.demo.synthesis.filters import band_pass, filtered, low_pass, swept
from training.demo.synthesis.noises import coloured
from training.demo.synthesis.signals import Signal, sample_count
from training.demo.synthesis.space import impulse_response, reverberate
from training.demo.synthesis.struck import (
    BOWL_RATIOS,
    CHIME_RATIOS,
    GONG_RATIOS,
    TUBULAR_RATIOS,
    bell,
    mallet,
)
from training.demo.synthesis.wavetables import phase_of, read, table

_SECONDS = 23.0


def dark_ambient(take: Take) -> Signal:
    """A low root that never leaves, clusters swelling over it, wind, distant metal, a vast hall."""
    rng, rate = take.rng, take.sample_rate
    root = take.pick((26, 29, 24, 31))
    canvas = Canvas(_SECONDS, rate)
    canvas.add(_rumble(take, hertz(root)), 0.0, 0.5)
    clusters = take.pick(((0, 7, 13), (0, 6, 12), (0, 3, 8), (0, 1, 7)))
    for index, start in enumerate(np.arange(0.0, _SECONDS - 6.0, 5.0)):
        for interval in clusters:
            note = root + 12 + interval - (index % 2 if interval == clusters[-1] else 0)
            dark = (140.0, rng.uniform(450.0, 1100.0))
            swelling = supersaw(
                rng, rate, hertz(note), 8.0, cutoffs=dark, cents=14, attack=3.6, release=3.6
            )
            canvas.add(swelling, start + rng.uniform(0.0, 1.2), 0.42, rng.uniform(-0.6, 0.6))
    canvas.add(_wind(take), 0.0, 0.14, 0.5)
    canvas.add(_wind(take), 0.0, 0.14, -0.5)
    _distant_metal(take, canvas, root)
    hall = impulse_response(rng, rate, 7.0, 0.12)
    wet = reverberate(canvas.samples, hall, rate, 0.04)
    mix = filtered(canvas.samples * np.float32(0.6) + wet * np.float32(0.9), rate, low_pass(4200.0))
    return master(mix, rate, drive=1.2, level=0.85, fade_in=2.0, fade_out=3.0)


def _rumble(take: Take, frequency: float) -> Signal:
    rng, rate = take.rng, take.sample_rate
    length = sample_count(_SECONDS, rate)
    cycle = table([1.0, 0.55, 0.3, 0.22, 0.1, 0.08])
    total = np.zeros(length, np.float32)
    for ratio in (1.0, 1.004, 1.498, 2.003):
        bend = frequency * ratio * drift(rng, length, rate, 0.4, (0.996, 1.004))
        breathing = drift(rng, length, rate, 0.35, (0.15, 1.0))
        total += read(cycle, phase_of(bend, length, rate)) * breathing
    earth = coloured(rng, length, rate, 1.0) * drift(rng, length, rate, 0.3, (0.05, 0.4))
    return total * np.float32(0.22) + filtered(earth, rate, low_pass(140.0)) * np.float32(0.5)


def _wind(take: Take) -> Signal:
    rng, rate = take.rng, take.sample_rate
    length = sample_count(_SECONDS, rate)
    air = coloured(rng, length, rate, 0.6)
    bands = [band_pass(centre, 2.2) for centre in (260.0, 520.0, 1100.0)]
    howl = swept(air, rate, bands, drift(rng, length, rate, 0.3, (0.0, 1.0)))
    return howl * drift(rng, length, rate, 0.4, (0.1, 1.0))


def _distant_metal(take: Take, canvas: Canvas, root: int) -> None:
    rng, rate = take.rng, take.sample_rate
    for _ in range(3):
        scrape = bell(
            rng,
            rate,
            hertz(root + 24 + int(rng.integers(0, 3))),
            7.0,
            ratios=GONG_RATIOS,
            beating=3.0,
        )
        far = filtered(scrape, rate, low_pass(1800.0))
        slow = far * breakpoints([(0.0, 0.0), (1.5, 1.0)], far.size, rate)
        canvas.add(slow, rng.uniform(2.0, _SECONDS - 8.0), 2.0, rng.uniform(-0.8, 0.8))


def meditation_bells(take: Take) -> Signal:
    """Singing bowls and bells, far apart, ringing into each other over near silence."""
    rng, rate = take.rng, take.sample_rate
    root = take.pick((53, 48, 57, 50))
    canvas = Canvas(_SECONDS + 0.8, rate)
    _bowls(take, canvas, root)
    sparkle = take.pick(("chimes", "temple", "chimes", "temple"))
    if sparkle == "chimes":
        _chimes(take, canvas, root)
    elif sparkle == "temple":
        for at in (1.0, 9.0, 17.0):
            toll = bell(rng, rate, hertz(root + 7), 10.0, ratios=TUBULAR_RATIOS, brightness=0.8)
            canvas.add(toll, at, 0.8, rng.uniform(-0.3, 0.3))
    hum = _bowl_hum(take, hertz(root - 12))
    canvas.add(hum, 0.0, 0.05)
    hall = impulse_response(rng, rate, 4.5, 0.5)
    mix = canvas.samples * np.float32(0.8) + reverberate(canvas.samples, hall, rate) * np.float32(
        0.35
    )
    return master(mix, rate, drive=0.6, level=0.8, fade_in=0.01, fade_out=4.0)


def _bowls(take: Take, canvas: Canvas, root: int) -> None:
    rng, rate = take.rng, take.sample_rate
    scale = take.pick(((0, 7, 12, 14), (0, 5, 7, 12), (0, 3, 7, 10), (0, 4, 7, 9)))
    at = 0.15
    while at < _SECONDS - 4.0:
        note = root + int(rng.choice(scale))
        ring = bell(
            rng,
            rate,
            hertz(note),
            11.0,
            ratios=BOWL_RATIOS,
            brightness=0.55,
            beating=rng.uniform(0.6, 2.2),
        )
        place, strength = rng.uniform(-0.6, 0.6), rng.uniform(0.7, 1.0)
        canvas.add(ring, at, strength, place)
        canvas.add(mallet(rng, rate, 0.05, 700.0), at, 0.12 * strength, place)
        at += rng.uniform(2.2, 4.2)


def _chimes(take: Take, canvas: Canvas, root: int) -> None:
    rng, rate = take.rng, take.sample_rate
    for gust in np.arange(3.0, _SECONDS - 4.0, rng.uniform(5.0, 7.0)):
        at = float(gust)
        for _ in range(int(rng.integers(3, 6))):
            note = root + 24 + int(rng.choice((0, 2, 4, 7, 9, 12)))
            ting = bell(rng, rate, hertz(note), 4.5, ratios=CHIME_RATIOS, brightness=0.5)
            canvas.add(ting, at, rng.uniform(0.15, 0.4), rng.uniform(-0.9, 0.9))
            at += rng.uniform(0.12, 0.5)


def _bowl_hum(take: Take, frequency: float) -> Signal:
    """The rim rubbed with a leather stick: an almost pure tone that comes and goes."""
    rng, rate = take.rng, take.sample_rate
    length = sample_count(_SECONDS, rate)
    phase = phase_of(frequency, length, rate)
    tone = read(table([1.0, 0.0, 0.12]), phase) + read(table([0.8]), phase * 1.003)
    return tone * swell(length, rate, 6.0, 6.0) * drift(rng, length, rate, 0.4, (0.5, 1.0))
