"""This machine: its cores and processes, and the embedded PostgreSQL server."""
