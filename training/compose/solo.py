"""One instrument alone: phrases, notes, chords, basses, held textures, atmospheres."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.compose.cutting import Clip, Rng, cut, weighted
from training.compose.harmony import SCALES, Song
from training.compose.instruments import INSTRUMENTS, play
from training.compose.roles import ROLES
from training.synthesis import basses, dsp, effects, everyday, nature, resonant, tones
from training.synthesis.dsp import CLIP_SAMPLES, Wave, biquad, normalise, samples
from training.synthesis.soundfont import Note

PHRASE_ROLES = ("melody", "slow_melody", "fast_melody", "solo", "sparse_notes", "arpeggio",
                "sustain", "picking", "strum")  # fmt: skip
NOTE_WEIGHTS = {"bell": 2.0, "piano": 4.0, "clean_guitar": 3.0, "jazz_guitar": 1.5, "choir": 2.5,
                "distorted_guitar": 1.5, "celesta": 1.5, "electric_piano": 1.5}  # fmt: skip


def plain_song(rng: Rng) -> Song:
    """A song of any tempo, key and scale, for a part that plays alone."""
    scale = SCALES[str(rng.choice(list(SCALES)[:11]))]
    return Song(rng, rng.uniform(55, 150), int(rng.integers(53, 65)), scale, (0, 3, 4, 0))


def phrase_clip(rng: Rng) -> Clip:
    """One instrument alone playing a phrase."""
    name = str(rng.choice([n for n in INSTRUMENTS if n not in {"sub_bass", "gong"}]))
    role = str(rng.choice(PHRASE_ROLES))
    if INSTRUMENTS[name].high < 58:
        role = str(rng.choice(["bass_funky", "bass_walking", "bass_eighths", "bass_long"]))
    if name == "distorted_guitar" and rng.random() < 0.6:
        role = "power_riff"
    song = plain_song(rng)
    wave = play(name, ROLES[role](song, int(rng.integers(-1, 2))), rng)
    tags = {*INSTRUMENTS[name].tags, "solo", "beatless_music"}
    tags |= {"slow"} if role in {"slow_melody", "sparse_notes", "sustain"} else set()
    tags |= {"fast"} if role == "fast_melody" and song.bpm > 105 else set()
    return wave, tags


def note_clip(rng: Rng) -> Clip:
    """A single note or chord of one instrument, as in a sample pack."""
    name = weighted(rng, {**dict.fromkeys(INSTRUMENTS, 1.0), **NOTE_WEIGHTS})
    instrument = INSTRUMENTS[name]
    pitch = float(rng.integers(instrument.low, instrument.high + 1))
    length = rng.uniform(0.15, 4)
    notes = [Note(0.01, length, pitch, int(rng.integers(60, 125)))]
    if ("guitar" in instrument.tags and rng.random() < 0.5) or rng.random() < 0.15:
        notes = _strummed(notes[0], rng)
    wave = play(name, notes, rng)
    tags = {*instrument.tags, "single_note", *(("short",) if length < 0.7 else ())}
    tags |= {"low_pitched"} if pitch < 45 else {"high_pitched"} if pitch > 76 else set()
    if name == "piano" and notes[0].velocity < 85:
        tags |= {"soft", "quiet"}
    return cut(wave, length + rng.uniform(0.1, 1.2)), tags


def guitar_clip(rng: Rng) -> Clip:
    """An electric guitar alone: a chord left to ring, a slide, harmonics, a lick; room and echo."""
    name = weighted(rng, {"clean_guitar": 3.0, "jazz_guitar": 1.0, "distorted_guitar": 2.0})
    length = rng.uniform(0.8, 8)
    root = Note(0.01, length, float(rng.integers(40, 70)), int(rng.integers(60, 120)))
    notes = _strummed(root, rng) if rng.random() < 0.4 else [root]
    if rng.random() < 0.4:
        notes, name = _gripped(rng, length), weighted(rng, {name: 2.0, "clean_guitar": 1.0})
    if rng.random() < 0.2:
        gap = rng.uniform(0.12, 0.5)
        steps = rng.choice([0, 3, 5, 7, 10, 12, 15], int(rng.integers(2, 8)))
        notes = [Note(0.01 + gap * k, gap * 2, root.pitch + s, 95) for k, s in enumerate(steps)]
    wave = cut(play(name, notes, rng), length + rng.uniform(0.1, 1.5))
    if rng.random() < 0.3:
        wave = _slid(wave, rng)
    if rng.random() < 0.3:
        wave = dsp.echo(wave, rng.uniform(0.15, 0.5), rng.uniform(0.2, 0.6))
    if rng.random() < 0.4:
        wave = dsp.reverb(normalise(wave), rng, rng.uniform(0.5, 4), rng.uniform(0.1, 0.6))
    if rng.random() < 0.4:
        wave = _amplifier_noise(wave, rng)
    return wave, {*INSTRUMENTS[name].tags, "single_note", "solo"}


GRIPS = ((0, 7, 12, 15, 19, 24), (0, 7, 12, 16, 19, 24), (0, 7, 10, 15, 19, 24), (0, 7, 12),
         (0, 7, 14, 15, 19, 24), (0, 7, 10, 15, 22, 26), (0, 7, 11, 16, 19), (0, 7, 14, 19),
         (0, 5, 10), (0, 7), (0, 12, 16, 19), (0, 12, 15, 19), (0, 5, 9), (0, 12))  # fmt: skip


def _gripped(rng: Rng, length: float) -> list[Note]:
    """A chord as a hand grips it on six strings: struck at once, or rolled slowly; left to ring."""
    steps, low = GRIPS[rng.integers(len(GRIPS))], int(rng.integers(40, 62))
    gap = float(np.exp(rng.uniform(np.log(0.004), np.log(0.35))))
    order = steps[::-1] if rng.random() < 0.2 else steps
    soft = int(rng.integers(45, 115))
    notes = [
        Note(0.01 + gap * k, length, low + step, int(np.clip(soft + rng.normal(0, 8), 25, 127)))
        for k, step in enumerate(order)
    ]
    again = gap * len(steps) + rng.uniform(0.3, 2)
    if rng.random() < 0.3:  # and once more, the same or another fret
        move = int(rng.choice([0, 0, -2, 2, 3, 5]))
        notes += [replace(n, start=n.start + again, pitch=n.pitch + move) for n in notes]
    return notes


def _slid(wave: Wave, rng: Rng) -> Wave:
    """Frets passed over: the pitch glides by up to an octave, early or late, up or down."""
    time = np.arange(len(wave)) / dsp.RATE
    at, width = rng.uniform(0.05, 0.8), rng.uniform(0.03, 0.4)
    way = rng.choice([1, 1, 2, 3, 5, 7, 12]) * rng.choice([-1, 1])
    glide = way / (1 + np.exp(np.clip((time - at) / width * 4, -30, 30)))
    if rng.random() < 0.3:
        glide += rng.uniform(0.1, 0.6) * np.sin(2 * np.pi * rng.uniform(3, 7) * time)
    position = np.cumsum(2 ** (glide / 12))
    kept = int(np.searchsorted(position, len(wave) - 1))
    return np.interp(position[:kept], np.arange(len(wave)), wave).astype(np.float32)


def _amplifier_noise(wave: Wave, rng: Rng) -> Wave:
    """What an amplifier adds: the mains' hum and its hiss."""
    time = np.arange(len(wave)) / dsp.RATE
    mains, level = float(rng.choice([50, 60])), 10 ** rng.uniform(-3, -1.2)
    hum = sum(np.sin(2 * np.pi * mains * k * time) / k for k in (1, 2, 3, 5))
    hiss = biquad(dsp.noise(rng, len(wave)), "lowpass", rng.uniform(2_000, 9_000), 1)
    return (normalise(wave) + level * hum + 0.3 * level * hiss).astype(np.float32)


def piano_clip(rng: Rng) -> Clip:
    """A piano alone, softly: a chord left to ring, a note, a slow line; felt, room, old tape."""
    if rng.random() < 0.35:
        return _treated_piano(rng)
    kind = rng.random()
    root = Note(0.01, rng.uniform(1.5, 9), float(rng.integers(36, 76)), int(rng.integers(25, 85)))
    tags = {*INSTRUMENTS["piano"].tags, "solo", "soft", "quiet"}
    if kind < 0.4:
        notes = _strummed(root, rng)
    elif kind < 0.55:
        notes = [root]
    else:
        role = str(rng.choice(["slow_melody", "sparse_notes", "arpeggio", "sustain"]))
        song = plain_song(rng)
        notes = [
            replace(note, velocity=max(20, int(note.velocity * 0.65)))
            for note in ROLES[role](song, int(rng.integers(-1, 2)))
        ]
        tags |= {"calm", "slow", "beatless_music", "solo_piano"}
    wave = play("piano", notes, rng)
    if kind < 0.55:
        wave = cut(wave, root.duration + rng.uniform(0.2, 1.5))
        tags |= {"single_note"}
    if rng.random() < 0.5:  # felt between hammer and string, or a microphone far away
        cutoff = float(np.exp(rng.uniform(np.log(500), np.log(5_000))))
        wave = biquad(wave, "lowpass", cutoff, int(rng.integers(1, 3)))
    if rng.random() < 0.2:
        wave = _wobbled(wave, rng)
    if rng.random() < 0.5:
        wave = dsp.reverb(normalise(wave), rng, rng.uniform(0.8, 5), rng.uniform(0.1, 0.6))
    return wave, tags


def _treated_piano(rng: Rng) -> Clip:
    """Few low piano notes and a chord under the pedal, slowed, muffled, drowned: half a texture."""
    low, velocity = int(rng.integers(24, 52)), int(rng.integers(30, 100))
    steps = rng.choice([0, 0, 7, 12, 15, 16, 19, 22, 24, 26, 31, 36, 43], int(rng.integers(2, 9)))
    gap = float(rng.choice([0, 0.05, 0.3, 0.7, 1.2])) * rng.uniform(0.5, 1.5)
    notes = [
        Note(
            0.01 + gap * k, 9, low + int(step), int(np.clip(velocity + rng.normal(0, 12), 15, 115))
        )
        for k, step in enumerate([0, *steps])
    ]
    wave = play("piano", notes, rng)
    if rng.random() < 0.6:
        wave = dsp.pitch_shift(wave, rng.uniform(0.35, 0.95))[:CLIP_SAMPLES]
    if rng.random() < 0.7:
        cutoff = float(np.exp(rng.uniform(np.log(120), np.log(2_500))))
        wave = biquad(wave, "lowpass", cutoff, int(rng.integers(1, 3)))
    if rng.random() < 0.5:
        wave = dsp.peak_filter(wave, rng.uniform(40, 160), rng.uniform(3, 18), rng.uniform(0.4, 2))
    if rng.random() < 0.25:
        wave = _wobbled(wave, rng)
    if rng.random() < 0.2:
        wave = np.concatenate([wave[: samples(rng.uniform(1, 4))][::-1], wave])[:CLIP_SAMPLES]
    if rng.random() < 0.3:
        wave = dsp.echo(wave, rng.uniform(0.2, 0.9), rng.uniform(0.3, 0.7))
    if rng.random() < 0.7:
        wave = dsp.reverb(normalise(wave), rng, rng.uniform(1, 6), rng.uniform(0.1, 0.8))
    if rng.random() < 0.4:
        wave = dsp.compress(wave, rng.uniform(0.3, 0.8))
    wave = cut(wave, rng.uniform(1.5, 10))
    tags = {*INSTRUMENTS["piano"].tags, "solo", "soft", "quiet"}
    return wave, tags | ({"ambient", "beatless"} if rng.random() < 0.6 else set())


def _wobbled(wave: Wave, rng: Rng) -> Wave:
    """A tape that does not run evenly."""
    time = np.arange(len(wave)) / dsp.RATE
    speed = 1 + rng.uniform(0.002, 0.012) * np.sin(2 * np.pi * rng.uniform(0.3, 5) * time)
    position = np.minimum(np.cumsum(speed), len(wave) - 1)
    return np.interp(position, np.arange(len(wave)), wave).astype(np.float32)


def _strummed(root: Note, rng: Rng) -> list[Note]:
    """A chord on that root, its strings one after the other."""
    chords = ((0, 7, 12), (0, 4, 7, 12), (0, 3, 7, 10), (0, 7, 12, 15, 19), (0, 7, 12, 16, 19, 24))
    steps, gap = chords[rng.integers(len(chords))], rng.uniform(0, 0.05)
    return [
        Note(root.start + gap * k, root.duration, root.pitch + step, root.velocity)
        for k, step in enumerate(steps)
    ]


def bass_clip(rng: Rng) -> Clip:
    """A bass sound alone: stab, growl or long note."""
    if rng.random() < 0.55:
        wave, further = basses.synth_bass(rng)
        further |= {"short"} if len(wave) < 0.7 * dsp.RATE else set()
        return wave, {*INSTRUMENTS["synth_bass"].tags, "low_pitched", "single_note", *further}
    name = str(rng.choice(["synth_bass", "synth_bass", "sub_bass", "bass_guitar", "upright_bass"]))
    length = rng.uniform(0.2, 3)
    wave = play(name, [Note(0.01, length, float(rng.integers(26, 44)))], rng)
    tags = {*INSTRUMENTS[name].tags, "low_pitched", "single_note"}
    if name == "synth_bass" and rng.random() < 0.5:
        wave, tags = dsp.drive(wave, rng.uniform(2, 12)), tags | {"distorted"}
    if length > 1 and rng.random() < 0.4:
        rate = rng.uniform(1, 8)
        wave = wave * (0.6 + 0.4 * np.sin(2 * np.pi * rate * dsp.timeline(10)))
        tags.add("wobble_bass")
    return cut(wave, length + 0.3), tags


def texture_clip(rng: Rng) -> Clip:
    """A held pad, drone, choir or cluster without rhythm."""
    name = str(rng.choice(["pad", "pad", "strings", "choir", "organ", "saw_lead", "bowl", "cello"]))
    role = str(rng.choice(["held", "sustain", "cluster"]))
    wave = play(name, ROLES[role](plain_song(rng), int(rng.integers(-2, 1))), rng)
    tags = {*INSTRUMENTS[name].tags, "sustained", "beatless"}
    tags |= {"suspense"} if role == "cluster" else {"drone"} if role == "held" else {"ambient"}
    if rng.random() < 0.5:
        wave = dsp.reverb(normalise(wave), rng, rng.uniform(2, 5), rng.uniform(0.4, 0.8))
        tags.add("reverberant")
    return wave, tags


def atmosphere_clip(rng: Rng) -> Clip:
    """Layers without rhythm in a large room: held notes, hums, air, rubbed glass, far bells."""
    if rng.random() < 0.5:
        return _drowned_sound(rng)
    low = rng.random() < 0.5
    layers = {
        "pad": lambda: _held_part(rng, ("pad", "strings", "organ"), low),
        "voices": lambda: _held_part(rng, ("choir", "bowl"), low),
        "hum": lambda: effects.hum(rng),
        "air": lambda: biquad(nature.wind(rng), "lowpass", rng.uniform(300, 4_000)),
        "glass": lambda: everyday.glass_rub(rng),
        "sweep": lambda: effects.whoosh(rng),
        "bells": lambda: resonant.chimes(rng),
        "static": lambda: effects.static(rng),
    }
    chosen = rng.choice(list(layers), int(rng.integers(1, 4)), replace=False)
    out = np.zeros(CLIP_SAMPLES, np.float32)
    for name in map(str, chosen):
        layer = normalise(layers[name]())
        if low and rng.random() < 0.5:
            layer = dsp.pitch_shift(layer, rng.uniform(0.4, 0.9))
        start = rng.uniform(0, 3) if len(layer) < CLIP_SAMPLES // 2 else 0.0
        dsp.add_at(out, layer, start, rng.uniform(0.2, 1))
    if low and rng.random() < 0.6:
        out = biquad(out, "lowpass", rng.uniform(200, 2_000), 1)
    out = dsp.reverb(normalise(out), rng, rng.uniform(2, 7), rng.uniform(0.3, 0.85))
    tags = {"ambient", "beatless", "sustained", "reverberant"}
    return out, tags | ({"dark_ambient", "drone"} if low else set())


def _drowned_sound(rng: Rng) -> Clip:
    """One sound made into an atmosphere: slowed, reversed, smeared, filtered, in a huge room."""
    sources = {
        "choir": lambda: _vowels(rng),
        "cluster": lambda: _beating(rng),
        "hum": lambda: _haunted(rng),
        "glass": lambda: _rubbed(rng),
        "landing": lambda: _landing(rng),
        "held": lambda: _held_part(
            rng, ("choir", "pad", "strings", "bowl", "organ", "cello"), True
        ),
        "note": lambda: note_clip(rng)[0],
        "chimes": lambda: resonant.chimes(rng),
        "machine": lambda: effects.hum(rng),
        "piano": lambda: _treated_piano(rng)[0],
    }
    own = dict.fromkeys(("choir", "cluster", "hum", "glass", "landing"), 2.0)
    name = weighted(rng, {**dict.fromkeys(sources, 1.0), **own})
    wave = normalise(sources[name]())
    plain = name in own and rng.random() < 0.5
    slowed = not plain and rng.random() < 0.5
    if slowed:
        wave = dsp.pitch_shift(wave, rng.uniform(0.3, 0.85))[:CLIP_SAMPLES]
    if not plain and rng.random() < 0.35:
        wave = wave[::-1].copy()
    if not plain and rng.random() < 0.35 and len(wave) > samples(0.5):
        wave = _smeared(wave, rng)
    if not plain and rng.random() < 0.3:
        low = float(np.exp(rng.uniform(np.log(60), np.log(900))))
        wave = biquad(wave, "bandpass", (low, low * float(np.exp(rng.uniform(0.7, 3.5)))), 1)
    if rng.random() < 0.6:
        wave = cut(np.pad(wave, (0, samples(rng.uniform(0.3, 3)))), rng.uniform(1.5, 10))
    tags = {"ambient", "beatless"}
    if rng.random() < (0.4 if plain else 0.8):
        wave = dsp.reverb(normalise(wave), rng, rng.uniform(1.5, 8), rng.uniform(0.1, 0.85))
        tags.add("reverberant")
    if name not in {"landing", "note", "piano"}:
        tags.add("sustained")
    if name == "choir":
        tags |= {"choir", "voice"}
    tags |= {"piano"} if name == "piano" else set()
    dark = name in {"hum", "machine", "cluster"} or slowed
    tags |= {"drone"} if name == "cluster" else set()
    return normalise(wave), tags | ({"dark_ambient"} if dark and rng.random() < 0.7 else set())


def _vowels(rng: Rng) -> Wave:
    """Voices without words, each with its own vibrato, under a vowel; a chord or one note."""
    length = samples(rng.uniform(1, 8))
    time = np.arange(length, dtype=np.float32) / dsp.RATE
    root = tones.hertz(rng.uniform(45, 74))
    steps = rng.choice([0, 3, 4, 7, 12, 16], int(rng.integers(1, 4)))
    out = np.zeros(length, np.float32)
    for step in np.repeat(steps, 3):
        sway = rng.uniform(2, 25) * np.sin(
            2 * np.pi * rng.uniform(3, 6.5) * time + rng.uniform(0, 6)
        )
        hz = root * 2 ** ((step + rng.normal(0, 0.08) + sway / 100) / 12)
        turns = np.cumsum(hz) / dsp.RATE + rng.uniform()
        out += (2 * (turns % 1) - 1).astype(np.float32)
    vowel = rng.uniform([300, 700, 2_200], [900, 1_900, 3_200])
    parts = [
        biquad(out, "bandpass", (hz * 0.88, hz * 1.13), 1) * level
        for hz, level in zip(vowel, (1, rng.uniform(0.1, 0.8), rng.uniform(0, 0.3)), strict=True)
    ]
    wave = sum(parts) + 0.02 * out
    return (wave * dsp.envelope(length, rng.uniform(0.02, 0.8), 1, 0.9, 0.5)).astype(np.float32)


def _beating(rng: Rng) -> Wave:
    """A cluster of plain tones, some a hair apart so that they beat."""
    time = dsp.timeline(rng.uniform(3, 10))
    low, out = tones.hertz(rng.uniform(36, 64)), np.zeros_like(time)
    for step in rng.choice([0, 1, 2, 5, 6, 7, 11, 12, 13, 19], int(rng.integers(2, 5)), False):
        for _ in range(int(rng.integers(1, 4))):
            hz = low * 2 ** ((step + rng.normal(0, 0.4)) / 12)
            sway = rng.uniform(0, 0.004) * np.sin(2 * np.pi * rng.uniform(0.05, 2) * time)
            out += rng.uniform(0.2, 1) * dsp.sweep((hz * (1 + sway)).astype(np.float32))
    out *= dsp.envelope(len(out), rng.uniform(0.01, 2), 1, 1, rng.uniform(0.2, 2))
    return dsp.drive(out, rng.uniform(0.5, 3)) if rng.random() < 0.4 else out


def _haunted(rng: Rng) -> Wave:
    """A low hummed tone that wavers, swells and goes, breath and overtones around it."""
    time = dsp.timeline(rng.uniform(2.5, 10))
    waver = rng.uniform(0.002, 0.04) * np.sin(2 * np.pi * rng.uniform(0.2, 5) * time)
    hz = tones.hertz(rng.uniform(36, 60)) * (1 + waver + rng.normal(0, 0.03) * time / time[-1])
    out = np.zeros_like(time)
    for k in (0.5, 1, 2, 3, 4, 6, 9):
        level = 1 if k == 1 else rng.uniform(0, 0.4) / k**0.5
        out += level * dsp.sweep((k * hz).astype(np.float32))
    low = rng.uniform(200, 1_500)
    air = biquad(dsp.noise(rng, len(out)), "bandpass", (low, low * rng.uniform(1.5, 6)), 1)
    out += rng.uniform(0, 0.4) * normalise(air)
    middle, width = rng.uniform(0.15, 0.7), rng.uniform(0.12, 0.5)
    return out * np.exp(-(((time / time[-1] - middle) / width) ** 2)).astype(np.float32)


def _rubbed(rng: Rng) -> Wave:
    """A wet finger round a glass or bowl: one pure tone that hardly breathes, a faint second."""
    time = dsp.timeline(rng.uniform(1.5, 10))
    hz = float(np.exp(rng.uniform(np.log(300), np.log(2_200))))
    hz = hz * (1 + rng.uniform(0, 0.004) * np.sin(2 * np.pi * rng.uniform(0.1, 4) * time))
    swell = 1 - rng.uniform(0, 0.6) * (0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.3, 4) * time))
    out = swell * dsp.sweep(hz.astype(np.float32))
    for ratio in rng.uniform(1.9, 4.5, 2):
        out += 10 ** rng.uniform(-2.2, -0.8) * dsp.sweep((ratio * hz).astype(np.float32))
    out += 10 ** rng.uniform(-3, -1.3) * dsp.coloured_noise(rng, len(out), rng.uniform(0, 1.5))
    fade = (rng.uniform(0.02, 1.5), 1, 1, rng.uniform(0.1, 1))
    return (out * dsp.envelope(len(out), *fade)).astype(np.float32)


def _landing(rng: Rng) -> Wave:
    """A rush of air whose band glides down or up for seconds: something huge lands far off."""
    length = samples(rng.uniform(2, 10))
    start, octaves = rng.uniform(1_500, 10_000), rng.uniform(1, 6)
    span, width, floor = rng.uniform(0.5, 4), rng.uniform(0.3, 1.8), rng.uniform(60, 500)

    def gain(f: np.ndarray, t: np.ndarray) -> np.ndarray:
        centre = np.maximum(floor, start * 2 ** (-octaves * (1 - np.exp(-t / span))))
        return np.exp(-((np.log2((f + 1) / centre) / width) ** 2))

    air = dsp.coloured_noise(rng, length, rng.uniform(0, 1.2))
    if rng.random() < 0.3:  # an engine in it
        turns = np.cumsum(np.full(length, rng.uniform(30, 150))) / dsp.RATE
        air = (air + rng.uniform(0.1, 0.6) * (2 * (turns % 1) - 1)).astype(np.float32)
    wave = dsp.spectral_gain(air, gain)
    wave = wave[::-1] if rng.random() < 0.15 else wave
    rise = np.minimum(1, np.arange(length) / samples(rng.uniform(0.005, 0.8)))
    return (wave * rise * dsp.decay_curve(length, rng.uniform(1, 12))).astype(np.float32)


def _smeared(wave: Wave, rng: Rng) -> Wave:
    """Stretched far beyond its length: long frames with their phases drawn at random."""
    frame, count = 16_384, 29
    at = np.linspace(0, max(0, len(wave) - frame), count).astype(int)
    window = np.hanning(frame).astype(np.float32)
    source = np.pad(wave, (0, frame))
    out = np.zeros((count + 1) * frame // 2, np.float32)
    for k, first in enumerate(at):
        levels = np.abs(np.fft.rfft(source[first : first + frame] * window))
        turned = levels * np.exp(2j * np.pi * rng.random(len(levels)))
        begin = k * frame // 2
        out[begin : begin + frame] += window * np.fft.irfft(turned, frame).astype(np.float32)
    return out[:CLIP_SAMPLES]


def _held_part(rng: Rng, names: tuple[str, ...], low: bool) -> Wave:
    role = str(rng.choice(["held", "sustain"]))
    return play(str(rng.choice(names)), ROLES[role](plain_song(rng), -2 if low else 0), rng)
