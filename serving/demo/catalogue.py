"""The list of pieces: invented artists, albums and titles, and the file format of every piece.

Names say nothing about a style, so that a search can only find a piece by its sound.
"""

from dataclasses import dataclass
from typing import Final

VERSION: Final = 2
"""Raised whenever a piece's file would differ; it is part of every file name."""

PIECES_PER_STYLE: Final = 4


@dataclass(frozen=True)
class DemoPiece:
    """One piece of the demo catalogue; `extension` names its file format, without a dot."""

    style: str
    title: str
    artist: str
    album: str
    name: str
    extension: str

    @property
    def file_name(self) -> str:
        """Its name among somebody's files, where a later version replaces it."""
        return f"{self.name}.v{VERSION}.{self.extension}"

    @property
    def shipped_name(self) -> str:
        """The name of its file in `audio/`."""
        return f"{self.name}.opus"


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

_FORMATS: Final = ("opus", "flac", "opus", "opus", "wav", "opus", "opus", "aiff", "opus")
"""Dealt out in turn: formats that are quick to write. Nine is coprime to the pieces per style."""

_SLOW_FORMATS: Final = {11: "mp3", 39: "m4a"}
"""By the piece's number. Both are in one channel: one in stereo takes twice as long to encode."""


def _piece(index: int) -> DemoPiece:
    artist = _ARTISTS[index // PIECES_PER_STYLE]
    variant = index % PIECES_PER_STYLE
    return DemoPiece(
        style=artist.style,
        title=artist.titles[variant],
        artist=artist.name,
        album=artist.album,
        name=f"{artist.style.replace(' ', '-')}-{variant + 1}",
        extension=_SLOW_FORMATS.get(index, _FORMATS[index % len(_FORMATS)]),
    )


DEMO_PIECES: Final = tuple(_piece(index) for index in range(len(_ARTISTS) * PIECES_PER_STYLE))
