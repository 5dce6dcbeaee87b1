-- What is to be done for each track: the catalogue, compared with what is stored.
--
-- The bodies are text, not BEGIN ATOMIC: that would tie an app's columns to these functions, and
-- the app could neither drop nor retype them.

-- A digest of what an index's document holds besides its vector. It begins with the version of the
-- list: with another attribute it is raised, and every track is indexed again, without being
-- embedded. All of it is immutable, so that the planner puts it in place of the call; as a call it
-- would cost ten times as much.
CREATE FUNCTION moodsearch.attributes(title text, handle text, did text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '1:' || md5(
    quote_literal(title) || ',' || quote_literal(handle) || ',' || quote_literal(did)
);


-- The catalogue's tracks from one id to another, as far as they matter here.
CREATE FUNCTION moodsearch.catalogue(first_id bigint, last_id bigint)
RETURNS TABLE (
    track_id bigint, file_id text, file_type text, r2_url text,
    title text, artist_handle text, artist_did text,
    genres_file_id text, is_shown boolean
)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT
        t.id::bigint, t.file_id::text, t.file_type::text, t.r2_url::text,
        t.title::text, a.handle::text, t.artist_did::text,
        t.extra ->> 'genre_predictions_file_id',
        -- What lacks a part of it cannot be shown, like what is not public.
        t.visibility IS NOT DISTINCT FROM 'public' AND t.title IS NOT NULL
            AND a.handle IS NOT NULL AND t.file_id IS NOT NULL AND t.file_type IS NOT NULL
    FROM public.tracks t LEFT JOIN public.artists a ON a.did = t.artist_did
    WHERE t.id BETWEEN first_id AND last_id
$$;


-- Tracks of which anything is stored, in the catalogue or not.
CREATE FUNCTION moodsearch.known_tracks() RETURNS SETOF bigint
LANGUAGE sql STABLE AS $$
    SELECT track_id FROM moodsearch.track_audio
    UNION SELECT track_id FROM moodsearch.track_genres
    UNION SELECT track_id FROM moodsearch.track_embeddings
    UNION SELECT track_id FROM moodsearch.track_documents
$$;


-- The first step that a track lacks (later ones follow from it), and whether its genres are to be
-- predicted, for embeddings of `model`, indexed in `generation`. Only tracks with something to do.
CREATE FUNCTION moodsearch.pending(
    model text, generation text, first_id bigint, last_id bigint,
    genres_need_embedding boolean DEFAULT true
)
RETURNS TABLE (
    track_id bigint, step text, needs_genres boolean, is_deleted boolean,
    file_id text, file_type text, r2_url text,
    title text, artist_handle text, artist_did text, attributes text
)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT *
    FROM (
        SELECT
            track_id,
            CASE
                WHEN t.is_shown IS NULL THEN 'remove'
                -- Only its embedding may stay, for a while.
                WHEN NOT t.is_shown THEN
                    CASE WHEN num_nonnulls(d.track_id, a.track_id, g.track_id) > 0 THEN 'remove' END
                WHEN a.state = 'failed' AND a.file_id = t.file_id THEN
                    CASE WHEN d.file_id IS NOT NULL THEN 'remove' END
                WHEN a.file_id IS DISTINCT FROM t.file_id THEN 'probe'
                WHEN e.file_id IS DISTINCT FROM t.file_id THEN 'embed'
                WHEN d.file_id IS DISTINCT FROM t.file_id
                    OR d.attributes IS DISTINCT FROM
                        moodsearch.attributes(t.title, t.artist_handle, t.artist_did) THEN 'index'
            END AS step,
            coalesce(
                t.is_shown AND a.state = 'decodable' AND a.file_id = t.file_id
                AND (NOT genres_need_embedding OR e.file_id = t.file_id)
                AND (
                    g.reclassify
                    OR t.genres_file_id IS DISTINCT FROM t.file_id
                        AND g.file_id IS DISTINCT FROM t.file_id
                ),
                false
            ) AS needs_genres,
            t.is_shown IS NULL,
            t.file_id, t.file_type, t.r2_url, t.title, t.artist_handle, t.artist_did,
            moodsearch.attributes(t.title, t.artist_handle, t.artist_did)
        FROM moodsearch.catalogue(first_id, last_id) t
        FULL JOIN (
            SELECT * FROM moodsearch.track_audio WHERE track_id BETWEEN first_id AND last_id
        ) a USING (track_id)
        FULL JOIN (
            SELECT * FROM moodsearch.track_genres WHERE track_id BETWEEN first_id AND last_id
        ) g USING (track_id)
        FULL JOIN (
            SELECT * FROM moodsearch.track_embeddings own
            WHERE own.model = pending.model AND track_id BETWEEN first_id AND last_id
        ) e USING (track_id)
        FULL JOIN (
            SELECT * FROM moodsearch.track_documents own
            WHERE own.generation = pending.generation AND track_id BETWEEN first_id AND last_id
        ) d USING (track_id)
    ) compared
    WHERE step IS NOT NULL OR needs_genres
$$;
