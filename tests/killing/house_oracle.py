"""What tills, refunders and importers of a house were told, and what must therefore be true. Pure; no code of the product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Told:
    """A sale, and what its till was told of it; `refunds` by id: cents of the sale, and what was told of it."""

    id: str
    till: int
    account: str
    cents: int
    body: dict[str, Any]
    granted: int = 0
    code: str = ""
    ticket: str = ""
    refunds: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    claimed_by: str = ""


@dataclass
class HouseOracle:
    """Everything that was acknowledged. `entries`: what the bank booked, by the statement's number."""

    basis_points: int
    sales: dict[str, Told] = field(default_factory=dict)
    entries: dict[int, int] = field(default_factory=dict)
    asked_again: int = 0
    lost: int = 0
    twice: int = 0
    wrongs: list[str] = field(default_factory=list)

    def wrong(self, words: str) -> None:
        self.wrongs.append(words)

    @property
    def acknowledged(self) -> int:
        return len(self.sales) + len(self.entries) + sum(len(one.refunds) for one in self.sales.values())

    def hear_sale(self, sale: Told, *, is_repeat: bool, times: int) -> None:
        """Note a first answer, or hold a later one against it."""
        due = sale.cents * self.basis_points // 10_000
        if sale.granted not in (0, due):
            self.wrong(f"sale {sale.id} is granted {sale.granted}, and {due} is due")
        known = self.sales.setdefault(sale.id, sale)
        if (known.granted, known.code, known.ticket) != (sale.granted, sale.code, sale.ticket):
            self.wrong(f"sale {sale.id} is answered otherwise: {sale.granted} {sale.code}, and {known.granted} before")
        if is_repeat and times == 1:
            self.wrong(f"sale {sale.id} was told once, and is a repetition")
        if known is not sale and not is_repeat and not sale.code:
            self.lost += 1
            self.wrong(f"sale {sale.id} was acknowledged, and is taken as new")

    def hear_refund(self, sale: Told, id_: str, cents: int, told: dict[str, Any]) -> None:
        known = sale.refunds.setdefault(id_, (cents, told))[1]
        if known["due_cents"] != told["due_cents"]:
            self.wrong(f"refund {id_} is answered otherwise: {told}, and {known} before")
        sale.refunds[id_] = (cents, told)

    def judge(
        self,
        *,
        balances: dict[str, int],
        campaign: dict[str, Any],
        movements: Mapping[int, int],
        given: Mapping[str, int],
        paid: Iterable[int],
    ) -> None:
        """Hold what the house shows at rest against all that was told.

        `movements`: cents -> how often; `given`: account -> cents of files that were booked; `paid`: what left.
        """
        due = {account: given.get(account, 0) for account in balances}
        spent, in_tickets = sum(given.values()), 0
        for sale in self.sales.values():
            refunded = sum(cents for cents, _ in sale.refunds.values())
            taken = sum(told["taken_cents"] for _, told in sale.refunds.values())
            worth = sale.granted * refunded // sale.cents
            if refunded > sale.cents or taken != worth:
                self.wrong(f"sale {sale.id}: {taken} taken back, and {worth} of {sale.granted} was due")
            spent += sale.granted - taken
            holder = sale.account or sale.claimed_by
            if holder:
                due[holder] += sale.granted - taken
            else:
                in_tickets += sale.granted - taken
        for account, cents in due.items():
            if balances[account] < cents:
                self.lost += 1
            if balances[account] > cents:
                self.twice += 1
            if balances[account] != cents:
                self.wrong(f"{account} has {balances[account]}, and was given {cents}")
        euros = sum(self.entries.values())
        for name, value, wanted in (
            ("funded", campaign["funded_cents"], euros),
            ("spent", campaign["spent_cents"], spent),
            ("left", campaign["left_cents"], euros - spent),
            ("in tickets", campaign["in_tickets_cents"], in_tickets),
            ("waiting", campaign["waiting_cents"], 0),
        ):
            if value != wanted:
                self.wrong(f"the campaign's {name} is {value}, and {wanted} is due")
        for number, cents in [*self.entries.items(), *((0, -cents) for cents in paid)]:
            found = movements.get(cents, 0)
            if found != 1:
                self.wrong(f"statement {number}: {found} movements of {cents} cents, and one is due")
                self.lost += found == 0
                self.twice += found > 1
