"""The accounts base's side of the companies: pools, what they give, and what a refund takes back.

Who may ask? The companies' base alone, by its signed slips, and only of pools that were opened for it: it draws from no
other, and takes back nothing that another gave. A pool's number is derived from the id that it was opened under, so
that an account opened by hand never counts as one.

pools       the number of a pool, and whose it is
service     does what OpenPool, Grants and TakeBack ask for, in the page that stores them
checks      each grant and each taking back that the companies were told is in the ledger to the cent, and nothing else
"""
