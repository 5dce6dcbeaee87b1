"""The demo catalogue: 60 short pieces of music, made by this project's own synthesisers.

`catalogue` lists the pieces and `queries` what to ask of them. `audio/` holds their sound, which
`training/demo` made. `writer` puts them into a folder, in several file formats. Nothing here may
know how the search embeds audio.
"""

from .catalogue import DEMO_PIECES, DemoPiece
from .queries import DEMO_QUERIES, EXTRA_QUERIES, DemoQuery
from .writer import write_catalogue

__all__ = [
    "DEMO_PIECES",
    "DEMO_QUERIES",
    "EXTRA_QUERIES",
    "DemoPiece",
    "DemoQuery",
    "write_catalogue",
]
