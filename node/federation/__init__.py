"""The node's side of the exchange with the hub: what it sends, what it receives, what it resends.

It uses the ledger; the ledger does not know it exists.
"""
