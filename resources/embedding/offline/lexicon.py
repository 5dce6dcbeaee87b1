"""Words about sound: how they are spelled otherwise, and what is only a typing mistake.

`words.txt` is made by `python -m training.words` from the phrases that the model was trained on and
two dictionaries. A line is a word about sound; with a second word it is that word's other spelling
(`synthesiser synthesizer`); after a minus it is a word of its own that looks like a typing mistake
and is none (`-drowning`, which is not "droning").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

WORDS_FILE = Path(__file__).parent / "words.txt"
SHORTEST_CORRECTED = 6
"""Letters of a word whose typing mistakes are mended: shorter ones have too many neighbours."""


class Lexicon:
    """Reads and mends words in lower case."""

    def __init__(self, lines: str) -> None:
        self._about_sound: dict[str, None] = {}
        self._others: set[str] = set()
        self._spellings: dict[str, str] = {}
        for line in lines.split("\n"):
            if line.startswith("-"):
                self._others.add(line[1:])
            elif " " in line:
                other, word = line.split(" ")
                self._spellings[other] = word
            elif line:
                self._about_sound[line] = None

    @cached_property
    def _shortened(self) -> dict[str, list[str]]:
        """The words about sound by what is left of them without a letter; made for the first word
        that is not known."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for word in self._about_sound:
            if len(word) >= SHORTEST_CORRECTED and word.isalpha():
                for shorter in {word, *_without_a_letter(word)}:
                    found[shorter].append(word)
        return dict(found)

    def is_about_sound(self, word: str) -> bool:
        """Whether the model was taught the word."""
        return word in self._about_sound

    def mended(self, word: str) -> str:
        """The word about sound that `word` is another spelling of, or that is one typing mistake
        away: a letter too many, missing, wrong, or two in each other's place. Otherwise, and for
        every word that exists, `word` itself. The first in the file's order where there are two.
        """
        if word in self._spellings:
            return self._spellings[word]
        if word in self._about_sound or word in self._others:
            return word
        return self.one_mistake_from(word) or word

    def one_mistake_from(self, word: str) -> str | None:
        """The first word about sound that is one typing mistake away, whether or not `word` is a
        word of its own."""
        if len(word) < SHORTEST_CORRECTED - 1 or not word.isalpha():
            return None
        near = {
            found
            for shorter in {word, *_without_a_letter(word)}
            for found in self._shortened.get(shorter, ())
            if _is_one_mistake(word, found)
        }
        return next((found for found in self._about_sound if found in near), None) if near else None


def load_lexicon(words: Path = WORDS_FILE) -> Lexicon:
    return Lexicon(words.read_text(encoding="ascii"))


def _without_a_letter(word: str) -> Iterator[str]:
    return (word[:at] + word[at + 1 :] for at in range(len(word)))


def _is_one_mistake(typed: str, meant: str) -> bool:
    """Whether one insertion, deletion, substitution or exchange of neighbours tells them apart.
    They have a common word with a letter less, or one is the other with a letter less."""
    if abs(len(typed) - len(meant)) == 1:
        return True
    differ = [at for at, (a, b) in enumerate(zip(typed, meant, strict=True)) if a != b]
    if len(differ) == 1:
        return True
    return (
        len(differ) == 2
        and differ[1] == differ[0] + 1
        and typed[differ[0]] == meant[differ[1]]
        and typed[differ[1]] == meant[differ[0]]
    )
