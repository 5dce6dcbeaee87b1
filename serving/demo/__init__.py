"""The demo catalogue: short pieces of music composed and synthesised by this package alone.

``score`` decides notes, ``synthesis`` makes sounds, ``styles`` puts both together, ``catalogue``
names the pieces, ``encode`` and ``writer`` turn them into tagged audio files. No recordings and no
trained models belong here, and nothing here may know how the search embeds audio.
"""

from .catalogue import DEMO_PIECES, DEMO_QUERIES, EXTRA_QUERIES, RECIPE_VERSION
from .composer import compose
from .pieces import DemoPiece, DemoQuery
from .writer import write_catalogue

__all__ = [
    "DEMO_PIECES",
    "DEMO_QUERIES",
    "EXTRA_QUERIES",
    "RECIPE_VERSION",
    "DemoPiece",
    "DemoQuery",
    "compose",
    "write_catalogue",
]
