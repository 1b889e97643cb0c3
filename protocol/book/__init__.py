"""A Book: one SQL database, its append-only logs, and one group-committing writer.

Why one writer? Because a durable commit costs a disk flush, and a flush costs the same for one item as for a thousand.
Whatever waits is therefore written together, in one transaction, flushed (`synchronous=FULL`), and only then answered.
There is no timer: an idle book commits at once, a busy one commits what piled up during the last flush.

What is a page? What one group commit writes. Operations receive the page (its connection, its instant, its closing
work) and a list of items, and give back one result or one `Refusal` per item. They decide before they write.

What if one item is bad? Expected: the operation returns a Refusal for it and touches nothing. Unexpected: the whole
page is rolled back and every item is written again on a page of its own, so a bad neighbour harms nobody.

What is a log? All slips for one correspondent, in order, as leaves of an RFC 9162 Merkle tree. A slip is appended in
the transaction that changes the state it tells of, so the log is the outbox; incoming slips are stored in the
transaction that applies them, so the log is the inbox too. A crash anywhere needs no repair.

Who may write? One process per book, held by a lock (a lock file beside an SQLite file, an advisory lock on
PostgreSQL). Readers never wait for the writer.

    rows_store      set-based inserts, additions, changes and look-ups, the same on SQLite and PostgreSQL
    prepared_store  small statements, compiled once; driver_store gives text to the driver itself
    log_store       logs, leaves, tree nodes, signed heads, proofs
    worker          the writer thread
    service         Book: open, write, read, close
    migration_service   schema histories (Alembic), one per base
"""
