"""Invented names for catalogues: words whose frequencies fall as in a language, several scripts."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_COMMON: Final = (
    "the of and in my you love night a to me is dream light on be blue moon for heart sun "
    "rain fire time all no city away day it home song dance sky down dark summer sea lost "
    "gone star late little black white red golden house street river ocean winter shadow "
    "silence morning midnight electric velvet neon paper glass stone garden window mirror "
    "machine echo signal memory ghost running falling waiting breathing burning floating "
    "remember forever tomorrow yesterday again café noël naïve über Señorita corazón été cœur "
    "años façade"
)
"""The most frequent words, in this order."""

_ONSETS: Final = (
    *("b", "br", "c", "ch", "cl", "d", "dr", "f", "fl", "g", "gr", "h", "j", "k", "l", "m", "n"),
    *("p", "pl", "qu", "r", "s", "sh", "sl", "st", "t", "th", "tr", "v", "w", "z", ""),
)
_RIMES: Final = (
    *("a", "e", "i", "o", "u", "ai", "ea", "ou", "an", "en", "in", "on", "ar", "er", "or", "al"),
    *("el", "il", "as", "es", "is", "at", "et", "it", "ound", "ight", "ell", "ick", "ond", "ale"),
)
_ALPHABETS: Final = (
    "абвгдежзийклмнопрстуфхцчшыьэюя",
    "αβγδεζηθικλμνξοπρστυφχψως",
    "אבגדהוזחטיכלמנסעפצקרשת",
    "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "日月火水木金土山川海空風花雪夜星光夢愛心東京大阪時声色音",
    "あいうえおかきくけこさしすせそたちつてとなにぬねのまみむめもらりるれろ",
    "가나다라마바사아자차카타파하고노도로모보소오조",
)
_DECORATIONS: Final = (
    *("(Remix)", "(Live)", "Pt. 2", "(feat. Nova)", "- Demo", "[Edit]", "(Original Mix)", "100%"),
    *("– 2024", "No. 5", "II", "A/B", "vs. the World", "…", "(Don’t Stop)", '"Reprise"'),
)
_LENGTHS: Final = (0.2, 0.35, 0.25, 0.12, 0.05, 0.03)
"""How often a title has one word, two, three ..."""

OTHER_SCRIPTS: Final = 0.08
"""Share of the names that are not in Latin script."""


class Names:
    """Draws names; the same for the same seed. `words`: how many different ones there are."""

    def __init__(self, seed: int, words: int = 40_000) -> None:
        self._random = np.random.default_rng(seed)
        common = _COMMON.split()
        latin = [*common, *self._invented(words - len(common))]
        self._latin = np.array(latin, dtype=object)
        other = [self._foreign() for _ in range(words // 10)]
        self._other = np.array(other, dtype=object)

    def draw(self, count: int) -> list[str]:
        """`count` titles of one to six words; some are decorated as titles are."""
        lengths = self._random.choice(len(_LENGTHS), count, p=_LENGTHS) + 1
        is_other = self._random.random(count) < OTHER_SCRIPTS
        latin = iter(self._frequent(self._latin, int(lengths[~is_other].sum())))
        other = iter(self._frequent(self._other, int(lengths[is_other].sum())))
        decorated = self._random.random(count) < 0.15
        extra = self._random.integers(len(_DECORATIONS), size=count)
        names = []
        for length, foreign, has_extra, which in zip(
            lengths, is_other, decorated, extra, strict=True
        ):
            words = [next(other if foreign else latin) for _ in range(length)]
            text = " ".join(word if foreign else word.capitalize() for word in words)
            names.append(f"{text} {_DECORATIONS[which]}" if has_extra else text)
        return names

    def misspell(self, names: Sequence[str]) -> list[str]:
        """Each with one letter left out, doubled or swapped with the next."""
        wrong = []
        for name in names:
            at = int(self._random.integers(1, len(name) - 1))
            match int(self._random.integers(3)):
                case 0:
                    wrong.append(name[:at] + name[at + 1 :])
                case 1:
                    wrong.append(name[:at] + name[at] + name[at:])
                case _:
                    wrong.append(name[:at] + name[at + 1] + name[at] + name[at + 2 :])
        return wrong

    def _frequent(self, words: NDArray[np.object_], count: int) -> list[str]:
        """The n-th word is drawn in proportion to 1 / (n + 3), after Zipf and Mandelbrot."""
        weights = np.cumsum(1 / (np.arange(len(words)) + 3))
        drawn = np.searchsorted(weights, self._random.random(count) * weights[-1])
        return [str(word) for word in words[drawn]]

    def _invented(self, count: int) -> list[str]:
        syllables = [onset + rime for onset in _ONSETS for rime in _RIMES]
        found: dict[str, None] = {}
        while len(found) < count:
            parts = self._random.integers(len(syllables), size=int(self._random.integers(1, 4)))
            word = "".join(syllables[part] for part in parts)
            if 2 <= len(word) <= 12:
                found[word] = None
        return list(found)

    def _foreign(self) -> str:
        alphabet = _ALPHABETS[int(self._random.integers(len(_ALPHABETS)))]
        letters = self._random.integers(len(alphabet), size=int(self._random.integers(2, 8)))
        return "".join(alphabet[letter] for letter in letters)
