"""Specifications of the product, run against real files, a real Postgres and real HTTP on loopback."""
