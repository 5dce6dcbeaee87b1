"""Specifications of `resources.audio`, on real files in every format that are made as they run."""
