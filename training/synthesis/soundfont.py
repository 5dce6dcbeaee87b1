"""MIDI notes through fluidsynth's library: a soundfont is loaded once per process."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from training.synthesis.dsp import CLIP_SAMPLES, RATE, Wave

FOLDERS = (Path("/usr/share/sounds/sf2"), Path("/usr/share/sounds/sf3"))
FONTS = ("FluidR3_GM.sf2", "TimGM6mb.sf2", "MuseScore_General_Lite.sf3", "sf_GMbank.sf2")
FURTHER_FONTS = ("FluidR3_GS.sf2",)  # noises and sounds only
DRUM_CHANNEL, DRUM_BANK = 9, 128


@dataclass(frozen=True)
class Note:
    """A note: start and duration in seconds, MIDI pitch, velocity 1-127."""

    start: float
    duration: float
    pitch: float
    velocity: int = 96


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    name = ctypes.util.find_library("fluidsynth") or "libfluidsynth.so.3"
    library = ctypes.CDLL(name)
    for function in ("new_fluid_settings", "new_fluid_synth"):
        getattr(library, function).restype = ctypes.c_void_p
    library.new_fluid_synth.argtypes = [ctypes.c_void_p]
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    library.fluid_settings_setnum.argtypes = [pointer, ctypes.c_char_p, ctypes.c_double]
    library.fluid_settings_setint.argtypes = [pointer, ctypes.c_char_p, integer]
    library.fluid_synth_sfload.argtypes = [pointer, ctypes.c_char_p, integer]
    library.fluid_synth_program_select.argtypes = [pointer, integer, integer, integer, integer]
    library.fluid_synth_noteon.argtypes = [pointer, integer, integer, integer]
    library.fluid_synth_noteoff.argtypes = [pointer, integer, integer]
    library.fluid_synth_system_reset.argtypes = [pointer]
    library.fluid_synth_pitch_bend.argtypes = [pointer, integer, integer]
    library.fluid_set_log_function.argtypes = [integer, pointer, pointer]
    for level in range(5):  # a channel without a preset is worth no word
        library.fluid_set_log_function(level, None, None)
    library.fluid_synth_write_float.argtypes = [pointer, integer] + [pointer, integer, integer] * 2
    return library


@lru_cache(maxsize=len(FONTS) + len(FURTHER_FONTS))
def _synthesiser(font: str) -> tuple[int, int]:
    library = _library()
    path = next(f / font for f in FOLDERS if (f / font).exists())
    settings = library.new_fluid_settings()
    library.fluid_settings_setnum(settings, b"synth.sample-rate", float(RATE))
    library.fluid_settings_setnum(settings, b"synth.gain", 0.6)
    for name in (b"synth.reverb.active", b"synth.chorus.active"):
        library.fluid_settings_setint(settings, name, 0)
    library.fluid_settings_setint(settings, b"synth.dynamic-sample-loading", 1)
    library.fluid_settings_setint(settings, b"synth.polyphony", 400)
    synth = library.new_fluid_synth(settings)
    loaded = library.fluid_synth_sfload(synth, str(path).encode(), 1)
    if loaded < 0:
        raise RuntimeError(f"cannot load {path}")
    return synth, loaded


def render(
    notes: Sequence[Note],
    font: str,
    program: int,
    drums: bool = False,
    bend_cents: float = 0.0,
    bank: int = 0,
) -> Wave:
    """One part on one instrument: a clip of `CLIP_SAMPLES`, mono. Silence for a missing bank."""
    library = _library()
    synth, loaded = _synthesiser(font)
    channel = DRUM_CHANNEL if drums else 0
    library.fluid_synth_system_reset(synth)
    drain = np.zeros(512, np.float32).ctypes
    library.fluid_synth_write_float(synth, 512, drain.data, 0, 1, drain.data, 0, 1)
    selected = library.fluid_synth_program_select(
        synth, channel, loaded, DRUM_BANK if drums else bank, program
    )
    if selected != 0 and bank:
        return np.zeros(CLIP_SAMPLES, np.float32)
    if selected != 0:
        library.fluid_synth_program_select(synth, channel, loaded, DRUM_BANK if drums else 0, 0)
    library.fluid_synth_pitch_bend(synth, channel, int(8_192 + 8_191 * bend_cents / 200))
    events: list[tuple[int, int, int, int]] = []
    for note in notes:
        pitch = int(np.clip(round(note.pitch), 0, 127))
        first = max(0, round(note.start * RATE))
        last = max(first + 200, round((note.start + note.duration) * RATE))
        events += [(first, 1, pitch, int(note.velocity)), (last, 0, pitch, 0)]
    events.sort()
    left, right = np.zeros((2, CLIP_SAMPLES), np.float32)
    position = 0
    for when, kind, pitch, velocity in [*events, (CLIP_SAMPLES, 2, 0, 0)]:
        until = min(when, CLIP_SAMPLES)
        if until - position >= 64 or kind == 2:
            library.fluid_synth_write_float(
                synth, until - position, left.ctypes.data, position, 1,
                right.ctypes.data, position, 1,
            )  # fmt: skip
            position = until
        if position >= CLIP_SAMPLES:
            break
        if kind == 1:
            library.fluid_synth_noteon(synth, channel, pitch, velocity)
        elif kind == 0:
            library.fluid_synth_noteoff(synth, channel, pitch)
    return 0.5 * (left + right)
