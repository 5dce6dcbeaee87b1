"""Triggers that keep keyword search in step and can never fail an app's write.

They run once for a statement instead of once for a row, in one subtransaction: whatever goes wrong
in them (a column that the app dropped, a lock that is not given) undoes nothing but their own work,
and a row in `moodsearch.search_missed` has the table compared.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

from resources.catalogue.names.sources import SOURCES, Source
from resources.catalogue.schema.migrations.versions import m0003_keyword as before

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MISSED = """
-- Append-only, so that no transaction of the app's waits for another's.
CREATE TABLE moodsearch.search_missed (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text NOT NULL,
    reason text NOT NULL,
    missed_at timestamptz NOT NULL DEFAULT now()
);

-- Called by the triggers, with their rights: notes and warns once for a transaction and table. The
-- setting goes back with the transaction, or with the savepoint that takes back the row.
CREATE FUNCTION moodsearch.names_missed(table_name text, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, moodsearch, pg_temp AS $$
DECLARE
    noted text := 'moodsearch.missed_' || table_name;
BEGIN
    IF coalesce(current_setting(noted, true), '') = '' THEN
        INSERT INTO moodsearch.search_missed (table_name, reason) VALUES (table_name, reason);
        PERFORM set_config(noted, 'yes', true);
        RAISE WARNING 'keyword search did not see a change of public.%, and will compare it: %',
            table_name, reason;
    END IF;
END $$;
"""

# Sorted, not hashed, and looked up, not joined as a whole: a session keeps the plan of its first
# statement, which may have been for one row, or for a million.
SETTINGS = """
SECURITY DEFINER
SET search_path = pg_catalog, moodsearch, pg_temp
SET lock_timeout = '500ms'
SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET enable_hashagg = off
"""

# WHEN OTHERS leaves out a statement that is cancelled, by hand or by its timeout: so is the app's.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION moodsearch.search_{table}_changed() RETURNS trigger LANGUAGE plpgsql
{settings} AS $$
BEGIN
    -- Until the row triggers of an earlier version are replaced.
    IF TG_LEVEL = 'ROW' THEN
        RETURN NULL;
    ELSIF TG_OP = 'UPDATE' THEN
        -- Plays are counted more often than anything is renamed.
        IF NOT EXISTS (
            SELECT {columns} FROM changed r EXCEPT SELECT {columns} FROM previous r
        ) THEN
            RETURN NULL;
        END IF;
    END IF;
{follow}
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
{missed}
END $$;

CREATE OR REPLACE FUNCTION moodsearch.search_{table}_truncated() RETURNS trigger LANGUAGE plpgsql
{settings} AS $$
BEGIN
    DELETE FROM moodsearch.search_texts WHERE kind IN ({kinds});
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
{missed}
END $$;
"""

NOTE_MISSED = """
    BEGIN
        PERFORM moodsearch.names_missed('{table}', SQLERRM);
    EXCEPTION WHEN OTHERS THEN
        NULL; -- Found by the next comparison.
    END;
    RETURN NULL;
"""

FOLLOW = """
    IF TG_OP = 'DELETE' THEN
        DELETE FROM {texts} s USING previous r WHERE s.kind = '{kind}' AND s.key = {key};
    ELSIF TG_OP = 'UPDATE' THEN
        DELETE FROM {texts} s USING (
            SELECT {key} AS key FROM previous r
            EXCEPT SELECT {key} FROM changed r WHERE {is_shown}
        ) gone WHERE s.kind = '{kind}' AND s.key = gone.key;
        INSERT INTO {texts} AS s (kind, key, text)
        SELECT '{kind}', key, moodsearch.searchable(name)
        FROM (
            SELECT {key} AS key, {name} AS name FROM changed r WHERE {is_shown}
            EXCEPT SELECT {key}, {name} FROM previous r WHERE {is_shown}
        ) named
        ON CONFLICT (kind, key) DO UPDATE SET text = excluded.text WHERE s.text <> excluded.text;
    ELSE
        INSERT INTO {texts} AS s (kind, key, text)
        SELECT '{kind}', {key}, moodsearch.searchable({name}) FROM changed r WHERE {is_shown}
        ON CONFLICT (kind, key) DO UPDATE SET text = excluded.text WHERE s.text <> excluded.text;
    END IF;
"""

WATCH = """
-- Whether triggers on public.<watched> tell of changes, after making them where that is possible.
-- It is not where the table or a column is missing, belongs to somebody else who has not granted
-- it, or is in use for longer than an app should wait for us.
CREATE OR REPLACE FUNCTION moodsearch.watch_names(watched text, needed text[]) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
DECLARE
    source regclass := to_regclass(format('public.%I', watched));
    changed text := format('EXECUTE FUNCTION moodsearch.search_%s_changed()', watched);
    has_row_trigger boolean;
BEGIN
    IF (
        SELECT count(*) FROM pg_attribute
        WHERE attrelid = source AND attname = ANY(needed) AND NOT attisdropped
    ) < cardinality(needed) THEN
        RETURN false;
    END IF;
    has_row_trigger := EXISTS (
        SELECT FROM pg_trigger WHERE tgrelid = source AND tgname = 'moodsearch_names_changed'
    );
    IF NOT has_row_trigger AND moodsearch.names_watched(watched) THEN
        RETURN true;
    END IF;
    -- No columns are named: an app could not drop or change the type of one that a trigger names.
    EXECUTE format('CREATE OR REPLACE TRIGGER moodsearch_names_inserted AFTER INSERT ON %s'
        ' REFERENCING NEW TABLE AS changed FOR EACH STATEMENT %s', source, changed);
    EXECUTE format('CREATE OR REPLACE TRIGGER moodsearch_names_updated AFTER UPDATE ON %s'
        ' REFERENCING OLD TABLE AS previous NEW TABLE AS changed FOR EACH STATEMENT %s',
        source, changed);
    EXECUTE format('CREATE OR REPLACE TRIGGER moodsearch_names_deleted AFTER DELETE ON %s'
        ' REFERENCING OLD TABLE AS previous FOR EACH STATEMENT %s', source, changed);
    EXECUTE format('CREATE OR REPLACE TRIGGER moodsearch_names_truncated AFTER TRUNCATE ON %s'
        ' FOR EACH STATEMENT EXECUTE FUNCTION moodsearch.search_%s_truncated()', source, watched);
    IF has_row_trigger THEN
        -- Only the table's owner may, who made it; it does nothing any more.
        EXECUTE format('DROP TRIGGER moodsearch_names_changed ON %s', source);
    END IF;
    RETURN true;
EXCEPTION WHEN insufficient_privilege OR lock_not_available OR wrong_object_type THEN
    RETURN moodsearch.names_watched(watched);
END $$;

-- Whether all triggers are there and enabled.
CREATE FUNCTION moodsearch.names_watched(watched text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT count(*) = 4 FROM pg_trigger
    WHERE tgrelid = to_regclass(format('public.%I', watched)) AND tgenabled IN ('O', 'A')
        AND tgname IN ('moodsearch_names_inserted', 'moodsearch_names_updated',
            'moodsearch_names_deleted', 'moodsearch_names_truncated')
$$;
"""

RESTORE = """
-- Make what is missing of the tables and indexes of names. What was lost with them is compared.
CREATE FUNCTION moodsearch.restore_search_texts() RETURNS void LANGUAGE plpgsql
SET client_min_messages = error AS $$
DECLARE
    source text;
BEGIN
    CREATE TABLE IF NOT EXISTS moodsearch.search_texts (
        kind text COLLATE "C" NOT NULL,
        key text NOT NULL,
        text text COLLATE "C" NOT NULL,
        PRIMARY KEY (kind, key)
    ) PARTITION BY LIST (kind);
    FOREACH source IN ARRAY ARRAY[{kinds}] LOOP
        IF to_regclass('moodsearch.search_texts_' || source) IS NULL THEN
            EXECUTE format('CREATE TABLE moodsearch.search_texts_%s'
                ' PARTITION OF moodsearch.search_texts FOR VALUES IN (%L)', source, source);
            UPDATE moodsearch.search_sources SET compared_to = NULL, compared_at = NULL
            WHERE kind = source;
        END IF;
    END LOOP;
    CREATE INDEX IF NOT EXISTS search_texts_text ON moodsearch.search_texts (text);
    CREATE INDEX IF NOT EXISTS search_texts_trigrams ON moodsearch.search_texts
        USING gin (text {trgm}.gin_trgm_ops) WITH (gin_pending_list_limit = 256);
END $$;
"""

DROP = """
DROP FUNCTION moodsearch.search_{table}_changed CASCADE;
DROP FUNCTION moodsearch.search_{table}_truncated CASCADE;
"""


def upgrade() -> None:
    op.execute(MISSED)
    op.execute(WATCH)
    kinds = ", ".join(f"'{source.kind}'" for source in SOURCES)
    trgm = before.schema_of(op.get_bind(), "pg_trgm")
    op.execute(RESTORE.format(kinds=kinds, trgm=trgm))
    for table, sources in _tables():
        # An app's table is not locked here, where it would be until all of this is committed: row
        # triggers stay, and do nothing, until `name_triggers` replaces them.
        op.execute(_functions(table, sources))


def downgrade() -> None:
    for table, sources in _tables():
        op.execute(DROP.format(table=table))
        before.create_functions(table, sources)
    op.execute("DROP FUNCTION moodsearch.watch_names, moodsearch.names_watched")
    op.execute("DROP FUNCTION moodsearch.names_missed, moodsearch.restore_search_texts")
    op.execute("DROP TABLE moodsearch.search_missed")
    op.execute(before.WATCH)
    for table, sources in _tables():
        _watch(table, sources)
    op.execute("UPDATE moodsearch.search_sources SET compared_at = NULL")


def _tables() -> Iterable[tuple[str, list[Source]]]:
    for table in dict.fromkeys(source.table for source in SOURCES):
        yield table, [source for source in SOURCES if source.table == table]


def _watch(table: str, sources: list[Source]) -> None:
    op.get_bind().execute(
        sa.text("SELECT moodsearch.watch_names(:name, :needed)"),
        {"name": table, "needed": sorted({each for one in sources for each in one.columns})},
    )


def _functions(table: str, sources: list[Source]) -> str:
    watched = sorted({each for source in sources for each in source.watched})
    return FUNCTIONS.format(
        table=table,
        settings=SETTINGS,
        columns=", ".join(map(_as_text, watched)),
        kinds=", ".join(f"'{source.kind}'" for source in sources),
        follow="".join(_follow(source) for source in sources),
        missed=NOTE_MISSED.format(table=table),
    )


def _follow(source: Source) -> str:
    return FOLLOW.format(
        texts=source.texts,
        kind=source.kind,
        key=f'r.{source.key}::text COLLATE pg_catalog."default"',
        name=_as_text(source.name),
        is_shown=f"{source.shown_if} AND r.{source.name} IS NOT NULL",
    )


def _as_text(column: str) -> str:
    """Byte by byte: a column's own collation may take two spellings for one."""
    return f'r.{column}::text COLLATE pg_catalog."C"'
