"""Solidarity: rights are given into operations, and handed out by a rule to accounts that an office enrolled.

What is a pool, what is an operation? A pool is a rule that stands: who may give, how shares are computed, how many
classes of receivers there are. An operation is one drive of a pool, with dates, a target, and an account of its own to
which anybody cedes, from here or from abroad. It is shared once. What remains goes into the pool's next operation.

Who receives? Accounts by number, under a class that is a number. Which class means what is known in the office that
enrols, or to nobody: no reason is kept in this base, and no name.

How does a gift get here? As any cession, arrival or company's credit: nothing is asked before. The ledger's own chain of
the operation's account is read afterwards, once, in order (`noting_service`). What does not fit goes back lot by lot.
What a company credited never goes back to it: a gift is final.

Why does nothing tell a receiver's neighbour where the rights come from? They come from an account that is shown nowhere
(the outlet), as an ordinary cession with an ordinary id, without a word. In each page of sharing they pass through the
outlet from the operation's account, so that it holds nothing in between.

How is sharing taken up again after a stop? All shares are computed and saved in one page, with the lots they are drawn
from; then they are paid a page at a time, in their order. What is paid is committed with the place that was reached.

    nouns      rules, shares, operations, errors
    door       service: Solidarity         reading_service: what is shown
    private    noting_service, sharing_service, store, tables      checks: the room adds itself up again
"""
