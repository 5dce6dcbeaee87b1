"""Rooms, echoes and motion: convolution reverb, tape delay, chorus, pitch wow."""

import numpy as np

from .filters import fast_length, filtered, low_pass
from .signals import SIXTY_DECIBELS, Curve, Signal, sample_count, time_axis


def impulse_response(
    rng: np.random.Generator, sample_rate: int, seconds: float, brightness: float
) -> Signal:
    """A synthetic room ``(2, n)``: sparse early reflections, then noise decaying fastest on top.

    ``seconds`` is the low-frequency decay time to -60 dB; ``brightness`` 0..1 sets how much
    shorter the treble is and how much of it there is.
    """
    length = sample_count(seconds, sample_rate)
    times = time_axis(length, sample_rate)
    noise = rng.standard_normal((2, length), dtype=np.float32)
    dark = filtered(noise, sample_rate, low_pass(300.0 + 900.0 * brightness))
    bright = noise - dark
    build_up = 1.0 - np.exp(times * (-1.0 / (0.004 + 0.006 * seconds)))
    low_decay = np.exp(times * (-SIXTY_DECIBELS / seconds)) * build_up
    high_decay = np.exp(times * (-SIXTY_DECIBELS / (seconds * (0.25 + 0.5 * brightness))))
    room: Signal = (dark * low_decay * 2.0 + bright * high_decay * build_up * brightness).astype(
        np.float32
    )
    for reflection in range(9):
        for channel in range(2):
            delay = sample_count(rng.uniform(0.006, 0.012) * (1 + reflection), sample_rate)
            if delay < length:
                room[channel, delay] += np.float32(rng.choice([-6.0, 6.0]) * 0.8**reflection)
    room /= np.float32(np.sqrt(np.sum(np.square(room)) / 2))
    return room


def reverberate(signal: Signal, room: Signal, sample_rate: int, predelay: float = 0.015) -> Signal:
    """The wet sound only, ``(2, n)``, of a mono or stereo signal in a room ``(2, m)``."""
    length = signal.shape[-1]
    size = fast_length(length + room.shape[-1])
    spectrum = np.fft.rfft(signal, size) * np.fft.rfft(room, size)
    wet = np.fft.irfft(spectrum, size)
    shift = sample_count(predelay, sample_rate)
    delayed = np.zeros((2, length), np.float32)
    delayed[:, shift:] = wet[:, : length - shift]
    return delayed


def echo(
    signal: Signal, sample_rate: int, delay: float, feedback: float, cutoff: float = 2500.0
) -> Signal:
    """Repeats only (no dry sound) of a stereo signal, each darker and swapping sides."""
    length = signal.shape[-1]
    shift = sample_count(delay, sample_rate) / sample_rate
    # Repeats below -26 dB are left out, as are those that would start after the end.
    count = min(int(np.log(0.05) / np.log(feedback)) + 1, int(length / sample_rate / shift))
    size = fast_length(length + sample_count(count * shift + 0.05, sample_rate))
    hertz = np.fft.rfftfreq(size, 1 / sample_rate)
    turn = (np.exp(-2j * np.pi * hertz * shift) * feedback).astype(np.complex64)
    turn *= low_pass(cutoff)(hertz.astype(np.float32))
    spectrum = np.fft.rfft(signal, size)
    repeats = np.zeros_like(spectrum)
    for _ in range(count):
        spectrum = spectrum[::-1] * turn
        repeats += spectrum
    return np.fft.irfft(repeats, size)[:, :length].astype(np.float32, copy=False)


def read_at(signal: Signal, positions: Curve) -> Signal:
    """A mono signal read at fractional sample positions (linear interpolation)."""
    clipped = np.clip(positions, 0.0, signal.size - 1.001)
    index = clipped.astype(np.int64)
    fraction = (clipped - index).astype(np.float32)
    below = signal.take(index)
    moved: Signal = below + (signal.take(index + 1) - below) * fraction
    return moved


def chorus(signal: Signal, sample_rate: int, depth: float = 0.003, hertz: float = 0.6) -> Signal:
    """Widen a mono signal into ``(2, n)`` by adding two copies whose delay swings oppositely."""
    axis = np.arange(signal.size)
    swing = np.sin(axis * (2 * np.pi * hertz / sample_rate)) * 0.5
    sides = []
    for sign in (1.0, -1.0):
        delay = (depth * (1.2 + sign * swing)) * sample_rate
        sides.append(0.7 * signal + 0.6 * read_at(signal, axis - delay))
    return np.stack(sides).astype(np.float32)


def wow(signal: Signal, sample_rate: int, depth: float, hertz: float = 0.7) -> Signal:
    """Uneven tape or turntable speed: ``depth`` in seconds of displacement, on ``(2, n)``."""
    axis = np.arange(signal.shape[-1]) * (2 * np.pi / sample_rate)
    shift = np.sin(axis * hertz) + 0.4 * np.sin(axis * hertz * 2.7 + 1.0)
    flutter = 0.03 * np.sin(axis * 7.3)
    positions = np.arange(signal.shape[-1]) + (shift + flutter - 1.5) * depth * sample_rate
    return np.stack([read_at(side, positions) for side in signal])
