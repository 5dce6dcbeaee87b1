"""Genre classifiers: genres of a track with a confidence each, behind one protocol."""
