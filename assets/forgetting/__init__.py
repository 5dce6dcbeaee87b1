"""Taking back what is stored of tracks and artists.

Each kind of stored thing is one `Kept` and registers in `registry`. `scan` looks for what is left,
in every place there is, and knows nothing of how the kinds find theirs. What Dagster keeps is
`pipelines`' business.
"""
