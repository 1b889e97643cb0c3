"""What must be true of miles and euros between territories, in plain values. Shares no code with the product.

    credited ──▶ held by somebody ──▶ directed to a project, here or elsewhere ──▶ converted ──▶ owed ──▶ paid, once
                       ◀── changed his mind, missed, withdrawn ──┘   ◀── the fund refused ──┘

It is told what callers were told and which lots tables show that an operation moved; it adds up by itself. Each part of
an orientation, lot by lot, is in one place: with its project, back with who gave it, or converted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.simulation.cycle.windows import FoundNetting, Netting, judge_netting
from tests.simulation.house.oracle import Wrong

Lot = tuple[str, bytes]
Draws = dict[Lot, int]
Holder = tuple[str, str]  # territory, account
Held = dict[Holder, Draws]
ENDS = frozenset({"delivered", "refused", "recalled", "expired", "returned"})


@dataclass
class Leaving:
    """Rights that set out for another territory: a cession, an orientation there, or one that comes back from there."""

    giver: Holder
    taker: Holder
    draws: Draws
    end: str = ""


@dataclass
class Oriented:
    """What somebody directed to a project. Elsewhere it counts once it was delivered."""

    giver: Holder
    project: bytes
    draws: Draws
    leaving: bytes = b""  # the cession that brought it there
    backs: list[tuple[bytes, Draws]] = field(default_factory=list)  # what came back; under which cession, if by one


@dataclass
class Project:
    """A project as its office knows it."""

    code: str
    target: int
    minimum: int
    shares: tuple[int, ...]
    iban: str
    number: str = ""
    is_withdrawn: bool = False


@dataclass
class Round:
    project: bytes
    cents: int


@dataclass
class Payment:
    """What two officers signed for a bearer: so many cents of each due."""

    code: str
    cents: int
    iban: str
    dues: dict[bytes, int]
    state: str = "signed"
    order: str = ""
    debits: int = 0  # how often the bank carried it out, less how often it came back
    window: int = 0  # at whose end it pays another fund, and no bearer
    payee: str = ""  # the territory of that fund
    has_arrived: bool = False  # at that fund's bank

    @property
    def is_under_way(self) -> bool:
        """Between two banks."""
        return self.state == "confirmed" and not self.has_arrived


@dataclass
class Oracle:
    """Everything that callers were told."""

    issued: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # euros that came for campaigns
    credits: dict[bytes, tuple[Holder, Draws]] = field(default_factory=dict)  # by grant
    leavings: dict[bytes, Leaving] = field(default_factory=dict)
    oriented: dict[bytes, Oriented] = field(default_factory=dict)
    projects: dict[bytes, Project] = field(default_factory=dict)
    rounds: dict[bytes, Round] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)  # by EndToEndId
    confirmed: set[bytes] = field(default_factory=set)  # dues that the bearer has, as an office was told
    returned: set[tuple[str, bytes]] = field(
        default_factory=set
    )  # fund and due, of which a payment came back from the bank
    netting: Netting = field(default_factory=Netting)
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # of each fund's bank account

    def require(self, *, holds: bool, words: str) -> None:
        if not holds:
            raise Wrong(words)

    def note_return(self, payment: Payment) -> None:
        """The bank did not carry a payment out, or it came back."""
        self.returned |= {(payment.code, due) for due in payment.dues}

    def count_paid(self, due: bytes) -> int:
        """Return the cents that the bank carried out for a due."""
        return sum(one.dues.get(due, 0) for one in self.payments.values() if one.state == "confirmed")


@dataclass(frozen=True)
class Part:
    """What a round took of one lot of an orientation, as the accounts show it."""

    round: bytes
    oriented: bytes
    lot: Lot
    payer: str
    cents: int


@dataclass(frozen=True)
class Due:
    """What a fund owes for a round, as one party shows it; `lots` by reference, where that party knows them."""

    cents: int
    state: str
    lots: tuple[tuple[bytes, int], ...] = ()
    territory: str = ""
    iban: str = ""


@dataclass
class Found:
    """What the books show at rest."""

    held: Held  # by account, project accounts included
    converted: dict[str, Draws]  # what each territory's converted account holds
    ends: dict[bytes, str]  # of what left, by the giver's book
    parts: list[Part]
    asked: dict[bytes, tuple[bytes, str, Due]]  # due -> round, payer, as the accounts that asked show it
    owed: dict[str, dict[bytes, Due]]  # fund -> dues that it was told of
    payments: dict[str, tuple[str, int, str, str]]  # EndToEndId -> fund, cents, state, order
    marks: dict[bytes, str]  # due -> as the projects' base that decided shows it
    obligations: dict[bytes, tuple[str, str, int, str]]  # due -> debtor, creditor, cents, state, as the hub shows it
    positions: dict[tuple[Lot, str], int]
    support: dict[bytes, tuple[str, int, int]]  # project -> state, cents, supporters
    netting: FoundNetting

    def owed_cents(self) -> dict[bytes, int]:
        """Return the cents of each due that is owed."""
        return {due: one.cents for due, (_, _, one) in self.asked.items() if one.state != "refused"}


def add(sums: Draws, draws: Mapping[Lot, int], sign: int = 1) -> None:
    for lot, cents in draws.items():
        sums[lot] = sums.get(lot, 0) + sign * cents


def judge(oracle: Oracle, found: Found) -> None:
    """Hold what the books show at rest against what callers were told. Raises Wrong."""
    _judge_ends(oracle, found)
    held: Held = defaultdict(dict)
    _hold_what_people_did(oracle, held)
    left = _hold_what_projects_have(oracle, found, held)
    _judge_holdings(oracle, found, held)
    _judge_dues(oracle, found)
    _judge_euros(oracle, found)
    judge_netting(oracle, found.netting, found.owed_cents(), find_ibans(oracle, found))
    _judge_support(oracle, found, left)


def find_ibans(oracle: Oracle, found: Found) -> dict[bytes, str]:
    """Return the bearer's account of each due."""
    return {due: oracle.projects[oracle.rounds[row].project].iban for due, (row, _, _) in found.asked.items()}


def _judge_ends(oracle: Oracle, found: Found) -> None:
    """What left has one end, for ever."""
    for op, leaving in oracle.leavings.items():
        end = found.ends[op]
        oracle.require(
            holds=end in ENDS, words=f"what {leaving.giver} sent to {leaving.taker} is {end}, and does not end"
        )
        oracle.require(holds=leaving.end in ("", end), words=f"{op.hex()} had ended {leaving.end}, and now {end}")
        leaving.end = end


def _hold_what_people_did(oracle: Oracle, held: Held) -> None:
    """Add up credits, cessions and orientations by those who gave them."""
    for holder, draws in oracle.credits.values():
        add(held[holder], draws)
    for leaving in oracle.leavings.values():
        add(held[leaving.giver], leaving.draws, -1)
        add(held[leaving.taker if leaving.end == "delivered" else leaving.giver], leaving.draws)
    for one in oracle.oriented.values():
        if not one.leaving:  # to a project at home: it was with it at once
            project = oracle.projects[one.project]
            add(held[one.giver], one.draws, -1)
            add(held[project.code, project.number], one.draws)
        for leaving, draws in one.backs:
            if not leaving:
                project = oracle.projects[one.project]
                add(held[project.code, project.number], draws, -1)
                add(held[one.giver], draws)


def _hold_what_projects_have(oracle: Oracle, found: Found, held: Held) -> dict[bytes, Draws]:
    """Take away what was converted, and give back what ended; return what is still directed, by orientation."""
    refused = {due for due, (_, _, one) in found.asked.items() if one.state == "refused"}
    by_place = {(row, payer): due for due, (row, payer, _) in found.asked.items()}
    converted: dict[bytes, Draws] = defaultdict(dict)
    for part in found.parts:
        due = by_place.get((part.round, part.payer))
        oracle.require(holds=due is not None, words=f"a round took {part.cents} cents that nobody was told to owe")
        oracle.require(holds=part.payer == part.lot[0], words=f"{part.payer} is to owe a lot of {part.lot[0]}")
        if due not in refused:
            add(converted[part.oriented], {part.lot: part.cents})
    left: dict[bytes, Draws] = {}
    for op, one in oracle.oriented.items():
        is_there = not one.leaving or oracle.leavings[one.leaving].end == "delivered"
        rest = dict(one.draws) if is_there else {}
        for leaving, draws in one.backs:
            if not leaving or oracle.leavings[leaving].end == "delivered":
                add(rest, draws, -1)
        add(rest, converted.pop(op, {}), -1)
        project = oracle.projects[one.project]
        oracle.require(
            holds=all(cents >= 0 for cents in rest.values()),
            words=f"of what {one.giver} directed to {project.number} more went back or became euros than there was",
        )
        left[op] = rest
    oracle.require(holds=not converted, words="a round took of an orientation that nobody made")
    for part in found.parts:
        if by_place[part.round, part.payer] not in refused:
            project = oracle.projects[oracle.rounds[part.round].project]
            add(held[project.code, project.number], {part.lot: part.cents}, -1)
    for op, one in oracle.oriented.items():
        if found.support[one.project][0] in ("missed", "withdrawn"):
            project = oracle.projects[one.project]
            add(held[project.code, project.number], left[op], -1)
            add(held[one.giver], left[op])
            left[op] = {}
    return left


def _judge_holdings(oracle: Oracle, found: Found, held: Held) -> None:
    """Everybody holds, lot by lot, what is his; of each lot what was issued is somewhere; positions are what is abroad."""
    wanted = {who: {lot: cents for lot, cents in draws.items() if cents} for who, draws in held.items()}
    for who in sorted(wanted):
        has = {lot: cents for lot, cents in found.held.get(who, {}).items() if cents}
        oracle.require(holds=has == wanted[who], words=f"{who} holds {_show(has)}, and should {_show(wanted[who])}")
    sums: dict[str, int] = defaultdict(int)
    abroad: dict[tuple[Lot, str], int] = defaultdict(int)
    for (code, _), draws in found.held.items():
        for lot, cents in draws.items():
            sums[lot[0]] += cents
            if lot[0] != code and cents:
                abroad[lot, code] += cents
    became: Draws = {}
    for code, draws in found.converted.items():
        for lot, cents in draws.items():
            oracle.require(holds=lot[0] == code, words=f"{code} converted a lot of {lot[0]}")
            sums[code] += cents
        add(became, draws)
    for code, cents in oracle.issued.items():
        oracle.require(
            holds=sums[code] == cents,
            words=f"{cents} euros came to {code}, and {sums[code]} of its miles are somewhere",
        )
    oracle.require(holds=dict(abroad) == found.positions, words="the hub's positions are not what sits abroad")
    refused = {due for due, (_, _, one) in found.asked.items() if one.state == "refused"}
    due_of = {(row, payer): due for due, (row, payer, _) in found.asked.items()}
    told: Draws = {}
    for part in found.parts:
        if due_of[part.round, part.payer] not in refused:
            add(told, {part.lot: part.cents})
    oracle.require(
        holds={lot: cents for lot, cents in became.items() if cents} == told,
        words=f"converted is {_show(became)}, and rounds took {_show(told)}",
    )


def _show(draws: Mapping[Lot, int]) -> str:
    return (
        ", ".join(f"{cents} of {code}/{ref.hex()[:6]}" for (code, ref), cents in sorted(draws.items()) if cents)
        or "nothing"
    )


def _judge_dues(oracle: Oracle, found: Found) -> None:
    """Each round is owed by each payer once: as asked, as taken, as the hub counts it."""
    by_payer: dict[str, dict[bytes, Due]] = defaultdict(dict)
    for due, (row, payer, asked) in found.asked.items():
        parts = [part for part in found.parts if (part.round, part.payer) == (row, payer)]
        refs: dict[bytes, int] = defaultdict(int)
        for part in parts:
            refs[part.lot[1]] += part.cents
        cents = sum(part.cents for part in parts)
        oracle.require(holds=cents == asked.cents, words=f"a due of {asked.cents} is made of {cents}")
        project = oracle.projects[oracle.rounds[row].project]
        told = found.owed[payer].get(due)
        oracle.require(holds=told is not None, words=f"{payer}'s fund was never told of a due of {cents} cents")
        assert told is not None
        # What a fund refuses it does not keep lot by lot.
        lots = told.lots if told.state == "refused" else tuple(sorted(refs.items()))
        oracle.require(
            holds=(told.cents, told.lots, told.territory) == (cents, lots, project.code),
            words=f"{payer}'s fund was told {told}, and {cents} cents of {project.code} are due",
        )
        is_refused = asked.state == "refused"
        oracle.require(
            holds=is_refused == (told.state == "refused"),
            words=f"a due of {cents} is {asked.state} where it was asked, and {told.state} at {payer}'s fund",
        )
        if not is_refused:
            oracle.require(holds=told.iban == project.iban, words="a due names another account than the bearer's")
        by_payer[payer][due] = told
        if payer != project.code and not is_refused:
            obligation = found.obligations.pop(due, None)
            oracle.require(
                holds=obligation is not None and obligation[:3] == (payer, project.code, cents),
                words=f"the hub shows {obligation} for {cents} cents that {payer} owes in {project.code}",
            )
            assert obligation is not None
            _judge_hub(oracle, due, cents, payer, obligation[3])
    oracle.require(holds=not found.obligations, words=f"the hub shows obligations for nothing: {found.obligations}")
    for payer, owed in found.owed.items():
        oracle.require(holds=set(owed) == set(by_payer[payer]), words=f"{payer}'s fund owes what nobody asked")
    taken: dict[bytes, int] = defaultdict(int)
    for _, (row, _, asked) in found.asked.items():
        taken[row] += asked.cents
    for row, cents in taken.items():
        oracle.require(holds=row in oracle.rounds, words="a round was done that nobody was told of")
        asked_cents = oracle.rounds[row].cents
        oracle.require(holds=cents <= asked_cents, words=f"a round of {asked_cents} cents took {cents}")


def _judge_word(oracle: Oracle, due: bytes, cents: int, payer: str, state: str) -> None:
    """What the projects' base says of a due is what the bank did, of whichever fund pays it."""
    debtor, creditor = oracle.netting.dues.get(due, ("", payer))
    allowed = {"netted"} if debtor else {"owed"}
    if _is_paid(oracle, due, cents):
        allowed = {"paid", "confirmed"}
        if not any(code in (payer, creditor) and one == due for code, one in oracle.returned):
            allowed = {"confirmed"} if due in oracle.confirmed else {"paid"}
    elif (creditor, due) in oracle.returned:
        allowed = {"rejected"}
    _require_word(oracle, due, cents, state, "the projects' base", allowed)


def _judge_hub(oracle: Oracle, due: bytes, cents: int, payer: str, state: str) -> None:
    """The hub hears the debtor, until it nets; and of the bearer's own word."""
    allowed = {"owed"}
    if due in oracle.netting.dues:
        allowed = {"confirmed"} if due in oracle.confirmed else {"netted"}
        if any(one == due for _, one in oracle.returned):
            allowed = {"netted", "confirmed"}
    elif _is_paid(oracle, due, cents):
        allowed = {"paid", "confirmed"}
        if (payer, due) not in oracle.returned:
            allowed = {"confirmed"} if due in oracle.confirmed else {"paid"}
    elif (payer, due) in oracle.returned:
        allowed = {"rejected"}
    _require_word(oracle, due, cents, state, "the hub", allowed)


def _is_paid(oracle: Oracle, due: bytes, cents: int) -> bool:
    return oracle.count_paid(due) == cents


def _require_word(oracle: Oracle, due: bytes, cents: int, state: str, who: str, allowed: set[str]) -> None:
    oracle.require(
        holds=state in allowed,
        words=f"{who} says {state} of a due of {cents}, and the bank paid {oracle.count_paid(due)} ({allowed})",
    )


def _judge_euros(oracle: Oracle, found: Found) -> None:
    """No due is paid twice, and payments are what officers signed and the bank did."""
    told = {id_: (one.code, one.cents, one.state, one.order) for id_, one in oracle.payments.items()}
    oracle.require(holds=found.payments == told, words=f"payments are {found.payments}, and were {told}")
    live: dict[bytes, int] = defaultdict(int)
    for one in oracle.payments.values():
        oracle.require(holds=0 <= one.debits <= 1, words=f"the bank carried a payment out {one.debits} times")
        is_sum = bool(one.window) or one.cents == sum(one.dues.values())
        oracle.require(holds=is_sum, words="a payment is not the sum of its dues")
        for due, cents in one.dues.items():
            if one.state in ("signed", "ordered", "confirmed"):
                live[due] += cents
            owed = found.asked.get(due)
            oracle.require(holds=owed is not None, words="a payment pays a due that nobody asked")
            assert owed is not None
            project = oracle.projects[oracle.rounds[owed[0]].project]
            oracle.require(holds=one.iban == project.iban, words="a payment goes to another account than the bearer's")
            pays = project.code if due in oracle.netting.dues else owed[1]
            is_dead = one.state in ("rejected", "returned")  # then it may have been netted since
            oracle.require(
                holds=one.code == pays or (is_dead and one.code == owed[1]),
                words=f"{one.code} pays what {pays} is to pay",
            )
    for due, cents in live.items():
        most = found.asked[due][2].cents
        oracle.require(holds=cents <= most, words=f"{cents} cents are paid or on their way for a due of {most}")
    for due, (_, payer, asked) in found.asked.items():
        if asked.state == "refused":
            oracle.require(holds=found.marks.get(due, "refused") == "refused", words="a refused due is not said to be")
            oracle.require(holds=not live.get(due), words="a refused due is paid")
        else:
            _judge_word(oracle, due, asked.cents, payer, found.marks[due])


def _judge_support(oracle: Oracle, found: Found, left: Mapping[bytes, Draws]) -> None:
    """What everybody sees of a project is what is directed to it."""
    sums: dict[bytes, int] = defaultdict(int)
    for op, draws in left.items():
        sums[oracle.oriented[op].project] += sum(draws.values())
    refused = {due for due, (_, _, one) in found.asked.items() if one.state == "refused"}
    for due, (row, _, asked) in found.asked.items():
        if due not in refused:
            sums[oracle.rounds[row].project] += asked.cents
    for id_, project in oracle.projects.items():
        state, cents, supporters = found.support[id_]
        is_over = state in ("missed", "withdrawn")
        oracle.require(
            holds=cents == sums[id_] or is_over, words=f"{project.number} shows {cents}, and {sums[id_]} is directed"
        )
        oracle.require(holds=(supporters == 0) == (cents == 0), words=f"{supporters} support with {cents} cents")
        oracle.require(
            holds=sums[id_] <= project.target, words=f"{sums[id_]} is directed to a project of {project.target}"
        )
        oracle.require(
            holds=(state == "withdrawn") == project.is_withdrawn,
            words=f"{project.number} is {state}, and was it withdrawn?",
        )
