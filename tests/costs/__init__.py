"""Prices, estimates and the ledger of what was used."""
