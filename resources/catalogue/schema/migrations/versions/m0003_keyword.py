"""The names that keyword search looks through, kept in step with the catalogue by triggers.

`moodsearch.search_texts` has one row for each name that may be shown, in the form that
`moodsearch.searchable` gives it, and a partition for each kind of name. A catalogue's own tables
get no index: they may be somebody else's, and building one would hold up their writers.
"""

from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa
from alembic import op

from resources.catalogue.names.sources import SOURCES, Source

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A session keeps the types of a function's variables, whoever called it there first: named in full,
# they cannot be somebody's temporary ones when a trigger calls it with our rights.
SEARCHABLE = r"""
CREATE OR REPLACE FUNCTION moodsearch.searchable(name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    folded pg_catalog.text := name;
    unquoted pg_catalog.text;
BEGIN
    -- What every name in plain ASCII is spared.
    IF octet_length(name) <> length(name) THEN
        -- Quotes of every kind, before some of them become a space and an accent.
        folded := translate(folded, U&'\2018\2019\201A\201B\2032\2035\02BC\02B9\00B4\FF07',
            repeat('''', 10));
        folded := translate(folded, U&'\201C\201D\201E\201F\2033\2036\00AB\00BB\2039\203A\FF02',
            repeat('"', 11));
        -- Accents and vowel points; Japanese and Korean letters are put together again.
        folded := regexp_replace(normalize(folded, NFKD),
            U&'[\0300-\036F\0483-\0489\0591-\05BD\05BF-\05C7\0610-\061A\064B-\065F\0670'
            '\200B-\200F\202A-\202E\2060-\2069\FE0E\FE0F\FEFF\00AD]', '', 'g');
        folded := translate({unaccent}(normalize(folded, NFKC)), U&'\03C2', U&'\03C3');
        -- Languages that do without spaces: each character is a word.
        folded := regexp_replace(folded,
            U&'([\3040-\30FF\3400-\4DBF\4E00-\9FFF\AC00-\D7AF\F900-\FAFF])', ' \1 ', 'g');
    END IF;
    folded := lower(folded COLLATE {collation});
    unquoted := translate(folded, '''"`', '');
    folded := btrim(regexp_replace(
        CASE WHEN btrim(unquoted) = '' THEN folded ELSE unquoted END, '\s+', ' ', 'g'));
    -- A longer one would not fit into an index's page.
    RETURN CASE WHEN folded = '' THEN '' ELSE ' ' || left(folded, 500) || ' ' END;
END $$;
"""

TABLES = """
CREATE TABLE moodsearch.search_texts (
    kind text COLLATE "C" NOT NULL,
    -- The row's own key, as text.
    key text NOT NULL,
    -- As moodsearch.searchable gives it: with a space at either end, so that a word's start and end
    -- are found as text.
    text text COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, key)
) PARTITION BY LIST (kind);

CREATE INDEX search_texts_text ON moodsearch.search_texts (text);
-- Short lists of what is not merged yet: each search reads them from end to end.
CREATE INDEX search_texts_trigrams ON moodsearch.search_texts
    USING gin (text {trgm}.gin_trgm_ops) WITH (gin_pending_list_limit = 256);

-- How far the comparison with the catalogue has come; `compared_at`: when it last came to its end.
CREATE TABLE moodsearch.search_sources (
    kind text PRIMARY KEY,
    compared_to text,
    compared_at timestamptz
);
"""

PARTITION = """
CREATE TABLE moodsearch.search_texts_{kind}
    PARTITION OF moodsearch.search_texts FOR VALUES IN ('{kind}');
INSERT INTO moodsearch.search_sources (kind) VALUES ('{kind}');
"""

FOLLOW = """
    IF TG_OP <> 'INSERT' THEN
        IF TG_OP = 'DELETE' OR OLD.{key} IS DISTINCT FROM NEW.{key} OR NOT ({new_is_shown}) THEN
            DELETE FROM moodsearch.search_texts_{kind} s
            WHERE s.key = OLD.{key}::text COLLATE pg_catalog."default";
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        IF {new_is_shown} THEN
            INSERT INTO moodsearch.search_texts_{kind} AS s (kind, key, text)
            VALUES ('{kind}', NEW.{key}::text, moodsearch.searchable(NEW.{name}::text))
            ON CONFLICT (kind, key) DO UPDATE SET text = excluded.text
            WHERE s.text <> excluded.text;
        END IF;
    END IF;
"""

FUNCTIONS = """
CREATE FUNCTION moodsearch.search_{table}_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, moodsearch, pg_temp AS $$
BEGIN
    -- Plays are counted more often than anything is renamed.
    IF TG_OP = 'UPDATE' THEN
        IF ({old}) IS NOT DISTINCT FROM ({new}) THEN
            RETURN NULL;
        END IF;
    END IF;
{follow}
    RETURN NULL;
END $$;

CREATE FUNCTION moodsearch.search_{table}_truncated() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, moodsearch, pg_temp AS $$
BEGIN
    DELETE FROM moodsearch.search_texts WHERE kind IN ({kinds});
    RETURN NULL;
END $$;
"""

WATCH = """
-- Whether triggers on public.<watched> tell of changes, after making them where that is possible.
-- It is not where the table or a column is missing, belongs to somebody else who has not granted
-- it, or is in use for longer than an app should wait for us.
CREATE FUNCTION moodsearch.watch_names(watched text, needed text[]) RETURNS boolean LANGUAGE plpgsql
SET lock_timeout = '1s' AS $$
DECLARE
    source regclass := to_regclass(format('public.%I', watched));
BEGIN
    IF EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = source AND tgname = 'moodsearch_names_changed' AND tgenabled IN ('O', 'A')
    ) THEN
        RETURN true;
    ELSIF (
        SELECT count(*) FROM pg_attribute
        WHERE attrelid = source AND attname = ANY(needed) AND NOT attisdropped
    ) < cardinality(needed) THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'CREATE OR REPLACE TRIGGER moodsearch_names_changed'
        ' AFTER INSERT OR UPDATE OR DELETE ON %s'
        ' FOR EACH ROW EXECUTE FUNCTION moodsearch.search_%s_changed()', source, watched);
    EXECUTE format(
        'CREATE OR REPLACE TRIGGER moodsearch_names_truncated AFTER TRUNCATE ON %s'
        ' FOR EACH STATEMENT EXECUTE FUNCTION moodsearch.search_%s_truncated()', source, watched);
    RETURN true;
EXCEPTION WHEN insufficient_privilege OR lock_not_available OR wrong_object_type THEN
    RETURN false;
END $$;
"""


def upgrade() -> None:
    connection = op.get_bind()
    op.execute(searchable(connection))
    op.execute(TABLES.format(trgm=schema_of(connection, "pg_trgm")))
    op.execute(WATCH)
    for source in SOURCES:
        op.execute(PARTITION.format(kind=source.kind))
    for table in dict.fromkeys(source.table for source in SOURCES):
        own = [source for source in SOURCES if source.table == table]
        # Triggers that call them are made table by table once this is committed: `name_triggers`.
        create_functions(table, own)


def downgrade() -> None:
    op.execute("DROP TABLE moodsearch.search_texts, moodsearch.search_sources")
    for table in dict.fromkeys(source.table for source in SOURCES):
        # Their triggers go with them.
        op.execute(f"DROP FUNCTION moodsearch.search_{table}_changed CASCADE")
        op.execute(f"DROP FUNCTION moodsearch.search_{table}_truncated CASCADE")
    op.execute("DROP FUNCTION moodsearch.watch_names, moodsearch.searchable")


def create_functions(table: str, sources: Sequence[Source]) -> None:
    follow = "".join(_follow(source) for source in sources)
    kinds = ", ".join(f"'{source.kind}'" for source in sources)
    columns = sorted({each for source in sources for each in source.watched})
    old = ", ".join(f"OLD.{column}" for column in columns)
    op.execute(
        FUNCTIONS.format(
            table=table, follow=follow, kinds=kinds, old=old, new=old.replace("OLD.", "NEW.")
        )
    )


def searchable(connection: sa.Connection) -> str:
    unaccent = schema_of(connection, "unaccent")
    return SEARCHABLE.replace(
        "{unaccent}(", f"{unaccent}.unaccent('{unaccent}.unaccent'::regdictionary, "
    ).replace("{collation}", _collation(connection))


def schema_of(connection: sa.Connection, extension: str) -> str:
    return str(
        connection.scalar(
            sa.text(
                "SELECT quote_ident(n.nspname) FROM pg_extension e"
                " JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = :name"
            ),
            {"name": extension},
        )
    )


def _collation(connection: sa.Connection) -> str:
    """One that knows every script's capitals, whatever the database's own is."""
    found = connection.scalars(
        sa.text(
            "SELECT collname FROM pg_collation WHERE collnamespace = 'pg_catalog'::regnamespace"
            " AND collname IN ('pg_c_utf8', 'und-x-icu', 'C.utf8')"
            " AND collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))"
        )
    ).all()
    for name in ("pg_c_utf8", "und-x-icu", "C.utf8"):
        if name in found:
            return f'pg_catalog."{name}"'
    return 'pg_catalog."default"'


def _follow(source: Source) -> str:
    shown_if = f"{source.shown_if} AND r.{source.name} IS NOT NULL".replace("r.", "NEW.")
    return FOLLOW.format(**asdict(source), new_is_shown=shown_if)
