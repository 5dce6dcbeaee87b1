"""Triggers that give nobody our rights, hold up nobody, and are not taken for more than they see.

Functions that run with our rights find no type of somebody's session before the real one: a path
that does not name `pg_temp` has it first, and a temporary domain called `text`, with a check of its
own, would run that check as us.

Triggers are made and dropped by `resources.catalogue.changes.triggers`, in a transaction for each
table, and no more by a function here.
"""

from alembic import op

from resources.catalogue.schema.migrations.versions import m0003_keyword
from resources.catalogue.schema.migrations.versions import m0005_keyword_triggers as names
from resources.catalogue.schema.migrations.versions import m0006_state_triggers as state

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SET_PATHS = """
DO $do$
DECLARE
    ours regprocedure;
BEGIN
    -- Those that triggers call as well: a session may have called them before, by itself.
    FOR ours IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = 'moodsearch'::regnamespace
            AND (prosecdef OR proname IN ('names_missed', 'note_missed_changes'))
    LOOP
        EXECUTE format(
            'ALTER FUNCTION %s SET search_path = pg_catalog, moodsearch, pg_temp', ours);
    END LOOP;
END $do$;
"""

SEEN = """
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

-- Whether all triggers are there and enabled, and see everything.
CREATE OR REPLACE FUNCTION moodsearch.names_watched(watched text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT moodsearch.statements_see_all(to_regclass(format('public.%I', watched)))
        AND count(*) = 4
    FROM pg_trigger
    WHERE tgrelid = to_regclass(format('public.%I', watched)) AND tgenabled IN ('O', 'A')
        AND tgname IN ('moodsearch_names_inserted', 'moodsearch_names_updated',
            'moodsearch_names_deleted', 'moodsearch_names_truncated')
$$;

-- Whether all triggers are there and enabled, and see everything.
CREATE OR REPLACE FUNCTION moodsearch.sees_changes() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT moodsearch.statements_see_all(to_regclass('public.tracks'))
        AND moodsearch.statements_see_all(to_regclass('public.artists'))
        AND count(*) = 6
    FROM pg_trigger
    WHERE tgenabled IN ('O', 'A') AND (
        tgrelid = to_regclass('public.tracks') AND tgname IN ('moodsearch_inserted',
            'moodsearch_updated', 'moodsearch_deleted', 'moodsearch_truncated')
        OR tgrelid = to_regclass('public.artists')
            AND tgname IN ('moodsearch_inserted', 'moodsearch_updated')
    )
$$;

-- Processes of an earlier version that still run ask it to make triggers: it locks nothing now.
CREATE OR REPLACE FUNCTION moodsearch.watch_names(watched text, needed text[]) RETURNS boolean
LANGUAGE sql AS $$ SELECT moodsearch.names_watched(watched) $$;
"""


def upgrade() -> None:
    op.execute(m0003_keyword.searchable(op.get_bind()))
    op.execute(SET_PATHS)
    op.execute(SEEN)


def downgrade() -> None:
    # Its paths are kept: they do no harm to an earlier version.
    op.execute("DROP FUNCTION moodsearch.watch_names, moodsearch.names_watched")
    op.execute(names.WATCH)
    op.execute(state.SEES_CHANGES)
    op.execute("DROP FUNCTION moodsearch.statements_see_all")
