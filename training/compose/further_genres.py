# ruff: noqa: E501  (a table: one entry in few lines reads better than one argument a line)
"""More genres as data: historical, regional and guitar styles, and moods as small genres."""

from __future__ import annotations

from training.compose.genres import Genre
from training.compose.genres import part as _p

FURTHER_GENRES: dict[str, Genre] = {
    "medieval": Genre(("medieval",), (85, 135), ("dorian", "mixolydian", "minor"), "two", (
        _p("fast_melody", "pan_flute flute violin oboe bagpipe", 1), _p("picking",
        "nylon_guitar harp koto harpsichord", 0, 0.8), _p("held", "accordion bagpipe cello", -1, 0.3,
        0.4)), ("african", "soft"), 0.6, 0.6, beats=(4, 3)),
    "adventure": Genre(("adventure", "orchestral", "film_score"), (100, 140), ("major", "lydian",
        "mixolydian"), "pop", (_p("melody", "horn trumpet strings flute", 1), _p("tremolo", "strings",
        0, 0.5, 0.6), _p("bass_beats", "cello tuba", -1, 0.8), _p("arpeggio", "harp pizzicato celesta",
        1, 0.4, 0.5)), ("cinematic", "march"), 0.7, 0.8, reverb=(0.2, 0.5)),
    "happy_acoustic": Genre(("happy_acoustic", "acoustic"), (95, 130), ("major",), "pop", (_p("strum",
        "nylon_guitar steel_guitar banjo", 1), _p("melody", "whistle celesta piano flute kalimba", 1,
        0.7), _p("bass_beats", "upright_bass bass_guitar", -2, 0.7)), ("soft", "rock"), 0.7, 0.5),
    "post_rock": Genre(("post_rock",), (75, 115), ("major", "minor", "lydian"), "pop", (_p("arpeggio",
        "clean_guitar", 0), _p("sustain", "strings pad distorted_guitar", 0, 0.5, 0.7), _p(
        "bass_eighths", "bass_guitar", -2, 0.7), _p("slow_melody", "clean_guitar violin", 1, 0.6, 0.5)),
        ("rock",), 0.7, 0.8, reverb=(0.3, 0.6)),
    "rock_ballad": Genre(("rock_ballad",), (62, 84), ("major", "minor"), "pop", (_p("picking",
        "clean_guitar piano steel_guitar", 0), _p("slow_melody", "singer distorted_guitar", 1), _p(
        "bass_beats", "bass_guitar", -2), _p("sustain", "strings organ", 0, 0.4, 0.6)), ("rock",),
        drum_gain=0.8, reverb=(0.15, 0.4)),
    "surf_rock": Genre(("surf_rock", "rock"), (140, 175), ("harmonic", "minor", "hijaz"), "dark", (
        _p("fast_melody", "clean_guitar jazz_guitar", 0), _p("strum", "clean_guitar", 0, 0.5), _p(
        "bass_eighths", "bass_guitar", -2)), ("rock", "punk"), reverb=(0.3, 0.5), weight=0.8),
    "western": Genre(("western",), (70, 110), ("minor", "harmonic", "dorian"), "dark", (_p("melody",
        "whistle harmonica trumpet clean_guitar", 1), _p("strum", "steel_guitar nylon_guitar", 0, 0.6),
        _p("sustain", "choir strings", 0, 0.3, 0.5)), ("march", "soft", "cinematic"), 0.5, 0.5,
        reverb=(0.3, 0.6), weight=0.8),
    "tango": Genre(("tango",), (105, 130), ("minor", "harmonic"), "dark", (_p("stabs",
        "accordion piano", 0), _p("melody", "accordion violin", 1), _p("bass_beats",
        "upright_bass cello", -2)), reverb=(0.1, 0.3), weight=0.8),
    "klezmer": Genre(("klezmer",), (110, 160), ("hijaz", "harmonic"), "two", (_p("fast_melody",
        "clarinet violin accordion", 1), _p("oompah", "accordion tuba piano", -1, 0.7)), ("country",),
        0.5, 0.5, weight=0.7),
    "middle_eastern": Genre(("middle_eastern",), (80, 125), ("hijaz", "phrygian"), "static", (_p("solo",
        "nylon_guitar sitar violin pan_flute oboe", 0), _p("held", "strings accordion pad", -1, 0.3,
        0.6)), ("tabla", "african"), reverb=(0.1, 0.4), weight=0.9),
    "new_age": Genre(("new_age",), (55, 80), ("major", "pentatonic", "lydian"), "two", (_p("sustain",
        "pad choir strings", 0, 0.7), _p("slow_melody", "pan_flute flute piano harp", 1, 0.8), _p(
        "picking", "harp piano nylon_guitar", 0, 0.6, 0.7)), reverb=(0.35, 0.7), effects=("water",)),
    "psychedelic": Genre(("psychedelic",), (80, 125), ("mixolydian", "dorian"), "static", (_p("solo",
        "sitar organ distorted_guitar clean_guitar", 0), _p("bass_funky", "bass_guitar", -2), _p(
        "held", "organ sitar pad", -1, 0.4, 0.6)), ("rock",), drum_gain=0.8, effects=("echo",),
        weight=0.8),
    "acid": Genre(("acid", "techno"), (124, 140), ("minor", "phrygian", "minor_pentatonic"), "static",
        (_p("arpeggio", "synth_bass", -1, 1.2), _p("stabs", "pad", 0, 0.3, 0.4)), ("four_floor",),
        drum_gain=1.2, effects=("wobble_mild",)),
    "eurobeat_game": Genre(("game_rock", "game"), (130, 170), ("minor", "harmonic"), "pop", (
        _p("power_riff", "distorted_guitar", -1, 0.7), _p("fast_melody", "saw_lead square_lead", 1),
        _p("bass_eighths", "synth_bass", -2)), ("rock", "four_floor"), weight=0.7),
    "stealth": Genre(("stealth", "film_score"), (80, 115), ("minor", "blues", "chromatic"), "static", (
        _p("bass_walking", "pizzicato upright_bass", -1), _p("sparse_notes",
        "vibraphone clarinet pizzicato marimba", 1, 0.8), _p("comping", "pizzicato celesta", 0, 0.4,
        0.5)), ("soft", "swing"), 0.6, 0.4, weight=0.8),
    "minimal_piano_strings": Genre(("cinematic_piano", "film_score"), (60, 100), ("minor", "major"),
        "pop", (_p("arpeggio", "piano", 0), _p("sustain", "strings", 0, 0.6), _p("slow_melody",
        "cello violin piano", 1, 0.6, 0.7)), reverb=(0.25, 0.6)),
    "synth_pop": Genre(("synth_pop", "pop"), (105, 128), ("major", "minor"), "pop", (_p("bass_eighths",
        "synth_bass", -2), _p("melody", "singer square_lead saw_lead", 1), _p("stabs",
        "pad pluck_synth electric_piano", 0, 0.6), _p("sustain", "pad", 0, 0.4)), ("electro",
        "four_floor")),
    "electro_swing": Genre(("electro_swing", "swing"), (115, 128), ("minor", "blues"), "jazz", (
        _p("stabs", "brass saxophone piano", 0), _p("solo", "clarinet trumpet", 1, 0.7), _p(
        "bass_walking", "upright_bass synth_bass", -2)), ("four_floor",), swing=0.6, weight=0.7),
    "breakcore": Genre(("breakcore", "drum_and_bass"), (175, 200), ("phrygian", "minor"), "static", (
        _p("arpeggio", "saw_lead square_lead", 1, 0.5, 0.6), _p("bass_funky", "synth_bass", -2)),
        ("breakbeat", "metal"), drum_gain=1.6, effects=("chop", "chop", "drive"), weight=0.7),
    "happy_melody": Genre(("happy_melody", "happy", "playful", "uplifting"), (112, 165), ("major",
        "lydian", "mixolydian"), "pop", (_p("melody", "piano flute whistle marimba celesta "
        "electric_piano square_lead saw_lead violin clarinet steel_drum kalimba accordion", 1),
        _p("strum", "nylon_guitar banjo steel_guitar piano", 0, 0.6, 0.8), _p("bass_beats",
        "bass_guitar upright_bass synth_bass", -2, 0.6, 0.7)), ("soft", "rock", "four_floor"), 0.6,
        0.6, weight=1.5),
    "song": Genre(("song",), (70, 135), ("major", "minor", "dorian"), "pop", (_p("melody", "singer", 0,
        1.2), _p("comping", "piano clean_guitar electric_piano organ", 0, 0.6), _p("strum",
        "steel_guitar nylon_guitar clean_guitar", 0, 0.6, 0.5), _p("bass_beats",
        "bass_guitar synth_bass upright_bass", -2, 0.7, 0.8), _p("sustain", "strings pad choir", 0, 0.3,
        0.4)), ("rock", "soft", "hip_hop", "four_floor"), 0.7, 0.8, reverb=(0.0, 0.4), weight=2.0),
    "percussion_ensemble": Genre(("percussion_ensemble",), (90, 140), ("pentatonic",), "static", (
        _p("arpeggio", "marimba kalimba", 0, 0.4, 0.4),), ("african", "latin", "cinematic", "tabla"),
        drum_gain=1.5, weight=0.8),
}  # fmt: skip
