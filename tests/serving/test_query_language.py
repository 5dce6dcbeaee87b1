"""What is read out of a query: what it wants, and what it excludes."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving.search.query_language import ReadQuery, normalised, read_query
from serving.search.query_prompts import without_prompt

EXCLUSIONS = {
    # One cue each.
    "techno without vocals": ("techno", "vocals"),
    "techno w/o vocals": ("techno", "vocals"),
    "techno with no vocals": ("techno", "vocals"),
    "techno sans vocals": ("techno", "vocals"),
    "ambient minus the drums": ("ambient", "drums"),
    "jazz but no saxophone": ("jazz", "saxophone"),
    "jazz but not the smooth kind": ("jazz", "smooth kind"),
    "piano -strings": ("piano", "strings"),
    "piano \u2212strings": ("piano", "strings"),
    'piano -"string quartet" -drums': ("piano", "string quartet", "drums"),
    "instrumental, no singing": ("instrumental", "singing"),
    "rock excluding ballads": ("rock", "ballads"),
    "rock except for ballads": ("rock", "ballads"),
    "jazz instead of rock": ("jazz", "rock"),
    "piano rather than guitar": ("piano", "guitar"),
    "beats lacking bass": ("beats", "bass"),
    "soundscape devoid of melody": ("soundscape", "melody"),
    "drumless ambient": ("ambient", "drums"),
    "vocal-free techno": ("techno", "vocals"),
    "vocal free techno": ("techno", "vocals"),
    "non-vocal trance": ("trance", "vocals"),
    # Verbs.
    "techno that has no vocals": ("techno", "vocals"),
    "folk that doesn't have drums": ("folk", "drums"),
    "folk that doesn’t sound sad": ("folk", "sad"),
    "folk that does not feel slow": ("folk", "slow"),
    "piano that isn't sad": ("piano", "sad"),
    "i dont want drums": ("", "drums"),
    # Nothing but an exclusion.
    "no drums": ("", "drums"),
    "No drums.": ("", "drums"),
    "-drums": ("", "drums"),
    "not sad": ("", "sad"),
    "it's not sad": ("", "sad"),
    "music without drums": ("", "drums"),
    "I want something without drums": ("", "drums"),
    "anything but techno": ("", "techno"),
    "everything except jazz": ("", "jazz"),
    "no singing bowls": ("", "singing bowls"),
    "without drum and bass": ("", "drum and bass"),
    "no music for children": ("", "music for children"),
    # Several.
    "no drums, no vocals": ("", "drums", "vocals"),
    "no drums or vocals": ("", "drums", "vocals"),
    "no drums, vocals or bass": ("", "drums", "vocals", "bass"),
    "without drums and bass": ("", "drums", "bass"),
    "neither drums nor bass": ("", "drums", "bass"),
    "not too loud and not too fast": ("", "loud", "fast"),
    "hip hop without rap or autotune": ("hip hop", "rap", "autotune"),
    "jazz, no saxophone, no drums, please": ("jazz", "saxophone", "drums"),
    "techno without vocals, without vocals": ("techno", "vocals"),
    # Where an exclusion ends.
    "techno without vocals for a workout": ("techno for a workout", "vocals"),
    "techno without vocals, dark and hypnotic": ("techno dark and hypnotic", "vocals"),
    "metal without screaming in the background": ("metal in the background", "screaming"),
    "no drums and lots of piano": ("lots of piano", "drums"),
    "no drums but piano": ("piano", "drums"),
    "no vocals just guitar": ("guitar", "vocals"),
    "no drums ambient": ("ambient", "drums"),
    "no vocals techno": ("techno", "vocals"),
    "not sad piano": ("piano", "sad"),
    "sad but not slow": ("sad", "slow"),
    "rock, not heavy metal": ("rock", "heavy metal"),
    "calm piano (no drums)": ("calm piano", "drums"),
    "calm piano — no strings": ("calm piano", "strings"),
    "piano with no drums at all": ("piano", "drums"),
    "piano without any percussion whatsoever, slow": ("piano slow", "percussion"),
    "something relaxing without too much reverb": ("relaxing", "reverb"),
    # Beside words that only look like negations.
    "no wave without vocals": ("no wave", "vocals"),
    "lo-fi without hip-hop": ("lo-fi", "hip-hop"),
    "rock 'n' roll without guitars": ("rock 'n' roll", "guitars"),
    "a cappella -drums": ("a cappella", "drums"),
    "something not so loud": ("", "loud"),
    "jazz that does not have any singing in it": ("jazz", "singing"),
    "'no drums'": ("", "drums"),
    "I hate drums": ("", "drums"),
    "not quite jazz": ("", "jazz"),
    # Shouted.
    "TECHNO WITHOUT VOCALS": ("techno", "vocals"),
}


@pytest.mark.parametrize(("query", "expected"), EXCLUSIONS.items(), ids=str)
def test_what_a_query_excludes_is_taken_out_of_it(query: str, expected: tuple[str, ...]) -> None:
    wanted, *excluded = expected
    assert read_query(query) == ReadQuery(wanted, tuple(excluded))


PLAIN = """
drum and bass; hip-hop; lo-fi; lo -fi; post-rock; non-stop; non stop party; no wave; no-wave;
no-input mixing; a cappella; 120-130 bpm; 1980 -1990; -6 dB; piano - strings; jazz-funk; x-ray;
nothing but piano; not only jazz; without a doubt; no more tears;
don't stop; can't stop the feeling; no strings attached;
free jazz; royalty-free; stress free evening; wordless voices; endless summer; north; nocturne;
knot; noise; no; not; without; techno without; piano -; -; --; less drums; minus; Café del Mar;
whether or not; all but; 8-bit; drum'n'bass; Nothing Compares; calm solo piano; singing bowls
"""


@pytest.mark.parametrize("query", [query.strip() for query in PLAIN.split(";")])
def test_what_excludes_nothing_is_embedded_as_it_was_typed(query: str) -> None:
    assert read_query(query) == ReadQuery(query)


PROMPTS = {
    "music that sounds like rain": "rain",
    "I want something like a dark drone": "dark drone",
    "songs with acoustic guitar": "acoustic guitar",
    "give me driving techno": "driving techno",
    "Please play me a string quartet": "string quartet",
    "can you find some smoky jazz": "smoky jazz",
    "I'm looking for lo-fi hip hop": "lo-fi hip hop",
    "i would like to hear bells, please": "bells",
    "the sound of waves": "waves",
    "something sad": "sad",
    "what does harsh noise sound like?": "harsh noise",
    "songs that have a walking double bass": "walking double bass",
    "this is a sound of a dog barking": "dog barking",
    "techno, please": "techno",
}


@pytest.mark.parametrize(("query", "wanted"), PROMPTS.items(), ids=str)
def test_framing_is_left_out(query: str, wanted: str) -> None:
    assert read_query(query) == ReadQuery(wanted)


@pytest.mark.parametrize(
    "query",
    [
        "music",
        "songs",
        "something",
        "i want",
        "a string quartet",
        "video game music",
        "music for a rainy day",
        "sound design",
        "playful melody",
        "pleasant",
    ],
)
def test_what_is_no_framing_or_nothing_else_stays(query: str) -> None:
    assert read_query(query) == ReadQuery(query)


def test_capitals_are_kept_but_for_a_query_of_nothing_else() -> None:
    assert read_query("Techno") == ReadQuery("Techno")
    assert read_query("IDM") == ReadQuery("IDM")
    assert read_query("DARK AMBIENT") == ReadQuery("dark ambient")


WORDS = [
    "techno",
    "piano",
    "calm",
    "dark",
    "drums",
    "vocals",
    "bass",
    "guitar",
    "jazz",
    "lo-fi",
    "rain",
    "808",
    "Café",
    "drone",
    "choir",
    "lively",
    "night",
    "strings",
    "reverb",
    "hip-hop",
    "train",
]
CUES = ("without", "no", "but no", "not", "minus", "with no", ", no", "except", "that isn't", "-")
words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6)
pieces = st.sampled_from(
    [
        *WORDS,
        *CUES,
        *("and", "or", "with", "for", "any", "a", "the", ",", "(", ")", "but", "free", "only"),
        *("music", "please", "I want", "songs with", "non", "wave", "nor", "don't want", '-"'),
    ]
)
query_like = st.lists(pieces, max_size=12).map(" ".join)


def spoken(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


@given(st.text(max_size=200) | query_like)
@example("without * *")
def test_any_text_can_be_read(text: str) -> None:
    read = read_query(text)
    assert all(excluded.strip() for excluded in read.excluded)
    assert read.wanted or read.excluded or not text.strip()


@given(st.text(max_size=200) | query_like)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@given(st.text(max_size=80) | query_like)
def test_what_excludes_nothing_is_read_the_same_again(text: str) -> None:
    read = read_query(text)
    if not read.excluded:
        assert read_query(read.wanted) == read


@given(st.text(max_size=200) | query_like)
def test_taking_framing_away_twice_changes_nothing(text: str) -> None:
    bare = without_prompt(normalised(text))
    assert without_prompt(bare) == bare


@given(words)
def test_plain_words_are_embedded_as_they_are(plain: list[str]) -> None:
    assert read_query(" ".join(plain)) == ReadQuery(" ".join(plain))


@given(query_like)
def test_no_word_about_sound_is_ever_lost(query: str) -> None:
    read = read_query(query)
    found = set(spoken(" ".join((read.wanted, *read.excluded))))
    about_sound = set(spoken(" ".join(WORDS)))
    assert set(spoken(query)) & about_sound <= found


@given(words, st.sampled_from([" without ", " but no ", ", no ", " minus the ", " -"]))
def test_what_is_wanted_stays_whole_whatever_is_excluded(plain: list[str], cue: str) -> None:
    wanted = " ".join(plain)
    assert read_query(f"{wanted}{cue}saxophone") == ReadQuery(wanted, ("saxophone",))
