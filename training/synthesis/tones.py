"""Pitched notes from our own synthesis: wavetable pairs, plucked strings, struck partials.

A `Tone` is a random timbre of a family (strings, brass, lead ...): every clip draws new ones,
so that the model learns the family and not one instrument.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy import signal

from training.synthesis.dsp import RATE, Wave, decay_curve, envelope, noise, normalise, samples

TABLE = 2_048
Generator = np.random.Generator
Spectrum = Callable[[np.ndarray, float], np.ndarray]  # harmonic numbers, f0 in Hz -> amplitudes


def hertz(pitch: float) -> float:
    """Frequency of a MIDI note number (A4 = 69 = 440 Hz)."""
    return 440.0 * 2 ** ((pitch - 69) / 12)


@dataclass
class Tone:
    """A timbre between two spectra: `bright` fades to `dark` as the note goes on."""

    dark: Spectrum
    bright: Spectrum
    attack: float = 0.01
    decay: float = 0.5
    sustain: float = 0.7
    release: float = 0.1
    fade: float = 0.3
    rising: bool = False
    vibrato_hz: float = 5.0
    vibrato_cents: float = 0.0
    detune_cents: tuple[float, ...] = (0.0,)
    breath: float = 0.0
    click: float = 0.0
    seed: int = 0
    phases: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __call__(self, pitch: float, seconds: float) -> Wave:
        """One note, peak about 1, `seconds` plus its release long."""
        rng = np.random.default_rng((self.seed, round(pitch * 100)))
        length = samples(seconds + self.release)
        f0 = hertz(pitch)
        count = int(np.clip(0.45 * RATE / f0, 1, 120))
        harmonics = np.arange(1, count + 1, dtype=np.float64)
        dark = self._table(self.dark(harmonics, f0), rng)
        rng_again = np.random.default_rng((self.seed, round(pitch * 100)))
        bright = self._table(self.bright(harmonics, f0), rng_again)
        time = np.arange(length, dtype=np.float32) / RATE
        mix = np.exp(-time / self.fade)
        if self.rising:
            mix = 1 - 0.8 * mix
        onset = np.minimum(time / 0.4, 1)
        cents = self.vibrato_cents * onset * np.sin(2 * np.pi * self.vibrato_hz * time)
        speed = f0 / RATE * 2 ** (cents / 1_200)
        out = np.zeros(length, np.float32)
        for offset in self.detune_cents:
            phase = np.cumsum(speed * 2 ** (offset / 1_200)) + rng.uniform()
            index = (phase * TABLE).astype(np.int32) & (TABLE - 1)
            out += dark[index] * (1 - mix) + bright[index] * mix
        out = out / max(1.0, len(self.detune_cents) ** 0.7)
        if self.breath:
            air = noise(rng, length)
            out += self.breath * signal.lfilter([0.3], [1, -0.7], air).astype(np.float32)
        out *= envelope(length, self.attack, self.decay, self.sustain, self.release)
        if self.click:
            out += self.click * noise(rng, length) * decay_curve(length, 0.008)
        return out.astype(np.float32)

    @staticmethod
    def _table(amplitudes: np.ndarray, rng: Generator) -> Wave:
        spectrum = np.zeros(TABLE // 2 + 1, np.complex128)
        phases = rng.uniform(0, 2 * np.pi, len(amplitudes))
        spectrum[1 : len(amplitudes) + 1] = amplitudes * np.exp(1j * phases)
        wave = np.fft.irfft(spectrum, TABLE)
        return (wave / (np.sqrt(np.mean(wave**2)) * 2.5 + 1e-9)).astype(np.float32)


def slope(power: float, step: int = 1) -> Spectrum:
    """Harmonics falling as 1 / k ** power; step 2 keeps the odd ones only."""

    def spectrum(k: np.ndarray, _: float) -> np.ndarray:
        return k**-power * ((k - 1) % step == 0)

    return spectrum


def low_passed(power: float, cutoff: float, resonance: float = 0.0, step: int = 1) -> Spectrum:
    """Like `slope`, through a low-pass at `cutoff` Hz with a resonant peak."""

    def spectrum(k: np.ndarray, f0: float) -> np.ndarray:
        ratio = k * f0 / max(cutoff, 1.2 * f0)
        peak = resonance * np.exp(-((ratio - 1) ** 2) / 0.02)
        return k**-power * ((k - 1) % step == 0) * (1 / (1 + ratio**4) + peak)

    return spectrum


def pulse(width: float, power: float = 1.0) -> Spectrum:
    """Pulse wave with that duty cycle."""
    return lambda k, _: np.abs(np.sin(np.pi * k * width)) * k**-power


def formants(peaks: tuple[float, ...], width: float, power: float) -> Spectrum:
    """Harmonics under resonances at fixed frequencies in Hz (voices, bodies)."""

    def spectrum(k: np.ndarray, f0: float) -> np.ndarray:
        hz = k * f0
        body = sum(np.exp(-((hz - p) ** 2) / (2 * (width * p) ** 2)) for p in peaks)
        return k**-power * (0.03 + body)

    return spectrum


def drawbars(levels: np.ndarray) -> Spectrum:
    """Few harmonics with given levels (organ)."""

    def spectrum(k: np.ndarray, _: float) -> np.ndarray:
        out = np.zeros(len(k))
        for harmonic, level in zip((1, 2, 3, 4, 6, 8), levels, strict=True):
            if harmonic <= len(k):
                out[harmonic - 1] = level
        return out

    return spectrum


def spread(rng: Generator, voices: int, cents: float) -> tuple[float, ...]:
    """Detuning of an ensemble of `voices`."""
    return tuple(np.concatenate([[0.0], rng.normal(0, cents, voices - 1)]).tolist())


def plucked(rng: Generator) -> Callable[[float, float], Wave]:
    """Plucked string by Karplus and Strong (1983) with a random pick, damping and body."""
    brightness, damping = rng.uniform(0.2, 0.95), rng.uniform(0.985, 0.998)
    body = tuple(rng.uniform(90, 450, 3).tolist())
    seed, position = int(rng.integers(1 << 30)), rng.uniform(0.1, 0.45)

    def note(pitch: float, seconds: float) -> Wave:
        own = np.random.default_rng((seed, round(pitch * 100)))
        length = samples(min(seconds + 0.35, 2.5))
        period = RATE / hertz(pitch) - 0.5
        delay = max(2, int(period))
        burst = np.zeros(length, np.float32)
        burst[: min(delay, length)] = noise(own, min(delay, length))
        burst = signal.lfilter([brightness], [1, brightness - 1], burst)
        pick = max(1, int(delay * position))
        burst[pick:] -= 0.7 * burst[:-pick].copy()
        loss = damping ** (220 / hertz(pitch)) if pitch > 57 else damping
        feedback = np.zeros(delay + 2)
        feedback[0], feedback[delay], feedback[delay + 1] = 1, -0.5 * loss, -0.5 * loss
        wave = signal.lfilter([1.0], feedback, burst)
        for hz in body:
            wave = wave + 0.25 * signal.lfilter(*signal.iirpeak(hz, 3, RATE), wave)
        tail = min(samples(0.1), length)
        wave[-tail:] *= np.linspace(1, 0, tail)
        return normalise(wave.astype(np.float32), 0.8)

    return note


def electric_string(rng: Generator) -> Callable[[float, float], Wave]:
    """A steel string over a pickup: long, no body, its harmonics combed by pick and pickup.

    Harmonics decay at their own rates, slightly stretched by stiffness; at times only a touched
    node's multiples sound (flageolet).
    """
    pick, pickup = rng.uniform(0.05, 0.35), rng.uniform(0.05, 0.3)
    ring, damping = rng.uniform(0.5, 4.5), rng.uniform(0.3, 1.1)
    stiffness, tilt = rng.uniform(0, 2e-4), rng.uniform(0.5, 1.4)
    node = int(rng.choice([1, 1, 1, 1, 2, 3, 4]))
    muted = rng.random() < 0.12
    seed = int(rng.integers(1 << 30))

    def note(pitch: float, seconds: float) -> Wave:
        own = np.random.default_rng((seed, round(pitch * 100)))
        length = samples(min(seconds + 0.2, 9.0))
        time = np.arange(length, dtype=np.float32) / RATE
        f0, out = hertz(pitch), np.zeros(length, np.float32)
        for k in range(node, 61, node):
            hz = f0 * k * np.sqrt(1 + stiffness * k * k)
            if hz > 0.46 * RATE:
                break
            comb = abs(np.sin(np.pi * k * pick)) * (0.15 + abs(np.sin(np.pi * k * pickup)))
            decay = (0.12 if muted else ring) * (220 / max(f0, 80)) ** 0.5 / k**damping
            phase = own.uniform(0, 6.28)
            out += comb * k**-tilt * np.sin(2 * np.pi * hz * time + phase) * np.exp(-time / decay)
        out += own.uniform(0.01, 0.08) * noise(own, length) * decay_curve(length, 0.004)
        tail = min(samples(0.06), length)
        out[-tail:] *= np.linspace(1, 0, tail, dtype=np.float32)
        return normalise(out, 0.8)

    return note


def struck(rng: Generator, ratios: np.ndarray, ring: float, tilt: float, hit: float = 0.2):
    """Struck bar, bell or bowl: partials at `ratios` of the pitch, each with its own decay."""
    levels = rng.uniform(0.3, 1.0, len(ratios)) * ratios**-tilt
    decays = ring * ratios ** -rng.uniform(0.3, 1.0) * rng.uniform(0.7, 1.3, len(ratios))
    beat = rng.uniform(0, 0.004)
    seed = int(rng.integers(1 << 30))

    def note(pitch: float, seconds: float) -> Wave:
        own = np.random.default_rng((seed, round(pitch * 100)))
        length = samples(min(seconds + 3 * ring, 10.0))
        time = np.arange(length, dtype=np.float32) / RATE
        out = hit * noise(own, length) * decay_curve(length, 0.004)
        for ratio, level, decay in zip(ratios, levels, decays, strict=True):
            hz = hertz(pitch) * ratio
            if hz < 0.47 * RATE:
                partial = np.sin(2 * np.pi * hz * time)
                if beat:
                    partial += 0.6 * np.sin(2 * np.pi * hz * (1 + beat) * time)
                out += level * partial * np.exp(-time / decay)
        out[-samples(0.02) :] *= np.linspace(1, 0, samples(0.02), dtype=np.float32)
        return normalise(out, 0.8)

    return note


def modulated(rng: Generator, ratio: float, index: float, ring: float):
    """Two-operator frequency modulation (Chowning 1973): electric pianos, bells, basses."""
    fade = rng.uniform(0.1, 0.8) * ring

    def note(pitch: float, seconds: float) -> Wave:
        length = samples(seconds + 0.15)
        time = np.arange(length, dtype=np.float32) / RATE
        depth = index * np.exp(-time / fade)
        omega = 2 * np.pi * hertz(pitch) * time
        wave = np.sin(omega + depth * np.sin(ratio * omega))
        return wave * envelope(length, 0.003, ring, 0.0, 0.12)

    return note
