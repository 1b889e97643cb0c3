"""What must be true of netting between funds, in plain values. Shares no code with the product.

    owed ── both funds say so ──▶ netted ── window closed ──▶ the difference moves between funds, at most N - 1 payments
                                    └── all that comes of its window is here ──▶ the project's own fund pays the bearer

The rule is told again here, from SPEC.md, "Windows of netting": whoever owes most pays whom most is owed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulation.house.oracle import Wrong

if TYPE_CHECKING:
    from tests.simulation.cycle.oracle import Oracle, Payment

Pair = tuple[str, str]  # who pays, who is paid: or who speaks, and of whom


@dataclass(frozen=True)
class Netted:
    """A due in a window: `debtor` owes `creditor`, whose fund pays the bearer."""

    debtor: str
    creditor: str
    cents: int


@dataclass(frozen=True)
class Window:
    """A closed window: its dues, and what the rule lets funds pay each other."""

    dues: Mapping[bytes, Netted]
    payments: Mapping[Pair, int]


@dataclass
class Netting:
    """Everything that people were told of netting."""

    said: dict[Pair, bool] = field(default_factory=dict)  # the last word of a fund to another
    ever: set[Pair] = field(default_factory=set)  # who said at any time that it nets with whom
    dues: dict[bytes, Pair] = field(default_factory=dict)  # called netted: debtor, creditor
    windows: dict[int, Window] = field(default_factory=dict)

    def say(self, pair: Pair, *, is_netted: bool) -> None:
        self.said[pair] = is_netted
        if is_netted:
            self.ever.add(pair)

    def net(self, due: bytes, debtor: str, creditor: str) -> None:
        """A fund nets a due: it said so itself, and it can have heard that the other does."""
        _require(holds=due not in self.dues, words="a due is netted twice")
        _require(holds=self.said.get((debtor, creditor), False), words=f"{debtor} nets and does not say so")
        _require(holds=(creditor, debtor) in self.ever, words=f"{debtor} nets, and {creditor} never said so")
        self.dues[due] = (debtor, creditor)

    def close(self, number: int, dues: Mapping[bytes, Netted]) -> None:
        """The hub's operator closed a window in which these stand."""
        _require(holds=number == len(self.windows) + 1, words=f"window {number} is closed after {list(self.windows)}")
        before = {due for window in self.windows.values() for due in window.dues}
        for due, one in dues.items():
            _require(holds=due not in before, words=f"a due stands in window {number} and in another")
            _require(
                holds=self.dues.get(due) == (one.debtor, one.creditor),
                words=f"a due stands in window {number} and was not netted so",
            )
        self.windows[number] = Window(dues, net_by_rule(dues))

    def find_window(self, due: bytes) -> int | None:
        return next((number for number, window in self.windows.items() if due in window.dues), None)


def net_by_rule(dues: Mapping[bytes, Netted]) -> dict[Pair, int]:
    """Return who pays whom; it is held here that nothing is lost, that few pay, and that nobody pays beyond what it owes."""
    left: dict[str, int] = defaultdict(int)
    gross: dict[str, int] = defaultdict(int)
    for one in dues.values():
        left[one.debtor] -= one.cents
        left[one.creditor] += one.cents
        gross[one.debtor] += one.cents
    moved: dict[str, int] = defaultdict(int)
    members, positions = len(left), dict(left)
    payments: dict[Pair, int] = {}
    while any(left.values()):
        payer = min((cents, name) for name, cents in left.items() if cents < 0)[1]
        payee = min((-cents, name) for name, cents in left.items() if cents > 0)[1]
        cents = min(-left[payer], left[payee])
        payments[payer, payee] = cents
        for name, sign in ((payer, 1), (payee, -1)):
            left[name] += sign * cents
            moved[name] -= sign * cents
    _require(holds=len(payments) < members, words=f"{len(payments)} payments among {members}")
    _require(holds=all(moved[name] == cents for name, cents in positions.items()), words="a window loses cents")
    _require(holds=all(-cents <= gross[name] for name, cents in moved.items()), words="a fund pays more than it owes")
    return payments


@dataclass
class FoundNetting:
    """What the books show of netting at rest."""

    said: dict[Pair, bool]  # by the fund that says it
    heard: dict[Pair, bool]  # by the fund that it is said to
    netted: dict[bytes, tuple[str, int | None]]  # due -> the fund that called it so, its window there
    taken: dict[bytes, tuple[str, str, int, str, int | None]]  # due -> fund that pays, debtor, cents, account, window
    lines: dict[tuple[str, int, str, bool], tuple[int, int]]  # fund, window, other, whether ours -> cents, received
    hub_windows: dict[bytes, int]  # due -> window
    hub_payments: dict[tuple[int, str, str], tuple[int, str]]  # window, payer, payee -> cents, state
    banks: dict[str, tuple[int, int]]  # fund -> cents of all movements, and of account 512 in the books
    settled: dict[Pair, int]  # fund, other -> what the books say that it owes that fund, or is owed (negative)


def _require(*, holds: bool, words: str) -> None:
    if not holds:
        raise Wrong(words)


def judge_netting(
    oracle: Oracle, found: FoundNetting, cents_of: Mapping[bytes, int], iban_of: Mapping[bytes, str]
) -> None:
    """Hold what the books show of netting against what people were told. `cents_of`, `iban_of`: of each due."""
    netting = oracle.netting
    _require(holds=found.said == netting.said, words=f"funds say {found.said}, and said {netting.said}")
    heard = {(code, other): is_netted for (other, code), is_netted in netting.said.items()}
    _require(holds=found.heard == heard, words=f"funds heard {found.heard}, and were told {heard}")
    _judge_dues(netting, found, cents_of, iban_of)
    _judge_lines(oracle, found)
    _judge_books(oracle, found)


def _judge_dues(
    netting: Netting, found: FoundNetting, cents_of: Mapping[bytes, int], iban_of: Mapping[bytes, str]
) -> None:
    """Each netted due is in one window at most, the same for all, and taken over by the project's own fund."""
    wanted = {due: (debtor, netting.find_window(due)) for due, (debtor, _) in netting.dues.items()}
    _require(holds=found.netted == wanted, words=f"netted is {found.netted}, and should be {wanted}")
    taken = {
        due: (creditor, debtor, cents_of[due], iban_of[due], netting.find_window(due))
        for due, (debtor, creditor) in netting.dues.items()
    }
    _require(holds=found.taken == taken, words=f"taken over is {found.taken}, and should be {taken}")
    at_hub = {due: number for number, window in netting.windows.items() for due in window.dues}
    _require(holds=found.hub_windows == at_hub, words=f"the hub's windows are {found.hub_windows}, and were {at_hub}")
    for window in netting.windows.values():
        wrong = [due for due, one in window.dues.items() if one.cents != cents_of[due]]
        _require(holds=not wrong, words="a window nets another sum than is due")


def _judge_lines(oracle: Oracle, found: FoundNetting) -> None:
    """Funds and hub see the payments of the rule, and of them what the banks did."""
    lines: dict[tuple[str, int, str, bool], int] = {}
    for number, window in oracle.netting.windows.items():
        for (payer, payee), cents in window.payments.items():
            lines[payer, number, payee, True] = lines[payee, number, payer, False] = cents
            tried = [one for one in oracle.payments.values() if _is_of(one, number, payer, payee)]
            paid = [one for one in tried if one.state == "confirmed"]
            _require(holds=len(paid) <= 1, words=f"window {number}: {payer} paid {payee} {len(paid)} times")
            allowed = {"rejected"} if any(one.state in ("rejected", "returned") for one in tried) else {"owed"}
            if paid:
                # Two payments of one sum between the same two may be taken for each other.
                is_one = sum(1 for one in oracle.payments.values() if _is_like(one, paid[0])) == 1
                allowed = {"confirmed" if paid[0].has_arrived else "paid"} if is_one else {"confirmed", "paid"}
            told = found.hub_payments.get((number, payer, payee))
            _require(
                holds=told is not None and told[0] == cents and told[1] in allowed,
                words=f"window {number}: the hub shows {told} for {cents} from {payer} to {payee} ({allowed})",
            )
    _require(holds=len(found.hub_payments) * 2 == len(lines), words="the hub shows payments that no window gives")
    told_lines = {key: cents for key, (cents, _) in found.lines.items()}
    _require(holds=told_lines == lines, words=f"funds are to pay {told_lines}, and the windows give {lines}")
    received: dict[Pair, int] = defaultdict(int)
    for (code, _, other, _), (_, cents) in found.lines.items():
        received[other, code] += cents
    for pair, cents in received.items():
        arrived = count_arrived(oracle, *pair)
        _require(holds=cents == arrived, words=f"{pair[1]} counts {cents} from {pair[0]}, and {arrived} arrived")


def _is_of(one: Payment, number: int, payer: str, payee: str) -> bool:
    return (one.window, one.code, one.payee) == (number, payer, payee)


def _is_like(one: Payment, other: Payment) -> bool:
    return (one.code, one.payee, one.cents, one.state) == (other.code, other.payee, other.cents, "confirmed")


def count_arrived(oracle: Oracle, payer: str, payee: str) -> int:
    """Return the cents of windows that a fund's bank told it of, from another fund."""
    return sum(
        one.cents
        for one in oracle.payments.values()
        if one.window and (one.code, one.payee) == (payer, payee) and one.has_arrived
    )


def require_funded(oracle: Oracle, code: str) -> None:
    """Nobody lends: what others owe a fund of the windows whose bearers it pays has come, from each of them."""
    paying = {
        oracle.netting.find_window(due)
        for one in oracle.payments.values()
        if one.code == code and one.state in ("signed", "ordered", "confirmed")
        for due in one.dues
        if due in oracle.netting.dues and oracle.netting.dues[due][0] != code
    }
    _require(holds=None not in paying, words=f"{code} pays a netted due that no window holds")
    wanted: dict[str, int] = defaultdict(int)
    for number in paying:
        assert number is not None
        for (payer, payee), cents in oracle.netting.windows[number].payments.items():
            if payee == code:
                wanted[payer] += cents
    for payer, cents in wanted.items():
        arrived = count_arrived(oracle, payer, code)
        _require(holds=cents <= arrived, words=f"{code} pays bearers {cents} of {payer}'s, and {arrived} arrived")


def _judge_books(oracle: Oracle, found: FoundNetting) -> None:
    """Each fund's bank account is what its bank says, to the cent; and so is what it owes other funds still."""
    paid: dict[str, int] = defaultdict(int)
    for one in oracle.payments.values():
        paid[one.code] -= one.cents if one.state == "confirmed" else 0
        if one.payee and one.has_arrived:
            paid[one.payee] += one.cents
    for code, balance in oracle.balances.items():
        expected = oracle.issued[code] + paid[code]
        _require(holds=balance == expected, words=f"{code}'s bank says {balance}, and {expected} came and went")
        _require(
            holds=found.banks[code] == (balance, balance),
            words=f"{code}'s bank says {balance}, its movements and books {found.banks[code]}",
        )
    left: dict[Pair, int] = defaultdict(int)
    for window in oracle.netting.windows.values():
        for (payer, payee), cents in window.payments.items():
            left[payer, payee] += cents
            left[payee, payer] -= cents
    for one in oracle.payments.values():
        if one.payee and one.state == "confirmed":
            left[one.code, one.payee] -= one.cents
        if one.payee and one.has_arrived:
            left[one.payee, one.code] += one.cents
    wanted = {pair: cents for pair, cents in left.items() if cents}
    _require(holds=found.settled == wanted, words=f"books owe other funds {found.settled}, and should {wanted}")


def judge_end(oracle: Oracle, cents_of: Mapping[bytes, int], iban_of: Mapping[bytes, str]) -> None:
    """Once everybody has done his part every due was paid once, in one of both modes, and every window is settled."""
    came: dict[str, int] = defaultdict(int)
    for one in oracle.payments.values():
        if not one.window:
            came[one.iban] += one.cents if one.state == "confirmed" else 0
    due: dict[str, int] = defaultdict(int)
    for id_, cents in cents_of.items():
        paid = oracle.count_paid(id_)
        _require(holds=paid == cents, words=f"in the end {paid} cents are paid of a due of {cents}")
        due[iban_of[id_]] += cents
    _require(holds=dict(came) == dict(due), words=f"bearers have {dict(came)}, and were owed {dict(due)}")
    _require(
        holds=all(oracle.netting.find_window(id_) is not None for id_ in oracle.netting.dues),
        words="in the end a netted due stands in no window",
    )
    for window in oracle.netting.windows.values():
        for payer, payee in window.payments:
            _require(holds=count_arrived(oracle, payer, payee) > 0, words=f"{payer} never paid {payee}")
    moved = sum(oracle.balances.values()) + sum(came.values())
    _require(holds=moved == sum(oracle.issued.values()), words="euros between funds are lost, or made")
