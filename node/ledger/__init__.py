"""The node's own book: accounts, lots of rights, and the transfers that move them.

It knows nothing of other nodes; `node.federation` may use it, never the other way round.
"""
