"""The account number of a holder, derived from the id under which it was asked. Pure."""

from __future__ import annotations

import hashlib
from typing import Final

from protocol.identifiers import AccountNumber, Id16, make_account_number

OFFERS_MAX: Final = 8  # how often another account may have the number already


def derive_number(asked_under: Id16, offer: int) -> AccountNumber:
    """Return the number that is offered for a holder; the next `offer` where somebody has it."""
    digest = hashlib.blake2b(asked_under, digest_size=16, salt=offer.to_bytes(1, "big"), person=b"cm-holder").digest()
    return make_account_number(digest)


def is_holder_of(asked_under: Id16, number: AccountNumber) -> bool:
    """Tell whether an account opened under this id has a number that was derived for the people's base."""
    return any(derive_number(asked_under, offer) == number for offer in range(OFFERS_MAX))


def derive_move(asked_under: Id16) -> Id16:
    """Return the id of the cession that empties an account before it is closed."""
    return Id16(hashlib.blake2b(asked_under, digest_size=16, person=b"cm-holder-move").digest())
