"""Specifications of the product, run on real files, a real Postgres and real HTTP on loopback."""
