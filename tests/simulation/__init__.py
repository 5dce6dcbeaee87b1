"""The whole pipeline in one process, on a real Postgres, in an order that a seed decides.

The product's own code runs: the assets' bodies, the list of work, records, block tables,
generations, the sensors, the backfill, the nightly reconciliation, pgvector. What is simulated is
what it meets: the clock (SQL's `now()` included), processes and their deaths, Dagster's daemon, the
object store, the embedding model, the classifier, the app that edits its catalogue, and faults of
all of them. After every step that wrote something the invariants are checked, and at every rest
that every index that is kept up equals the catalogue. `make simulate` runs it, `make mutants` shows
what it finds.

`schedule` hands over between actors, `faults` decides what becomes of each call, `outside` holds
the stores and models, `database` and `clock` the seams to Postgres, `backends` puts them together,
`runs` and `daemon` stand in for Dagster, `app` edits, `api` answers while models change, `world`
draws what happens next, `invariants` looks, `run` and `mutants` are the two programs.

Not simulated, because nothing could be done about it or nothing is promised: reads that are older
than a finished write (S3 and R2 have none), a block's lock that is lost between the look at it and
the write, and Postgres's own crashes (a transaction is there or it is not). Documents of tracks
that were hidden while their run was killed stay in the index until the nightly reconciliation, and
are never answered: without faults the index holds nothing else than the catalogue, with them only
after a reconciliation.
"""
