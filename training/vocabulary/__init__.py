"""What the model can be asked about: attributes, the phrases for each, what implies what.

An attribute is a tag with phrases. Tags without phrases are dropped from captions.
"""

from __future__ import annotations

from collections.abc import Iterable

from training.vocabulary.genres import GENRES
from training.vocabulary.implications import IMPLIES
from training.vocabulary.instruments import INSTRUMENTS
from training.vocabulary.moods import MOODS
from training.vocabulary.sounds import SOUNDS

PHRASES: dict[str, tuple[str, ...]] = {
    tag: tuple(phrase.strip() for phrase in phrases.split("|"))
    for tag, phrases in {**MOODS, **INSTRUMENTS, **SOUNDS, **GENRES}.items()
}
_MUSIC_ONLY = set(MOODS) - {"sample", "short", "low_pitched", "high_pitched"}


def close(tags: Iterable[str]) -> set[str]:
    """The tags and everything they imply, contradictions resolved."""
    found, waiting = set(tags), list(tags)
    while waiting:
        for implied in IMPLIES.get(waiting.pop(), "").split():
            if implied not in found:
                found.add(implied)
                waiting.append(implied)
    return _resolve(found)


def _resolve(tags: set[str]) -> set[str]:
    """Drop what a genre implies in general but this clip contradicts."""
    if "ambient_dark" in tags:
        tags |= {"ambient"}
    if {"beat", "drums"} & tags:
        tags -= {"beatless", "quiet"}
    if {"aggressive", "loud", "heavy"} & tags:
        tags -= {"calm", "quiet", "chill", "soft"}
    if {"dark", "eerie", "suspense"} & tags:
        tags -= {"relaxation", "happy", "warm", "uplifting", "sleep"}
    if {"sad", "minor_key"} & tags and not {"brass_fanfare", "chiptune", "swing"} & tags:
        tags -= {"happy"}
    if "fast" in tags:
        tags -= {"slow"}
    return tags
