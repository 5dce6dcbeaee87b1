"""Servers on loopback that stand in for outside systems, over real HTTP."""
