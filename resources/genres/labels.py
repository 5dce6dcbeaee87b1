"""Labels of the Discogs taxonomy as tags."""

import math
from collections.abc import Mapping
from typing import Final

from resources.genres.protocol import GenrePrediction

SEPARATOR: Final = "---"
"""Between genre and style in the labels of MTG's Discogs models, e.g. `Electronic---Ambient`."""

NOT_TAGS: Final = frozenset(
    {
        "non-music",
        "audiobook",
        "comedy",
        "dialogue",
        "education",
        "interview",
        "monolog",
        "poetry",
        "political",
        "promotional",
        "radioplay",
        "religious",
    }
)
"""The genre `Non-Music` of the taxonomy (discogs.com) and its styles, which say what a recording is
for or about: nobody tags music so, and to claim it of an upload unasked may offend. Not its styles
`Field Recording` and `Spoken Word`: they say how something sounds, and people do tag music so."""

ROUNDING: Final = 1e-6
"""How far beyond [0, 1] a mean of 32-bit activations may lie."""


def split_labels(scores: Mapping[str, float], top_n: int) -> list[GenrePrediction]:
    """The `top_n` best tags in `Genre---Style` labels.

    Each label gives two tags (one, if it has no style), in lower case; a tag's confidence is the
    highest score of any label it is in. Best first, equals by name. Raises `ValueError` for a score
    that is not in [0, 1].
    """
    best: dict[str, float] = {}
    for label, score in scores.items():
        if not -ROUNDING <= score <= 1 + ROUNDING or math.isnan(score):
            raise ValueError(f"the score of {label!r} is not in [0, 1]: {score}")
        confidence = min(1.0, max(0.0, float(score)))
        for name in _tags(label):
            best[name] = max(confidence, best.get(name, 0.0))
    return rank(best, top_n)


def rank(confidences: Mapping[str, float], top_n: int) -> list[GenrePrediction]:
    """The `top_n` tags with the highest confidence, best first, equals by name."""
    ordered = sorted(confidences.items(), key=lambda tag: (-tag[1], tag[0]))
    return [GenrePrediction(name, confidence) for name, confidence in ordered[:top_n]]


def is_tag(name: str) -> bool:
    """Whether a predicted name may be recommended, or given, as a tag. All are stored."""
    return " ".join(name.casefold().split()) not in NOT_TAGS


def _tags(label: str) -> list[str]:
    names = [" ".join(part.lower().split()) for part in label.split(SEPARATOR, 1)]
    return [name for name in names if name]
