"""Genres as tags: recommended ones, and classification on demand."""
