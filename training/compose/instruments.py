"""Instruments by name: General MIDI programs and our own tones, one drawn per part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from training.compose import voices
from training.compose.voices import Rng, Voice
from training.synthesis.dsp import (
    CLIP_SAMPLES,
    Wave,
    add_at,
    biquad,
    drive,
    echo,
    reverb,
    timeline,
)
from training.synthesis.soundfont import FONTS, Note, render
from training.synthesis.speech import sung
from training.synthesis.tones import electric_string, plucked


@dataclass(frozen=True)
class Instrument:
    """Where an instrument's sound comes from, its range (MIDI) and the tags it brings."""

    programs: tuple[int, ...]
    voice: Callable[[Rng], Voice] | None
    low: int
    high: int
    tags: tuple[str, ...]


_STRUM = ("strings_plucked", "acoustic")
INSTRUMENTS: dict[str, Instrument] = {
    "piano": Instrument((0, 0, 1, 2), voices.piano, 36, 96, ("piano", "keyboard")),
    "electric_piano": Instrument((4, 5), voices.electric_piano, 40, 88,
        ("electric_piano", "keyboard")),
    "honky_tonk": Instrument((3,), None, 40, 90, ("piano", "keyboard")),
    "harpsichord": Instrument((6,), voices.harpsichord, 40, 84, ("harpsichord", "keyboard")),
    "celesta": Instrument((8, 9, 10), voices.music_box, 60, 100, ("music_box", "bells")),
    "vibraphone": Instrument((11,), voices.vibraphone, 52, 88, ("vibraphone", "mallets")),
    "marimba": Instrument((12, 13), voices.mallet, 45, 90, ("marimba", "mallets")),
    "bell": Instrument((14,), voices.bell, 48, 88, ("bells",)),
    "bowl": Instrument((), voices.bowl, 45, 80, ("singing_bowl", "bells")),
    "gong": Instrument((), voices.gong, 30, 55, ("gong",)),
    "organ": Instrument((16, 17, 18), voices.organ, 36, 88, ("organ", "keyboard")),
    "church_organ": Instrument((19, 20), voices.organ, 30, 88,
        ("church_organ", "organ", "keyboard")),
    "accordion": Instrument((21, 23), voices.accordion, 45, 86, ("accordion",)),
    "harmonica": Instrument((22,), voices.reed, 55, 90, ("harmonica",)),
    "nylon_guitar": Instrument((24,), plucked, 40, 80, ("acoustic_guitar", "guitar", *_STRUM)),
    "steel_guitar": Instrument((25,), plucked, 40, 80, ("acoustic_guitar", "guitar", *_STRUM)),
    "jazz_guitar": Instrument((26,), electric_string, 40, 80, ("electric_guitar", "guitar")),
    "clean_guitar": Instrument((27, 28), electric_string, 40, 84, ("electric_guitar", "guitar")),
    "distorted_guitar": Instrument(
        (29, 30), electric_string, 38, 84,
        ("distorted_guitar", "electric_guitar", "guitar", "distorted"),
    ),
    "upright_bass": Instrument((32,), plucked, 28, 52, ("upright_bass", "bass")),
    "bass_guitar": Instrument((33, 34, 36), plucked, 28, 52, ("bass_guitar", "bass")),
    "synth_bass": Instrument((38, 39), voices.synth_bass, 26, 52,
        ("synth_bass", "bass", "synthesizer")),
    "sub_bass": Instrument((), voices.sub_bass, 24, 45, ("sub_bass", "bass", "synthesizer")),
    "violin": Instrument((40,), voices.bowed, 55, 95, ("violin", "bowed")),
    "viola": Instrument((41,), voices.bowed, 48, 84, ("viola", "bowed")),
    "cello": Instrument((42,), voices.bowed, 36, 72, ("cello", "bowed")),
    "strings": Instrument((48, 49, 44), voices.ensemble, 36, 90, ("strings", "bowed")),
    "pizzicato": Instrument((45,), voices.pizzicato, 40, 84, ("pizzicato",)),
    "harp": Instrument((46,), plucked, 36, 96, ("harp", "strings_plucked")),
    "choir": Instrument((52, 53, 91), voices.choir, 43, 84, ("choir", "voice")),
    "singer": Instrument((53,), voices.singer, 45, 80, ("singing", "voice")),
    "trumpet": Instrument((56, 59), voices.brass, 54, 86, ("trumpet", "brass")),
    "trombone": Instrument((57,), voices.brass, 40, 70, ("trombone", "brass")),
    "tuba": Instrument((58,), voices.brass, 28, 55, ("tuba", "brass")),
    "horn": Instrument((60,), voices.brass, 40, 76, ("french_horn", "brass")),
    "brass": Instrument((61, 61, 62), voices.brass, 40, 84, ("brass",)),
    "saxophone": Instrument((64, 65, 66, 67), voices.reed, 45, 82, ("saxophone", "woodwind")),
    "oboe": Instrument((68, 70), voices.reed, 50, 86, ("oboe", "woodwind")),
    "clarinet": Instrument((71,), voices.reed, 48, 88, ("clarinet", "woodwind")),
    "flute": Instrument((73, 72), voices.flute, 60, 96, ("flute", "woodwind")),
    "pan_flute": Instrument((75, 77, 74, 79), voices.flute, 60, 90,
        ("pan_flute", "flute", "woodwind")),
    "whistle": Instrument((78,), voices.flute, 70, 100, ("whistling",)),
    "bagpipe": Instrument((109, 111), voices.reed, 55, 82, ("bagpipes",)),
    "square_lead": Instrument((80,), voices.lead, 48, 90, ("synth_lead", "synthesizer")),
    "saw_lead": Instrument((81, 87), voices.lead, 48, 90, ("synth_lead", "synthesizer")),
    "pluck_synth": Instrument((), voices.pluck_synth, 45, 96, ("synth_pluck", "synthesizer")),
    "pad": Instrument((88, 89, 90, 92, 94, 95), voices.pad, 36, 84, ("synth_pad", "synthesizer")),
    "chip": Instrument((80,), voices.chip, 36, 100, ("square_wave", "synthesizer")),
    "sitar": Instrument((104,), plucked, 45, 80, ("sitar", "strings_plucked")),
    "banjo": Instrument((105,), plucked, 50, 86, ("banjo", "strings_plucked")),
    "koto": Instrument((107, 106), plucked, 45, 86, ("koto", "strings_plucked")),
    "kalimba": Instrument((108,), voices.mallet, 52, 90, ("kalimba",)),
    "steel_drum": Instrument((114,), voices.steel_drum, 55, 86, ("steel_drum",)),
}  # fmt: skip


def play(name: str, notes: Sequence[Note], rng: Rng) -> Wave:
    """Render one part on a random source of that instrument, `CLIP_SAMPLES` long."""
    instrument = INSTRUMENTS[name]
    octave_fit = [_in_range(note, instrument) for note in notes]
    if name == "singer" and rng.random() < 0.6:
        tune = [(note.start, note.duration, note.pitch - 12) for note in octave_fit]
        return sung(rng, tune, CLIP_SAMPLES)
    own = instrument.voice is not None
    if instrument.programs and (not own or rng.random() < 0.6):
        program = int(rng.choice(instrument.programs))
        font = str(rng.choice(FONTS))
        wave = render(octave_fit, font, program, bend_cents=rng.normal(0, 8))
    else:
        wave = _play_own(instrument, octave_fit, rng)
    if name == "distorted_guitar":
        wave = biquad(drive(wave, rng.uniform(4, 25)), "lowpass", rng.uniform(3_500, 7_000))
        if rng.random() < 0.5:
            wave = biquad(wave, "highpass", rng.uniform(70, 200), 1)
    if name in {"clean_guitar", "jazz_guitar"}:
        wave = _amplified(wave, rng)
    if name.endswith(("lead", "pluck_synth")) and rng.random() < 0.4:
        wave = echo(wave, rng.uniform(0.15, 0.45), rng.uniform(0.2, 0.5))
    return wave


def _amplified(wave: Wave, rng: Rng) -> Wave:
    """A guitar amplifier: drive, the cabinet's band, at times tremolo, spring reverb or slides."""
    if rng.random() < 0.6:
        wave = drive(wave, rng.uniform(0.8, 4))
    wave = biquad(wave, "bandpass", (rng.uniform(60, 150), rng.uniform(2_500, 6_500)), 1)
    if rng.random() < 0.25:
        wave = wave * (0.7 + 0.3 * np.sin(2 * np.pi * rng.uniform(3, 8) * timeline(10)))
    if rng.random() < 0.25:
        wave = _bent(wave, rng)
    return reverb(wave, rng, rng.uniform(0.4, 1.5), 0.25) if rng.random() < 0.4 else wave


def _bent(wave: Wave, rng: Rng) -> Wave:
    """Slide into the pitch and shake it, by reading the wave at a varying speed."""
    time = timeline(10)
    speed = 1 - rng.uniform(0, 0.25) * np.exp(-time / rng.uniform(0.05, 0.4))
    speed += rng.uniform(0, 0.015) * np.sin(2 * np.pi * rng.uniform(4, 7) * time)
    position = np.minimum(np.cumsum(speed), len(wave) - 1)
    return np.interp(position, np.arange(len(wave)), wave).astype(np.float32)


def _in_range(note: Note, instrument: Instrument) -> Note:
    pitch = note.pitch
    while pitch < instrument.low:
        pitch += 12
    while pitch > instrument.high:
        pitch -= 12
    return Note(note.start, note.duration, pitch, note.velocity)


def _play_own(instrument: Instrument, notes: Sequence[Note], rng: Rng) -> Wave:
    assert instrument.voice is not None
    voice = instrument.voice(rng)
    out = np.zeros(CLIP_SAMPLES, np.float32)
    known: dict[tuple[float, float], Wave] = {}
    for note in notes:
        key = (note.pitch, round(note.duration, 2))
        if key not in known:
            known[key] = voice(*key)
        add_at(out, known[key], note.start, (note.velocity / 127) ** 1.5)
    return out
