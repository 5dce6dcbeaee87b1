"""Speech by espeak-ng: voices of several languages, whispers, crowds, robots, chanting."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
from scipy import ndimage, signal

from training.synthesis import dsp
from training.synthesis.dsp import RATE, Wave, normalise

Rng = np.random.Generator
_LANGUAGES = ("en-us", "en-gb", "de", "fr", "es", "it", "ru", "pt", "nl", "sv", "tr", "el")
_WORDS = (
    "the a night river morning light we walk over under remember music yellow seven open "
    "window people often hear what comes from silence tomorrow yes no please mother father "
    "station weather today will be mild with some clouds later good evening here is our "
    "report"
)


def speak(rng: Rng, whisper: bool = False) -> Wave:
    """A few random words in a random voice, 1-6 s."""
    words = " ".join(rng.choice(_WORDS.split(), int(rng.integers(2, 18))))
    variant = f"m{rng.integers(1, 8)}" if rng.random() < 0.5 else f"f{rng.integers(1, 5)}"
    voice = f"{rng.choice(_LANGUAGES)}+{'whisper' if whisper else variant}"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = ["espeak-ng", "-v", voice, "-s", str(rng.integers(110, 210)), "-p",
                   str(rng.integers(10, 90)), "-w", str(path), words]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        wave, rate = soundfile.read(path, dtype="float32")
    return normalise(dsp.pitch_shift(wave, rate / RATE * rng.uniform(0.9, 1.1)))


def crowd(rng: Rng) -> Wave:
    """A murmuring crowd: several voices over each other in a room."""
    out = np.zeros(dsp.CLIP_SAMPLES, np.float32)
    voices = [speak(rng) for _ in range(4)]
    for _ in range(int(rng.integers(12, 40))):
        shifted = dsp.pitch_shift(voices[rng.integers(4)], rng.uniform(0.75, 1.3))
        dsp.add_at(out, shifted, rng.uniform(-2, 9), rng.uniform(0.2, 1))
    return dsp.reverb(normalise(out), rng, rng.uniform(0.5, 2), 0.4)


def robot_voice(rng: Rng) -> Wave:
    """Speech through a ring modulator or vocoder-like comb."""
    wave = speak(rng)
    carrier = np.sin(2 * np.pi * rng.uniform(30, 140) * np.arange(len(wave)) / RATE)
    return normalise(dsp.echo((wave * carrier).astype(np.float32), rng.uniform(0.005, 0.012), 0.7))


def sung(rng: Rng, pitches: list[tuple[float, float, float]], length: int) -> Wave:
    """Words on a tune: the spectral envelopes of speech over harmonics of the given notes.

    `pitches` are (start in s, duration in s, MIDI pitch); returns `length` samples.
    """
    hop, frame = 256, 1_024
    voice = speak(rng)
    pieces = [voice]
    while sum(map(len, pieces)) < length:
        pieces.append(speak(rng) if rng.random() < 0.5 else voice)
    words = np.concatenate(pieces)
    stretch = rng.uniform(0.45, 0.9)
    words = words[: int(length * stretch) + frame]
    shape = np.abs(signal.stft(words, RATE, "hann", frame, frame - hop)[2])
    smooth = ndimage.gaussian_filter1d(shape, 4.5, axis=0)
    frames = length // hop + 1
    source_frames = np.minimum(np.arange(frames) * stretch, smooth.shape[1] - 1).astype(int)
    envelope = smooth[:, source_frames]
    hertz, level = np.zeros(length), np.zeros(length, np.float32)
    for start, duration, pitch in pitches:
        first, last = round(start * RATE), min(length, round((start + duration) * RATE))
        if last > first:
            hertz[first:last] = 440 * 2 ** ((pitch - 69) / 12)
            level[first:last] = 1
    hertz = np.where(hertz > 0, hertz, 200.0)
    glide = int(rng.uniform(0.02, 0.09) * RATE)
    hertz = ndimage.uniform_filter1d(hertz, glide)
    level = ndimage.uniform_filter1d(level, glide)
    time = np.arange(length) / RATE
    vibrato = rng.uniform(0, 45) * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * time)
    phase = np.cumsum(hertz * 2 ** (vibrato / 1_200)) / RATE % 1
    pulses = (np.exp(-rng.uniform(5, 14) * phase) - 0.15).astype(np.float32)
    pulses += rng.uniform(0.02, 0.12) * dsp.noise(rng, length)
    spectrum = signal.stft(pulses, RATE, "hann", frame, frame - hop)[2]
    count = min(spectrum.shape[1], envelope.shape[1])
    flat = ndimage.gaussian_filter1d(np.abs(spectrum), 8, axis=0) + 1e-4
    shaped = spectrum[:, :count] / flat[:, :count] * envelope[:, :count]
    out = signal.istft(shaped, RATE, "hann", frame, frame - hop)[1]
    out = np.resize(out, length).astype(np.float32) * level
    return normalise(out)
