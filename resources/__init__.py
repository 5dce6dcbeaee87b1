"""What is outside: the catalogue's Postgres, object storage, embedding models, vector stores, genre
classifiers, and the settings that choose between them.

One small protocol for each outside system (`protocol.py` in its folder), one short file for each
implementation, chosen in one place (`backends.py`). Nothing here imports `assets`, `pipelines` or
`serving`, and nothing here knows Dagster.
"""
