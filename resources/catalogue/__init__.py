"""The catalogue: artists, albums, tracks, tags and playlists in Postgres, and what is stored for
each track (`moodsearch.*`).

`schema` is its tables, functions and triggers, `work` what is pending and what was done, `names`
finds what is typed, `tracks` writes and reads tracks.
"""
