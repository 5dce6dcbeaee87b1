"""What is computed: one short module for each asset, its checks, and the schemas of the tables that
cross asset boundaries.

An asset's body reads top to bottom: read what is pending, compute, write, say what was done. When
it runs is `pipelines`' business, what is outside is `resources`'. Nothing here imports `pipelines`
or `serving`.
"""
