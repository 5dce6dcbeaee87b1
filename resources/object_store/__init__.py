"""Object storage: audio files, and the tables that assets exchange, behind one protocol."""
