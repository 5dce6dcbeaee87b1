"""Every kind of clip: pieces, solo phrases, notes, hits, loops, voices, sounds; then finishing.

A clip is ten seconds of mono at 24 kHz with the set of raw tags that hold for it;
`vocabulary.close` adds what they imply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from training.compose.harmony import SCALES, Song
from training.compose.instruments import INSTRUMENTS, play
from training.compose.pieces import ALL_GENRES, piece
from training.compose.rhythms import PATTERNS, drum_track
from training.compose.roles import ROLES
from training.synthesis import dsp, effects, everyday, nature, resonant, sampled, speech
from training.synthesis.drums import HITS
from training.synthesis.dsp import CLIP_SAMPLES, Wave, biquad, normalise, samples
from training.synthesis.soundfont import FONTS, Note, render

Rng = np.random.Generator
Clip = tuple[Wave, set[str]]

SOUNDS: dict[str, tuple[Callable[[Rng], Wave], tuple[str, ...]]] = {
    **{name: (getattr(nature, name), (name, "nature")) for name in (
        "rain", "thunder", "wind", "ocean", "stream", "dripping", "fire", "birds", "crow",
        "crickets", "insects", "dog")},
    **{name: (getattr(everyday, name), (name, "everyday")) for name in (
        "footsteps", "clock", "door", "creak", "glass", "glass_rub", "typing", "heartbeat",
        "applause", "breath", "burp", "coins")},
    **{name: (getattr(everyday, name), (name, "mechanical")) for name in (
        "machine", "engine", "helicopter", "train")},
    "explosion": (everyday.explosion, ("explosion", "cinematic_boom")),
    "impact": (resonant.struck_object, ("impact", "everyday")),
    "bell": (resonant.bell, ("bells", "single_note")),
    "chimes": (resonant.chimes, ("bells", "high_pitched")),
    "crackle": (everyday.crackle, ("vinyl_noise", "static")),
    "bubble": (nature.bubble, ("dripping", "short")),
    **{name: (getattr(effects, name), (name, "electronic_sound")) for name in (
        "beep", "blip", "laser", "robot", "glitch", "telephone", "alarm")},
    **{name: (getattr(effects, name), (name, "sound_effect")) for name in (
        "riser", "falling", "whoosh", "scratch", "rewind", "bass_drop", "reversed_swell")},
    "static": (effects.static, ("static", "noise")),
    "harsh_noise": (effects.harsh_noise, ("harsh_noise",)),
    "hum": (effects.hum, ("hum", "sustained")),
}  # fmt: skip
SOUND_WEIGHTS = {
    "harsh_noise": 5.0,
    "glitch": 2.5,
    "scratch": 2.5,
    "rewind": 1.5,
    "robot": 2.0,
    "telephone": 3.0,
    "whoosh": 3.5,
    "rain": 1.5,
    "impact": 3.0,
    "bell": 3.0,
    "chimes": 1.0,
    "glass_rub": 1.5,
}
NOTE_WEIGHTS = {"bell": 2.0, "piano": 4.0, "clean_guitar": 3.0, "jazz_guitar": 1.5, "choir": 2.5,
                "distorted_guitar": 1.5, "celesta": 1.5, "electric_piano": 1.5}  # fmt: skip
SHORTEST_SAMPLES = 240
ONLY_SAMPLED = {"laughter", "scream", "gunshot", "taiko", "guiro", "cuica", "orchestra_hit"}
PHRASE_ROLES = ("melody", "slow_melody", "fast_melody", "solo", "sparse_notes", "arpeggio",
                "sustain", "picking", "strum")  # fmt: skip
LOOP_TAGS = {"tabla": "tabla", "african": "hand_drums", "latin": "hand_drums",
             "breakbeat": "breakbeat_loop", "drum_and_bass": "breakbeat_loop",
             "industrial": "industrial", "four_floor": "four_on_the_floor",
             "glitch": "glitch_music",
             "trap": "drum_machine", "electro": "drum_machine", "hip_hop": "hip_hop_beat",
             "rock": "rock_drums", "march": "marching_drums"}  # fmt: skip


def _weighted(rng: Rng, weights: dict[str, float]) -> str:
    shares = np.array(list(weights.values()))
    return str(rng.choice(list(weights), p=shares / shares.sum()))


def genre_clip(rng: Rng) -> Clip:
    """A piece of music."""
    return piece(_weighted(rng, {name: g.weight for name, g in ALL_GENRES.items()}), rng)


def _plain_song(rng: Rng) -> Song:
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
    song = _plain_song(rng)
    wave = play(name, ROLES[role](song, int(rng.integers(-1, 2))), rng)
    tags = {*INSTRUMENTS[name].tags, "solo", "beatless_music"}
    tags |= {"slow"} if role in {"slow_melody", "sparse_notes", "sustain"} else set()
    tags |= {"fast"} if role == "fast_melody" and song.bpm > 105 else set()
    return wave, tags


def note_clip(rng: Rng) -> Clip:
    """A single note or chord of one instrument, as in a sample pack."""
    name = _weighted(rng, {**dict.fromkeys(INSTRUMENTS, 1.0), **NOTE_WEIGHTS})
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
    return _cut(wave, length + rng.uniform(0.1, 1.2)), tags


def guitar_clip(rng: Rng) -> Clip:
    """An electric guitar alone: a chord left to ring, a slide, harmonics, a lick; room and echo."""
    name = _weighted(rng, {"clean_guitar": 3.0, "jazz_guitar": 1.0, "distorted_guitar": 2.0})
    length = rng.uniform(0.8, 8)
    root = Note(0.01, length, float(rng.integers(40, 70)), int(rng.integers(60, 120)))
    notes = _strummed(root, rng) if rng.random() < 0.6 else [root]
    if rng.random() < 0.25:
        gap = rng.uniform(0.12, 0.5)
        steps = rng.choice([0, 3, 5, 7, 10, 12, 15], int(rng.integers(2, 8)))
        notes = [Note(0.01 + gap * k, gap * 2, root.pitch + s, 95) for k, s in enumerate(steps)]
    wave = _cut(play(name, notes, rng), length + rng.uniform(0.1, 1.5))
    if rng.random() < 0.3:
        wave = dsp.echo(wave, rng.uniform(0.15, 0.5), rng.uniform(0.2, 0.6))
    if rng.random() < 0.4:
        wave = dsp.reverb(normalise(wave), rng, rng.uniform(0.5, 4), rng.uniform(0.1, 0.6))
    return wave, {*INSTRUMENTS[name].tags, "single_note", "solo"}


def _preferred(rng: Rng, names: Iterable[str]) -> str:
    """One of them, those more often that nothing else makes."""
    return _weighted(rng, {name: 2.5 if name in ONLY_SAMPLED else 1.0 for name in names})


def sampled_clip(rng: Rng) -> Clip:
    """A recorded noise, percussion key or rare instrument of the free collections."""
    choice = rng.random()
    if choice < 0.6:
        name = _preferred(rng, sampled.NOISES)
        return sampled.noise_sound(name, rng), set(sampled.NOISES[name][1])
    if choice < 0.8:
        name = _preferred(rng, sampled.DRUM_KEYS)
        return sampled.key_hit(name, rng), set(sampled.DRUM_KEYS[name][1])
    name = _preferred(rng, sampled.SAMPLED_NOTES)
    wave, seconds = sampled.sampled_note(name, rng)
    tags = {*sampled.SAMPLED_NOTES[name][3], "single_note"}
    return wave, tags | ({"short"} if seconds < 0.7 else set())


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
    return _cut(wave, length + 0.3), tags


def hit_clip(rng: Rng) -> Clip:
    """One drum hit, from a soundfont or our own synthesis."""
    if rng.random() < 0.35:
        return _recorded_hit(rng)
    name = _weighted(rng, {**dict.fromkeys(HITS, 1.0), "kick": 2.5, "snare": 2, "hihat": 2.5,
                           "tabla_high": 2.0, "tabla_low": 2.0, "cymbal": 1.5,
                           "tom": 1.3})  # fmt: skip
    own, keys = HITS[name]
    if keys and rng.random() < 0.5:
        notes = [Note(0.005, 0.5, int(rng.choice(keys)), int(rng.integers(60, 125)))]
        kit = int(rng.choice((0, 8, 16, 24, 25, 32, 40, 48)))
        wave = render(notes, str(rng.choice(FONTS)), kit, drums=True)[: samples(2.5)]
    else:
        wave = own(rng)
    if rng.random() < 0.3:
        wave = dsp.pitch_shift(wave, rng.uniform(0.75, 1.35))
    if rng.random() < 0.15:
        wave = _cut(wave, len(wave) / dsp.RATE * rng.uniform(0.35, 1))
    tags = {name, "one_shot", "percussion", "short"}
    if name in {"tabla_high", "tabla_low"}:
        tags |= {"tabla", "hand_drums"}
    if name == "conga":
        tags.add("hand_drums")
    return _trim(wave), tags


def _recorded_hit(rng: Rng) -> Clip:
    files = sampled.kit_files()
    name = _weighted(rng, {hit: len(paths) ** 0.4 for hit, paths in files.items()})
    tags = sampled.HIT_TAGS.get(name, (name, "one_shot", "percussion", "short"))
    return sampled.kit_hit(name, rng), set(tags)


def loop_clip(rng: Rng) -> Clip:
    """A drum loop alone, from a bar to ten seconds."""
    style = str(rng.choice(list(PATTERNS)))
    bpm = rng.uniform(160, 178) if style == "drum_and_bass" else rng.uniform(72, 150)
    swing = 1.0 if style == "swing" else float(rng.choice([0, 0, 0.4]))
    song = Song(rng, bpm, 60, SCALES["minor"], (0,), swing=swing)
    wave, _ = drum_track(song, style)
    tags = {"drum_loop", "beat", "drums", "percussion"}
    tags |= {LOOP_TAGS[style]} if style in LOOP_TAGS else set()
    tags |= {"fast"} if bpm > 140 else {"slow"} if bpm < 84 else set()
    tags |= {"energetic"} if bpm > 118 and style not in {"soft", "swing"} else set()
    tags |= {"chill"} if bpm < 90 and style in {"soft", "hip_hop", "bossa"} else set()
    if style in {"industrial", "breakbeat", "glitch"} and rng.random() < 0.4:
        wave = dsp.drive(wave, rng.uniform(2, 10))
        tags.add("distorted")
    if rng.random() < 0.5:
        wave = wave[: samples(song.bar * int(rng.integers(1, 5)))]
    return wave, tags


def texture_clip(rng: Rng) -> Clip:
    """A held pad, drone, choir or cluster without rhythm."""
    name = str(rng.choice(["pad", "pad", "strings", "choir", "organ", "saw_lead", "bowl", "cello"]))
    role = str(rng.choice(["held", "sustain", "cluster"]))
    wave = play(name, ROLES[role](_plain_song(rng), int(rng.integers(-2, 1))), rng)
    tags = {*INSTRUMENTS[name].tags, "sustained", "beatless"}
    tags |= {"suspense"} if role == "cluster" else {"drone"} if role == "held" else {"ambient"}
    if rng.random() < 0.5:
        wave = dsp.reverb(normalise(wave), rng, rng.uniform(2, 5), rng.uniform(0.4, 0.8))
        tags.add("reverberant")
    return wave, tags


def voice_clip(rng: Rng) -> Clip:
    """Speech, a whisper, a crowd, a robot's voice, a singer or a choir."""
    kind = str(
        rng.choice(["speech", "speech", "whisper", "crowd", "robot_voice", "singer", "choir"])
    )
    if kind == "speech":
        return speech.speak(rng), {"speech", "voice"}
    if kind == "whisper":
        return speech.speak(rng, whisper=True), {"whisper", "speech", "voice"}
    if kind == "crowd":
        return speech.crowd(rng), {"crowd", "voice"}
    if kind == "robot_voice":
        return speech.robot_voice(rng), {"robot", "speech", "voice", "electronic_sound"}
    role = str(rng.choice(["slow_melody", "melody", "sustain"]))
    wave = play(kind, ROLES[role](_plain_song(rng), 0), rng)
    return wave, {*INSTRUMENTS[kind].tags, "a_cappella"}


def sound_clip(rng: Rng) -> Clip:
    """A natural, everyday or designed sound, sometimes two natural ones."""
    name = _weighted(rng, {n: SOUND_WEIGHTS.get(n, 1.0) for n in SOUNDS})
    make, tags = SOUNDS[name]
    wave, found = make(rng), set(tags)
    if "nature" in found and rng.random() < 0.25:
        other = str(rng.choice(["rain", "wind", "birds", "thunder", "stream", "crickets", "ocean"]))
        out = np.zeros(CLIP_SAMPLES, np.float32)
        dsp.add_at(out, wave, 0)
        wave, found = out + SOUNDS[other][0](rng) * rng.uniform(0.4, 1), found | {other}
    return wave, found


KINDS: dict[Callable[[Rng], Clip], float] = {
    genre_clip: 0.42, phrase_clip: 0.06, note_clip: 0.06, bass_clip: 0.03, hit_clip: 0.09,
    loop_clip: 0.04, texture_clip: 0.03, voice_clip: 0.03, sound_clip: 0.14, sampled_clip: 0.08,
    guitar_clip: 0.02,
}  # fmt: skip


def make_clip(rng: Rng) -> Clip:
    """A finished clip of a random kind: (240000,) samples and its raw tags."""
    kinds = list(KINDS)
    while True:
        wave, tags = kinds[rng.choice(len(kinds), p=list(KINDS.values()))](rng)
        if len(wave) < SHORTEST_SAMPLES:  # a soundfont without that preset is silent
            continue
        wave, tags = _finish(normalise(wave), tags, rng)
        if np.isfinite(wave).all() and np.abs(wave).max() > 0.01:
            return repeat_pad(wave), tags


def repeat_pad(wave: Wave) -> Wave:
    """Whole repeats up to ten seconds, then zeros: how the product presents short sounds."""
    if len(wave) < CLIP_SAMPLES:
        wave = np.tile(wave, CLIP_SAMPLES // len(wave))
        wave = np.pad(wave, (0, CLIP_SAMPLES - len(wave)))
    return wave[:CLIP_SAMPLES]


def _cut(wave: Wave, seconds: float) -> Wave:
    wave = wave[: samples(seconds)].copy()
    fade = min(samples(0.03), len(wave))
    wave[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return wave


def _trim(wave: Wave) -> Wave:
    loud = np.flatnonzero(np.abs(wave) > 0.004 * np.abs(wave).max())
    return wave[: max(samples(0.05), loud[-1] + 1)] if len(loud) else wave


def _finish(wave: Wave, tags: set[str], rng: Rng) -> Clip:
    """Random production: equaliser, room, band limit, drive, noise, level; and measured tags."""
    tags = set(tags)
    if rng.random() < 0.3 and len(wave) < CLIP_SAMPLES // 2:
        wave = np.concatenate([wave, dsp.silence(rng.uniform(0.05, 1.0))])
    if rng.random() < 0.5:
        wave = dsp.random_equaliser(wave, rng)
    if rng.random() < 0.2:
        wet = rng.uniform(0.05, 0.6)
        wave = dsp.reverb(wave, rng, rng.uniform(0.3, 2.5), wet)
        tags |= {"reverberant"} if wet > 0.45 else set()
    if rng.random() < 0.2:
        cutoff = float(np.exp(rng.uniform(np.log(900), np.log(9_500))))
        wave = biquad(wave, "lowpass", cutoff, int(rng.integers(1, 4)))
        tags |= {"muffled"} if cutoff < 1_800 else set()
    if rng.random() < 0.12:
        wave = biquad(wave, "highpass", float(np.exp(rng.uniform(np.log(40), np.log(500)))))
    if rng.random() < 0.1:
        amount = rng.uniform(0.8, 8)
        wave = dsp.drive(wave, amount)
        tags |= {"distorted"} if amount > 4.5 else set()
    if rng.random() < 0.25:
        wave = dsp.compress(wave, rng.uniform(0.5, 0.9))
    if rng.random() < 0.3:
        level = 10 ** rng.uniform(-3.5, -1.3)
        hiss = dsp.coloured_noise(rng, len(wave), rng.uniform(0, 1.5))
        wave = normalise(wave) + level * hiss
        tags |= {"hissy"} if level > 0.025 else set()
    return normalise(wave), tags | _measured(wave)


def _measured(wave: Wave) -> set[str]:
    """Brightness by the spectral centroid."""
    middle = wave[: 1 << 16]
    power = np.abs(np.fft.rfft(middle)) ** 2
    hertz = np.fft.rfftfreq(len(middle), 1 / dsp.RATE)
    centroid = float((power * hertz).sum() / (power.sum() + 1e-12))
    return {"bright"} if centroid > 3_000 else {"deep"} if centroid < 220 else set()
