"""The national log: one leaf for each thing the hub decides, and the checkpoint it signs.

Every member is shown the newest checkpoint in every envelope, with proof that it continues the last one the member
saw; every member's own signed words carry the checkpoint on. Two histories therefore cannot be shown for long.
"""
