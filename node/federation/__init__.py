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

    service            the door: every operation, each done by the part named for it
    room               what the parts stand on: who we are, whom we know, our log, the rule that an old copy writes nothing
    leaving, give_back rights that leave, and that go back to their giver
    hearing            the hub's envelopes: the directory, then its slips (hub_slips), one by one
    outcomes           what became of our slips                 arriving    others' slips, credited and answered
    statement          the hub's view of us against ours        asking      what we tell the hub of ourselves
    conversion         what funds owe across territories        windows     netting between funds
    recovery           an old copy's way back: rebooking of our slips, given_answers, reopening, unplaced
    hub_recovery       what we give back to a hub that was restored
    worker, payee      the loop that calls, and the whispers it carries

What decides without touching anything: cessions, outgoing, arrivals, senders, statements, recovery, whispers.
"""
