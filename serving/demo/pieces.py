"""The values this package hands out: a piece to compose and a question to ask the catalogue."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DemoPiece:
    """One piece of the demo catalogue; equal pieces sound the same to the last bit.

    ``extension`` names the file format without a dot, ``sample_rate`` is in hertz and ``channels``
    is 1 or 2. The variant of a style is ``seed`` modulo 4.
    """

    style: str
    title: str
    artist: str
    album: str
    seed: int
    extension: str
    file_name: str
    sample_rate: int
    channels: int


@dataclass(frozen=True)
class DemoQuery:
    """What somebody might type, and the style whose pieces should come first."""

    query: str
    style: str
