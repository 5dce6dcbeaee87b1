"""How changes of the catalogue are noticed: triggers that append to an outbox (`changes.sql`)."""
