"""Semantic search: from words to the nearest public tracks."""
