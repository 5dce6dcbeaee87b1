"""Composers, one function per style: a ``Take`` in, a stereo mix ``(2, n)`` out.

Each decides form, harmony and groove from the take's variant and dice, plays the instruments of
``synthesis`` and mixes them. Names of artists and titles and file formats live elsewhere.
"""
