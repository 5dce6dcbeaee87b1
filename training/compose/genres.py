# ruff: noqa: E501  (a table: one entry in few lines reads better than one argument a line)
"""Genres as data: tempo, harmony, drums and parts. `pieces.py` turns them into sound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A role for one of several instruments; `chance` is how often the part is there."""

    role: str
    instruments: tuple[str, ...]
    octave: int = 0
    gain: float = 1.0
    chance: float = 1.0


@dataclass(frozen=True)
class Genre:
    """A recipe. `weight` is relative; effects are names in `pieces.EFFECTS`."""

    tags: tuple[str, ...]
    bpm: tuple[float, float]
    scales: tuple[str, ...]
    progression: str
    parts: tuple[Part, ...]
    drums: tuple[str, ...] = ()
    drum_chance: float = 1.0
    drum_gain: float = 1.0
    swing: float = 0.0
    sevenths: bool = False
    beats: tuple[int, ...] = (4,)
    reverb: tuple[float, float] = (0.0, 0.3)
    effects: tuple[str, ...] = ()
    weight: float = 1.0


def part(
    role: str, instruments: str, octave: int = 0, gain: float = 1.0, chance: float = 1.0
) -> Part:
    """A part with its instruments written as words."""
    return Part(role, tuple(instruments.split()), octave, gain, chance)


_p = part
_MINOR = ("minor", "phrygian", "dorian")
_JAZZ = ("major", "dorian", "mixolydian")
_BRASS = "trumpet brass horn trombone"
_LEADS = "saw_lead square_lead pluck_synth"

GENRES: dict[str, Genre] = {
    "ambient": Genre(("ambient", "calm", "dreamy", "spacious"), (50, 75), ("major", "lydian", "minor"),
        "two", (_p("sustain", "pad pad strings choir"), _p("sparse_notes", "piano bell vibraphone "
        "pluck_synth electric_piano flute", 1, 0.6, 0.6), _p("held", "pad sub_bass", -1, 0.5, 0.5)),
        reverb=(0.4, 0.8), weight=1.6),
    "dark_ambient": Genre(("dark_ambient",), (45, 65), ("phrygian", "minor", "harmonic"), "static",
        (_p("held", "pad strings choir sub_bass", -2), _p("cluster", "pad strings choir organ", -1,
        0.5, 0.5), _p("sparse_notes", "gong bell piano", -1, 0.4, 0.4)), reverb=(0.4, 0.8),
        effects=("rumble", "darken"), weight=1.8),
    "drone": Genre(("drone", "sustained", "beatless"), (45, 60), ("minor", "major"), "static",
        (_p("held", "pad strings organ bagpipe saw_lead choir sub_bass accordion cello", -1),
        _p("held", "pad sub_bass", -2, 0.7, 0.6)), reverb=(0.1, 0.7), effects=("slow_filter",)),
    "techno": Genre(("techno",), (124, 142), _MINOR, "static", (_p("bass_rolling",
        "synth_bass sub_bass", -2, 0.8), _p("stabs", "pad saw_lead pluck_synth organ", 0, 0.4, 0.6),
        _p("arpeggio", "pluck_synth square_lead saw_lead synth_bass", 0, 0.4, 0.6)), ("four_floor",),
        drum_gain=1.4, effects=("slow_filter",), weight=2.2),
    "house": Genre(("house",), (116, 128), ("minor", "dorian", "major"), "pop", (_p("bass_funky",
        "synth_bass bass_guitar", -2), _p("stabs", "piano organ electric_piano pad strings", 0, 0.7),
        _p("melody", "singer saxophone flute saw_lead", 1, 0.4, 0.25)), ("four_floor",),
        sevenths=True, weight=1.2),
    "trance": Genre(("trance",), (132, 145), ("minor",), "pop", (_p("bass_rolling", "synth_bass",
        -2, 0.8), _p("arpeggio", "saw_lead pluck_synth square_lead", 1, 0.7), _p("sustain",
        "pad strings choir", 0, 0.5)), ("four_floor",), reverb=(0.2, 0.5)),
    "edm": Genre(("edm",), (124, 132), ("minor", "major"), "pop", (_p("stabs", "saw_lead pad", 0),
        _p("bass_eighths", "synth_bass", -2, 0.8), _p("melody", _LEADS, 1, 0.8, 0.7)),
        ("four_floor",), drum_gain=1.2, effects=("pump",)),
    "drum_and_bass": Genre(("drum_and_bass",), (165, 180), _MINOR, "dark", (_p("bass_syncopated",
        "sub_bass synth_bass", -2), _p("sustain", "pad strings electric_piano", 0, 0.4, 0.7),
        _p("arpeggio", "pluck_synth bell", 1, 0.3, 0.3)), ("drum_and_bass", "drum_and_bass",
        "breakbeat"), drum_gain=1.4, weight=1.8),
    "jungle": Genre(("jungle", "drum_and_bass"), (155, 172), _MINOR, "static", (_p("bass_syncopated",
        "sub_bass", -2), _p("sustain", "pad", 0, 0.3, 0.5)), ("breakbeat",), drum_gain=1.5,
        effects=("chop",), weight=0.8),
    "breakbeat": Genre(("breakbeat",), (120, 140), ("minor", "minor_pentatonic"), "static",
        (_p("bass_funky", "synth_bass bass_guitar", -2, 0.9), _p("stabs", "saw_lead organ brass", 0,
        0.5, 0.5)), ("breakbeat",), drum_gain=1.4),
    "dubstep": Genre(("dubstep",), (138, 146), _MINOR, "static", (_p("bass_syncopated", "synth_bass",
        -2, 1.3), _p("sustain", "pad choir", 0, 0.3, 0.5)), ("half_time",), drum_gain=1.3,
        effects=("wobble", "drive")),
    "hip_hop": Genre(("hip_hop",), (82, 100), ("minor", "minor_pentatonic", "dorian"), "two",
        (_p("bass_syncopated", "bass_guitar sub_bass synth_bass", -2), _p("arpeggio",
        "piano electric_piano strings brass bell", 0, 0.5, 0.6), _p("stabs", "brass electric_piano "
        "clean_guitar strings", 0, 0.4, 0.4)), ("hip_hop",), drum_gain=1.4, swing=0.3, effects=("rap",)),
    "lofi_hip_hop": Genre(("lofi_hip_hop",), (68, 90), ("major", "dorian", "minor"), "jazz",
        (_p("comping", "electric_piano piano jazz_guitar", 0, 0.9), _p("bass_beats",
        "upright_bass sub_bass bass_guitar", -2, 0.7), _p("solo", "piano flute vibraphone jazz_guitar "
        "electric_piano saxophone", 1, 0.4, 0.5)), ("hip_hop",), drum_gain=0.8, swing=0.6,
        sevenths=True, effects=("vinyl", "tape", "muffle"), weight=2.0),
    "trap": Genre(("trap",), (130, 150), ("minor", "phrygian", "harmonic"), "dark", (part(
        "bass_syncopated", "sub_bass", -2, 1.1), _p("arpeggio", "bell piano pluck_synth flute strings",
        1, 0.5), _p("sustain", "pad choir", 0, 0.3, 0.4)), ("trap",), drum_gain=1.3, effects=("rap",)),
    "jazz": Genre(("jazz",), (95, 190), _JAZZ, "jazz", (_p("bass_walking", "upright_bass", -2),
        _p("comping", "piano piano jazz_guitar vibraphone", 0, 0.7), _p("solo",
        "piano saxophone trumpet clarinet jazz_guitar vibraphone", 1, 0.8, 0.8)), ("swing",),
        drum_gain=0.7, swing=1.0, sevenths=True, weight=2.0),
    "slow_jazz": Genre(("jazz", "late_night", "slow", "calm", "romantic"), (58, 80), _JAZZ, "jazz",
        (_p("bass_walking", "upright_bass", -2), _p("comping", "piano jazz_guitar electric_piano", 0,
        0.7), _p("slow_melody", "saxophone trumpet clarinet piano", 1, 0.8)), ("swing",),
        drum_gain=0.4, swing=0.9, sevenths=True, reverb=(0.15, 0.4)),
    "big_band": Genre(("swing", "jazz", "happy"), (130, 200), ("mixolydian", "blues", "major"),
        "blues", (_p("bass_walking", "upright_bass", -2), _p("stabs", "brass saxophone trumpet", 0),
        _p("solo", "trumpet saxophone clarinet trombone", 1, 0.8)), ("swing",), swing=1.0,
        sevenths=True),
    "bossa_nova": Genre(("bossa_nova",), (110, 140), ("major", "dorian"), "jazz", (_p("bossa",
        "nylon_guitar", 0), _p("bass_beats", "upright_bass bass_guitar", -2, 0.8), _p("melody",
        "flute singer saxophone piano vibraphone", 1, 0.5, 0.6)), ("bossa",), drum_gain=0.5,
        sevenths=True),
    "latin": Genre(("latin",), (95, 125), ("minor", "major", "harmonic"), "pop", (_p("stabs", "piano",
        0, 0.8), _p("bass_funky", "upright_bass bass_guitar", -2), _p("fanfare", "trumpet brass", 0,
        0.5, 0.5)), ("latin",)),
    "flamenco": Genre(("flamenco",), (100, 150), ("phrygian", "hijaz"), "dark", (_p("strum",
        "nylon_guitar", 0), _p("fast_melody", "nylon_guitar", 1, 0.9)), ("latin",), 0.3, 0.5,
        weight=0.6),
    "blues": Genre(("blues",), (65, 120), ("blues", "mixolydian"), "blues", (_p("oompah",
        "clean_guitar piano jazz_guitar", 0, 0.6), _p("bass_walking", "bass_guitar upright_bass", -2),
        _p("solo", "harmonica clean_guitar distorted_guitar saxophone jazz_guitar", 1)), ("rock",
        "swing"), drum_gain=0.7, swing=0.8, sevenths=True),
    "rock": Genre(("rock",), (100, 150), ("minor_pentatonic", "mixolydian", "minor"), "pop", (
        _p("power_riff", "distorted_guitar", -1), _p("bass_eighths", "bass_guitar", -2), _p("solo",
        "distorted_guitar singer organ", 1, 0.7, 0.5)), ("rock",), drum_gain=1.2, weight=1.4),
    "metal": Genre(("metal",), (120, 200), ("phrygian", "minor", "harmonic"), "dark", (
        _p("power_riff", "distorted_guitar", -2, 1.3), _p("bass_eighths", "bass_guitar", -2),
        _p("fast_melody", "distorted_guitar", 1, 0.6, 0.4)), ("metal",), drum_gain=1.2,
        effects=("drive",), weight=1.3),
    "punk": Genre(("punk", "rock"), (160, 210), ("major", "mixolydian"), "pop", (_p("power_riff",
        "distorted_guitar", -1, 1.2), _p("bass_eighths", "bass_guitar", -2)), ("punk",),
        drum_gain=1.2, effects=("drive",), weight=0.8),
    "pop": Genre(("pop",), (95, 128), ("major", "minor"), "pop", (_p("strum",
        "steel_guitar clean_guitar piano", 0, 0.6), _p("bass_eighths", "bass_guitar synth_bass", -2),
        _p("melody", "singer square_lead piano", 1, 0.8), _p("sustain", "strings pad", 0, 0.3, 0.5)),
        ("rock", "four_floor")),
    "folk": Genre(("folk", "acoustic"), (80, 130), ("major", "mixolydian", "dorian"), "pop", (
        _p("picking", "steel_guitar nylon_guitar", 0), _p("melody",
        "singer flute violin harmonica steel_guitar", 1, 0.6, 0.5), _p("strum", "steel_guitar banjo",
        0, 0.5, 0.4)), ("soft",), 0.25, 0.4, beats=(4, 3), weight=2.0),
    "acoustic": Genre(("acoustic", "folk"), (70, 120), ("major",), "pop", (_p("strum",
        "steel_guitar nylon_guitar", 0), _p("slow_melody", "singer steel_guitar", 1, 0.6, 0.4)),
        ("soft",), 0.2, 0.4),
    "country": Genre(("country",), (95, 140), ("major", "mixolydian"), "classical", (_p("oompah",
        "steel_guitar", 0), _p("fast_melody", "banjo violin clean_guitar harmonica", 1, 0.7),
        _p("bass_beats", "upright_bass bass_guitar", -2)), ("country",), drum_gain=0.6),
    "celtic": Genre(("celtic", "folk"), (110, 150), ("dorian", "mixolydian", "major"), "two", (
        _p("fast_melody", "violin flute pan_flute accordion bagpipe whistle", 1), _p("strum",
        "steel_guitar harp", 0, 0.5, 0.8)), ("soft", "african"), 0.4, 0.4, weight=0.8),
    "classical": Genre(("classical",), (80, 150), ("major", "minor", "harmonic"), "classical", (
        _p("alberti", "piano strings harpsichord harp", 0, 0.8), _p("melody",
        "violin flute oboe clarinet piano cello", 1), _p("bass_beats", "cello", -1, 0.5, 0.6)),
        beats=(4, 3), reverb=(0.1, 0.4)),
    "baroque": Genre(("baroque", "classical"), (80, 120), ("minor", "major", "harmonic"), "classical",
        (_p("arpeggio", "harpsichord church_organ", 0), _p("fast_melody",
        "harpsichord violin flute oboe church_organ", 1), _p("bass_walking", "cello harpsichord", -2,
        0.7)), reverb=(0.1, 0.4), weight=0.7),
    "string_quartet": Genre(("string_quartet",), (60, 130), ("major", "minor", "harmonic"),
        "classical", (_p("melody", "violin", 1), _p("alberti", "violin viola", 0, 0.7),
        _p("slow_melody", "viola", 0, 0.7), _p("bass_beats", "cello", -1, 0.9)), beats=(4, 3),
        reverb=(0.1, 0.35), weight=1.6),
    "slow_strings": Genre(("strings", "classical", "sad", "slow", "romantic"), (50, 70), ("minor",
        "major"), "pop", (_p("sustain", "strings", 0), _p("slow_melody", "violin cello viola", 1)),
        reverb=(0.2, 0.6)),
    "orchestral": Genre(("orchestral", "film_score"), (80, 140), ("minor", "major", "lydian"), "pop",
        (_p("tremolo", "strings", 0, 0.7), _p("melody", "horn trumpet violin strings", 1),
        _p("bass_beats", "tuba trombone cello", -1, 0.8), _p("sustain", "choir brass", 0, 0.5, 0.5)),
        ("cinematic",), 0.7, reverb=(0.3, 0.6), weight=1.3),
    "epic": Genre(("epic", "orchestral", "film_score"), (90, 150), ("minor", "phrygian"), "dark", (
        _p("tremolo", "strings cello", -1), _p("fanfare", "brass horn trombone choir", 0, 0.8),
        _p("sustain", "choir strings", 0, 0.6)), ("cinematic",), drum_gain=1.4, reverb=(0.3, 0.6)),
    "suspense": Genre(("suspense", "film_score"), (70, 130), ("phrygian", "chromatic", "whole_tone"),
        "static", (_p("cluster", "strings pad choir piano", 0), _p("tremolo", "strings pizzicato", -1,
        0.5, 0.4), _p("sparse_notes", "piano bell celesta pizzicato", 1, 0.6, 0.6)), ("cinematic",),
        0.2, 0.5, reverb=(0.3, 0.7), effects=("rumble",), weight=1.3),
    "brass_fanfare": Genre(("brass_fanfare",), (90, 140), ("major", "mixolydian", "lydian"),
        "classical", (_p("fanfare", _BRASS, 0), _p("fanfare", "trumpet", 0, 0.7, 0.6),
        _p("bass_beats", "tuba trombone", -1, 0.7, 0.7)), ("march", "cinematic"), 0.5, 0.7,
        reverb=(0.1, 0.5), weight=1.6),
    "march": Genre(("march",), (100, 126), ("major",), "classical", (_p("oompah", "tuba brass", -1,
        0.8), _p("melody", "trumpet flute clarinet brass", 1)), ("march",)),
    "solo_piano": Genre(("solo_piano",), (60, 130), ("major", "minor", "lydian", "dorian"), "pop", (
        _p("picking", "piano", -1, 0.9), _p("melody", "piano", 1)), reverb=(0.05, 0.45), weight=1.5),
    "calm_piano": Genre(("solo_piano", "calm"), (50, 75), ("major", "lydian", "minor"), "pop", (
        _p("sparse_notes", "piano", 1), _p("picking", "piano", -1, 0.6, 0.6), _p("sustain", "piano", 0,
        0.5, 0.7), _p("slow_melody", "piano", 1, 0.8, 0.6)), reverb=(0.15, 0.6), effects=("soften",),
        weight=1.6),
    "ragtime": Genre(("ragtime",), (90, 130), ("major",), "classical", (_p("oompah",
        "honky_tonk piano", -1, 0.8), _p("fast_melody", "honky_tonk piano", 1)), swing=0.3,
        weight=0.7),
    "choral": Genre(("choral",), (55, 90), ("major", "minor", "dorian"), "classical", (_p("sustain",
        "choir", 0), _p("slow_melody", "choir singer", 1, 0.7), _p("sustain", "church_organ", -1, 0.4,
        0.3)), reverb=(0.3, 0.7), weight=1.3),
    "church_organ": Genre(("church_music", "church_organ"), (60, 100), ("major", "minor", "harmonic"),
        "classical", (_p("sustain", "church_organ", 0), _p("melody", "church_organ", 1),
        _p("bass_beats", "church_organ", -2, 0.7)), reverb=(0.3, 0.7), weight=0.7),
    "reggae": Genre(("reggae",), (66, 92), ("minor", "major", "dorian"), "two", (_p("skank",
        "clean_guitar organ piano", 0, 0.8), _p("bass_syncopated", "bass_guitar", -2, 1.2),
        _p("melody", "singer organ brass harmonica", 1, 0.5, 0.4)), ("reggae",), weight=1.3),
    "dub": Genre(("dub", "reggae"), (66, 80), ("minor", "dorian"), "static", (_p("skank",
        "clean_guitar organ electric_piano", 0, 0.5), _p("bass_syncopated", "bass_guitar sub_bass", -2,
        1.4)), ("reggae",), effects=("echo",)),
    "funk": Genre(("funk",), (95, 118), ("dorian", "mixolydian", "minor_pentatonic"), "static", (
        _p("bass_funky", "bass_guitar", -2, 1.2), _p("stabs", "clean_guitar brass organ", 0, 0.8),
        _p("solo", "saxophone organ electric_piano clean_guitar", 1, 0.5, 0.5)), ("funk",),
        sevenths=True),
    "disco": Genre(("disco",), (110, 126), ("minor", "dorian", "major"), "pop", (_p("bass_eighths",
        "bass_guitar", -2), _p("stabs", "clean_guitar strings brass piano", 0, 0.7), _p("melody",
        "strings brass singer", 1, 0.6)), ("four_floor",), sevenths=True),
    "soul": Genre(("soul",), (65, 100), ("major", "dorian"), "pop", (_p("comping",
        "electric_piano organ clean_guitar", 0), _p("bass_funky", "bass_guitar", -2), _p("slow_melody",
        "singer saxophone", 1, 0.8)), ("hip_hop", "rock"), drum_gain=0.8, swing=0.3, sevenths=True),
    "chiptune": Genre(("chiptune",), (110, 175), ("major", "minor", "mixolydian", "harmonic"), "pop",
        (_p("fast_melody", "chip", 1), _p("arpeggio", "chip", 0, 0.5), _p("bass_eighths", "chip", -1,
        0.7, 0.9)), ("electro", "rock", "four_floor"), 0.7, 0.5, effects=("crush",), weight=2.0),
    "synthwave": Genre(("synthwave",), (85, 120), ("minor", "dorian"), "pop", (_p("bass_eighths",
        "synth_bass", -2), _p("sustain", "pad strings", 0, 0.6), _p("arpeggio", _LEADS, 1, 0.5),
        _p("slow_melody", "saw_lead square_lead", 1, 0.7, 0.6)), ("rock", "electro"),
        reverb=(0.2, 0.5), weight=1.4),
    "electro": Genre(("electro",), (115, 135), ("minor", "minor_pentatonic"), "static", (
        _p("bass_funky", "synth_bass", -2), _p("arpeggio", "square_lead pluck_synth", 1, 0.5)),
        ("electro",)),
    "downtempo": Genre(("downtempo",), (75, 100), ("dorian", "minor", "major"), "two", (_p("sustain",
        "pad strings electric_piano", 0, 0.7), _p("bass_syncopated", "bass_guitar sub_bass", -2),
        _p("sparse_notes", "electric_piano pluck_synth flute sitar nylon_guitar", 1, 0.6)),
        ("hip_hop", "soft"), drum_gain=0.7, reverb=(0.2, 0.5), sevenths=True),
    "idm": Genre(("glitch_music",), (95, 150), ("dorian", "minor", "lydian"), "two", (_p("sparse_notes",
        "bell pluck_synth electric_piano", 1, 0.7), _p("sustain", "pad", 0, 0.4, 0.7),
        _p("bass_syncopated", "sub_bass synth_bass", -2, 0.7, 0.7)), ("glitch", "breakbeat"),
        effects=("chop",)),
    "industrial": Genre(("industrial",), (90, 140), ("phrygian", "minor"), "static", (_p("power_riff",
        "distorted_guitar synth_bass saw_lead", -2, 0.9), _p("held", "pad", -1, 0.3, 0.5)),
        ("industrial",), drum_gain=1.5, effects=("drive", "machine"), weight=1.1),
    "meditation": Genre(("meditation",), (45, 60), ("pentatonic", "major", "lydian"), "static", (
        _p("sparse_notes", "bowl bell bowl gong", 0), _p("held", "pad bowl", -1, 0.3, 0.6),
        _p("sparse_notes", "pan_flute flute koto harp", 1, 0.5, 0.25)), reverb=(0.3, 0.7),
        effects=("water",), weight=1.8),
    "lullaby": Genre(("lullaby",), (60, 90), ("major",), "classical", (_p("slow_melody",
        "celesta celesta harp", 1), _p("picking", "celesta harp piano", 0, 0.5, 0.7)),
        beats=(3, 4), reverb=(0.1, 0.4)),
    "waltz": Genre(("waltz",), (100, 180), ("major", "minor", "harmonic"), "classical", (_p("oompah",
        "piano accordion strings", -1, 0.7), _p("melody", "violin accordion piano clarinet flute", 1)),
        beats=(3,)),
    "polka": Genre(("polka",), (110, 135), ("major",), "classical", (_p("oompah", "accordion tuba", -1),
        _p("fast_melody", "accordion clarinet", 1)), ("country",), 0.6, 0.5, weight=0.6),
    "indian": Genre(("indian",), (70, 130), ("hijaz", "phrygian", "mixolydian"), "static", (_p("held",
        "sitar pad accordion", -1, 0.4), _p("solo", "sitar sitar flute violin singer", 0, 0.9, 0.7)),
        ("tabla",), drum_gain=1.2, weight=1.4),
    "african": Genre(("african",), (95, 130), ("pentatonic", "major"), "two", (_p("arpeggio",
        "kalimba marimba nylon_guitar", 1, 0.7, 0.7), _p("melody", "singer choir pan_flute", 0, 0.5,
        0.4)), ("african",), drum_gain=1.3),
    "east_asian": Genre(("east_asian",), (55, 95), ("pentatonic", "minor_pentatonic"), "static", (
        _p("solo", "koto", 0), _p("slow_melody", "pan_flute violin", 1, 0.7, 0.7)), ("african",), 0.2,
        0.4, reverb=(0.1, 0.5), weight=0.8),
    "gamelan": Genre(("gamelan",), (80, 130), ("pentatonic", "phrygian"), "static", (_p("fast_melody",
        "bell vibraphone celesta", 1), _p("arpeggio", "bell marimba", 0, 0.6), _p("sparse_notes",
        "gong", -2, 0.8)), reverb=(0.1, 0.4), weight=0.6),
    "caribbean": Genre(("caribbean",), (95, 125), ("major",), "classical", (_p("fast_melody",
        "steel_drum", 1), _p("skank", "clean_guitar steel_drum", 0, 0.5), _p("bass_beats",
        "bass_guitar", -2)), ("latin",), weight=0.7),
    "space": Genre(("space_music", "ambient"), (55, 90), ("lydian", "whole_tone", "minor"), "static", (
        _p("sustain", "pad choir"), _p("arpeggio", "pluck_synth bell", 1, 0.4, 0.5), _p("held",
        "sub_bass pad", -2, 0.6)), reverb=(0.4, 0.8), effects=("slow_filter", "echo")),
    "circus": Genre(("playful", "circus"), (110, 160), ("major", "chromatic"), "classical", (
        _p("oompah", "tuba accordion pizzicato", -1), _p("fast_melody",
        "clarinet celesta marimba whistle flute pizzicato oboe", 1)), ("march", "soft"), 0.4, 0.5,
        weight=0.9),
}  # fmt: skip
