"""Embedding models: text and 10-second audio windows into one space, behind one protocol."""
