"""How many wrong tickets may be tried at a door that is open to everybody. Pure: whoever asks brings the time.

A try is counted before it is made, and given back where the ticket was right: what is limited is guessing, not claiming.
For each address, and for all together, one instant is kept: when the last try that was counted is worked off. While it
lies further ahead than `most` tries take, there are no more. A clock that was set back makes nobody wait longer than that.

Memory is bounded by the limit itself: an address is kept only while it has tries to work off, each of these was counted
for all together too, and of those there are no more than `most` and what is worked off meanwhile.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.partners.errors import TooManyGuesses
from protocol.times import MINUTE_MS, Instant

SECOND_MS: Final = 1_000
NETWORK_BITS: Final = 64  # who has one IPv6 address has as many as this leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """So many tries at once, and one more each time that so much has passed."""

    most: int
    every_ms: int

    def __post_init__(self) -> None:
        if self.most < 1 or self.every_ms < 1:
            raise ValueError("one try at least, in a time that passes")

    @property
    def window_ms(self) -> int:
        """How long it takes until all tries are there again."""
        return self.most * self.every_ms


# Ten wrong tickets are more than a hand makes; behind one address there may be a school. All together: a botnet that
# guesses one of 2^59 (node/partners/tickets.py) at ten a second does not live to see it.
OF_ONE: Final = Allowance(most=10, every_ms=MINUTE_MS)
OF_ALL: Final = Allowance(most=600, every_ms=SECOND_MS // 10)


class Guesses:
    """The tries that are not worked off yet. Lost with the process: then everybody may try again."""

    def __init__(self, of_one: Allowance = OF_ONE, of_all: Allowance = OF_ALL) -> None:
        self._of_one = of_one
        self._of_all = of_all
        self._done_at: dict[str, int] = {}
        self._all_done_at = 0
        # Twice what can still be worked off at one instant, so that each sweep makes room for as many again.
        self.addresses_max = 2 * (of_all.most + of_one.window_ms // of_all.every_ms + 1)

    @property
    def addresses(self) -> int:
        """How many are kept."""
        return len(self._done_at)

    def take(self, address: str, now: Instant) -> None:
        """Count a try. Raises TooManyGuesses, and then counts nothing."""
        self._all_done_at = min(self._all_done_at, now + self._of_all.window_ms)
        if address in self._done_at:
            self._done_at[address] = min(self._done_at[address], now + self._of_one.window_ms)
        one = _count(self._done_at.get(address, 0), now, self._of_one)
        everybody = _count(self._all_done_at, now, self._of_all)
        if len(self._done_at) >= self.addresses_max:
            self._done_at = {name: done_at for name, done_at in self._done_at.items() if done_at > now}
        if len(self._done_at) >= self.addresses_max:  # a clock that goes back keeps what would be worked off
            self._done_at.pop(next(iter(self._done_at)))
        self._done_at[address] = one
        self._all_done_at = everybody

    def give_back(self, address: str) -> None:
        """The ticket was right: the try counts for nothing."""
        self._all_done_at -= self._of_all.every_ms
        if address in self._done_at:
            self._done_at[address] -= self._of_one.every_ms


def _count(done_at: int, now: Instant, allowance: Allowance) -> int:
    """Return when all tries are worked off with one more. Raises TooManyGuesses."""
    after = max(now, done_at) + allowance.every_ms
    wait_ms = after - now - allowance.window_ms
    if wait_ms > 0:
        raise TooManyGuesses(retry_after_seconds=-(-wait_ms // SECOND_MS))
    return after


def name_caller(peer: str, forwarded: Sequence[str], proxies: frozenset[str]) -> str:
    """Return by which name a caller's tries are counted.

    `peer` is who is connected; `forwarded` the lines of X-Forwarded-For, believed as far as `proxies` wrote them: from
    the end, the first address that is none of them. What is no address counts as the last proxy's.
    """
    caller = _read(peer)
    if caller is None:
        return ""
    for told in reversed(",".join(forwarded).split(",")):
        if str(caller) not in proxies:
            break
        before = _read(told.strip())
        if before is None:
            break
        caller = before
    if isinstance(caller, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((caller, NETWORK_BITS), strict=False))
    return str(caller)


def read_proxies(texts: Sequence[str]) -> frozenset[str]:
    """Return the addresses as `name_caller` compares them. Raises ValueError."""
    for text in texts:
        if _read(text) is None:
            raise ValueError(f"proxies: {text[:60]} is no address")
    return frozenset(str(_read(text)) for text in texts)


def _read(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
