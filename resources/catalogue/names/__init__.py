"""Keyword search: names of tracks, artists, albums, tags and playlists, found as people type them.

`sources` says which of the catalogue's names are searched, `index` keeps them beside the catalogue
in a form that ignores case, accents and quotes, `statements` and `search` find them. Nothing here
decides what a route looks like.
"""
