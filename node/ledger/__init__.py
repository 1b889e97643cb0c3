"""The accounts base of a territory: accounts, lots of rights, and the transfers that move them. Pseudonyms only.

What is a lot, what is a holding? A lot is a class of miles: same issuer, donor, campaign, month and class. Property
stays with the donor through the lot; what an account holds of it are rights to say where the money goes. Transfers
move cents of one lot from one account to another. They are never changed; a mistake is undone by one that names it.

Where do rights come from? Home lots from `issuance`, by `endow` alone; foreign lots over the `border`. These two hold
nothing, so for each lot: what came less what went = what accounts, `transit` and `abroad` hold. `checks` adds it up.

How is a posting decided? Everything that the items of a page touch is laid out on a `desk` in memory and decided there
one after another; what changed is saved in a few statements when the page closes. Another room of the same base calls
`ledger.post(page, ...)` inside its own operation and has the draws at once. The desk of a committed page serves the
next one, as the book has one writer. SQL of the same page sees unsaved postings only after `ledger.flush(page)`.

What does an id mean? The same id with the same content is answered again and never done again; with another content it
is an IdMismatch that names the field. A refusal that came from the state of the book is remembered too: an id once
refused is refused for ever. Malformed input is not remembered, and never reaches the book.

How is a long history read? An account's transfers are a chain of back-pointers, marked every 64 entries.

    nouns      accounts, lots, draws, postings, endowments, reservations, reversals, openings, statements, errors
    decision   desk (with fingerprints)
    door       service: Ledger, ledger_history        reading_service, naming_service: what is read
    private    store, tables, *_service, migrations   checks: the base adds itself up again

It knows nothing of other nodes; `node.federation` may use it, never the other way round.
"""
