"""Text to train a tokenizer on: descriptions of music, and words that nobody ever said."""

import random
from collections.abc import Iterator
from typing import Final

DESCRIPTIONS: Final = (
    "dark ambient techno with warm strings",
    "a slow and sad piano, late at night in the rain",
    "happy acoustic guitar with hand claps and whistling",
    "hard distorted drums and a very loud bass",
    "a choir sings softly in a big church",
    "the sound of waves on a beach, birds in the distance",
    "jazz trio in a small club, brushes on the snare",
    "an orchestra builds up to a bright and heroic ending",
    "lo-fi hip hop with vinyl crackle for a quiet morning",
    "deep house groove, four on the floor, 124 beats per minute",
    "tense film music with low drones and sudden hits",
    "a folk song with fiddle, banjo and two voices",
    "spacious synthesizers floating above a gentle pulse",
    "angry punk rock, fast guitars, shouting",
    "música alegre con guitarra, fête d'été, schöne Lieder",
    "тихая музыка для сна",
    "雨の夜の音楽",
    "أغنية هادئة",
)

_ONSETS: Final = ("", "b", "br", "ch", "d", "f", "g", "gr", "h", "k", "l", "m", "n", "p", "pl", "r",
                  "s", "sh", "st", "str", "t", "th", "tr", "v", "w", "z")  # fmt: skip
_VOWELS: Final = ("a", "e", "i", "o", "u", "ai", "ea", "oo", "ou")
_CODAS: Final = ("", "", "ck", "l", "m", "n", "nd", "ng", "r", "rt", "s", "st", "t", "x")


def made_up_words(count: int) -> Iterator[str]:
    """The same ones every time; for a vocabulary as large as RoBERTa's."""
    chance = random.Random(0)
    for _ in range(count):
        syllables = (
            chance.choice(_ONSETS) + chance.choice(_VOWELS) + chance.choice(_CODAS)
            for _ in range(chance.randint(1, 4))
        )
        yield " " + "".join(syllables)
