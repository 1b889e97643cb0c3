"""The shape of the code, held by tests: who may import whom, and which files may touch the world."""
