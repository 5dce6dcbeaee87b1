"""Reading audio files: what is in them, which windows are embedded, and their samples."""
