"""A hub's book that is an old copy, brought back to the present from what its members hold."""
