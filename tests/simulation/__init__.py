"""The federation under a deterministic simulator: see README.md."""
