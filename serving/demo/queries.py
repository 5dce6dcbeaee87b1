"""Questions to ask of the demo catalogue: those that `moodsearch demo` prints, and others."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class DemoQuery:
    """A query, and the style whose pieces should come first."""

    query: str
    style: str


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
