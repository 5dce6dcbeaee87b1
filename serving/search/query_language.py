"""What people type, read: what they want to hear, and what they do not.

Embedding models ignore "no": for them, "techno without vocals" is a text about vocals. So a query
is taken apart in front of the model, whichever it is: `read_query` tells the wanted text from what
is excluded, and `query_vectors.py` combines their vectors. Framing such as "I want music
that sounds like ..." is left out, because it is not about sound. A query with neither is embedded
as it was typed. `docs/queries.md` says it for users.

English only. The grammar is a list of cues ("without", "no", a minus sign before a word, ...) and
of rules for where an exclusion ends; it looks at words, not at their meaning.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from serving.search.query_prompts import without_prompt
from serving.search.query_words import (
    ADJECTIVES,
    AFTER_NOT,
    AND,
    CLOSINGS,
    CUES,
    DETERMINERS,
    DO_NOT,
    EXCLUDABLE,
    FILLER_AFTER,
    FILLER_BEFORE_CUE,
    FIXED,
    GENERIC,
    LONGEST_CUE,
    NOT,
    OF_MUSIC,
    OR,
    PLURALS,
    RESUME,
    RESUME_AFTER_AND,
)


@dataclass(frozen=True)
class ReadQuery:
    """`wanted`: what to find; "" when a query only says what it should not be. `excluded`: texts,
    none of them empty."""

    wanted: str
    excluded: tuple[str, ...] = ()


def normalised(query: str) -> str:
    """`query` in composed Unicode (NFC), with single spaces and none around it. Case is kept,
    because CLAP's tokenizer tells it apart; only what is all in capitals is put in lower case,
    because that tokenizer cuts capitals into letters."""
    text = " ".join(unicodedata.normalize("NFC", query).split())
    return text.lower() if text.isupper() and _LONG_WORD.search(text) else text


def read_query(query: str) -> ReadQuery:
    """Take `query` apart. Any text is fine; one without a word for sound is wanted as it is.

    Everything that is no cue, filler or framing is in `wanted` or `excluded`, in its order.
    """
    text = normalised(query)
    read = _split(text) if _HAS_CUE.search(text) else None
    if read is None or not read.excluded:
        return ReadQuery(without_prompt(text) or text)
    wanted = without_prompt(read.wanted)
    is_generic = all(word.bare in GENERIC for word in _words(wanted))
    return ReadQuery("" if is_generic else wanted, read.excluded)


_LONG_WORD: Final = re.compile(r"[^\W\d_]{6}")

_MINUS: Final = r"[-\u2212]"

# Cheaper than a look at each word, and most queries have none.
_HAS_CUE: Final = re.compile(
    rf"\b(?:no|not|non|without|w/o|sans|minus|excluding|except|lacking|devoid|free|avoid(?:ing)?"
    rf"|but|than|instead|neither|nor|out|hate|dislike|lack|absence|[a-z]+n['’]?t|[a-z]+less)\b"
    rf"|(?:^|\s){_MINUS}[\"“]?\w",
    re.IGNORECASE,
)

_FIXED_BY_WORD: Final = {
    word: sorted((e for e in FIXED if e[0] == word), key=len, reverse=True)
    for word in {expression[0] for expression in FIXED}
}

_ONE_WORD: Final = re.compile(
    r"(?:(?P<less>drum|vocal|percussion|bass|guitar|lyric)-?less"
    rf"|(?P<free>{'|'.join(EXCLUDABLE)})-free|non-(?P<non>vocal|percussion))"
)


@dataclass(frozen=True)
class _Word:
    """`typed` with its punctuation; `bare` without it and in lower case. `ends`: whether a clause
    ends after it. `is_fixed`: part of a fixed expression that goes on with the next word."""

    typed: str
    bare: str
    ends: bool
    is_fixed: bool = False


_AROUND: Final = ".,;:!?()[]{}\"'“”„‘’…«»*_~"
_ENDS_CLAUSE: Final = (",", ";", ":", ".", "!", "?", ")", "]", "…")
_DASHES: Final = frozenset({"-", "–", "—", "|", "/", "·", "•"})


def _words(text: str) -> list[_Word]:
    words = [
        _Word(
            typed,
            typed.strip(_AROUND).casefold().replace("’", "'"),
            typed.endswith(_ENDS_CLAUSE) or typed in _DASHES,
        )
        for typed in text.split()
    ]
    return _marked(words)


def _marked(words: list[_Word]) -> list[_Word]:
    """`words` with those of fixed expressions marked, which are read as if they were one."""
    at = 0
    while at < len(words):
        for expression in _FIXED_BY_WORD.get(words[at].bare, ()):
            found = words[at : at + len(expression)]
            broken = any(word.ends for word in found[:-1])
            if not broken and tuple(word.bare for word in found) == expression:
                fixed = [_Word(word.typed, word.bare, word.ends, True) for word in found]
                words[at : at + len(fixed)] = fixed
                at += len(fixed) - 1
                break
        at += 1
    return words


def _split(text: str) -> ReadQuery:
    """`wanted` with its framing, and what is excluded."""
    words = _words(text)
    wanted: list[_Word] = []
    excluded: list[str] = []
    at = 0
    while at < len(words):
        found = _by_minus(words, at) or _by_word(words, at)
        if found is not None:
            text, at = found
            excluded.append(text)
            continue
        start = _cue_end(words, at)
        if start is None:
            wanted.append(words[at])
            at += 1
            continue
        _trim_end(wanted)
        items, at = _excluded_from(words, start)
        excluded += items
        if tuple(word.bare for word in words[at : at + 2]) in CLOSINGS:
            at += 2
        while items and at < len(words) and _is_filler_after(words, at):
            at += 1
    unique = tuple(dict.fromkeys(excluded))
    return ReadQuery(_joined(wanted), unique)


_Found = tuple[str, int]
"""What is excluded, and where the words go on."""


def _bare(words: Sequence[_Word], at: int) -> str:
    """ "" past the end."""
    return words[at].bare if at < len(words) else ""


def _by_minus(words: Sequence[_Word], at: int) -> _Found | None:
    """-word or -"several words": a minus sign right before a word of three letters or more, with
    a space before it. Not the one in "lo -fi", "-6 dB" or "hip - hop"."""
    typed = words[at].typed
    if typed[0] not in "-\u2212":
        return None
    if typed[1:2] in ('"', "“"):
        for end in range(at, len(words)):
            closed = words[end].typed.rstrip(",;.!?")
            if closed.endswith(('"', "”")) and (end > at or len(closed) > 3):
                phrase = " ".join(word.typed for word in words[at : end + 1])
                phrase = phrase[1:].strip(_AROUND + " ")
                return (phrase, end + 1) if phrase else None
    bare = typed[1:].strip(_AROUND)
    return (bare, at + 1) if len(bare) > 2 and bare[0].isalpha() else None


def _by_word(words: Sequence[_Word], at: int) -> _Found | None:
    """Words that are an exclusion of their own: "drumless", "vocal-free", "non-vocal"; also where
    the last two are written apart."""
    bare = words[at].bare
    match = _ONE_WORD.fullmatch(bare)
    if match:
        return EXCLUDABLE[match["less"] or match["free"] or match["non"]], at + 1
    if words[at].ends:
        return None
    following, after = _bare(words, at + 1), _bare(words, at + 2)
    if following == "free" and bare in EXCLUDABLE and after not in {"of", "from", "jazz"}:
        return EXCLUDABLE[bare], at + 2
    if bare == "non" and following in {"vocal", "percussion"}:
        return EXCLUDABLE[following], at + 2
    return None


def _cue_end(words: Sequence[_Word], at: int) -> int | None:
    """Where what is excluded begins, if a cue stands at `at`."""
    if words[at].is_fixed:
        return None
    for length in range(min(LONGEST_CUE, len(words) - at), 0, -1):
        cue = words[at : at + length]
        if tuple(word.bare for word in cue) in CUES and not any(w.ends for w in cue[:-1]):
            return at + length
    bare, following = words[at].bare, _bare(words, at + 1)
    if bare in NOT:
        return at + 2 if following in AFTER_NOT else at + 1
    if bare in DO_NOT and following in OF_MUSIC:
        return _past_verbs(words, at + 2)
    if bare in {"do", "does"} and following == "not":
        return _past_verbs(words, at + 3) if _bare(words, at + 2) in OF_MUSIC else None
    return None


def _past_verbs(words: Sequence[_Word], at: int) -> int:
    """ "to hear", "like" and so on, which may follow "don't want" and "doesn't sound"."""
    while _bare(words, at) in {"to", "hear", "like", "have", "listen"}:
        at += 1
    return at


def _excluded_from(words: Sequence[_Word], start: int) -> tuple[list[str], int]:
    """The texts that a cue before `start` excludes, and where the wish goes on."""
    by_not = words[start - 1].bare in NOT
    items: list[list[_Word]] = [[]]
    at = start
    while at < len(words):
        word = words[at]
        if not word.is_fixed:
            if word.bare in AND | OR:
                if not items[-1] or not _goes_on(words, at):
                    break
                items.append([])
                at += 1
                continue
            if word.bare in RESUME and not _can_begin(word, items[-1]):
                break
            if _cue_end(words, at) is not None or _by_minus(words, at) is not None:
                break
        elif _starts_fixed_no(word):
            break
        items[-1].append(word)
        at += 1
        if word.ends and not _list_goes_on(words, at):
            break
        if word.ends:
            items.append([])
        elif _is_whole(items[-1], by_not=by_not) and _bare(words, at) not in AND | OR:
            break
    texts = [_item(item) for item in items]
    return [text for text in texts if text], at


def _goes_on(words: Sequence[_Word], at: int) -> bool:
    """Whether what follows "and" or "or" at `at` is excluded as well."""
    if at + 1 == len(words):
        return False
    following = words[at + 1]
    stops = RESUME if words[at].bare in OR else RESUME_AFTER_AND
    return following.bare not in stops and _cue_end(words, at + 1) is None


def _list_goes_on(words: Sequence[_Word], at: int) -> bool:
    """Whether a comma before `at` is one of a list that "or" ends: "no drums, vocals or bass"."""
    length = 0
    for index in range(at, len(words)):
        word = words[index]
        if word.bare in OR:
            return length > 0 or index == at
        if word.bare in RESUME | AND or _cue_end(words, index) is not None:
            return False
        length = 0 if word.ends else length + 1
        if length > 2 or word.typed in _DASHES:
            return False
    return False


def _starts_fixed_no(word: _Word) -> bool:
    return word.bare in {"no", "not", "non", "nothing", "why", "or", "if", "without"}


def _is_whole(item: Sequence[_Word], *, by_not: bool) -> bool:
    """Whether what is excluded ends with the last word of `item`, whatever follows."""
    last = item[-1].bare
    return last in PLURALS or (by_not and last in ADJECTIVES)


def _can_begin(word: _Word, item: Sequence[_Word]) -> bool:
    """Whether `word` does not end `item` for once: "not so loud"; and in "no music for children"
    the children are meant, since nothing was excluded before them."""
    if not item:
        return word.bare in DETERMINERS
    return all(before.bare in GENERIC | DETERMINERS for before in item)


def _item(words: Sequence[_Word]) -> str:
    """What is excluded, without "any", "too much" and the like before it."""
    first = 0
    while first < len(words) and words[first].bare in DETERMINERS:
        first += 1
    text = _joined(words[first:]).strip(_AROUND + " ")
    return without_prompt(text) or text


def _is_filler_after(words: Sequence[_Word], at: int) -> bool:
    if words[at].is_fixed or _cue_end(words, at) is not None:
        return False
    return words[at].bare in FILLER_AFTER or not words[at].bare


def _trim_end(words: list[_Word]) -> None:
    """Drop what only led to the cue: "techno that has", "jazz but"."""
    while words and not words[-1].is_fixed:
        if words[-1].bare and words[-1].bare not in FILLER_BEFORE_CUE:
            break
        words.pop()


def _joined(words: Sequence[_Word]) -> str:
    """As typed, without the punctuation at the end."""
    return " ".join(word.typed for word in words).rstrip(" ,;:.-–—")
