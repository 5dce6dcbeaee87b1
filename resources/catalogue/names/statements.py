"""The SQL of keyword search.

Each step looks for the names that match less well than those of the step before, for every kind
that still lacks results, and comes with all that an answer shows: what the catalogue does not show
is not found. A step costs little however many names match, for it stops at `most_<kind>` rows and
compares a bounded number of candidates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from resources.catalogue.names.sources import Source

MOST: Final = 50
"""Results of a kind that may be asked for."""

EQUAL_CANDIDATES: Final = 200
"""Names equal to the query, among which the one in the very same spelling is looked for."""

SUBSTRING_CANDIDATES: Final = 300
"""Names with the query within a word, of which the most similar are taken."""

ONE_MISTAKE: Final = 0.45
"""Least word similarity of what has two thirds of the query in it as they are typed: less than of
what has nothing in common with it but trigrams."""

SHORTEST_INFIX: Final = 3
"""Letters in a row that can be found within a word: that is what a trigram is."""

SIMILAR_CANDIDATES: Final = 300
"""Names similar to the query, of which the most similar are taken."""

PREPARE: Final = """
SELECT moodsearch.searchable(%(query)s) AS text, moodsearch.searchable(%(handle)s) AS handle_text,
    -- Where word_similarity and its operator are found.
    set_config('search_path',
        concat_ws(', ', current_setting('search_path'), moodsearch.schema_of('pg_trgm')), true),
    -- A plan for any query: planning costs more than most of these queries do.
    set_config('plan_cache_mode', 'force_generic_plan', true),
    -- Statistics say little of how many names have some letters in them: to look rows up one by
    -- one in the indexes is always right here.
    set_config('enable_seqscan', 'off', true),
    set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true),
    set_config('jit', 'off', true),
    set_config('max_parallel_workers_per_gather', '0', true)
"""
"""To be run first in the transaction. NULL or an empty text: nothing can match."""

LOOSEN: Final = "SELECT set_config('pg_trgm.word_similarity_threshold', %(threshold)s, true)"

_TRACK: Final = """
    SELECT t.title::text AS name, jsonb_build_object('id', t.id, 'title', t.title,
        'artist_handle', a.handle, 'artist_display_name', a.display_name,
        'image_url', t.image_url) AS fields
    FROM public.tracks t JOIN public.artists a ON a.did = t.artist_did
    WHERE t.id = s.key::{type} AND t.visibility = 'public' AND a.handle IS NOT NULL
"""
_ARTIST: Final = """
    SELECT a.{name}::text AS name, jsonb_build_object('did', a.did, 'handle', a.handle,
        'display_name', a.display_name, 'avatar_url', {avatar}) AS fields
    FROM public.artists a
    WHERE a.did = s.key::{type} AND a.handle IS NOT NULL AND (
        SELECT true FROM public.tracks t
        WHERE t.artist_did = a.did AND t.visibility = 'public' LIMIT 1
    )
"""
# Where the catalogue is ours an album's cover is one of its tracks', and shown for as long as that
# track is public.
_ALBUM: Final = """
    SELECT l.title::text AS name, jsonb_build_object('id', l.id::text, 'slug', l.slug,
        'title', l.title, 'artist_handle', a.handle, 'artist_display_name', a.display_name,
        'image_url', CASE WHEN l.image_url LIKE '/tracks/%%/artwork/%%' THEN (
            SELECT t.image_url FROM public.tracks t
            WHERE t.album_id = l.id AND t.visibility = 'public' AND t.image_url IS NOT NULL
            ORDER BY t.image_url <> l.image_url, t.id LIMIT 1
        ) ELSE l.image_url END) AS fields
    FROM public.albums l JOIN public.artists a ON a.did = l.artist_did
    WHERE l.id = s.key::{type} AND a.handle IS NOT NULL AND (
        SELECT true FROM public.tracks t
        WHERE t.album_id = l.id AND t.visibility = 'public' LIMIT 1
    )
"""
_TAG: Final = """
    SELECT g.name::text, jsonb_build_object('id', g.id, 'name', g.name) AS fields
    FROM public.tags g
    WHERE g.id = s.key::{type} AND (
        SELECT true FROM public.track_tags k WHERE k.tag_id = g.id AND (
            SELECT t.visibility = 'public' FROM public.tracks t WHERE t.id = k.track_id LIMIT 1
        ) LIMIT 1
    )
"""
_PLAYLIST: Final = """
    SELECT p.name::text, jsonb_build_object('id', p.id::text, 'name', p.name,
        'owner_handle', a.handle, 'owner_display_name', a.display_name,
        'image_url', p.image_url, 'track_count', p.track_count) AS fields
    FROM public.playlists p JOIN public.artists a ON a.did = p.owner_did
    WHERE p.id = s.key::{type} AND p.show_on_profile AND p.track_count > 0
        AND a.handle IS NOT NULL
"""
_SHOWN: Final = {
    "track": _TRACK,
    "artist": _ARTIST,
    "handle": _ARTIST,
    "album": _ALBUM,
    "tag": _TAG,
    "playlist": _PLAYLIST,
}
"""What an answer shows of the row that the name `s` is of; no row when it may not be shown."""

# Each limit that a request may choose is around one that the planner knows: for an unknown one it
# would read everything.
_EQUAL: Final = """
(SELECT '{kind}' AS kind, s.key, 1.0::real AS similarity, v.name, v.fields
FROM (
    SELECT key FROM {texts}
    WHERE text = %({q}_equal)s LIMIT least(%(most_{kind})s, 1) * {equal_candidates}
) s CROSS JOIN LATERAL ({shown} LIMIT 1) v
ORDER BY v.name = %(query)s DESC LIMIT %(most_{kind})s)
"""

# In the order of bytes a space comes first: whole words before longer ones.
_PREFIX: Final = """
(SELECT * FROM (
    SELECT '{kind}' AS kind, s.key, word_similarity(%({q}_bare)s, s.text) AS similarity,
        v.name, v.fields
    FROM {texts} s CROSS JOIN LATERAL ({shown} LIMIT 1) v
    WHERE s.text >= %({q}_prefix)s AND s.text < %({q}_after)s AND s.text <> %({q}_equal)s
    ORDER BY s.text LIMIT {most}
) found LIMIT %(most_{kind})s)
"""

# Whole words, then starts of words, then anything: each is only looked for when there are too few
# of the one before. Of a long query there are few of each: one scan of the index finds them all,
# and their word similarities put them into the same order.
_SUBSTRING: Final = """
(SELECT * FROM (
    (SELECT '{kind}' AS kind, s.key, 1.0::real AS similarity, v.name, v.fields
    FROM {texts} s CROSS JOIN LATERAL ({shown} LIMIT 1) v
    WHERE NOT %(is_long)s
        AND s.text LIKE %({q}_words)s AND s.text NOT LIKE %({q}_first)s LIMIT {most})
    UNION ALL
    (SELECT '{kind}', s.key, word_similarity(%({q}_bare)s, s.text), v.name, v.fields
    FROM {texts} s CROSS JOIN LATERAL ({shown} LIMIT 1) v
    WHERE NOT %(is_long)s
        AND s.text LIKE %({q}_word_start)s AND s.text NOT LIKE %({q}_words)s
        AND s.text NOT LIKE %({q}_first)s LIMIT {most})
    UNION ALL
    (SELECT '{kind}', s.key, s.similarity, v.name, v.fields
    FROM (
        SELECT key, word_similarity(%({q}_bare)s, text) AS similarity
        FROM (
            SELECT key, text FROM {texts}
            WHERE %(has_infix)s AND text LIKE %({q}_anywhere)s
                AND text NOT LIKE
                    CASE WHEN %(is_long)s THEN %({q}_first)s ELSE %({q}_word_start)s END
            LIMIT {substring_candidates}
        ) candidates
        ORDER BY 2 DESC LIMIT {substring_candidates}
    ) s CROSS JOIN LATERAL ({shown} LIMIT 1) v
    LIMIT {most})
    LIMIT {most}
) found LIMIT %(most_{kind})s)
"""

_SIMILAR: Final = """
(SELECT * FROM (
    SELECT '{kind}' AS kind, s.key, s.similarity, v.name, v.fields
    FROM (
        SELECT key, word_similarity(%({q}_bare)s, text) AS similarity,
            length(text) AS length
        FROM (
            SELECT key, text FROM {texts}
            WHERE {is_candidate} AND text NOT LIKE %({q}_anywhere)s
            LIMIT {similar_candidates}
        ) candidates
        ORDER BY 2 DESC, 3 LIMIT {similar_candidates}
    ) s CROSS JOIN LATERAL ({shown} LIMIT 1) v
    WHERE s.similarity >= {least}
    LIMIT {most}
) found LIMIT %(most_{kind})s)
"""

# A single mistake is in one third of the query, so that the two others are there as they are typed:
# to look for these costs a fraction of what it costs to compare all trigrams.
_HAS_TWO_THIRDS: Final = """
%({q}_has_parts)s AND (
    (text LIKE %({q}_part_1)s AND text LIKE %({q}_part_2)s)
    OR (text LIKE %({q}_part_1)s AND text LIKE %({q}_part_3)s)
    OR (text LIKE %({q}_part_2)s AND text LIKE %({q}_part_3)s)
)
"""
_SHARES_TRIGRAMS: Final = "%({q}_bare)s <%% text"


@dataclass(frozen=True)
class Statements:
    """One statement for each step, over all kinds that are searched. Rows: `kind`, `key`,
    `similarity` (of words, in [0, 1]), `name`, `fields`."""

    equal: str
    prefix: str
    substring: str
    one_mistake: str
    fuzzy: str


def build(sources: Sequence[Source], key_types: Mapping[str, str], avatar: str) -> Statements:
    """`key_types`: the SQL type of each source's key, by kind. `avatar`: an expression for the
    avatar of the artist `a`."""

    def for_one(template: str, source: Source, is_candidate: str, least: float) -> str:
        q = "handle" if source.kind == "handle" else "text"
        key_type = key_types[source.kind]
        return template.format(
            kind=source.kind,
            texts=source.texts,
            q=q,
            shown=_SHOWN[source.kind].format(type=key_type, name=source.name, avatar=avatar),
            most=MOST,
            equal_candidates=EQUAL_CANDIDATES,
            substring_candidates=SUBSTRING_CANDIDATES,
            similar_candidates=SIMILAR_CANDIDATES,
            is_candidate=is_candidate.format(q=q),
            least=least,
        )

    def over_all(template: str, is_candidate: str = "", least: float = 0.0) -> str:
        return "UNION ALL".join(for_one(template, each, is_candidate, least) for each in sources)

    return Statements(
        equal=over_all(_EQUAL),
        prefix=over_all(_PREFIX),
        substring=over_all(_SUBSTRING),
        one_mistake=over_all(_SIMILAR, _HAS_TWO_THIRDS, ONE_MISTAKE),
        fuzzy=over_all(_SIMILAR, _SHARES_TRIGRAMS),
    )


def patterns(name: str, text: str) -> dict[str, str | bool]:
    """Parameters of the steps for one searchable `text` (with its spaces at both ends)."""
    bare = text.strip(" ")
    literal = _literal(bare)
    thirds = [len(bare) * n // 3 for n in range(4)]
    parts = [bare[start:end] for start, end in pairwise(thirds)]
    return {
        f"{name}_bare": bare,
        f"{name}_equal": text,
        f"{name}_prefix": f" {bare}",
        # After everything that begins so: no character is greater.
        f"{name}_after": f" {bare}\U0010ffff",
        f"{name}_first": f" {literal}%",
        f"{name}_words": f"% {literal} %",
        f"{name}_word_start": f"% {literal}%",
        f"{name}_anywhere": f"%{literal}%",
        f"{name}_has_parts": all(map(has_infix, parts)),
        **{f"{name}_part_{n}": f"%{_literal(part)}%" for n, part in enumerate(parts, start=1)},
    }


def has_infix(text: str) -> bool:
    """Whether an index can find `text` within words."""
    letters = "".join(c if c.isalnum() else " " for c in text)
    return any(len(run) >= SHORTEST_INFIX for run in letters.split(" "))


def _literal(text: str) -> str:
    """`text` in a pattern of LIKE, where it stands for nothing but itself."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
