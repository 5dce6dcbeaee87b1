"""The catalogue: artists, albums, tracks, tags and playlists in Postgres, and what is stored for
each track (`moodsearch.*`).

`database` connects, `migrate` creates, `uploads` writes new tracks, `tracks` reads them for
answers, `work` says what is pending, `record` remembers what was done.
"""
