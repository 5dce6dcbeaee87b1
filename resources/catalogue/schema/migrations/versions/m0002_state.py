"""What is stored for each track, and the pending view over it.

`moodsearch.outbox` receives the ids of tracks that changed, from triggers on the catalogue; it is
append-only, so an app's transaction never waits for us. `moodsearch.work` is the list of tracks to
look at, with their retries. `moodsearch.pending(model, generation, first, last)` compares the
catalogue with `moodsearch.track_state` and alone decides what is to be done.
"""

from alembic import op

from resources.catalogue.work.blocks import BLOCK_SIZE, LARGE_BLOCK_SIZE, LARGE_CATALOGUE

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATE = """
CREATE TABLE moodsearch.track_state (
    track_id bigint PRIMARY KEY,
    -- The audio that was last looked at, and what was found.
    file_id text,
    audio_state text CHECK (audio_state IN ('decodable', 'failed')),
    failure text,
    duration_seconds double precision,
    -- The audio and the model of the stored embedding.
    embedded_file_id text,
    embedded_model text,
    -- What the index holds: its generation, the audio, a digest of the document's attributes.
    indexed_in text,
    indexed_file_id text,
    indexed_attributes text,
    -- The audio that was last classified, and why that failed if it did.
    genres_file_id text,
    genres_failure text,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX track_state_failed ON moodsearch.track_state (track_id) WHERE failure IS NOT NULL;

CREATE TABLE moodsearch.outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    track_id bigint NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE moodsearch.work (
    job text NOT NULL CHECK (job IN ('index', 'genres')),
    track_id bigint NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    last_error text,
    PRIMARY KEY (job, track_id)
);
CREATE INDEX work_due ON moodsearch.work (job, next_attempt_at);

CREATE TABLE moodsearch.feature_flags (
    user_did text NOT NULL,
    flag text NOT NULL CHECK (length(flag) BETWEEN 1 AND 64),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_did, flag)
);

CREATE TABLE moodsearch.vector_namespaces (
    namespace text PRIMARY KEY,
    table_name text NOT NULL UNIQUE,
    fingerprint text NOT NULL,
    model_id text NOT NULL,
    dimension int NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- One generation of an index (a store's namespace) for each model; answers come from the live one.
CREATE TABLE moodsearch.generations (
    id text PRIMARY KEY,
    index_name text NOT NULL,
    namespace text NOT NULL,
    model text NOT NULL,
    model_id text NOT NULL,
    is_live boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX generations_one_live ON moodsearch.generations (index_name) WHERE is_live;
"""

PENDING = """
CREATE FUNCTION moodsearch.attributes(title text, handle text, did text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN md5(jsonb_build_array(title, handle, did)::text);

CREATE FUNCTION moodsearch.pending(
    model text, generation text, first_id bigint, last_id bigint
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
                AND s.embedded_file_id = t.file_id AND s.embedded_model = model
                AND t.genres_file_id IS DISTINCT FROM t.file_id
                AND s.genres_file_id IS DISTINCT FROM t.file_id,
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

# Triggers that call them are made table by table once this is committed: `change_triggers`.
FUNCTIONS = """
CREATE FUNCTION moodsearch.tracks_inserted() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, moodsearch, pg_temp AS $$
BEGIN
    INSERT INTO moodsearch.outbox (track_id) SELECT id FROM changed;
    RETURN NULL;
END $$;

CREATE FUNCTION moodsearch.tracks_updated() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, moodsearch, pg_temp AS $$
BEGIN
    INSERT INTO moodsearch.outbox (track_id)
    SELECT n.id FROM changed n JOIN previous o ON o.id = n.id
    WHERE (n.title, n.artist_did, n.file_id, n.visibility)
        IS DISTINCT FROM (o.title, o.artist_did, o.file_id, o.visibility);
    RETURN NULL;
END $$;

CREATE FUNCTION moodsearch.tracks_truncated() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, moodsearch, pg_temp AS $$
BEGIN
    INSERT INTO moodsearch.outbox (track_id) SELECT track_id FROM moodsearch.track_state;
    RETURN NULL;
END $$;

CREATE FUNCTION moodsearch.artists_inserted() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, moodsearch, pg_temp AS $$
BEGIN
    INSERT INTO moodsearch.outbox (track_id)
    SELECT t.id FROM changed n JOIN public.tracks t ON t.artist_did = n.did;
    RETURN NULL;
END $$;

CREATE FUNCTION moodsearch.artists_updated() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, moodsearch, pg_temp AS $$
BEGIN
    -- The artist's tracks are only looked up when it matters to them.
    IF EXISTS (
        SELECT 1 FROM changed n JOIN previous o ON o.did = n.did
        WHERE n.handle IS DISTINCT FROM o.handle
    ) THEN
        INSERT INTO moodsearch.outbox (track_id)
        SELECT t.id
        FROM changed n
        JOIN previous o ON o.did = n.did
        JOIN public.tracks t ON t.artist_did = n.did
        WHERE n.handle IS DISTINCT FROM o.handle;
    END IF;
    RETURN NULL;
END $$;
"""

FIX_BLOCK_SIZE = f"""
INSERT INTO moodsearch.settings
SELECT 'block_size', to_jsonb(
    CASE WHEN coalesce(max(id), 0) > {LARGE_CATALOGUE} THEN {LARGE_BLOCK_SIZE} ELSE {BLOCK_SIZE} END
)
FROM public.tracks
"""


def upgrade() -> None:
    op.execute(STATE)
    op.execute(FIX_BLOCK_SIZE)
    op.execute(PENDING)
    op.execute(FUNCTIONS)


def downgrade() -> None:
    op.execute(
        """
        DROP FUNCTION IF EXISTS moodsearch.tracks_inserted, moodsearch.tracks_updated,
            moodsearch.tracks_truncated, moodsearch.artists_inserted,
            moodsearch.artists_updated CASCADE;
        DROP FUNCTION moodsearch.pending, moodsearch.attributes;
        DROP TABLE moodsearch.generations, moodsearch.vector_namespaces, moodsearch.feature_flags,
            moodsearch.work, moodsearch.outbox, moodsearch.track_state;
        DELETE FROM moodsearch.settings WHERE key IN ('sees_changes', 'block_size');
        """
    )
