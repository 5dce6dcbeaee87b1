"""Queries over the demo's catalogue, heard by the model that ships, as people type them."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from resources.audio.decode import decode_windows
from resources.audio.probe import probe
from resources.audio.windows import pool
from resources.embedding.offline import load_offline_model
from resources.genres.protocol import GenreRequest
from resources.genres.zero_shot import ZeroShotClassifier
from serving.demo import DEMO_PIECES, DEMO_QUERIES, EXTRA_QUERIES, write_catalogue
from serving.search.query_vectors import QueryVectors
from serving.search.shown_similarity import OFFLINE
from tests.serving.query_variants import VARIANTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

STYLES = np.array([piece.style for piece in DEMO_PIECES])
DRUMS = [
    "driving techno",
    "drum and bass",
    "lo-fi hip hop",
    "chiptune",
    "synthwave",
    "dub reggae",
    "jazz trio",
]

FITTING = {
    "acoustic guitar folk": "acoustic, folk, indie folk, singer-songwriter, americana, country",
    "brass fanfare": "classical, soundtrack",
    "chiptune": "chiptune, electronic",
    "choir": "choral, opera, gospel, classical",
    "dark ambient drone": "dark ambient, drone, ambient, noise",
    "driving techno": "techno, minimal techno, dub techno, acid, electronic, trance",
    "drum and bass": "drum and bass, jungle, breakbeat",
    "dub reggae": "dub, reggae, dub techno, ska, dancehall",
    "harsh noise": "noise, industrial, experimental",
    "jazz trio": "jazz, bebop, swing, bossa nova, smooth jazz",
    "lo-fi hip hop": "lo-fi, hip hop, boom bap, trip hop, downtempo, chillout",
    "meditation bells": "new age, ambient",
    "solo piano": "solo piano, classical, contemporary classical",
    "string quartet": "string quartet, classical, contemporary classical, baroque",
    "synthwave": "synthwave, synth-pop, electro, electronic, vaporwave, italo disco, new wave",
}
"""Genres that one would give to the demo's styles."""


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.float32]:
    """(60, 512): the vectors of the demo's pieces."""
    folder: Path = tmp_path_factory.mktemp("demo")
    write_catalogue(folder)
    model = load_offline_model(threads=1)
    files = [folder / piece.file_name for piece in DEMO_PIECES]
    vectors = [pool(model.embed_audio(decode_windows(f, probe(f)).samples)) for f in files]
    return np.array(vectors)


@pytest.fixture(scope="module")
def queries() -> QueryVectors:
    return QueryVectors(load_offline_model(threads=1))


def test_the_same_wish_in_other_words_finds_the_same_track_first(
    pieces: NDArray[np.float32], queries: QueryVectors
) -> None:
    def first(query: str) -> int:
        return int((pieces @ queries.vector(query)).argmax())

    pairs = [(plain, variant) for plain, variants in VARIANTS.items() for variant in variants]
    assert len(VARIANTS) >= 20
    assert len(pairs) >= 60
    missed = [(plain, variant) for plain, variant in pairs if first(plain) != first(variant)]
    assert len(missed) <= 0.1 * len(pairs), missed


def test_good_matches_are_shown_above_60_percent_and_nonsense_below_30(
    pieces: NDArray[np.float32], queries: QueryVectors
) -> None:
    good = []
    for query in (*DEMO_QUERIES, *EXTRA_QUERIES):
        cosines = pieces[query.style == STYLES] @ queries.vector(query.query)
        good.append(OFFLINE.percent(float(cosines.max())) > 60)
    assert np.mean(good) >= 0.9
    for text in ("asdf qwer", "the of and", "🎹🎹🎹", "hjkl"):
        best = float((pieces @ queries.vector(text)).max())
        assert OFFLINE.percent(best) < 30, text


def test_an_exclusion_is_followed_and_costs_no_first_place(
    pieces: NDArray[np.float32], queries: QueryVectors
) -> None:
    def best(query: str) -> NDArray[np.str_]:
        return STYLES[np.argsort(-(pieces @ queries.vector(query)), kind="stable")]

    for excluded, styles in (("drums", DRUMS), ("piano", ["solo piano", "jazz trio"])):
        with_them = np.isin(best("calm music")[:10], styles).mean()
        without_them = np.isin(best(f"calm music without {excluded}")[:10], styles).mean()
        assert without_them <= with_them
        assert np.isin(best(f"no {excluded}")[:10], styles).mean() < 0.3
    for wanted, excluded, style in (
        ("calm solo piano", "drums", "solo piano"),
        ("techno", "vocals", "driving techno"),
        ("string quartet", "drums", "string quartet"),
    ):
        assert best(f"{wanted} but no {excluded}")[0] == style


def test_the_genre_heard_first_fits_four_pieces_of_five(pieces: NDArray[np.float32]) -> None:
    classifier = ZeroShotClassifier(load_offline_model(threads=1), top_n=1)
    heard = [classifier.classify(GenreRequest(1, "", piece))[0].name for piece in pieces]
    fits = [name in FITTING[style].split(", ") for name, style in zip(heard, STYLES, strict=True)]
    assert np.mean(fits) >= 0.8, sorted(zip(STYLES, heard, strict=True))
