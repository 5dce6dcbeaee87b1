"""The whole pipeline in one process, on a real Postgres, in an order that a seed decides.

The product's own code runs: the assets' bodies, the list of work, records, block tables,
generations, the sensors, the backfill, the nightly reconciliation, pgvector. What is simulated is
what it meets: the clock (SQL's `now()` included), processes and their deaths, Dagster's daemon, the
object store, the embedding model, the classifier, the app that edits its catalogue, and faults of
all of them. After every step the invariants of `invariants` are checked, and at every rest that the
index equals the catalogue.

`schedule` hands over between actors, `faults` decides what becomes of each call, `outside` holds
the stores and models, `database` and `clock` the seams to Postgres, `backends` puts them together,
`runs` and `daemon` stand in for Dagster, `app` edits, `world` draws what happens next.
"""
