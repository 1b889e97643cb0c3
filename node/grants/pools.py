"""The account number of a pool, derived from the id under which it was opened. Pure."""

from __future__ import annotations

import hashlib
from typing import Final

from protocol.identifiers import AccountNumber, Id16, make_account_number

OFFERS_MAX: Final = 8  # how often another account may have the number already


def derive_number(opened_under: Id16, offer: int) -> AccountNumber:
    """Return the number that is offered for a pool; the next `offer` where somebody has it."""
    digest = hashlib.blake2b(opened_under, digest_size=16, salt=offer.to_bytes(1, "big"), person=b"cm-pool").digest()
    return make_account_number(digest)


def is_pool_of(opened_under: Id16, number: AccountNumber) -> bool:
    """Tell whether an account opened under this id has a number that was derived for the companies.

    An account that somebody opens by hand gets a number from fresh entropy: it is none by a chance of one in 10^11.
    """
    return any(derive_number(opened_under, offer) == number for offer in range(OFFERS_MAX))
