"""Vectors that others published, run against the libraries we rest on. They lie outside the repository."""
