"""What must be true, in plain dicts. Shares no code with the product: it is told what users were told, and what tables show.

    held[territory][account][lot] = cents            lot = (issuer, ref)
    cessions[id] = who gave, who receives, which lots: in flight until the giver's node tells an end, which is for ever

Each territory has a journal of what changed in it, so that the oracle can lose what a lost book lost: what happened at
home since the copy is gone with it; what left or arrived is known to others, and stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
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


@dataclass(frozen=True)
class Entry:
    """One change of what an account holds. `is_home`: nobody but this territory's own book knows of it."""

    account: str
    lot: Lot
    cents: int
    is_home: bool
    arrival: bytes = b""  # the cession that it arrived with


def _dicts() -> dict[str, dict[str, dict[Lot, int]]]:
    return defaultdict(lambda: defaultdict(lambda: defaultdict(int)))


@dataclass
class Oracle:
    """The ledger of the whole federation on one page."""

    held: dict[str, dict[str, dict[Lot, int]]] = field(default_factory=_dicts)
    journals: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    lost: dict[str, dict[str, dict[Lot, int]]] = field(default_factory=_dicts)
    issued: dict[Lot, int] = field(default_factory=lambda: defaultdict(int))
    months: dict[Lot, int] = field(default_factory=dict)
    cessions: dict[bytes, Flying] = field(default_factory=dict)
    by_reference: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def _change(
        self, territory: str, account: str, draws: Mapping[Lot, int], sign: int, *, at_home: bool, arrival: bytes = b""
    ) -> None:
        for lot, cents in draws.items():
            self.held[territory][account][lot] += sign * cents
            self.journals[territory].append(Entry(account, lot, sign * cents, at_home, arrival))

    def _take(self, territory: str, account: str, draws: Mapping[Lot, int], *, at_home: bool) -> None:
        holdings = self.held[territory][account]
        for lot, cents in draws.items():
            if holdings[lot] < cents:
                raise Wrong(f"{territory}/{account} gave {cents} of {lot[0]}, and held {holdings[lot]}")
        self._change(territory, account, draws, -1, at_home=at_home)

    # What happens at home

    def issue(self, territory: str, pool: str, lot: Lot, month: int, cents: int) -> None:
        self.issued[lot] += cents
        self.months[lot] = month
        self._change(territory, pool, {lot: cents}, 1, at_home=True)

    def move(self, territory: str, debit: str, credit: str, draws: Mapping[Lot, int]) -> None:
        """Rights moved at home."""
        self._take(territory, debit, draws, at_home=True)
        self._change(territory, credit, draws, 1, at_home=True)

    def require_oldest_first(self, territory: str, account: str, draws: Mapping[Lot, int]) -> None:
        """What is drawn without being named is the oldest: no younger month while an older one is left."""
        newest = max(self.months[lot] for lot in draws)
        for lot, cents in self.held[territory][account].items():
            if self.months[lot] < newest and cents > draws.get(lot, 0):
                raise Wrong(f"{territory}/{account} gave {newest} and kept {self.months[lot]}")

    # What goes abroad

    def cede(self, op: bytes, flying: Flying) -> None:
        if op in self.cessions:
            raise Wrong(f"cession {op.hex()} was done twice")
        self._take(flying.giver, flying.account, flying.draws, at_home=False)
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
            self._change(flying.giver, flying.account, flying.draws, 1, at_home=False)

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
            self._change(taker, account, flying.draws, 1, at_home=False, arrival=op)

    @property
    def flying(self) -> list[bytes]:
        return [op for op, one in self.cessions.items() if not one.end]

    # What a lost book takes with it

    def mark(self, territory: str) -> int:
        """Return the place in its journal that a copy made now goes back to."""
        return len(self.journals[territory])

    def lose(self, territory: str, mark: int) -> None:
        """A copy made at `mark` took the place of the book: what happened at home since is known to nobody.

        An arrival of which no giver was told yet may have been known to nobody either: it arrives again, or comes back.
        """
        kept, gone = self.journals[territory][:mark], self.journals[territory][mark:]
        doubtful = {entry.arrival for entry in gone if entry.arrival and not self.cessions[entry.arrival].end}
        for op in doubtful:
            self.cessions[op].has_arrived = False
        for entry in gone:
            if entry.is_home or entry.arrival in doubtful:
                self.held[territory][entry.account][entry.lot] -= entry.cents
                self.lost[territory][entry.account][entry.lot] += max(entry.cents, 0)
            else:
                kept.append(entry)
        self.journals[territory] = kept

    def forget(self, op: bytes) -> None:
        """It was in a book that was lost, and nowhere else: it never happened."""
        flying = self.cessions.pop(op)
        if flying.has_arrived or flying.end:
            raise Wrong(f"cession {op.hex()} was forgotten after it had arrived or ended")
        del self.by_reference[flying.giver, flying.reference]
        self._change(flying.giver, flying.account, flying.draws, 1, at_home=False)

    def bring(self, territory: str, account: str, draws: Mapping[Lot, int]) -> None:
        """The restored book says that rights left here whose origin it does not know: no more than it had lost."""
        lost = self.lost[territory][account]
        for lot, cents in draws.items():
            if cents > lost[lot]:
                raise Wrong(f"{territory}/{account}: {cents} of {lot[0]} unplaced, and {lost[lot]} lost")
            lost[lot] -= cents
        self._change(territory, account, draws, 1, at_home=True)

    def recover(self, territory: str) -> None:
        """All that could come back has: nothing more is to be brought."""
        self.lost[territory].clear()

    def place(self, territory: str, account: str, draws: Mapping[Lot, int]) -> None:
        """A person says that they had come from this account."""
        self._take(territory, account, draws, at_home=True)

    # What must be true at rest

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
        for territory, lot, cents in self._all_held():
            if lot[0] != territory and cents:
                expected[lot, territory] += cents
        told = {place: cents for place, cents in found.items() if cents}
        if dict(expected) != told:
            raise Wrong(f"positions: {dict(expected)} expected, {told} found")

    def require_conserved(self) -> None:
        """Of each lot, what was issued is somewhere."""
        sums: dict[Lot, int] = defaultdict(int)
        for _, lot, cents in self._all_held():
            sums[lot] += cents
        for flying in self.cessions.values():
            if not flying.end and not flying.has_arrived:
                for lot, cents in flying.draws.items():
                    sums[lot] += cents
        for lot, cents in self.issued.items():
            if sums[lot] != cents:
                raise Wrong(f"of {lot[0]}'s lot {cents} were issued, {sums[lot]} are somewhere")

    def _all_held(self) -> Iterable[tuple[str, Lot, int]]:
        for territory, accounts in self.held.items():
            for holdings in accounts.values():
                for lot, cents in holdings.items():
                    yield territory, lot, cents
