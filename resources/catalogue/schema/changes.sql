-- How changes of an app's tables are seen: triggers append the changed rows' keys to an outbox.
--
-- A trigger never fails an app's write and never waits for us. All that it does is in one
-- subtransaction; what goes wrong there takes back nothing but the trigger's own work, and a row in
-- moodsearch.changes_missed has the table compared. Its definition names no column, so the app may
-- drop or retype any.

-- The columns whose change matters, by table and consumer of the outbox. A table is watched while
-- it has all of them. `key` is what identifies a changed row to the consumers.
CREATE FUNCTION moodsearch.watched()
RETURNS TABLE (kind text, key text, consumer text, columns text[])
LANGUAGE sql IMMUTABLE AS $$
    VALUES
        ('tracks', 'id', 'work', '{title, artist_did, file_id, visibility}'::text[]),
        ('tracks', 'id', 'names', '{title, visibility}'),
        ('artists', 'did', 'work', '{handle}'),
        ('artists', 'did', 'names', '{handle, display_name}'),
        ('albums', 'id', 'names', '{title}'),
        ('tags', 'id', 'names', '{name}'),
        ('playlists', 'id', 'names', '{name, show_on_profile}'),
        ('track_tags', 'track_id', 'work', '{tag_id}')
$$;


-- Note and warn once for a transaction and table. The setting goes back with the transaction, or
-- with the savepoint that takes back the rows.
CREATE FUNCTION moodsearch.note_missed(missed text, why text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, moodsearch, pg_temp AS $$
DECLARE
    noted text := 'moodsearch.missed_' || missed;
BEGIN
    IF coalesce(current_setting(noted, true), '') = '' THEN
        INSERT INTO moodsearch.changes_missed (consumer, table_name, reason)
        SELECT consumer, missed, why FROM moodsearch.watched() WHERE kind = missed;
        PERFORM set_config(noted, 'yes', true);
        RAISE WARNING 'mood search did not see a change of public.%, and will compare it: %',
            missed, why;
    END IF;
END $$;


-- The triggers' functions, moodsearch.tracks_changed() and so on: one for each table, because a
-- session keeps the plans of its statements. They have our rights, so an app's user needs none, and
-- pg_temp comes last in their path: a session's own type called "text" is not taken for ours.
DO $do$
DECLARE
    watched record;
BEGIN
    FOR watched IN
        SELECT
            kind, key, array_agg(consumer) AS consumers,
            (
                -- Byte by byte: a column's own collation may take two spellings for one.
                SELECT string_agg(DISTINCT format('r.%I::text COLLATE "C"', name), ', ')
                FROM moodsearch.watched() w, unnest(w.key || w.columns) AS name
                WHERE w.kind = each.kind
            ) AS all_columns,
            string_agg(format($note_changed$
            INSERT INTO moodsearch.outbox (consumer, kind, key)
            SELECT DISTINCT %L, %L, key
            FROM (
                SELECT %s, 1 AS side FROM changed r UNION ALL SELECT %s, -1 FROM previous r
            ) versions
            GROUP BY key, columns HAVING sum(side) <> 0;$note_changed$,
                consumer, kind, key_and_columns, key_and_columns
            ), '') AS note_changed
        FROM moodsearch.watched() each, LATERAL (
            SELECT format('r.%I::text COLLATE "C" AS key, ARRAY[%s] AS columns', each.key,
                string_agg(format('r.%I::text COLLATE "C"', name), ', ')) AS key_and_columns
            FROM unnest(each.columns) AS name
        ) texts
        GROUP BY kind, key
    LOOP
        EXECUTE format($function$
    CREATE OR REPLACE FUNCTION moodsearch.%1$s_changed() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, moodsearch, pg_temp
    SET lock_timeout = '500ms' SET jit = off AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            INSERT INTO moodsearch.outbox (consumer, kind, key)
            SELECT DISTINCT unnest(%3$L::text[]), %1$L, r.%2$I::text FROM changed r;
        ELSIF TG_OP = 'DELETE' THEN
            INSERT INTO moodsearch.outbox (consumer, kind, key)
            SELECT DISTINCT unnest(%3$L::text[]), %1$L, r.%2$I::text FROM previous r;
        ELSIF TG_OP = 'TRUNCATE' THEN
            INSERT INTO moodsearch.outbox (consumer, kind) SELECT unnest(%3$L::text[]), %1$L;
        -- Plays are counted more often than anything that matters here.
        ELSIF EXISTS (SELECT %4$s FROM changed r EXCEPT SELECT %4$s FROM previous r) THEN
            -- Rows before and after are brought together by grouping, never by a join: one that was
            -- planned for a session's first statement, of a single row, is quadratic for a million.
            %5$s
        END IF;
        RETURN NULL;
    -- OTHERS leaves out a statement that is cancelled, by hand or by its timeout: so is the app's.
    EXCEPTION WHEN OTHERS THEN
        BEGIN
            PERFORM moodsearch.note_missed(%1$L, SQLERRM);
        EXCEPTION WHEN OTHERS THEN
            -- Found by the comparison of the night, or of the next start.
            RAISE WARNING 'mood search cannot note that it did not see a change of public.%%: %%',
                TG_TABLE_NAME, SQLERRM;
        END;
        RETURN NULL;
    END $$
        $function$,
        watched.kind, watched.key, watched.consumers, watched.all_columns, watched.note_changed);
    END LOOP;
END $do$;


-- The triggers that a watched table should have.
CREATE FUNCTION moodsearch.wanted_triggers()
RETURNS TABLE (name text, event text, type smallint, old_rows name, new_rows name)
LANGUAGE sql IMMUTABLE AS $$
    -- `type` as in pg_trigger: after the event, for each statement.
    VALUES
        ('moodsearch_inserted', 'INSERT', 4::smallint, NULL::name, 'changed'::name),
        ('moodsearch_updated', 'UPDATE', 16::smallint, 'previous', 'changed'),
        ('moodsearch_deleted', 'DELETE', 8::smallint, 'previous', NULL),
        ('moodsearch_truncated', 'TRUNCATE', 32::smallint, NULL, NULL)
$$;


-- Of those, the ones that public.<watched_kind> has, as they should be. One that was disabled
-- counts as there: it is not for us to enable it.
CREATE FUNCTION moodsearch.triggers_of(watched_kind text)
RETURNS TABLE (name text, is_enabled boolean)
LANGUAGE sql STABLE AS $$
    SELECT w.name, t.tgenabled IN ('O', 'A')
    FROM pg_trigger t JOIN moodsearch.wanted_triggers() w ON w.name = t.tgname
    WHERE t.tgrelid = to_regclass(format('public.%I', watched_kind))
        AND (t.tgenabled NOT IN ('O', 'A') OR (
            t.tgfoid = to_regproc(format('moodsearch.%I', watched_kind || '_changed'))
            AND t.tgtype = w.type AND t.tgattr = '' AND t.tgqual IS NULL
            AND t.tgoldtable IS NOT DISTINCT FROM w.old_rows
            AND t.tgnewtable IS NOT DISTINCT FROM w.new_rows
        ))
$$;


-- Whether triggers for each statement see all that is written to a table. They do not see what is
-- written to a partition or a child of it by its own name, or to what it is itself a part of, nor
-- what logical replication writes.
CREATE FUNCTION moodsearch.statements_see_all(source regclass) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class WHERE oid = source AND relkind = 'r')
        OR EXISTS (SELECT FROM pg_inherits WHERE inhparent = source OR inhrelid = source)
    THEN
        RETURN false;
    END IF;
    RETURN NOT EXISTS (SELECT FROM pg_subscription_rel WHERE srrelid = source);
EXCEPTION WHEN insufficient_privilege THEN
    RETURN true; -- A server that lets nobody see its subscriptions.
END $$;


-- Whether every change of a table is seen.
CREATE FUNCTION moodsearch.sees_changes_of(watched_kind text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT moodsearch.statements_see_all(to_regclass(format('public.%I', watched_kind)))
        AND (SELECT count(*) FROM moodsearch.triggers_of(watched_kind) WHERE is_enabled) = 4
$$;


-- Whether every change is seen that may concern a track.
CREATE FUNCTION moodsearch.sees_changes() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT moodsearch.sees_changes_of('tracks') AND moodsearch.sees_changes_of('artists')
$$;


-- Tables that could be watched and lack a trigger.
CREATE FUNCTION moodsearch.unwatched() RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT kind
    FROM (
        SELECT kind, to_regclass(format('public.%I', kind)) AS source,
            array_agg(DISTINCT name) AS needed
        FROM moodsearch.watched(), unnest(key || columns) AS name GROUP BY kind
    ) wanted
    WHERE has_table_privilege(source, 'TRIGGER')
        AND EXISTS (SELECT FROM pg_class WHERE oid = source AND relkind IN ('r', 'p'))
        AND (SELECT count(*) FROM moodsearch.triggers_of(kind)) < 4
        AND needed <@ ARRAY(
            SELECT attname::text FROM pg_attribute
            WHERE attrelid = source AND attnum > 0 AND NOT attisdropped
        )
    ORDER BY kind
$$;


-- Make the triggers that a table lacks, in a transaction that does nothing else of the app's. False
-- when somebody else is at it. `is_new`: nothing was compared yet, so nothing was missed.
--
-- It waits for the table's lock for a fraction of the time after which Postgres looks for
-- deadlocks, and so does whatever queues behind it: raises lock_not_available, to be tried again.
CREATE FUNCTION moodsearch.watch(watched_kind text, is_new boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    wanted record;
BEGIN
    PERFORM set_config('lock_timeout', greatest(1, least(200, setting::int / 4)) || 'ms', true)
    FROM pg_settings WHERE name = 'deadlock_timeout';
    -- Several that queue for a table would hold up its app for as many times as long ("trig").
    IF NOT pg_try_advisory_xact_lock(x'74726967'::int) THEN
        RETURN false;
    END IF;
    IF NOT is_new THEN
        INSERT INTO moodsearch.changes_missed (consumer, table_name, reason)
        SELECT consumer, kind, 'its triggers were made only then'
        FROM moodsearch.watched() WHERE kind = watched_kind;
    END IF;
    FOR wanted IN
        SELECT * FROM moodsearch.wanted_triggers()
        WHERE name NOT IN (SELECT name FROM moodsearch.triggers_of(watched_kind))
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER %I AFTER %s ON public.%I %s FOR EACH STATEMENT
            EXECUTE FUNCTION moodsearch.%I()',
            wanted.name, wanted.event, watched_kind,
            concat('REFERENCING' || nullif(concat(
                ' OLD TABLE AS ' || wanted.old_rows, ' NEW TABLE AS ' || wanted.new_rows), '')),
            watched_kind || '_changed');
    END LOOP;
    RETURN true;
END $$;


-- Have a consumer compare its tables instead, where more than `most` rows wait for it: nothing of
-- ours that reads them runs, and the outbox must not grow for ever.
CREATE FUNCTION moodsearch.bound_outbox(idle text, most int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    -- Two looks into an index; the rows of the other consumer are between these ids as well.
    IF (SELECT max(id) - min(id) < most FROM moodsearch.outbox WHERE consumer = idle) IS NOT FALSE
        OR (SELECT count(*) <= most FROM (
            SELECT FROM moodsearch.outbox WHERE consumer = idle LIMIT most + 1
        ) waiting)
    THEN
        RETURN;
    END IF;
    WITH surplus AS (
        DELETE FROM moodsearch.outbox WHERE consumer = idle AND id IN (
            SELECT id FROM moodsearch.outbox WHERE consumer = idle
            ORDER BY id FOR UPDATE SKIP LOCKED
        )
        RETURNING kind
    )
    INSERT INTO moodsearch.changes_missed (consumer, table_name, reason)
    SELECT DISTINCT idle, kind, format('more than %s changes waited to be read', most)
    FROM surplus;
END $$;
