"""Functions that run with our rights find no type of somebody's session before the real one.

A path that does not name `pg_temp` has it first: a temporary domain called `text`, with a check of
its own, would run that check as us.
"""

from alembic import op

from resources.catalogue.migrations.versions import m0003_keyword

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


def upgrade() -> None:
    op.execute(m0003_keyword.searchable(op.get_bind()))
    op.execute(SET_PATHS)


def downgrade() -> None:
    """Nothing that an earlier version would miss."""
