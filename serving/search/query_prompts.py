"""Framing that people put around what they want to hear: "I want music that sounds like ..."."""

import re
from typing import Final

_NOUN: Final = (
    r"(?:(?:a|an|some|any|the|more)\ )?(?:(?:kind|type|sort|piece|bit)s?\ of\ )?"
    r"(?:music|songs?|tracks?|tunes?|pieces?|something|anything|stuff|sounds?|audio|recordings?)"
)
_SOUNDS: Final = r"(?:sounds?|feels?)(?:\ (?:a\ (?:bit|little)|kind\ of|kinda|sort\ of))?"

_LEAD: Final = re.compile(
    rf"""(?:
    (?:please|pls|hey|hello|ok|okay),?
    | (?:can|could|would|will)\ you\ (?:please\ )?(?:play|find|show|give|recommend|suggest)
      (?:\ (?:me|us))?
    | (?:give|play|find|show|get|bring|send|recommend|suggest)\ (?:me|us)
    | play(?=\ (?:some|a|an|something|anything)\ )
    | (?:search(?:ing)?|look(?:ing)?)\ for
    | (?:what|how)\ about
    | (?:i|we)\ (?:(?:just|really)\ )?(?:want|need|like|love|feel\ like|would\ (?:like|love))
      (?:\ to\ (?:hear|listen\ to|find|play))?
    | (?:i|we)['’]?d\ (?:like|love)(?:\ to\ (?:hear|listen\ to|find|play))?
    | (?:i\ am|we\ are|i['’]?m|we['’]re)
      \ (?:looking\ for|searching\ for|in\ the\ mood\ for|after)
    | this\ is(?=\ (?:a|the)\ (?:sound|recording)\ of\ )
    | {_NOUN}\ (?:that|which)\ {_SOUNDS}(?:\ (?:like|similar\ to))?
    | {_NOUN}\ (?:that|which)\ (?:is|are|has|have|contains?|features?|includes?|uses?)
    | {_NOUN}\ (?:with|like|similar\ to|featuring|containing|having|about)
    | {_NOUN}\ sound(?:s|ing)?\ like
    | (?:(?:a|the)\ )?(?:sounds?|recordings?)\ of
    | sounds?\ like | something\ like
    | something | anything | some
    )(?=\ )\ """,
    re.IGNORECASE | re.VERBOSE,
)
_ARTICLE: Final = re.compile(r"(?:a|an|the|some)\ ", re.IGNORECASE)
_QUESTION: Final = re.compile(r"what (?:does|do) (.+?) sounds? like\W*", re.IGNORECASE)
_TAIL: Final = re.compile(r",? (?:please|pls|thanks|thank you)[ .!]*", re.IGNORECASE)


def without_prompt(text: str) -> str:
    """`text` without the framing around it; "" when nothing else is there. `text` has single
    spaces. What has no framing is returned as it is."""
    asked = _QUESTION.fullmatch(text)
    bare = asked[1] if asked else text
    while True:
        shorter = _shortened(bare)
        if shorter == bare:
            return bare
        bare = shorter


def _shortened(text: str) -> str:
    tail = next((m for m in _TAIL.finditer(text) if m.end() == len(text)), None)
    if tail is not None:
        return text[: tail.start()]
    lead = _LEAD.match(f"{text} ")
    if lead is None:
        return text
    rest = text[lead.end() :]
    article = _ARTICLE.match(rest)
    return rest[article.end() :] if article else rest
