"""Labels of the Discogs taxonomy become tags."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.genres.labels import is_tag, split_labels
from resources.genres.names import GENRE_NAMES
from resources.genres.protocol import GenrePrediction

labels = st.one_of(
    st.text(max_size=12),
    st.tuples(
        st.sampled_from(["Electronic", "Rock", "Hip Hop"]),
        st.sampled_from(["---", "----", "--", " --- "]),
        st.sampled_from(
            ["Ambient", "ambient", "Drum n Bass", "Rock", "Folk, World, & Country", ""]
        ),
    ).map("".join),
)
scores = st.dictionaries(labels, st.floats(0, 1), max_size=30)


def test_a_label_is_split_into_genre_and_style() -> None:
    assert split_labels({"Electronic---Ambient": 0.5}, 10) == [
        GenrePrediction("ambient", 0.5),
        GenrePrediction("electronic", 0.5),
    ]


def test_the_higher_score_is_kept_for_a_genre_of_several_labels() -> None:
    predictions = split_labels({"Rock---Emo": 0.2, "Rock---Punk": 0.7, "Pop---Emo": 0.4}, 10)
    assert [(each.name, each.confidence) for each in predictions] == [
        ("punk", 0.7),
        ("rock", 0.7),
        ("emo", 0.4),
        ("pop", 0.4),
    ]


def test_a_label_is_split_once_from_the_left() -> None:
    names = [each.name for each in split_labels({"A---B---C": 0.5}, 10)]
    assert names == ["a", "b---c"]


def test_special_characters_of_styles_are_kept() -> None:
    names = {each.name for each in split_labels({"Folk, World, & Country---Rock & Roll": 1}, 10)}
    assert names == {"folk, world, & country", "rock & roll"}


def test_a_label_without_a_style_is_one_tag() -> None:
    assert split_labels({"Jazz": 0.5, "Blues---": 0.4, "": 0.9, "---": 0.9}, 10) == [
        GenrePrediction("jazz", 0.5),
        GenrePrediction("blues", 0.4),
    ]


@pytest.mark.parametrize("score", [math.nan, math.inf, -0.1, 1.1])
def test_a_score_that_is_no_activation_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match=r"not in \[0, 1\]"):
        split_labels({"Rock---Emo": score}, 10)


def test_rounding_beyond_one_is_forgiven() -> None:
    assert split_labels({"Rock": 1 + 1e-7}, 10) == [GenrePrediction("rock", 1.0)]


@given(scores, st.integers(0, 40))
def test_tags_are_unique_lower_case_best_first_and_at_most_top_n(
    scores: dict[str, float], top_n: int
) -> None:
    predictions = split_labels(scores, top_n)
    names = [each.name for each in predictions]
    confidences = [each.confidence for each in predictions]
    assert len(names) == len(set(names)) <= top_n
    assert all(name and name == name.lower() == name.strip() for name in names)
    assert confidences == sorted(confidences, reverse=True)
    assert set(confidences) <= set(scores.values())


@given(scores)
def test_what_is_cut_is_never_better_than_what_is_kept(scores: dict[str, float]) -> None:
    everything = split_labels(scores, 1000)
    assert split_labels(scores, 5) == everything[:5]
    if everything and all(label.replace("-", " ").strip() for label in scores):
        assert everything[0].confidence == max(scores.values())


@given(scores)
def test_the_order_of_the_labels_does_not_matter(scores: dict[str, float]) -> None:
    backwards = dict(reversed(scores.items()))
    assert split_labels(backwards, 10) == split_labels(scores, 10)


@pytest.mark.parametrize("name", ["non-music", "Non-Music", "interview", "political", "religious"])
def test_what_a_recording_is_for_is_no_tag(name: str) -> None:
    assert not is_tag(name)


@pytest.mark.parametrize("name", ["techno", "field recording", "spoken word", "non-music techno"])
def test_what_a_recording_sounds_like_is_a_tag(name: str) -> None:
    assert is_tag(name)


def test_what_is_no_tag_is_stored_all_the_same() -> None:
    names = [each.name for each in split_labels({"Non-Music---Interview": 0.5}, 10)]
    assert names == ["interview", "non-music"]


def test_everything_that_zero_shot_chooses_from_is_a_tag() -> None:
    assert [name for name in GENRE_NAMES if not is_tag(name)] == []
