"""The hub against itself and against what its members signed: every invariant as a check that names the first row.

`replay` recomputes positions from the log alone; `check` compares every table with that replay, every tree with its
leaves, and every log with the heads that members signed.
"""
