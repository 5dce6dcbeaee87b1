"""Every kind of clip: pieces, solo phrases, notes, hits, loops, voices, sounds; then finishing.

A clip is ten seconds of mono at 24 kHz with the set of raw tags that hold for it;
`vocabulary.close` adds what they imply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from training.compose import found
from training.compose.cutting import Clip, Rng, cut, trim, weighted
from training.compose.found import found_loop
from training.compose.harmony import SCALES, Song
from training.compose.instruments import INSTRUMENTS, play
from training.compose.odd_loops import odd_loop
from training.compose.pieces import ALL_GENRES, piece
from training.compose.rhythms import PATTERNS, drum_track
from training.compose.roles import ROLES
from training.compose.solo import (
    atmosphere_clip,
    bass_clip,
    guitar_clip,
    note_clip,
    phrase_clip,
    piano_clip,
    plain_song,
    texture_clip,
)
from training.synthesis import dsp, effects, everyday, nature, resonant, sampled, speech
from training.synthesis.drums import HITS
from training.synthesis.dsp import CLIP_SAMPLES, Wave, biquad, normalise, samples
from training.synthesis.soundfont import FONTS, Note, render

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
    "boom": (everyday.cinematic_boom, ("cinematic_boom", "sound_effect")),
    "impact": (resonant.struck_object, ("impact", "everyday")),
    "bell": (resonant.bell, ("struck_bell", "single_note")),
    "slam": (everyday.door, ("door", "impact", "everyday")),
    "glitch_hit": (found.glitch_hit, ("glitch", "electronic_sound", "percussion", "short")),
    "ping": (effects.ping, ("beep", "electronic_sound", "short")),
    "swish": (effects.swish, ("whoosh", "sound_effect", "short")),
    "chimes": (resonant.chimes, ("bells", "high_pitched")),
    "crackle": (everyday.crackle, ("vinyl_noise", "static")),
    "bubble": (nature.bubble, ("dripping", "short")),
    **{name: (getattr(effects, name), (name, "electronic_sound")) for name in (
        "beep", "blip", "laser", "robot", "glitch", "telephone", "alarm")},
    **{name: (getattr(effects, name), (name, "sound_effect")) for name in (
        "riser", "falling", "whoosh", "scratch", "rewind", "bass_drop", "reversed_swell")},
    "static": (effects.static, ("static", "noise")),
    "record_surface": (effects.record_surface, ("vinyl_noise", "static")),
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
    "crow": 1.5,
    "record_surface": 1.5,
    "whoosh": 3.5,
    "rain": 1.5,
    "impact": 3.5,
    "bell": 4.5,
    "boom": 2.5,
    "chimes": 1.0,
    "glass_rub": 3.0,
    "blip": 5.0,
    "beep": 2.0,
    "ping": 2.0,
    "swish": 2.0,
    "glitch_hit": 2.5,
    "slam": 2.5,
    "machine": 3.5,
    "hum": 1.5,
}
SHORTEST_SAMPLES = 240
ONLY_SAMPLED = {
    "laughter",
    "scream",
    "gunshot",
    "taiko",
    "guiro",
    "cuica",
    "orchestra_hit",
    "triangle",
}
LOOP_TAGS = {"tabla": "tabla", "african": "hand_drums", "latin": "hand_drums",
             "breakbeat": "breakbeat_loop", "drum_and_bass": "breakbeat_loop",
             "industrial": "industrial", "four_floor": "four_on_the_floor",
             "glitch": "glitch_music",
             "trap": "drum_machine", "electro": "drum_machine", "hip_hop": "hip_hop_beat",
             "rock": "rock_drums", "march": "marching_drums"}  # fmt: skip


def genre_clip(rng: Rng) -> Clip:
    """A piece of music."""
    return piece(weighted(rng, {name: g.weight for name, g in ALL_GENRES.items()}), rng)


def _preferred(rng: Rng, names: Iterable[str]) -> str:
    """One of them, those more often that nothing else makes."""
    return weighted(rng, {name: 2.5 if name in ONLY_SAMPLED else 1.0 for name in names})


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


def hit_clip(rng: Rng) -> Clip:
    """One drum hit, from a soundfont or our own synthesis."""
    if rng.random() < 0.35:
        return _recorded_hit(rng)
    name = weighted(rng, {**dict.fromkeys(HITS, 1.0), "kick": 2.5, "snare": 2.5,
                           "machine_snare": 1.5, "hihat": 2.5,
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
        wave = cut(wave, len(wave) / dsp.RATE * rng.uniform(0.35, 1))
    tags = {name, "one_shot", "percussion", "short"}
    if name in {"tabla_high", "tabla_low"}:
        tags |= {"tabla", "hand_drums"}
    if name == "machine_snare":
        tags |= {"snare", "electronic"}
    if name == "conga":
        tags.add("hand_drums")
    return trim(wave), tags


def _recorded_hit(rng: Rng) -> Clip:
    files = sampled.kit_files()
    name = weighted(rng, {hit: len(paths) ** 0.4 for hit, paths in files.items()})
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
    wave = play(kind, ROLES[role](plain_song(rng), 0), rng)
    return wave, {*INSTRUMENTS[kind].tags, "a_cappella"}


def sound_clip(rng: Rng) -> Clip:
    """A natural, everyday or designed sound, sometimes two natural ones."""
    name = weighted(rng, {n: SOUND_WEIGHTS.get(n, 1.0) for n in SOUNDS})
    make, tags = SOUNDS[name]
    wave, found = make(rng), set(tags)
    if "nature" in found and rng.random() < 0.25:
        other = str(rng.choice(["rain", "wind", "birds", "thunder", "stream", "crickets", "ocean"]))
        out = np.zeros(CLIP_SAMPLES, np.float32)
        dsp.add_at(out, wave, 0)
        wave, found = out + SOUNDS[other][0](rng) * rng.uniform(0.4, 1), found | {other}
    return wave, found


KINDS: dict[Callable[[Rng], Clip], float] = {
    genre_clip: 0.37, phrase_clip: 0.06, note_clip: 0.05, bass_clip: 0.03, hit_clip: 0.09,
    loop_clip: 0.035, found_loop: 0.025, texture_clip: 0.02, atmosphere_clip: 0.03,
    voice_clip: 0.03, sound_clip: 0.15, sampled_clip: 0.06, guitar_clip: 0.02, piano_clip: 0.02,
    odd_loop: 0.01,
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
