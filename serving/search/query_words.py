"""The words that `query_language.py` goes by: what begins an exclusion, what ends one, and
what only looks like one. All in lower case, apostrophes straight."""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _expressions(text: str) -> frozenset[tuple[str, ...]]:
    """Those between the commas of `text`, as words."""
    return frozenset(tuple(expression.split()) for expression in text.split(","))


CUES: Final = _expressions(
    "without, with out, w/o, sans, minus, excluding, except, except for, apart from, lacking,"
    " lack of, absence of, devoid of, free of, free from, avoid, avoiding, leave out, leaving out,"
    " no, with no, has no, have no, anything but, everything but, all but, anything except,"
    " everything except, other than, rather than, instead of, neither, nor, i hate, i dislike"
)
LONGEST_CUE: Final = max(map(len, CUES))

NOT: Final = _words("not isn't isnt aren't arent wasn't wasnt ain't aint")
AFTER_NOT: Final = _words("have has having include contain like sound feel be being")

DO_NOT: Final = _words("don't dont doesn't doesnt didn't didnt")
OF_MUSIC: Final = _words("want need like love have include contain use feature play sound feel")
"""What "don't" must come before, so that "don't stop" stays what it is."""

FIXED: Final = _expressions(
    "no wave, no input, no nonsense, no frills, no limit, no limits, no holds barred,"
    " no man's land, no matter, no one, no doubt, no way, no longer, no problem, no worries,"
    " no strings attached, without a doubt, live without, not live without, non stop, not only,"
    " not just, not bad, why not, or not, if not, nothing but, drum and bass, drum & bass,"
    " drum n bass, rhythm and blues, rock and roll, rock & roll, rock n roll, country and western,"
    " call and response, singing bowl, singing bowls"
)
"""No exclusion although they look like one, and what "and" does not take apart."""

RESUME: Final = _words(
    "but with only just for in on at from to while when during instead plus yet please though"
    " although because where that which who by as under over between more mostly mainly rather"
    " then than so i it whatsoever"
)
"""Words that cannot belong to what is excluded: the wish goes on with them."""

RESUME_AFTER_AND: Final = RESUME | _words("a an some lots lot plenty very really has have is are")
""" "no drums and lots of piano" wants the piano."""

FILLER_BEFORE_CUE: Final = _words(
    "and but with yet that that's which who has have is are was be do does it its it's i just"
    " please though although or while because so there there's &"
)
FILLER_AFTER: Final = _words(
    "and but with just only instead rather please or plus whatsoever though & which that is are"
    " has have so then yet"
)
DETERMINERS: Final = _words(
    "any a an the too so very much many lots lot some that all of those these really overly"
    " particularly also even being sounding at quite"
)
CLOSINGS: Final = _expressions("at all, in it, on it, in them")
"""What may follow what is excluded, and says nothing."""

AND: Final = _words("and & +")
OR: Final = _words("or nor")

GENERIC: Final = _words(
    "music song songs track tracks tune tunes piece pieces something anything everything stuff"
    " sound sounds audio all any some a an the"
)
"""Words that say nothing of how it should sound."""

PLURALS: Final = _words(
    "vocals voices singers lyrics words drums cymbals hats beats guitars strings violins synths"
    " synthesizers synthesisers pads keyboards pianos horns trumpets saxophones flutes bells"
    " choirs samples effects percussion"
)
"""A plural is the end of what it belongs to: "no drums ambient" wants ambient."""

ADJECTIVES: Final = _words(
    "sad happy fast slow loud quiet dark bright aggressive angry calm chill relaxing gloomy"
    " cheerful scary noisy busy cheesy boring depressing energetic intense upbeat mellow soft harsh"
    " gentle dramatic epic romantic sentimental electronic acoustic instrumental vocal"
)
"""Each is all that "not" takes: "not sad piano music" does want piano music."""

EXCLUDABLE: Final = {
    "vocal": "vocals",
    "vocals": "vocals",
    "voice": "vocals",
    "lyric": "lyrics",
    "lyrics": "lyrics",
    "drum": "drums",
    "drums": "drums",
    "beat": "beat",
    "percussion": "percussion",
    "bass": "bass",
    "guitar": "guitar",
    "piano": "piano",
}
"""What "-free", "-less" and "non-" take away."""
