"""What an old copy does not know and what was told needs: accounts that were open, lots of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.federation.outgoing import derive_op
from node.federation.room_service import Room
from node.ledger.accounts import UNCLAIMED, AccountEvent, AccountKey, AccountKind, AccountState
from node.ledger.lots import LotId
from node.ledger.openings import ChangeState, OpenAccount
from node.ledger.reading_service import find_account
from protocol.book.service import Page
from protocol.identifiers import AccountNumber, Id16

# Whose rights left, where the slip's counterfoil is gone: they are taken from, and come back to, the unclaimed.
NOBODY: Final = ""


def ensure_open(room: Room, page: Page, account: str) -> bool:
    """See that an account of this number is there and open, as it was when rights left it or reached it.

    Return whether it is new: younger than the copy, and a person's as far as anybody knows.
    """
    if not account:
        return False
    number = AccountNumber(account)
    room.ledger.flush(page)
    found = find_account(page.connection, number)
    if found is None:
        room.ledger.open_accounts(
            page,
            [OpenAccount(op=Id16(derive_op("reopened", account)), number=number, kind=AccountKind.PERSON)],
        )
        return True
    if found.state is AccountState.FROZEN:
        room.ledger.change_states(page, [ChangeState(account=number, event=AccountEvent.REOPEN)])
    return False


def key_of(account: str) -> AccountKey:
    """Return the account, or the unclaimed for nobody's."""
    return AccountNumber(account) if account else UNCLAIMED


def find_home_lots(room: Room, ids: Mapping[tuple[str, bytes], LotId]) -> frozenset[LotId]:
    """Return which of these lots are of our own territory."""
    return frozenset(lot for (issuer, _), lot in ids.items() if issuer == room.identity.code)
