"""Tracks of the catalogue: read for answers, written by uploads, with their genres and tags."""
