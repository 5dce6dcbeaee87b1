"""Typing mistakes that the offline model's text tower mends, and those that are none."""

import string
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from resources.audio.windows import SAMPLE_RATE, WINDOW_SAMPLES
from resources.embedding.offline import load_offline_model
from resources.embedding.offline.lexicon import WORDS_FILE, Lexicon, load_lexicon
from serving.search.shown_similarity import OFFLINE

LEXICON = load_lexicon()
LINES = WORDS_FILE.read_text().split()
LONG = sorted(word for word in LINES if len(word) >= 6 and LEXICON.is_about_sound(word))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("accoustic", "acoustic"),
        ("acoustc", "acoustic"),
        ("acousdic", "acoustic"),
        ("acuostic", "acoustic"),
        ("tecno", "techno"),
        ("synthesiser", "synthesizer"),
        ("marimbas", "marimba"),
    ],
)
def test_one_typing_mistake_is_mended(typed: str, meant: str) -> None:
    assert LEXICON.mended(typed) == meant


@pytest.mark.parametrize(
    "word",
    ["plucky", "moogs", "house", "moose", "xqzt", "", "808", "été", "guitar", "tempura"],
)
def test_words_that_exist_short_ones_and_gibberish_stay(word: str) -> None:
    assert LEXICON.mended(word) == word


def test_a_word_of_its_own_is_none_only_because_the_file_says_so() -> None:
    assert Lexicon("droning").mended("drowning") == "droning"
    assert Lexicon("droning\n-drowning").mended("drowning") == "drowning"


def test_of_two_words_that_could_be_meant_it_is_always_the_first_in_the_file() -> None:
    assert Lexicon("singer\nsinges").mended("singez") == "singer"
    assert Lexicon("singes\nsinger").mended("singez") == "singes"


letters = st.sampled_from(string.ascii_lowercase)


@given(st.sampled_from(LONG), st.data())
def test_every_long_word_about_sound_survives_any_one_mistake(
    word: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(word) - 2))
    letter = data.draw(letters)
    typed = data.draw(
        st.sampled_from(
            [
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            ]
        )
    )
    assume(typed != word)
    assert LEXICON.one_mistake_from(typed) is not None
    assert Lexicon(word).mended(typed) == word


@given(st.text(max_size=30))
def test_mending_twice_changes_nothing(word: str) -> None:
    assert LEXICON.mended(LEXICON.mended(word)) == LEXICON.mended(word)


@given(st.sampled_from(LINES))
def test_words_in_the_file_are_known_or_lead_to_one_that_is(line: str) -> None:
    word = line.removeprefix("-")
    mended = LEXICON.mended(word)
    assert mended == word or LEXICON.is_about_sound(mended)


MODEL = load_offline_model(threads=1)


def test_a_mended_word_has_the_vector_of_the_word_that_was_meant() -> None:
    typed, meant = MODEL.embed_text(["a medeival tavern", "a medieval tavern"])
    np.testing.assert_array_equal(typed, meant)


@pytest.mark.parametrize("word", ["drowning", "grassy", "bowling"])
def test_a_word_that_the_model_knows_whole_is_never_mended(word: str) -> None:
    eager = replace(MODEL.text, lexicon=Lexicon("droning\nglassy\nhowling"))
    assert eager.lexicon.mended(word) != word
    plain = replace(MODEL.text, lexicon=Lexicon(""))
    np.testing.assert_array_equal(eager.embed([word]), plain.embed([word]))


@pytest.mark.parametrize("text", ["asdf qwer", "the of and", "🎹", "", "12345", "hjkl"])
def test_a_text_without_meaning_is_far_from_every_sound(text: str) -> None:
    rng = np.random.default_rng(1)
    seconds = np.arange(WINDOW_SAMPLES) / SAMPLE_RATE
    beat = np.sin(2 * np.pi * 55 * seconds) * np.exp(-(seconds % 0.5) / 0.06)
    chord = sum(np.sin(2 * np.pi * hertz * seconds) for hertz in (220, 277, 330)) / 3
    noise = rng.standard_normal(WINDOW_SAMPLES).clip(-3, 3) / 3
    sounds = MODEL.embed_audio(np.stack([beat, chord, noise]).astype(np.float32))
    assert (sounds @ MODEL.embed_text([text])[0]).max() < OFFLINE.midpoint - OFFLINE.width


@pytest.mark.parametrize("text", ["techno", "idm", "808", "a wistful song", "music", "viking"])
def test_a_text_with_one_word_that_means_something_keeps_its_vector(text: str) -> None:
    nothing = MODEL.embed_text([""])[0]
    assert MODEL.embed_text([text])[0] @ nothing < 0.9
