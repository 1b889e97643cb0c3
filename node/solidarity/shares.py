"""How a sum is shared, to the cent, and which lots each share is made of. Pure.

Every division rounds down; the cents that are left go to the largest remainders, one each, and among equal remainders to
who comes first. The order is that of digests of the account numbers under the operation's secret salt: it favours no
number, no class and no seniority, and it can be computed again by whoever has the base.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from node.ledger.draws import Draws
from node.ledger.lots import LotId
from node.solidarity.rules import PoolRule, Sharing
from protocol.amounts import Cents
from protocol.identifiers import Id16


class Receiver(NamedTuple):
    """What a share depends on: units in tenths, and what the account held when shares were computed."""

    units: int
    held: int


def order_accounts(accounts: Iterable[str], salt: bytes) -> list[str]:
    """Return the accounts in the order in which they receive."""
    return sorted(accounts, key=lambda account: (_digest(salt, account.encode()), account))


def derive_share_op(salt: bytes, place: int) -> Id16:
    """Return the id of a share's cession. It looks like any random UUID, and only who knows the salt can make it."""
    digest = bytearray(_digest(salt, b"share %d" % place))
    digest[6] = digest[6] & 0x0F | 0x40
    digest[8] = digest[8] & 0x3F | 0x80
    return Id16(bytes(digest))


def _digest(salt: bytes, value: bytes) -> bytes:
    return hashlib.blake2b(value, key=salt, digest_size=16, person=b"cm-solidarity").digest()


def compute_shares(rule: PoolRule, total: int, receivers: Sequence[Receiver]) -> list[int]:
    """Return the cents of each receiver, in their order. What the rule leaves to nobody remains in the pool."""
    if rule.sharing is Sharing.FILL:
        return _fill(total, [one.held for one in receivers], rule.level, rule.ceiling)
    return _weigh(total, [one.units for one in receivers], rule.ceiling)


def _weigh(total: int, units: Sequence[int], ceiling: int) -> list[int]:
    """Share by units. Who would get the ceiling or more gets the ceiling, and the others share what that leaves."""
    shares = [0] * len(units)
    active = list(range(len(units)))
    left = total
    while active:
        sum_units = sum(units[at] for at in active)
        capped = [at for at in active if ceiling and left * units[at] >= ceiling * sum_units]
        if not capped:
            _give_remainders(shares, active, units, left, sum_units)
            break
        for at in capped:
            shares[at] = ceiling
        left -= ceiling * len(capped)
        active = [at for at in active if not shares[at]]
    return shares


def _give_remainders(shares: list[int], active: Sequence[int], units: Sequence[int], left: int, sum_units: int) -> None:
    """Largest remainders. Nobody reaches a ceiling by a cent more: only who had a fraction gets one."""
    for at in active:
        shares[at] = left * units[at] // sum_units
    odd = left - sum(shares[at] for at in active)
    for at in sorted(active, key=lambda at: (-(left * units[at] % sum_units), at))[:odd]:
        shares[at] += 1


def _fill(total: int, held: Sequence[int], level: int, ceiling: int) -> list[int]:
    """Raise the lowest balances together as far as the sum goes, then one cent each to who comes first."""

    def raise_to(height: int) -> list[int]:
        lifts = [max(0, height - cents) for cents in held]
        return [min(lift, ceiling) for lift in lifts] if ceiling else lifts

    low, high = 0, min(level, max(held, default=0) + total + 1)  # raising to `low` is affordable
    while low < high:
        middle = (low + high + 1) // 2
        if sum(raise_to(middle)) <= total:
            low = middle
        else:
            high = middle - 1
    shares = raise_to(low)
    if low < level:
        odd = total - sum(shares)
        more = [at for at, cents in enumerate(raise_to(low + 1)) if cents > shares[at]]
        for at in more[:odd]:
            shares[at] += 1
    return shares


def draw_lots(lots: Sequence[tuple[LotId, int]], start: int, shares: Sequence[int]) -> list[Draws]:
    """Return what each share is made of, where the shares before them took `start` cents of the lots, in their order.

    The lots hold at least `start` and the shares together.
    """
    waiting = iter(lots)
    lot, left, passed = LotId(0), 0, start
    draws: list[Draws] = []
    for share in shares:
        drawn: list[tuple[LotId, Cents]] = []
        missing = share
        while missing or passed:
            while not left:
                lot, left = next(waiting)
            taken = min(left, passed or missing)
            left -= taken
            if passed:
                passed -= taken
                continue
            drawn.append((lot, Cents(taken)))
            missing -= taken
        draws.append(tuple(drawn))
    return draws
