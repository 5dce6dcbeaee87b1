"""What outside services were used, who classified each track, and genres that are asked for anew.

`moodsearch.pending` learns that a classifier which hears the audio needs no embedding, and that a
track whose genres are to be predicted again is pending whatever is stored for it.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE moodsearch.usage (
    day date NOT NULL,
    -- What was used, such as replicate.predictions; an amount, never a price: those change.
    measure text NOT NULL,
    amount double precision NOT NULL,
    PRIMARY KEY (day, measure)
);

ALTER TABLE moodsearch.track_state
    -- Who classified the audio last; null where that was not recorded.
    ADD genres_classifier text,
    -- Somebody asked for the genres to be predicted again.
    ADD reclassify boolean NOT NULL DEFAULT false;
"""

PENDING = """
CREATE FUNCTION moodsearch.pending(
    model text, generation text, first_id bigint, last_id bigint
    {parameter}
)
RETURNS TABLE (
    track_id bigint, step text, needs_genres boolean, is_deleted boolean,
    file_id text, file_type text, r2_url text,
    title text, artist_handle text, artist_did text, attributes text
)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT *
    FROM (
        SELECT
            coalesce(t.id, s.track_id),
            CASE
                WHEN t.id IS NULL THEN 'remove'
                WHEN NOT t.is_shown THEN
                    CASE WHEN s.indexed_in IS NOT NULL THEN 'remove' END
                WHEN s.file_id IS DISTINCT FROM t.file_id THEN 'probe'
                WHEN s.audio_state = 'failed' THEN
                    CASE WHEN s.indexed_in IS NOT NULL THEN 'remove' END
                WHEN s.embedded_file_id IS DISTINCT FROM t.file_id
                    OR s.embedded_model IS DISTINCT FROM model THEN 'embed'
                WHEN s.indexed_file_id IS DISTINCT FROM t.file_id
                    OR s.indexed_in IS DISTINCT FROM generation
                    OR s.indexed_attributes IS DISTINCT FROM t.attributes THEN 'index'
            END AS step,
            coalesce(
                t.is_shown AND s.audio_state = 'decodable' AND s.file_id = t.file_id
                AND ({has_what_is_heard})
                AND ({is_wanted}
                    t.genres_file_id IS DISTINCT FROM t.file_id
                    AND s.genres_file_id IS DISTINCT FROM t.file_id),
                false
            ) AS needs_genres,
            t.id IS NULL,
            t.file_id, t.file_type, t.r2_url, t.title, t.handle, t.artist_did, t.attributes
        FROM (
            SELECT
                id::bigint, title::text, artist_did::text, a.handle::text,
                file_id::text, file_type::text, r2_url::text,
                extra ->> 'genre_predictions_file_id' AS genres_file_id,
                moodsearch.attributes(title, a.handle, artist_did) AS attributes,
                -- What lacks a part of it cannot be shown, like what is not public.
                visibility IS NOT DISTINCT FROM 'public' AND title IS NOT NULL
                    AND a.handle IS NOT NULL AND file_id IS NOT NULL AND file_type IS NOT NULL
                    AS is_shown
            FROM public.tracks LEFT JOIN public.artists a ON a.did = artist_did
            WHERE id BETWEEN first_id AND last_id
        ) t
        FULL JOIN (
            SELECT * FROM moodsearch.track_state
            WHERE track_id BETWEEN first_id AND last_id
        ) s ON s.track_id = t.id
    ) compared
    WHERE step IS NOT NULL OR needs_genres
$$;
"""

_HAS_EMBEDDING = "s.embedded_file_id = t.file_id AND s.embedded_model = model"

BEFORE = PENDING.format(parameter="", has_what_is_heard=_HAS_EMBEDDING, is_wanted="")
AFTER = PENDING.format(
    parameter=", genres_need_embedding boolean DEFAULT true",
    has_what_is_heard=f"NOT genres_need_embedding OR {_HAS_EMBEDDING}",
    is_wanted="s.reclassify OR",
)


def upgrade() -> None:
    op.execute(TABLES)
    op.execute("DROP FUNCTION moodsearch.pending(text, text, bigint, bigint)")
    op.execute(AFTER)


def downgrade() -> None:
    op.execute("DROP FUNCTION moodsearch.pending(text, text, bigint, bigint, boolean)")
    op.execute(BEFORE)
    op.execute(
        """
        ALTER TABLE moodsearch.track_state DROP genres_classifier, DROP reclassify;
        DROP TABLE moodsearch.usage;
        """
    )
