"""How long tracks are tried."""

from typing import Final

OFTEN: Final = 13
"""Attempts, after which a track has waited for 26 hours."""
