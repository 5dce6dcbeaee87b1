"""Music from the synthesis: harmony, rhythm, genre recipes and finished clips with their tags."""
