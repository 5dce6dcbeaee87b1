"""Vector stores: the nearest tracks to a vector, behind one protocol."""
