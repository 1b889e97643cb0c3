"""The hub: who belongs to the federation, and the clearing of cessions between nodes.

It holds no book of any person; it speaks to the nodes only in the messages of `protocol`.
"""
