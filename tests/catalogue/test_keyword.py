"""Keyword search: what matches, in which order, and what is never found."""

import threading
import time
from collections.abc import Sequence

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.catalogue.database import Database
from resources.catalogue.names.search import TYPES, Found, KeywordSearch, MatchRank
from resources.errors import BackendError
from tests.catalogue.names import FollowedSearch, add_album, add_playlist, add_tag
from tests.catalogue.rows import add_artist, add_track, update_track


@pytest.fixture
def search(database: Database, database_url: str) -> KeywordSearch:
    return FollowedSearch(database, database_url)


def names(found: Sequence[Found]) -> list[str]:
    return [str(f.fields.get("title", f.fields.get("name", f.fields.get("handle")))) for f in found]


def titles(search: KeywordSearch, query: str, limit: int = 20) -> list[str]:
    return names(search.search(query, {"track"}, limit))


def test_equal_before_prefix_before_substring_before_similar(
    database: Database, search: KeywordSearch
) -> None:
    for title in ("Lats Night", "Chocolate", "Be Late", "Late Night", "Late"):
        add_track(database, title)
    found = search.search("late", {"track"}, 20)
    assert names(found) == ["Late", "Late Night", "Be Late", "Chocolate", "Lats Night"]
    assert [each.match for each in found] == [0, 1, 2, 2, 3]
    assert titles(search, "late night") == ["Late Night", "Lats Night"]
    relevance = [each.relevance for each in found]
    assert relevance == sorted(relevance, reverse=True)
    assert relevance[0] == 1
    assert all(0 <= each <= 1 for each in relevance)


def test_whole_words_come_before_starts_of_words_and_these_before_the_inside_of_words(
    database: Database, search: KeywordSearch
) -> None:
    for title in ("Overmoonlight", "To Moonlight", "To Moon", "Moonlight", "Moon Light"):
        add_track(database, title)
    assert titles(search, "moon") == [
        "Moon Light",
        "Moonlight",
        "To Moon",
        "To Moonlight",
        "Overmoonlight",
    ]


def test_a_long_title_is_not_punished_for_its_length(
    database: Database, search: KeywordSearch
) -> None:
    long = "The Very Long Title of a Piece in Many Movements that Ends at Midnight"
    add_track(database, long)
    add_track(database, "Midnite")
    add_track(database, "At Midnight")
    found = search.search("midnight", {"track"}, 20)
    assert set(names(found)[:2]) == {long, "At Midnight"}
    assert found[0].relevance == found[1].relevance
    misspelt = search.search("midnihgt", {"track"}, 20)
    relevance = {name: each.relevance for name, each in zip(names(misspelt), misspelt, strict=True)}
    assert relevance[long] == relevance["At Midnight"]


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("Señorita", "senorita"),
        ("Senorita", "SEÑORITA"),
        ("Don’t Stop", "don't stop"),
        ("Don't Stop", "Don’t stop"),
        ("Dont Stop", "don´t stop"),
        ("“Heroes”", '"heroes"'),
        ("Heroes", "„heroes“"),
        ("Ætherløs Straße", "aetherlos strasse"),
        ("ＦＵＬＬ ﬁt", "full fit"),
        ("ПРИВЕТ Ёлка", "привет елка"),
        ("Σίσυφος", "ΣΙΣΥΦΟΣ"),
        ("e\u0301te\u0301", "été"),
        ("Two  Spaces\u00a0Here", "two spaces here"),
        ("Zero\u200bwidth", "zerowidth"),
        ("שָׁלוֹם", "שלום"),
        ("İstanbul", "istanbul"),
    ],
)
def test_case_accents_quotes_and_forms_make_no_difference(
    database: Database, search: KeywordSearch, title: str, query: str
) -> None:
    add_track(database, title)
    (found,) = search.search(query, {"track"}, 20)
    assert found.match == MatchRank.EQUAL


def test_scripts_without_spaces_are_searched_by_character(
    database: Database, search: KeywordSearch
) -> None:
    for title in ("新東京物語", "東京", "京都", "대한민국"):
        add_track(database, title)
    assert titles(search, "東京") == ["東京", "新東京物語"]
    assert titles(search, "한민") == ["대한민국"]


@pytest.mark.parametrize("sign", ["%", "_", "\\"])
def test_wildcards_stand_for_themselves(
    database: Database, search: KeywordSearch, sign: str
) -> None:
    for title in (f"a{sign}b", "axb", f"50{sign}", "501"):
        add_track(database, title)
    assert titles(search, f"a{sign}b") == [f"a{sign}b"]
    assert titles(search, f"50{sign}") == [f"50{sign}"]
    assert titles(search, sign * 2) == []


@pytest.mark.parametrize(
    "query",
    ["'; DROP TABLE tracks; --", '" OR 1=1', "%(query)s", "{kind}", "$1 :name", "a\0b", "\ud800x"],
)
def test_a_query_is_never_part_of_a_statement(
    database: Database, search: KeywordSearch, query: str
) -> None:
    add_track(database, "safe")
    assert titles(search, query) == []
    assert titles(search, "safe") == ["safe"]


def test_the_same_spelling_is_first_among_equal_ones(
    database: Database, search: KeywordSearch
) -> None:
    for title in ("ECLAIR", "Éclair", "éclair", "eclair"):
        add_track(database, title)
    for title in ("Éclair", "eclair", "ECLAIR"):
        assert titles(search, title)[0] == title


def test_misspelt_names_are_found(database: Database, search: KeywordSearch) -> None:
    add_track(database, "Electric Dream")
    add_track(database, "Silence")
    assert titles(search, "electic dreem") == ["Electric Dream"]
    assert titles(search, "elecric dream") == ["Electric Dream"]
    assert titles(search, "xqzvwkjj") == []


def test_every_type_is_found_with_its_own_fields(database: Database, search: KeywordSearch) -> None:
    track = add_track(database, "Nova")
    add_track(database, "Another", artist="nova.example")
    album = add_album(database, "Nova", track=track)
    tag = add_tag(database, "nova", track=track)
    playlist = add_playlist(database, "Nova")
    found = {each.type: dict(each.fields) for each in search.search("nova", TYPES, 20)}
    owner = {"artist_handle": "artist", "artist_display_name": "artist"}
    assert found["track"] == {"id": track, "title": "Nova", "image_url": None, **owner}
    assert found["album"]["id"] == album
    assert found["album"] | owner == found["album"]
    assert found["tag"] == {"id": tag, "name": "nova"}
    assert found["playlist"]["id"] == playlist
    assert found["artist"]["handle"] == "nova.example"
    assert set(found) == set(TYPES)


def test_artists_are_found_by_name_and_by_handle_once(
    database: Database, search: KeywordSearch
) -> None:
    add_artist(database, "nils.example", did="did:1")
    database.rows("UPDATE public.artists SET display_name = 'Nils Frahm'")
    add_track(database)
    database.rows("UPDATE public.tracks SET artist_did = 'did:1'")
    for query in ("nils", "@nils", "@nils.example", "frahm", "NILS FRAHM"):
        assert [each.key for each in search.search(query, {"artist"}, 20)] == ["did:1"], query


def test_limit_counts_for_each_type(database: Database, search: KeywordSearch) -> None:
    for n in range(5):
        track = add_track(database, f"Nova {n}")
        add_tag(database, f"nova {n}", track=track)
    found = search.search("nova", {"track", "tag"}, 3)
    assert [each.type for each in found].count("track") == 3
    assert [each.type for each in found].count("tag") == 3
    assert {each.type for each in search.search("nova", {"tag"}, 3)} == {"tag"}


def test_what_is_not_public_is_never_found(database: Database, search: KeywordSearch) -> None:
    hidden = add_track(database, "Secret Track", visibility="private")
    add_album(database, "Secret Album", track=hidden)
    add_album(database, "Secret Draft", track=None)
    add_tag(database, "secret tag", track=hidden)
    add_tag(database, "secret unused", track=None)
    add_playlist(database, "Secret List", shown=False)
    assert search.search("secret", TYPES, 50) == []
    update_track(database, hidden, visibility="public")
    assert sorted(names(search.search("secret", TYPES, 50))) == [
        "Secret Album",
        "Secret Track",
        "secret tag",
    ]
    database.rows("UPDATE public.playlists SET show_on_profile = true")
    assert names(search.search("secret list", {"playlist"}, 50)) == ["Secret List"]
    update_track(database, hidden, visibility="unlisted")
    database.rows("UPDATE public.playlists SET show_on_profile = false")
    assert search.search("secret", TYPES, 50) == []


def test_who_has_no_public_track_is_found_by_nobody(
    database: Database, search: KeywordSearch
) -> None:
    """By neither name, whatever else they have."""
    track = add_track(database, "A Piece", artist="secretive.example", visibility="unlisted")
    database.rows("UPDATE public.artists SET display_name = 'Secretive Person'")
    add_album(database, "Secretive Album", artist="secretive.example", track=track)
    for query in ("secretive", "secretive person", "@secretive.example", "secretvie"):
        assert search.search(query, TYPES, 50) == []
    update_track(database, track, visibility="public")
    assert names(search.search("secretive person", {"artist"}, 50)) == ["secretive.example"]
    database.rows("UPDATE public.tracks SET album_id = NULL")
    assert names(search.search("secretive", TYPES, 50)) == ["secretive.example"]
    database.rows("DELETE FROM public.tracks")
    assert search.search("secretive", TYPES, 50) == []


def test_a_playlist_is_found_while_it_has_tracks_also_one_of_a_listener(
    database: Database, search: KeywordSearch
) -> None:
    add_playlist(database, "Late Hours", owner="listener.example", tracks=0)
    assert search.search("late hours", TYPES, 50) == []
    database.rows("UPDATE public.playlists SET track_count = 3")
    assert names(search.search("late hours", TYPES, 50)) == ["Late Hours"]
    assert search.search("listener", {"artist"}, 50) == []


def test_the_catalogue_decides_whatever_is_kept(database: Database, search: KeywordSearch) -> None:
    """As when triggers were disabled while something was hidden, renamed or deleted."""
    first, second = add_track(database, "Nova One"), add_track(database, "Nova Two")
    with database.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("DELETE FROM public.tracks WHERE id = %s", [first])
        connection.execute(
            "UPDATE public.tracks SET visibility = 'private' WHERE id = %s", [second]
        )
    assert titles(search, "nova") == []


def test_changes_are_seen_once_they_are_followed(database: Database, search: KeywordSearch) -> None:
    track = add_track(database, "Before")
    update_track(database, track, title="After")
    assert titles(search, "before") == []
    assert titles(search, "after") == ["After"]
    database.rows("UPDATE public.artists SET display_name = 'Renamed'")
    assert len(search.search("renamed", {"artist"}, 20)) == 1
    database.rows("DELETE FROM public.tracks")
    assert titles(search, "after") == []
    add_track(database, "Again")
    database.rows("TRUNCATE public.tracks CASCADE")
    assert titles(search, "again") == []


@pytest.mark.slow
def test_a_rename_under_way_shows_one_name_or_the_other(
    database: Database, search: KeywordSearch
) -> None:
    track = add_track(database, "Nova Old")
    end = threading.Event()

    def rename() -> None:
        while not end.is_set():
            update_track(database, track, title="Nova New")
            update_track(database, track, title="Nova Old")

    thread = threading.Thread(target=rename)
    thread.start()
    try:
        for _ in range(50):
            assert titles(search, "nova old") in (["Nova Old"], ["Nova New"])
    finally:
        end.set()
        thread.join()


def test_a_title_of_any_length_can_be_written(database: Database, search: KeywordSearch) -> None:
    add_track(database, "ﷺ" * 5_000)
    add_track(database, "long " * 5_000)
    assert len(titles(search, "long long")) == 1
    assert len(titles(search, "ﷺ" * 100)) == 1


def test_an_app_without_albums_or_playlists_is_searched(
    database: Database, search: KeywordSearch
) -> None:
    database.rows(
        "DROP TABLE public.playlists, public.albums, public.track_tags, public.tags CASCADE"
    )
    add_track(database, "Nova")
    assert names(search.search("nova", TYPES, 20)) == ["Nova"]


def test_a_statement_that_takes_too_long_is_an_error_of_the_backend(
    database: Database, search: KeywordSearch, database_url: str
) -> None:
    add_track(database, "Nova")
    search.search("nova", TYPES, 20)
    with psycopg.connect(database_url) as blocker:
        blocker.execute("LOCK TABLE public.tracks")
        started = time.monotonic()
        with pytest.raises(BackendError):
            search.search("nova", TYPES, 20)
    assert time.monotonic() - started < 30


TEXT = st.text(st.characters(codec=None), min_size=2, max_size=100)


@pytest.mark.slow
@given(query=TEXT)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_query_is_answered(database: Database, search: KeywordSearch, query: str) -> None:
    assert isinstance(search.search(query, TYPES, 5), list)


@pytest.mark.slow
@given(
    title=st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=2, max_size=100)
)
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_an_exact_title_is_always_first(
    database: Database, search: KeywordSearch, title: str
) -> None:
    database.rows("DELETE FROM public.tracks")
    for other in (title + "s", title.upper(), title.lower(), "x" + title, title[:-1]):
        add_track(database, other)
    add_track(database, title)
    found = titles(search, title, limit=3)
    if found or title.strip():
        searchable = database.rows("SELECT moodsearch.searchable(%(t)s) AS s", {"t": title})[0]["s"]
        assert (found[0] == title) if searchable else (found == [])
