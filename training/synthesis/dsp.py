"""Signal processing for synthesis, all mono float32 at `RATE`.

`RATE` is half of the product's 48 kHz: the audio tower halves the rate before its mel
spectrogram (band limit 10.8 kHz), so clips made at 24 kHz give the same spectrogram at half
the cost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal

RATE = 24_000
CLIP_SECONDS = 10.0
CLIP_SAMPLES = int(RATE * CLIP_SECONDS)

Wave = NDArray[np.float32]


def samples(seconds: float) -> int:
    """Number of samples in `seconds`, at least one."""
    return max(1, round(seconds * RATE))


def silence(seconds: float) -> Wave:
    """Zeros of that length."""
    return np.zeros(samples(seconds), np.float32)


def timeline(seconds: float) -> Wave:
    """Time in seconds at every sample."""
    return np.arange(samples(seconds), dtype=np.float32) / RATE


def normalise(wave: Wave, peak: float = 0.9) -> Wave:
    """Scale to a peak; silence stays silence."""
    top = float(np.max(np.abs(wave))) if wave.size else 0.0
    return (wave * (peak / top)).astype(np.float32) if top > 1e-9 else wave


def add_at(target: Wave, wave: Wave, start: float, gain: float = 1.0) -> None:
    """Mix `wave` into `target` at `start` seconds, cut at the end."""
    first = round(start * RATE)
    if first < 0:
        wave, first = wave[-first:], 0
    last = min(len(target), first + len(wave))
    if last > first:
        target[first:last] += gain * wave[: last - first]


def biquad(wave: Wave, kind: str, hz: float | tuple[float, float], order: int = 2) -> Wave:
    """Butterworth filter; `kind` is lowpass, highpass, bandpass or bandstop."""
    limit = 0.48 * RATE
    edge = tuple(min(h, limit) for h in hz) if isinstance(hz, tuple) else min(hz, limit)
    sos = signal.butter(order, edge, kind, fs=RATE, output="sos")
    return signal.sosfilt(sos, wave).astype(np.float32)


def peak_filter(wave: Wave, hz: float, gain_db: float, quality: float = 1.0) -> Wave:
    """Peaking equaliser (R. Bristow-Johnson's Audio EQ Cookbook)."""
    amplitude = 10 ** (gain_db / 40)
    omega = 2 * np.pi * min(hz, 0.45 * RATE) / RATE
    alpha = np.sin(omega) / (2 * quality)
    b = [1 + alpha * amplitude, -2 * np.cos(omega), 1 - alpha * amplitude]
    a = [1 + alpha / amplitude, -2 * np.cos(omega), 1 - alpha / amplitude]
    return signal.lfilter(b, a, wave).astype(np.float32)


def random_equaliser(wave: Wave, rng: np.random.Generator, strength_db: float = 6.0) -> Wave:
    """A smooth random colouring: one to three peaks and a possible shelf-like tilt."""
    for _ in range(int(rng.integers(1, 4))):
        hz = float(np.exp(rng.uniform(np.log(80), np.log(9_000))))
        wave = peak_filter(wave, hz, float(rng.normal(0, strength_db / 2)), rng.uniform(0.3, 1.5))
    return wave


def envelope(length: int, attack: float, decay: float, sustain: float, release: float) -> Wave:
    """ADSR amplitude for a note of `length` samples; the release lies inside it."""
    a, r = min(samples(attack), length), min(samples(release), length)
    curve = np.full(length, sustain, np.float32)
    tail = np.arange(length - a, dtype=np.float32) / RATE
    curve[a:] = sustain + (1 - sustain) * np.exp(-tail / max(decay, 1e-3))
    curve[:a] = np.linspace(0, 1, a, dtype=np.float32)
    curve[length - r :] *= np.linspace(1, 0, r, dtype=np.float32)
    return curve


def decay_curve(length: int, seconds: float) -> Wave:
    """Exponential decay with that time constant."""
    return np.exp(-np.arange(length, dtype=np.float32) / (RATE * max(seconds, 1e-4)))


def noise(rng: np.random.Generator, length: int) -> Wave:
    """White noise."""
    return rng.standard_normal(length, dtype=np.float32)


def coloured_noise(rng: np.random.Generator, length: int, exponent: float) -> Wave:
    """Noise with power falling as 1 / f ** exponent (0 white, 1 pink, 2 brown)."""
    spectrum = np.fft.rfft(noise(rng, length))
    frequency = np.maximum(np.fft.rfftfreq(length, 1 / RATE), 20.0)
    return normalise(np.fft.irfft(spectrum * frequency ** (-exponent / 2), length))


def sweep(frequency: Wave) -> Wave:
    """Sine whose frequency in Hz is given at every sample."""
    return np.sin(2 * np.pi * np.cumsum(frequency, dtype=np.float64) / RATE).astype(np.float32)


def spectral_gain(wave: Wave, gain, frame: int = 1024) -> Wave:
    """Filter that moves in time: `gain(frequencies (f, 1), times (1, t)) -> (f, t)`."""
    hop = frame // 4
    _, times, spectrum = signal.stft(wave, RATE, "hann", frame, frame - hop)
    frequencies = np.fft.rfftfreq(frame, 1 / RATE)
    shaped = spectrum * gain(frequencies[:, None], times[None, :])
    _, out = signal.istft(shaped, RATE, "hann", frame, frame - hop)
    return np.resize(out, len(wave)).astype(np.float32)


def reverb(wave: Wave, rng: np.random.Generator, seconds: float, wet: float) -> Wave:
    """Convolution with decaying, low-passed noise (a random room)."""
    length = samples(seconds)
    impulse = noise(rng, length) * decay_curve(length, seconds / 5)
    impulse = biquad(impulse, "lowpass", float(rng.uniform(2_500, 9_000)), 1)
    impulse = np.concatenate([np.zeros(samples(rng.uniform(0.002, 0.03)), np.float32), impulse])
    tail = signal.fftconvolve(wave, impulse)[: len(wave)]
    scale = np.sqrt(np.mean(wave**2) / (np.mean(tail**2) + 1e-12))
    return ((1 - wet) * wave + wet * scale * tail).astype(np.float32)


def echo(wave: Wave, delay: float, feedback: float, repeats: int = 4) -> Wave:
    """Feedback delay, written out as a few repeats."""
    out, step = wave.copy(), samples(delay)
    for repeat in range(1, repeats + 1):
        shift = repeat * step
        if shift < len(wave):
            out[shift:] += feedback**repeat * wave[: len(wave) - shift]
    return out


def drive(wave: Wave, amount: float) -> Wave:
    """Soft clipping; amount 1 is mild, 20 is fuzz."""
    return np.tanh(amount * normalise(wave)).astype(np.float32)


def compress(wave: Wave, exponent: float = 0.6) -> Wave:
    """Levelling by the power of a 20 ms envelope (a crude compressor)."""
    level = np.sqrt(signal.lfilter([0.002], [1, -0.998], wave**2) + 1e-8)
    return normalise((wave * level ** (exponent - 1)).astype(np.float32))


def crush(wave: Wave, bits: int, hold: int) -> Wave:
    """Lower the bit depth and the sample rate."""
    held = np.repeat(wave[::hold], hold)[: len(wave)]
    steps = 2.0 ** (bits - 1)
    return (np.round(held * steps) / steps).astype(np.float32)


def pitch_shift(wave: Wave, ratio: float) -> Wave:
    """Resample by linear interpolation: faster and higher for ratio > 1."""
    position = np.arange(0, len(wave) - 1, ratio)
    return np.interp(position, np.arange(len(wave)), wave).astype(np.float32)
