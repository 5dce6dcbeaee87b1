"""Genre classifiers."""
