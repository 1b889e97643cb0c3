"""What must be true, in plain dicts. Shares no code with the product: it is told what users were told, and reads tables.

held[territory][account][lot] = cents            lot = (issuer, ref)
cessions[id] = who gave, who receives, which lots: in flight until the giver's node tells an end, which is for ever
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

Lot = tuple[str, bytes]
ENDS = frozenset({"delivered", "refused", "recalled", "expired", "returned"})


class Wrong(AssertionError):
    """The product and the oracle part."""


@dataclass
class Flying:
    """A cession that was acknowledged."""

    giver: str
    account: str
    taker: str
    beneficiary: str
    draws: dict[Lot, int]
    reference: str
    has_arrived: bool = False
    end: str = ""


def _dicts() -> dict[str, dict[str, dict[Lot, int]]]:
    return defaultdict(lambda: defaultdict(lambda: defaultdict(int)))


@dataclass
class Oracle:
    """The ledger of the whole federation on one page."""

    held: dict[str, dict[str, dict[Lot, int]]] = field(default_factory=_dicts)
    issued: dict[Lot, int] = field(default_factory=lambda: defaultdict(int))
    months: dict[Lot, int] = field(default_factory=dict)
    cessions: dict[bytes, Flying] = field(default_factory=dict)
    by_reference: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def issue(self, territory: str, pool: str, lot: Lot, month: int, cents: int) -> None:
        self.issued[lot] += cents
        self.months[lot] = month
        self.held[territory][pool][lot] += cents

    def move(self, territory: str, debit: str, credit: str, draws: Mapping[Lot, int]) -> None:
        """Rights moved at home."""
        self._take(territory, debit, draws)
        for lot, cents in draws.items():
            self.held[territory][credit][lot] += cents

    def _take(self, territory: str, account: str, draws: Mapping[Lot, int]) -> None:
        holdings = self.held[territory][account]
        for lot, cents in draws.items():
            if holdings[lot] < cents:
                raise Wrong(f"{territory}/{account} gave {cents} of {lot[0]}, and held {holdings[lot]}")
            holdings[lot] -= cents

    def require_oldest_first(self, territory: str, account: str, draws: Mapping[Lot, int]) -> None:
        """What is drawn without being named is the oldest: no younger month while an older one is left."""
        newest = max(self.months[lot] for lot in draws)
        for lot, cents in self.held[territory][account].items():
            if self.months[lot] < newest and cents > draws.get(lot, 0):
                raise Wrong(f"{territory}/{account} gave {newest} and kept {self.months[lot]}")

    def cede(self, op: bytes, flying: Flying) -> None:
        if op in self.cessions:
            raise Wrong(f"cession {op.hex()} was done twice")
        self._take(flying.giver, flying.account, flying.draws)
        self.cessions[op] = flying
        self.by_reference[flying.giver, flying.reference] = op

    def end(self, op: bytes, state: str) -> None:
        """The giver's node tells how a cession ended: once, and for ever."""
        flying = self.cessions[op]
        if flying.end:
            if flying.end != state:
                raise Wrong(f"cession {op.hex()} had ended {flying.end}, and now {state}")
            return
        if state not in ENDS:
            return
        flying.end = state
        if flying.has_arrived != (state == "delivered"):
            raise Wrong(f"cession {op.hex()} ended {state}; did it arrive: {flying.has_arrived}")
        if state != "delivered":
            self._give(flying.giver, flying.account, flying.draws)

    def forget(self, op: bytes) -> None:
        """It was in a book that was lost, and nowhere else: it never happened."""
        flying = self.cessions.pop(op)
        if flying.has_arrived or flying.end:
            raise Wrong(f"cession {op.hex()} was forgotten after it had arrived or ended")
        del self.by_reference[flying.giver, flying.reference]
        self._give(flying.giver, flying.account, flying.draws)

    def arrive(self, giver: str, reference: str, taker: str, account: str) -> None:
        """The taker's node shows an arrival."""
        op = self.by_reference.get((giver, reference))
        if op is None:
            raise Wrong(f"{giver}/{reference} arrived, and was never acknowledged")
        flying = self.cessions[op]
        if (flying.taker, flying.beneficiary) != (taker, account):
            raise Wrong(f"{giver}/{reference} arrived at {taker}/{account}")
        if flying.end and flying.end != "delivered":
            raise Wrong(f"{giver}/{reference} had ended {flying.end}, and arrived")
        if not flying.has_arrived:
            flying.has_arrived = True
            self._give(taker, account, flying.draws)

    def _give(self, territory: str, account: str, draws: Mapping[Lot, int]) -> None:
        for lot, cents in draws.items():
            self.held[territory][account][lot] += cents

    @property
    def flying(self) -> list[bytes]:
        return [op for op, one in self.cessions.items() if not one.end]

    def compare(self, territory: str, found: Mapping[str, Mapping[Lot, int]], closed: Mapping[str, str]) -> None:
        """Every account holds exactly what it should; what came back to a closed one lies with the unclaimed."""
        expected: dict[str, dict[Lot, int]] = {}
        for account, holdings in self.held[territory].items():
            place = closed.get(account, account)
            for lot, cents in holdings.items():
                if cents:
                    expected.setdefault(place, {}).setdefault(lot, 0)
                    expected[place][lot] += cents
        told = {account: {lot: cents for lot, cents in held.items() if cents} for account, held in found.items()}
        told = {account: held for account, held in told.items() if held}
        if expected != told:
            for account in sorted({*expected, *told}):
                if expected.get(account) != told.get(account):
                    raise Wrong(f"{territory}/{account}: {expected.get(account)} expected, {told.get(account)} found")

    def compare_positions(self, found: Mapping[tuple[Lot, str], int]) -> None:
        """The hub's positions are what sits delivered outside its issuer, lot by lot."""
        expected: dict[tuple[Lot, str], int] = defaultdict(int)
        for territory, accounts in self.held.items():
            for holdings in accounts.values():
                for lot, cents in holdings.items():
                    if lot[0] != territory and cents:
                        expected[lot, territory] += cents
        told = {place: cents for place, cents in found.items() if cents}
        if dict(expected) != told:
            raise Wrong(f"positions: {dict(expected)} expected, {told} found")

    def require_conserved(self) -> None:
        """Of each lot, what was issued is somewhere."""
        sums: dict[Lot, int] = defaultdict(int)
        for accounts in self.held.values():
            for holdings in accounts.values():
                for lot, cents in holdings.items():
                    sums[lot] += cents
        for flying in self.cessions.values():
            if not flying.end and not flying.has_arrived:
                for lot, cents in flying.draws.items():
                    sums[lot] += cents
        for lot, cents in self.issued.items():
            if sums[lot] != cents:
                raise Wrong(f"of {lot[0]}'s lot {cents} were issued, {sums[lot]} are somewhere")
