"""What was told to whom, and what must therefore be true, in plain values. Shares no code with the product.

Euros: what the bank booked is deposited for a payment, waits for a person, or was set aside by one. What was deposited for
campaigns is issued, the rest are gifts. Miles: what was issued lies in a campaign's pool or was granted; what was granted
lies with somebody. Nothing is kept twice, and what was acknowledged is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field


class Wrong(Exception):
    """Something is not as it must be."""


@dataclass
class Campaign:
    """What was promised, and what became of it as far as callers know. Cents."""

    basis_points: int
    fixed: int
    threshold: int
    purchase_max: int
    day_max: int
    ceiling: int
    is_called: bool
    siren: str
    pool: str = ""

    def due(self, sale: int) -> int:
        """Return what the rule promises for a sale, before the holder's day."""
        if sale < self.threshold:
            return 0
        due = self.fixed or sale * self.basis_points // 10_000
        return min(due, self.purchase_max) if self.purchase_max else due


@dataclass
class Refund:
    cents: int
    due: int


@dataclass
class Sale:
    """A sale that a till was told the end of. `granted` 0: refused."""

    campaign: bytes
    till: int
    at: int
    day: int
    cents: int
    holder: str
    granted: int
    code: str
    ticket: str = ""
    expires_on: int = 0
    refunds: dict[str, Refund] = field(default_factory=dict)
    claims: list[tuple[str, int]] = field(default_factory=list)  # each holder that was told yes, and how much
    is_expired: bool = False

    @property
    def refunded(self) -> int:
        return sum(one.cents for one in self.refunds.values())


@dataclass
class Entry:
    """What the bank booked. `kind`: in, out (of a payment), back, fee."""

    cents: int
    kind: str
    subject: str = ""  # of a payment: its EndToEndId
    deposited: int = 0
    aside: int = 0


@dataclass
class Expected:
    """A payment that the fund waits for. `pool` is empty for a gift."""

    cents: int
    pool: str
    received: int = 0


@dataclass
class Payment:
    cents: int
    state: str
    order: str = ""


@dataclass
class Oracle:
    """Everything that callers were told."""

    campaigns: dict[bytes, Campaign] = field(default_factory=dict)
    sales: dict[tuple[int, str], Sale] = field(default_factory=dict)  # by the till's row and its own id
    entries: dict[str, Entry] = field(default_factory=dict)  # by the bank's own reference
    expected: dict[str, Expected] = field(default_factory=dict)  # by RF reference
    payments: dict[str, Payment] = field(default_factory=dict)  # by EndToEndId
    people: set[str] = field(default_factory=set)  # accounts that exist
    oriented: dict[str, int] = field(default_factory=dict)  # by holder
    projects: dict[str, int] = field(default_factory=dict)
    runs: dict[bytes, tuple[bytes, dict[str, tuple[str, int]]]] = field(default_factory=dict)  # campaign, rows
    receipts: set[str] = field(default_factory=set)  # numbers of receipts that somebody was given
    void: set[str] = field(default_factory=set)  # and of those that a base lost with its last moments
    last_order: tuple[str, bytes] = ("", b"")

    def require(self, *, holds: bool, words: str) -> None:
        if not holds:
            raise Wrong(words)

    # What is told.

    def hear_sale(self, key: tuple[int, str], sale: Sale) -> None:
        """Hold an answer against the rule, and against what the same sale was answered before."""
        known = self.sales.get(key)
        if known is not None:
            same = (known.granted, known.code, known.ticket) == (sale.granted, sale.code, sale.ticket)
            self.require(holds=same, words=f"sale {key} is answered otherwise: {known} {sale}")
            return
        campaign = self.campaigns[sale.campaign]
        due = campaign.due(sale.cents)
        if sale.granted:
            least = 1 if campaign.day_max else due
            self.require(
                holds=least <= sale.granted <= due, words=f"sale {key} is granted {sale.granted}, and {due} is due"
            )
        elif sale.code in ("nothing_to_grant", "sale_below_threshold"):
            self.require(holds=due == 0, words=f"sale {key} is refused: {sale.code}, and {due} is due")
        self.sales[key] = sale

    def hear_refund(self, key: tuple[int, str], id_: str, cents: int, due: int) -> None:
        """Hold what a refund is worth against what is due of the sale."""
        sale = self.sales[key]
        if id_ in sale.refunds:
            self.require(holds=sale.refunds[id_] == Refund(cents, due), words=f"refund {id_} is answered otherwise")
            return
        before = sale.refunded
        self.require(holds=before + cents <= sale.cents, words=f"more than all of sale {key} is refunded")
        worth = sale.granted * (before + cents) // sale.cents - sale.granted * before // sale.cents
        self.require(holds=due <= worth, words=f"refund {id_} takes {due}, and {worth} is due")
        sale.refunds[id_] = Refund(cents, due)

    def hear_claim(self, key: tuple[int, str], holder: str, cents: int) -> None:
        """Hold a claim against those before: an account that exists keeps the ticket."""
        sale = self.sales[key]
        owner = self.find_owner(sale)
        if owner:
            words = f"the ticket of {key} is claimed by {holder} after {owner}"
            self.require(holds=owner == holder and (holder, cents) in sale.claims, words=words)
            return
        self.require(holds=not sale.is_expired, words=f"the ticket of {key} is claimed after its day")
        self.require(holds=cents <= sale.granted, words=f"the ticket of {key} is worth {cents} of {sale.granted}")
        if (holder, cents) not in sale.claims:
            sale.claims.append((holder, cents))

    def find_owner(self, sale: Sale) -> str:
        """Return who has a ticket for good: it was told yes, and nothing can refuse its grant. Else nothing.

        A pledge that nobody paid yet has nothing to give: then the ticket opens again.
        """
        if self.campaigns[sale.campaign].is_called:
            return ""
        return next((one for one, _ in sale.claims if one in self.people), "")

    def hear_entry(self, reference: str, cents: int, named: str) -> int:
        """Note what came in for a payment by reference; return what of it is deposited at once."""
        expected = self.expected.get(named)
        deposited = 0 if expected is None else max(0, min(cents, expected.cents - expected.received))
        if expected is not None:
            expected.received += deposited
        self.entries[reference] = Entry(cents, "in", deposited=deposited)
        return deposited

    # What must be true.

    def funded(self, pool: str) -> int:
        """Return the cents of euros that were deposited for a campaign."""
        return sum(one.received for one in self.expected.values() if one.pool == pool)

    @property
    def issued(self) -> int:
        return sum(one.received for one in self.expected.values() if one.pool)

    @property
    def given(self) -> int:
        return sum(one.received for one in self.expected.values() if not one.pool)

    @property
    def balance(self) -> int:
        return sum(one.cents for one in self.entries.values())


@dataclass
class Found:
    """What the books show at rest."""

    movements: list[tuple[str, int, int, str, int]]  # reference, cents, waiting, meaning, deposited
    deposits: list[tuple[str, int, int, str]]  # state, cents, gift or not, pool
    lots: int
    balances: dict[str, int]
    funded: dict[bytes, tuple[int, int]]  # campaign -> funded, spent
    sales: dict[tuple[int, str], tuple[int, str, int]]  # granted, code, refunded
    refunds: dict[tuple[int, str, str], tuple[int, int, str]]  # due, taken, state
    tickets: dict[tuple[int, str], tuple[int, str, str]]  # cents, state, holder
    grants: list[tuple[str, int, int, str, str]]  # account, cents, taken, state, source
    payments: dict[str, tuple[int, str, str]]  # cents, state, order
    operations: dict[tuple[bytes, str], tuple[str, int]]  # company and id of each that was booked, once
    receipts: dict[str, tuple[int, str, int]]  # number -> cents, state, cents of its deposits


def judge(oracle: Oracle, found: Found) -> None:
    """Hold what the books show against what callers were told. Raises Wrong."""
    _judge_euros(oracle, found)
    _judge_sales(oracle, found)
    _judge_miles(oracle, found)
    _judge_payments(oracle, found)


def _judge_euros(oracle: Oracle, found: Found) -> None:
    seen: dict[str, tuple[int, int, str, int]] = {}
    for reference, cents, waiting, meaning, deposited in found.movements:
        oracle.require(holds=reference not in seen, words=f"entry {reference} of the bank is there twice")
        seen[reference] = (cents, waiting, meaning, deposited)
    oracle.require(holds=set(seen) == set(oracle.entries), words="the entries are not those of the bank")
    for reference, entry in oracle.entries.items():
        cents, waiting, meaning, deposited = seen[reference]
        oracle.require(holds=cents == entry.cents, words=f"entry {reference} is {cents}, and was {entry.cents}")
        if entry.kind == "in":
            oracle.require(
                holds=deposited == entry.deposited,
                words=f"entry {reference}: {deposited} deposited, and {entry.deposited} was due ({meaning})",
            )
            oracle.require(
                holds=waiting + deposited + entry.aside == cents,
                words=f"entry {reference}: {waiting} wait and {deposited} are deposited of {cents}",
            )
    issued = sum(cents for state, cents, _, _ in found.deposits if state == "issued")
    given = sum(cents for state, cents, _, _ in found.deposits if state == "gift")
    total = sum(cents for _, cents, _, _ in found.deposits)
    oracle.require(holds=issued + given == total, words=f"{total - issued - given} cents are neither issued nor given")
    oracle.require(holds=found.lots == issued, words=f"{found.lots} miles are issued for {issued} cents")
    oracle.require(holds=issued == oracle.issued, words=f"{issued} issued, and {oracle.issued} came for campaigns")
    oracle.require(holds=given == oracle.given, words=f"{given} given, and {oracle.given} came as gifts")


def _judge_sales(oracle: Oracle, found: Found) -> None:
    for key, sale in oracle.sales.items():
        oracle.require(holds=key in found.sales, words=f"the acknowledged sale {key} is not there")
        granted, code, refunded = found.sales[key]
        oracle.require(holds=(granted, code) == (sale.granted, sale.code), words=f"sale {key} is another now")
        oracle.require(holds=refunded == sale.refunded, words=f"sale {key}: {refunded} refunded, not {sale.refunded}")
        for id_, refund in sale.refunds.items():
            due, taken, state = found.refunds.get((*key, id_), (-1, -1, ""))
            oracle.require(
                holds=(due, state) == (refund.due, "done"), words=f"refund {id_} of {key}: {due}, {state}: {refund}"
            )
            clean = sale.holder in oracle.people and sale.holder not in oracle.oriented
            is_open = oracle.campaigns[sale.campaign].is_called
            oracle.require(
                holds=taken == due or not clean or is_open, words=f"refund {id_}: {taken} of {due}, and all is there"
            )
    oracle.require(holds=set(found.sales) == set(oracle.sales), words="there are sales that nobody was told of")
    told = {(*key, id_) for key, sale in oracle.sales.items() for id_ in sale.refunds}
    oracle.require(holds=set(found.refunds) == told, words="there are refunds that nobody was told of")


def _judge_miles(oracle: Oracle, found: Found) -> None:
    spent: dict[bytes, int] = dict.fromkeys(oracle.campaigns, 0)
    held: dict[str, int] = {person: -oracle.oriented.get(person, 0) for person in oracle.people}
    refused = {account for account, _, _, state, _ in found.grants if state == "refused"}
    called = any(campaign.is_called for campaign in oracle.campaigns.values())
    oracle.require(holds=called or not refused & oracle.people, words="a grant to an account that exists was refused")
    oracle.require(holds=all(row[3] != "told" for row in found.grants), words="a grant is never answered")
    by_source = {(row[4]): row for row in found.grants}
    for key, sale in oracle.sales.items():
        if not sale.granted:
            continue
        taken = sum(found.refunds[(*key, id_)][1] for id_ in sale.refunds)
        worth, holder = sale.granted - taken, sale.holder
        if not holder:
            cents, state, claimed_by = found.tickets[key]
            owner = oracle.find_owner(sale)
            if not owner and state == "claimed":
                told_yes = [one for one, _ in sale.claims]
                oracle.require(holds=claimed_by in told_yes, words=f"nobody told {claimed_by} of the ticket of {key}")
                owner = claimed_by
            if owner:
                oracle.require(
                    holds=(state, claimed_by) == ("claimed", owner),
                    words=f"the ticket of {key} is {state} for {claimed_by}, and {owner} was told that it is his",
                )
                row = by_source[f"voucher {key}"]
                worth, holder = row[1] - row[2], owner
                told = max(cents for one, cents in sale.claims if one == owner)
                oracle.require(holds=row[1] == told, words=f"the ticket of {key} gives {row[1]}, and {told} was told")
            elif sale.is_expired:
                worth = 0
                oracle.require(holds=state in ("expired", "void"), words=f"the ticket of {key} is over, and {state}")
            else:
                worth = cents if state == "open" else 0
                oracle.require(
                    holds=state in ("open", "void") and worth <= sale.granted - taken,
                    words=f"the ticket of {key} is {state} and worth {cents} of {sale.granted - taken}",
                )
        elif holder not in oracle.people or by_source[f"sale {key}"][3] == "refused":
            worth = 0
        spent[sale.campaign] += worth
        if holder:
            held[holder] = held.get(holder, 0) + worth
    _add_operations(oracle, found, spent, held)
    for uid, campaign in oracle.campaigns.items():
        funded, is_spent = found.funded[uid]
        due = oracle.funded(campaign.pool) if campaign.pool else 0
        oracle.require(holds=funded == due, words=f"a campaign is funded with {funded}, and {due} came")
        oracle.require(holds=is_spent == spent[uid], words=f"a campaign spent {is_spent}, and gave {spent[uid]}")
        in_pool = found.balances.get(campaign.pool, 0)
        oracle.require(
            holds=in_pool == funded - spent[uid] + _open_worth(oracle, found, uid),
            words=f"the pool holds {in_pool}, and the budget is {funded} less {spent[uid]}",
        )
    for account, cents in held.items():
        has = found.balances.get(account, 0)
        if account in oracle.people:
            oracle.require(holds=has == cents, words=f"{account} has {has}, and was given {cents}")
    for project, cents in oracle.projects.items():
        has = found.balances.get(project, 0)
        oracle.require(holds=has == cents, words=f"project {project} has {has}, and was given {cents}")
    oracle.require(holds=sum(found.balances.values()) == found.lots, words="not all that was issued lies somewhere")


def _open_worth(oracle: Oracle, found: Found, uid: bytes) -> int:
    """Return what open tickets of a campaign are worth: spent by its budget, and still in its pool."""
    return sum(
        cents
        for key, (cents, state, _) in found.tickets.items()
        if state == "open" and oracle.sales[key].campaign == uid
    )


def _add_operations(oracle: Oracle, found: Found, spent: dict[bytes, int], held: dict[str, int]) -> None:
    """Each id of a company is given once, whichever files it stands in."""
    due: dict[tuple[bytes, str], tuple[str, int]] = {}
    for campaign, rows in oracle.runs.values():
        for id_, row in rows.items():
            due.setdefault((campaign, id_), row)
    oracle.require(holds=due == found.operations, words=f"operations: {len(found.operations)} booked, {len(due)} due")
    states = {row[4]: row for row in found.grants}
    for (campaign, id_), (account, cents) in due.items():
        if states[f"operation {id_}"][3] != "refused":
            spent[campaign] += cents
            held[account] = held.get(account, 0) + cents


def _judge_payments(oracle: Oracle, found: Found) -> None:
    told = {id_: (one.cents, one.state, one.order) for id_, one in oracle.payments.items()}
    oracle.require(holds=found.payments == told, words=f"payments are {found.payments}, and were {told}")
    oracle.require(holds=oracle.receipts <= set(found.receipts), words="a receipt that somebody has is not there")
    for number, (cents, state, covered) in found.receipts.items():
        if state == "issued":
            oracle.require(holds=cents == covered, words=f"receipt {number} is of {cents}, and covers {covered}")
        else:
            oracle.require(holds=covered == 0, words=f"the cancelled receipt {number} still covers {covered}")
