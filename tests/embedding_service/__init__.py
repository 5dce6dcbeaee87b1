"""The embedding service over real HTTP on loopback, with the model that ships."""
