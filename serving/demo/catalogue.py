"""Who plays what: invented artists, albums and titles, and the file format of every piece.

Names say nothing about a style, so that a search can only find a piece by its sound.
"""

from dataclasses import dataclass
from typing import Final

from .pieces import DemoPiece, DemoQuery

RECIPE_VERSION: Final = 1
"""Raised whenever a piece would sound different; it is part of every file name."""

PIECES_PER_STYLE: Final = 4


@dataclass(frozen=True)
class _Artist:
    style: str
    name: str
    album: str
    titles: tuple[str, str, str, str]


_ARTISTS: Final = (
    _Artist(
        "dark ambient drone",
        "Varn Ostrel",
        "Below the Permafrost",
        ("Unlit Corridor", "Silt", "The Lower Archive", "Black Ice Survey"),
    ),
    _Artist(
        "driving techno",
        "Kessler Ohm",
        "Assembly Line Nine",
        ("Conveyor", "Pressure Valve", "Torque", "Night Shift"),
    ),
    _Artist(
        "solo piano",
        "Ilse Marwood",
        "Letters Never Sent",
        ("Window Seat", "Pale Morning", "Running Water", "For Agnes"),
    ),
    _Artist(
        "string quartet",
        "The Halloran Four",
        "Rooms of Oak",
        ("Widow's Orchard", "Weather Vane", "Clockmaker's Daughter", "Evensong Lane"),
    ),
    _Artist(
        "chiptune",
        "Pixel Otter",
        "Continue?",
        ("Coin Cavern", "Lava Level", "Cloud Shop", "Final Castle"),
    ),
    _Artist(
        "drum and bass",
        "Subframe",
        "Orbital Decay",
        ("Slipstream", "Redline", "Zero Meridian", "Turbine Hall"),
    ),
    _Artist(
        "acoustic guitar folk",
        "Wren Castellan",
        "Hedgerow",
        ("Mill Road", "Harvest Home", "The Tinker's Boots", "Grey Heron"),
    ),
    _Artist(
        "lo-fi hip hop",
        "Dozy Kettle",
        "Half Past Two",
        ("Rain on the Bus", "Noodles Again", "Left on Read", "Corner Shop"),
    ),
    _Artist(
        "brass fanfare",
        "Royal Aldmoor Ensemble",
        "Arrivals",
        ("Gates of Aldmoor", "The Queen's Barge", "Victory Square", "Banners"),
    ),
    _Artist(
        "jazz trio",
        "Teddy Brandt",
        "Last Table on the Left",
        ("Two Olives", "Taxi on Ninth", "Smoke Gets Expensive", "Hat Check"),
    ),
    _Artist(
        "harsh noise",
        "Gravel Liturgy",
        "Teeth",
        ("Shredder", "Fault Line", "Rust Communion", "Overload Permit"),
    ),
    _Artist(
        "meditation bells",
        "Sanna Okoro",
        "Still Lake",
        ("First Breath", "Lotus Steps", "Evening Sit", "Empty Cup"),
    ),
    _Artist(
        "choir",
        "Collegium Vareth",
        "Lumen",
        ("Vault", "Compline", "Marian Window", "Ashes"),
    ),
    _Artist(
        "synthwave",
        "Neon Pelican",
        "Interstate 1986",
        ("Chrome Sunset", "Palm Shadows", "Turbo Lover's Lane", "Midnight Mileage"),
    ),
    _Artist(
        "dub reggae",
        "Prince Fenwick",
        "Island Ledger",
        ("Zinc Roof", "Mango Season", "Ridge Road Version", "Fisherman Say"),
    ),
)

_FORMATS: Final = (
    ("mp3", 44_100),
    ("flac", 44_100),
    ("ogg", 44_100),
    ("m4a", 48_000),
    ("opus", 48_000),
    ("mp3", 48_000),
    ("wav", 44_100),
    ("ogg", 48_000),
    ("aiff", 48_000),
    ("flac", 48_000),
    ("m4a", 44_100),
)
"""Extension and sample rate, dealt out in turn; eleven is coprime to the pieces per style."""

_MONO: Final = frozenset({11, 25, 39, 53})
"""Pieces in one channel, none of them Vorbis, whose encoder takes stereo only."""


def _piece(index: int) -> DemoPiece:
    artist = _ARTISTS[index // PIECES_PER_STYLE]
    variant = index % PIECES_PER_STYLE
    extension, sample_rate = _FORMATS[index % len(_FORMATS)]
    slug = artist.style.replace(" ", "-")
    return DemoPiece(
        style=artist.style,
        title=artist.titles[variant],
        artist=artist.name,
        album=artist.album,
        seed=index,
        extension=extension,
        file_name=f"{slug}-{variant + 1}.v{RECIPE_VERSION}.{extension}",
        sample_rate=sample_rate,
        channels=1 if index in _MONO else 2,
    )


DEMO_PIECES: Final = tuple(_piece(index) for index in range(len(_ARTISTS) * PIECES_PER_STYLE))

DEMO_QUERIES: Final = (
    DemoQuery("calm solo piano", "solo piano"),
    DemoQuery("dark ambient drone", "dark ambient drone"),
    DemoQuery("driving techno for a warehouse at night", "driving techno"),
    DemoQuery("8-bit video game music", "chiptune"),
    DemoQuery("fingerpicked folk guitar", "acoustic guitar folk"),
    DemoQuery("meditation bells", "meditation bells"),
)

EXTRA_QUERIES: Final = (
    DemoQuery("ominous low drone in a cavern", "dark ambient drone"),
    DemoQuery("eerie atmosphere without a beat", "dark ambient drone"),
    DemoQuery("four on the floor techno kick drum", "driving techno"),
    DemoQuery("hypnotic electronic club music", "driving techno"),
    DemoQuery("gentle classical piano", "solo piano"),
    DemoQuery("violins and cello, chamber music", "string quartet"),
    DemoQuery("classical string quartet", "string quartet"),
    DemoQuery("chiptune", "chiptune"),
    DemoQuery("retro Nintendo game soundtrack", "chiptune"),
    DemoQuery("fast drum and bass breakbeat", "drum and bass"),
    DemoQuery("jungle at 174 bpm", "drum and bass"),
    DemoQuery("acoustic guitar by the fireside", "acoustic guitar folk"),
    DemoQuery("lo-fi hip hop beats to study to", "lo-fi hip hop"),
    DemoQuery("mellow dusty beat with vinyl crackle", "lo-fi hip hop"),
    DemoQuery("triumphant brass fanfare", "brass fanfare"),
    DemoQuery("royal trumpets", "brass fanfare"),
    DemoQuery("swinging jazz trio with walking bass", "jazz trio"),
    DemoQuery("smoky late night jazz club", "jazz trio"),
    DemoQuery("harsh noise wall", "harsh noise"),
    DemoQuery("abrasive distorted static", "harsh noise"),
    DemoQuery("tibetan singing bowls", "meditation bells"),
    DemoQuery("choir singing in a cathedral", "choir"),
    DemoQuery("sacred a cappella voices", "choir"),
    DemoQuery("80s synthwave", "synthwave"),
    DemoQuery("retro synthesizer night drive", "synthwave"),
    DemoQuery("dub reggae with deep bass and echo", "dub reggae"),
    DemoQuery("laid-back reggae offbeat guitar", "dub reggae"),
)
