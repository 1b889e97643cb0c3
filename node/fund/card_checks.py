"""What stands here of other territories' cards is what the accounts told, and accounts are what those funds signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, select

from node.fund.card_service import is_disputed, is_of_its_fund, load_accounts_told
from node.fund.tables import card_deciders, own_settlements, settlement_accounts
from protocol.findings import Checked, Finding
from protocol.house import DeciderKey, HouseMessage, SettlementPublished

INVARIANT: Final = "I6"
CARDS: Final = "keys and accounts of other funds are as their cards say"


def check_cards(connection: Connection, told: Sequence[HouseMessage], said: Sequence[HouseMessage]) -> Checked:
    """Hold what was kept against what the accounts `told` and what we `said`. What a person entered otherwise is shown."""
    kept = list(_find_wrong(connection, set(told), set(said)))
    looked_at = sum(
        len(connection.execute(select(table.c.number)).all())
        for table in (card_deciders, settlement_accounts, own_settlements)
    )
    disputed = tuple(
        Finding(INVARIANT, f"deciders of {territory}", "what its card says", "a person entered or revoked another")
        for territory in sorted(set(connection.execute(select(card_deciders.c.territory)).scalars()))
        if is_disputed(connection, territory)
    )
    return Checked(INVARIANT, CARDS, looked_at, tuple(kept), disputed)


def _find_wrong(connection: Connection, told: set[HouseMessage], said: set[HouseMessage]) -> Iterator[Finding]:
    for row in connection.execute(select(card_deciders)):
        message = DeciderKey(row.territory, row.number, row.since, bytes(row.signing), bytes(row.sealing))
        if message not in told:
            yield Finding(INVARIANT, f"decider of {row.territory}, card {row.number}", "as it was told", "another")
    for territory in sorted(set(connection.execute(select(settlement_accounts.c.territory)).scalars())):
        for one in load_accounts_told(connection, territory):
            place = f"settlement account of {territory}, card {one.value.number}"
            if one.value not in told:
                yield Finding(INVARIANT, place, "as it was told", "another")
            elif not is_of_its_fund(one.value):
                yield Finding(INVARIANT, place, "signed by its fund", "no signature that fits")
    for row in connection.execute(select(own_settlements)):
        if SettlementPublished(bytes(row.signed)) not in said:
            yield Finding(INVARIANT, f"own account {row.number}", "told to the accounts", "nothing")
