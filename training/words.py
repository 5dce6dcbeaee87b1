"""Which words the offline text tower mends: `python -m training.words` writes
`resources/embedding/offline/words.txt`.

Words about sound are those of the vocabulary's phrases. Two large dictionaries (Debian's
`wamerican-large` and `wbritish-large`, made from SCOWL) say which of their neighbours exist: a word
that exists is never taken for a typing mistake, unless it is only another spelling or a plural.
Run it again when the phrases change.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from resources.embedding.offline.lexicon import WORDS_FILE, Lexicon
from resources.embedding.offline.model import TEXT_FILE, VOCABULARY_FILE, WEIGHTS
from resources.embedding.offline.text import FUNCTION_WORD_WEIGHT, words
from resources.genres.names import GENRE_NAMES
from training.vocabulary import PHRASES

DICTIONARIES = tuple(
    Path("/usr/share/dict") / name for name in ("american-english-large", "british-english-large")
)
MUSIC = ("music", "song", "songs", "track", "tracks", "sound", "sounds", "tune", "melody", "audio")
"""Turned down in a text, but no query about nothing."""
SPELLINGS = (
    ("ise", "ize"), ("isa", "iza"), ("isi", "izi"), ("our", "or"), ("tre", "ter"), ("ae", "e"),
    ("oe", "e"), ("ogue", "og"), ("ence", "ense"), ("ll", "l"), ("grey", "gray"), ("yse", "yze"),
)  # fmt: skip


def function_words() -> set[str]:
    """What the teacher turned down."""
    pieces = (WEIGHTS / VOCABULARY_FILE).read_text().split("\n")
    with np.load(WEIGHTS / TEXT_FILE) as data:
        scales = data["scales"]
    quiet = scales < FUNCTION_WORD_WEIGHT * np.median(scales)
    return {piece for piece, is_quiet in zip(pieces, quiet, strict=True) if is_quiet}


def sound_words() -> list[str]:
    """Most used first."""
    skipped = function_words()
    texts = [phrase for phrases in PHRASES.values() for phrase in phrases] + [*GENRE_NAMES]
    counts = Counter(word for text in texts for word in words(text) if word not in skipped)
    counts.update(MUSIC)
    return sorted((w for w in counts if w.isascii() and len(w) > 1), key=lambda w: (-counts[w], w))


def is_other_spelling(other: str, word: str) -> bool:
    """Whether they differ as British from American English does, or as singular from plural."""
    for british, american in SPELLINGS:
        if other.replace(british, american) == word.replace(british, american):
            return True
    longer, shorter = sorted((other, word), key=len, reverse=True)
    return longer in (f"{shorter}s", f"{shorter}es", f"{shorter[:-1]}ies")


def dictionary() -> set[str]:
    """Every word of two dictionaries, names included, without accents and apostrophes."""
    lines = [line for path in DICTIONARIES for line in path.read_text().splitlines()]
    found = {"".join(words(line)) for line in lines if "'" not in line}
    return {word for word in found if word.isascii() and word.isalpha()}


def main() -> None:
    """Write the file."""
    about_sound = sound_words()
    pieces = set((WEIGHTS / VOCABULARY_FILE).read_text().split("\n"))
    lexicon = Lexicon("\n".join(about_sound))
    spellings, others = {}, []
    for word in sorted(dictionary() - set(about_sound) - pieces):
        near = lexicon.one_mistake_from(word) or _respelled(word, set(about_sound))
        if near is None:
            continue
        if is_other_spelling(word, near):
            spellings[word] = near
        else:
            others.append(word)
    lines = [
        *about_sound,
        *(f"{other} {word}" for other, word in spellings.items()),
        *(f"-{word}" for word in others),
    ]
    WORDS_FILE.write_text("\n".join(lines) + "\n", encoding="ascii")
    print(f"{len(about_sound)} words about sound, {len(spellings)} other spellings, "
          f"{len(others)} neighbours that exist")  # fmt: skip


def _respelled(word: str, about_sound: set[str]) -> str | None:
    """The word about sound that `word` is another spelling of, more than one letter away."""
    for british, american in SPELLINGS:
        for left, right in ((british, american), (american, british)):
            if left in word and (other := word.replace(left, right)) in about_sound:
                return other
    return None


if __name__ == "__main__":
    main()
