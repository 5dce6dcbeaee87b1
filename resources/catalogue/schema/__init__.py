"""The schema `moodsearch`, as SQL: its tables (`0001_baseline.sql`), what is pending
(`pending.sql`), the triggers and their outbox (`changes.sql`), searchable names (`names.sql`).
`migrate` applies the files, `triggers` makes the triggers, `app_tables` says what is asked of an
app's tables.
"""
