"""The node's side of the hub: rights that leave, rights that arrive, and the calls that carry both.

How does a cession leave? In the transaction that debits its holder, as part of a slip appended to the node's log for
the hub: a commit holds both or neither. All cessions to one territory in one commit share a slip, and the beneficiary
column is sealed once for the territory that receives.

Where does a cession stand? A slip moves as a whole (queued, cleared, handed over, delivered), exceptions are named by
their place: so a thousand cessions advance by one row. The hub's log decides; nothing here acts on a timer of its own.

How do rights arrive? The hub hands over the *sender's* slip with its inclusion proof under the sender's signed head.
Only then, and if the sealed column opens, accounts are credited and one Answer names what could not be delivered.

What is believed? Nothing of the hub that can be proved: heads, proofs and signatures are verified, and a contradiction
is kept as evidence.

    outgoing     cessions into slips (pure)         arrivals   slips into postings (pure)
    histories    the national log as seen (pure)    statements the hub's view against ours (pure)
    tables, store, service   the use cases          worker     the loop that calls
"""
