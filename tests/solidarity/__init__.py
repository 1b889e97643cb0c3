"""Solidarity: pools, operations, shares."""
