"""An exchange between two books: one operation, `envelope -> envelope`, whatever carries it.

Who calls? A node always calls, the hub always answers, so a node needs no public address and may sleep for a week.
What if a call is lost? It is sent again: positions in a log say exactly what was delivered, so a resend is harmless
and a gap is answered with the size that is really held.
What if the two disagree on a root? That is a fork. It is kept as evidence and shown, never papered over.
By hand? An envelope in a file is the same envelope: export, carry, import; mixing both ways harms nothing.

    service     compose and verify envelopes against a book's logs
    client      calls over HTTP, with long polls, back-off, jitter and a ceiling
"""
