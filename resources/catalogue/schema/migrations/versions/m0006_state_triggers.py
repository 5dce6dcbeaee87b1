"""Triggers that tell of changed tracks and can never fail an app's write.

Only their functions are replaced, so nothing of the app's is locked. All that one does is in a
subtransaction: whatever goes wrong in it (a column that the app dropped, a lock that is not given)
takes back nothing but its own work, and a row in `moodsearch.changes_missed` has the catalogue
compared.
"""

from alembic import op

from resources.catalogue.schema.migrations.versions import m0002_state as before

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MISSED = """
-- Append-only, so that no transaction of the app's waits for another's.
CREATE TABLE moodsearch.changes_missed (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text NOT NULL,
    reason text NOT NULL,
    missed_at timestamptz NOT NULL DEFAULT now()
);

-- Called by the triggers, with their rights: notes and warns once for a transaction and table. The
-- setting goes back with the transaction, or with the savepoint that takes back the row.
CREATE FUNCTION moodsearch.note_missed_changes(table_name text, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, moodsearch, pg_temp AS $$
DECLARE
    noted text := 'moodsearch.changes_missed_' || table_name;
BEGIN
    IF coalesce(current_setting(noted, true), '') = '' THEN
        INSERT INTO moodsearch.changes_missed (table_name, reason) VALUES (table_name, reason);
        PERFORM set_config(noted, 'yes', true);
        RAISE WARNING 'mood search did not see a change of public.%, and will compare it: %',
            table_name, reason;
    END IF;
END $$;
"""

SEES_CHANGES = """
-- Whether all triggers are there and enabled.
CREATE OR REPLACE FUNCTION moodsearch.sees_changes() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT count(*) = 6 FROM pg_trigger
    WHERE tgenabled IN ('O', 'A') AND (
        tgrelid = to_regclass('public.tracks') AND tgname IN ('moodsearch_inserted',
            'moodsearch_updated', 'moodsearch_deleted', 'moodsearch_truncated')
        OR tgrelid = to_regclass('public.artists')
            AND tgname IN ('moodsearch_inserted', 'moodsearch_updated')
    )
$$;
"""

# WHEN OTHERS leaves out a statement that is cancelled, by hand or by its timeout: so is the app's.
FUNCTION = """
CREATE OR REPLACE FUNCTION moodsearch.{name}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, moodsearch, pg_temp
SET lock_timeout = '500ms' SET jit = off AS $$
BEGIN
{work}
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    BEGIN
        PERFORM moodsearch.note_missed_changes(TG_TABLE_NAME, SQLERRM);
    EXCEPTION WHEN OTHERS THEN
        -- Found by the comparison of the night, or of the next start.
        RAISE WARNING 'mood search cannot note that it did not see a change of public.%: %',
            TG_TABLE_NAME, SQLERRM;
    END;
    RETURN NULL;
END $$;
"""

# Of a track that is given another id, both. Rows are brought together by grouping: a session keeps
# the plan of its first statement, and a join that was planned for one row is quadratic for a
# million. Compared byte by byte: a column's own collation may take two spellings for one.
TRACKS_UPDATED = """
    -- Plays are counted more often than anything that matters here.
    IF EXISTS (SELECT {columns} FROM changed r EXCEPT SELECT {columns} FROM previous r) THEN
        INSERT INTO moodsearch.outbox (track_id)
        SELECT DISTINCT id
        FROM (
            SELECT {columns}, 1 AS side FROM changed r
            UNION ALL
            SELECT {columns}, -1 FROM previous r
        ) versions (id, {names}, side)
        GROUP BY id, {names} HAVING sum(side) <> 0;
    END IF;
"""

# EXECUTE plans anew each time: what is best depends on how many artists there are, and on whether
# the app has an index on its tracks' artist.
ARTISTS_INSERTED = """
    EXECUTE 'INSERT INTO moodsearch.outbox (track_id)
        SELECT t.id FROM changed r JOIN public.tracks t ON t.artist_did = r.did';
"""

ARTISTS_UPDATED = """
    -- The artist's tracks are only looked up when it matters to them.
    IF EXISTS (SELECT {columns} FROM changed r EXCEPT SELECT {columns} FROM previous r) THEN
        EXECUTE 'INSERT INTO moodsearch.outbox (track_id)
            SELECT t.id
            FROM (
                SELECT DISTINCT did FROM (
                    SELECT r.did, {handle}, 1 AS side FROM changed r
                    UNION ALL
                    SELECT r.did, {handle}, -1 FROM previous r
                ) versions (did, handle, side)
                GROUP BY did, handle HAVING sum(side) <> 0
            ) renamed
            JOIN public.tracks t ON t.artist_did = renamed.did';
    END IF;
"""


def upgrade() -> None:
    op.execute(MISSED)
    op.execute(SEES_CHANGES)
    op.execute("DELETE FROM moodsearch.settings WHERE key = 'sees_changes'")
    for name, work in _functions().items():
        op.execute(FUNCTION.format(name=name, work=work))


def downgrade() -> None:
    op.execute(before.FUNCTIONS.replace("CREATE", "CREATE OR REPLACE"))
    # What was missed is found by the comparison of the next start.
    op.execute(
        """
        INSERT INTO moodsearch.settings
        SELECT 'sees_changes', to_jsonb(moodsearch.sees_changes());
        DROP FUNCTION moodsearch.sees_changes, moodsearch.note_missed_changes;
        DROP TABLE moodsearch.changes_missed;
        """
    )


def _functions() -> dict[str, str]:
    noted = ("title", "artist_did", "file_id", "visibility")
    handle = _as_text("handle")
    return {
        # Also what is called when tracks are deleted.
        "tracks_inserted": "    INSERT INTO moodsearch.outbox (track_id) SELECT id FROM changed;",
        "tracks_updated": TRACKS_UPDATED.format(
            columns=", ".join(["r.id::bigint", *map(_as_text, noted)]), names=", ".join(noted)
        ),
        "tracks_truncated": (
            "    INSERT INTO moodsearch.outbox (track_id)"
            " SELECT track_id FROM moodsearch.track_state;"
        ),
        "artists_inserted": ARTISTS_INSERTED,
        "artists_updated": ARTISTS_UPDATED.format(
            columns=f"{_as_text('did')}, {handle}", handle=handle
        ),
    }


def _as_text(column: str) -> str:
    return f'r.{column}::text COLLATE pg_catalog."C"'
