-- Names in the form in which keyword search compares them, and the tables that hold them.

-- The quoted name of the schema that has an extension's functions: each database decides.
CREATE FUNCTION moodsearch.schema_of(extension text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT quote_ident(n.nspname)
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = extension
$$;


-- moodsearch.without_accents and moodsearch.lower_case, bound to what this database has.
DO $do$
DECLARE
    unaccent text := moodsearch.schema_of('unaccent');
    -- A collation that knows every script's capitals, whatever the database's own is.
    every_script text := coalesce((
        SELECT format('pg_catalog.%I', collname) FROM pg_collation
        WHERE collnamespace = 'pg_catalog'::regnamespace
            AND collname IN ('pg_c_utf8', 'und-x-icu', 'C.utf8')
            AND collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))
        ORDER BY array_position('{pg_c_utf8,und-x-icu,C.utf8}', collname::text) LIMIT 1
    ), 'pg_catalog."default"');
BEGIN
    EXECUTE format(
        'CREATE FUNCTION moodsearch.without_accents(name text) RETURNS text
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN %s.unaccent(%L::regdictionary, name)', unaccent, unaccent || '.unaccent');
    EXECUTE format(
        'CREATE FUNCTION moodsearch.lower_case(name text) RETURNS text
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN lower(name COLLATE %s)', every_script);
END $do$;


-- A name as it is compared: case, accents and quotes make no difference. With a space at either
-- end, so that a word's start and end are found as text; empty where nothing is left of it.
CREATE FUNCTION moodsearch.searchable(name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    folded text := name;
    unquoted text;
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
        folded := translate(
            moodsearch.without_accents(normalize(folded, NFKC)), U&'\03C2', U&'\03C3');
        -- Languages that do without spaces: each character is a word.
        folded := regexp_replace(folded,
            U&'([\3040-\30FF\3400-\4DBF\4E00-\9FFF\AC00-\D7AF\F900-\FAFF])', ' \1 ', 'g');
    END IF;
    folded := moodsearch.lower_case(folded);
    unquoted := translate(folded, '''"`', '');
    folded := btrim(regexp_replace(
        CASE WHEN btrim(unquoted) = '' THEN folded ELSE unquoted END, '\s+', ' ', 'g'));
    -- A longer one would not fit into an index's page.
    RETURN CASE WHEN folded = '' THEN '' ELSE ' ' || left(folded, 500) || ' ' END;
END $$;


-- Make what is missing of the tables and indexes of names: nothing in them is lost that a
-- comparison with the catalogue does not find. An app's own tables get no index; building one would
-- hold up their writers.
CREATE FUNCTION moodsearch.make_search_texts() RETURNS void LANGUAGE plpgsql
SET client_min_messages = error AS $$
DECLARE
    name_kind text;
BEGIN
    CREATE TABLE IF NOT EXISTS moodsearch.search_texts (
        kind text COLLATE "C" NOT NULL,
        -- The key of the row that has the name, as text.
        key text NOT NULL,
        -- As moodsearch.searchable gives it.
        text text COLLATE "C" NOT NULL,
        PRIMARY KEY (kind, key)
    ) PARTITION BY LIST (kind);
    FOREACH name_kind IN ARRAY '{track,artist,handle,album,tag,playlist}'::text[] LOOP
        IF to_regclass('moodsearch.search_texts_' || name_kind) IS NULL THEN
            EXECUTE format('CREATE TABLE moodsearch.search_texts_%s
                PARTITION OF moodsearch.search_texts FOR VALUES IN (%L)', name_kind, name_kind);
            INSERT INTO moodsearch.search_sources (kind) VALUES (name_kind)
            ON CONFLICT (kind) DO UPDATE SET compared_to = NULL, compared_at = NULL;
        END IF;
    END LOOP;
    CREATE INDEX IF NOT EXISTS search_texts_text ON moodsearch.search_texts (text);
    -- Short lists of what is not merged yet: each search reads them from end to end.
    EXECUTE format('CREATE INDEX IF NOT EXISTS search_texts_trigrams ON moodsearch.search_texts
        USING gin (text %s.gin_trgm_ops) WITH (gin_pending_list_limit = 256)',
        moodsearch.schema_of('pg_trgm'));
END $$;

SELECT moodsearch.make_search_texts();

-- This file runs when it has changed: what is stored may be in another form than queries are now.
UPDATE moodsearch.search_sources SET compared_to = NULL, compared_at = NULL;
