"""What callers were told, and what must therefore be true. Pure, and shares no code with the product.

Each operation has an id that its caller chose. What was answered once is written down here; whoever asks again under
the same id must get the same answer. At rest, `judge` holds what the nodes show against all that was told:

- each acknowledged operation stands exactly once in the history of each account that it touches, with its cents;
- nothing else stands there, and each balance is the sum of its history;
- each cession abroad has one end, the same on both sides;
- what was issued is held, to the cent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# Where nothing was decided: the caller asks again, as for no answer at all.
UNDECIDED: Final = frozenset({"storage_unavailable", "book_in_use"})
CAME_BACK: Final = frozenset({"returned", "recalled", "refused", "expired"})
ENDED: Final = CAME_BACK | {"delivered"}
# What of an answer is the same for ever; the rest says how things go on, or that it was asked again.
_SAME: Final[Mapping[str, tuple[str, ...]]] = {
    "open": ("number", "address", "kind", "opened_at"),
    "credit": ("at", "after_cents"),
    "cede": ("id", "cents", "from", "to", "reference", "queued_at"),
    "reverse": ("credit", "at", "asked_cents", "taken_cents", "missing_cents", "after_cents"),
    "recall": (),
}
Account = tuple[str, str]  # a territory, and a number


@dataclass
class Asked:
    """One operation, what was first answered, and how often it had to be asked."""

    id: str
    kind: str
    node: str
    line: dict[str, Any]
    times: int = 0
    refused: bool = False
    answer: dict[str, Any] | None = None

    @property
    def is_done(self) -> bool:
        return self.answer is not None and not self.refused


@dataclass
class Found:
    """What the parties show once everything has settled."""

    histories: dict[Account, list[dict[str, Any]]] = field(default_factory=dict)
    balances: dict[Account, int] = field(default_factory=dict)
    cessions: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)  # by node, by id
    arrivals: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    totals: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Oracle:
    """The whole federation on one page, told by callers."""

    asked: dict[str, Asked] = field(default_factory=dict)
    issued: dict[str, int] = field(default_factory=dict)  # by territory
    endowments: dict[Account, tuple[str, int]] = field(default_factory=dict)  # the pool: id and cents
    wrongs: list[str] = field(default_factory=list)
    lost: int = 0
    twice: int = 0

    def ask(self, kind: str, node: str, id_: str, line: dict[str, Any]) -> Asked:
        """Write down that an operation is about to be asked."""
        made = self.asked[id_] = Asked(id_, kind, node, line)
        return made

    def hear(self, one: Asked, *, refused: bool, answer: dict[str, Any], is_repeat: bool | None = None) -> None:
        """Write down an answer, or hold it against the one before."""
        if one.answer is None:
            if is_repeat and one.times == 1:
                self.wrong(f"{_name(one)} was asked once, and told that it was a repetition")
            one.answer, one.refused = answer, refused
            return
        before, after = _tell(one.kind, one.answer, one.refused), _tell(one.kind, answer, refused)
        if one.kind == "recall" or before == after:
            if is_repeat is False and not refused and one.kind != "recall":
                self.twice += 1
                self.wrong(f"{_name(one)} was done, and then done again: {after}")
            return
        if refused != one.refused or is_repeat is False:
            self.lost += not one.refused
        self.wrong(f"{_name(one)} was answered {before}, and then {after}")

    def wrong(self, text: str) -> None:
        self.wrongs.append(text)

    def count_acknowledged(self) -> int:
        return sum(one.is_done for one in self.asked.values())

    def pick(self, kind: str) -> list[Asked]:
        """Return what was answered, of one kind."""
        return [one for one in self.asked.values() if one.kind == kind and one.answer is not None]

    # At rest

    def judge(self, found: Found) -> None:
        """Hold what the nodes show against all that was told; what parts is written into `wrongs`."""
        for one in self.asked.values():
            if one.answer is None:
                self.wrong(f"{_name(one)} was asked {one.times} times and never answered")
        expected = self._expect_ends(found)
        for one in self.asked.values():
            if one.is_done:
                self._expect_home(one, expected)
        for pool, (id_, cents) in self.endowments.items():
            expected[pool, id_] += cents
        self._compare(expected, found)
        self._require_conserved(found)

    def _expect_home(self, one: Asked, expected: dict[tuple[Account, str], int]) -> None:
        assert one.answer is not None
        node, line = one.node, one.line
        if one.kind == "credit":
            _move(expected, one.id, (node, line["pool"]), (node, _number(line["to"])), line["cents"])
        elif one.kind == "cede" and _territory(line["to"]) == node:
            _move(expected, one.id, (node, _number(line["from"])), (node, _number(line["to"])), line["cents"])
        elif one.kind == "reverse":
            credit = self.asked[line["credit"]].line
            _move(expected, one.id, (node, _number(credit["to"])), (node, credit["pool"]), one.answer["taken_cents"])

    def _expect_ends(self, found: Found) -> dict[tuple[Account, str], int]:
        """Each cession abroad has one end, on which both sides agree; return what it did to accounts."""
        expected: dict[tuple[Account, str], int] = defaultdict(int)
        arrived: dict[str, dict[str, Any]] = {}
        for node, arrivals in found.arrivals.items():
            for arrival in arrivals:
                reference = arrival["reference"]
                if arrival["state"] != "delivered":
                    continue
                if reference in arrived:
                    self.twice += 1
                    self.wrong(f"{reference} arrived twice")
                arrived[reference] = arrival | {"node": node}
        sent = {
            one.id: one
            for one in self.asked.values()
            if one.kind == "cede" and one.is_done and _territory(one.line["to"]) != one.node
        }
        for one in sent.values():
            view = found.cessions.get(one.node, {}).get(one.id)
            if view is None:
                self.lost += 1
                self.wrong(f"{_name(one)} was acknowledged, and its node knows nothing of it")
                continue
            giver, cents = (one.node, _number(one.line["from"])), one.line["cents"]
            expected[giver, one.id] -= cents
            arrival = arrived.pop(f"{one.node}/{view['reference']}", None)
            self._require_one_end(one, view, arrival)
            if view["state"] in CAME_BACK:
                expected[giver, f"returned {view['reference']}"] += cents
            if arrival is not None:
                expected[(arrival["node"], arrival["account"]), f"arrival {arrival['reference']}"] += arrival["cents"]
        for reference in arrived:
            self.wrong(f"{reference} arrived, and nobody was told that it had left")
        for node, views in found.cessions.items():
            for id_ in views.keys() - sent.keys():
                self.wrong(f"{node} shows cession {id_}, which nobody was told of")
        return expected

    def _require_one_end(self, one: Asked, view: Mapping[str, Any], arrival: Mapping[str, Any] | None) -> None:
        if view["state"] not in ENDED:
            self.wrong(f"{_name(one)} has not ended: {view['state']}")
        if (view["state"] == "delivered") != (arrival is not None):
            self.wrong(f"{_name(one)} is {view['state']} for its giver; did it arrive: {arrival is not None}")
        if arrival is not None:
            there = (arrival["node"], arrival["account"], arrival["cents"])
            if there != (_territory(one.line["to"]), _number(one.line["to"]), one.line["cents"]):
                self.wrong(f"{_name(one)} arrived as {there}")

    def _compare(self, expected: Mapping[tuple[Account, str], int], found: Found) -> None:
        told: dict[tuple[Account, str], int] = defaultdict(int)
        for account, entries in found.histories.items():
            for entry in entries:
                told[account, _key(entry)] += entry["cents"]
            held = sum(entry["cents"] for entry in entries)
            if held != found.balances[account]:
                self.wrong(f"{account} holds {found.balances[account]}, and its history comes to {held}")
        for place in expected.keys() | told.keys():
            wanted, there = expected.get(place, 0), told.get(place, 0)
            if wanted == there:
                continue
            if place in expected and wanted:
                self.lost += not there
                self.twice += bool(there) and there % wanted == 0
            self.wrong(f"{place[0]}: {wanted} cents expected under {place[1]}, {there} found")

    def _require_conserved(self, found: Found) -> None:
        rows = found.totals
        for node, issued in self.issued.items():
            if rows[node]["issued_cents"] != issued:
                self.wrong(f"{node} issued {issued}, and shows {rows[node]['issued_cents']}")
            abroad = rows[node]["abroad"]
            if rows[node]["in_transit_cents"] or rows[node]["unclaimed_cents"]:
                self.wrong(f"{node} holds something in transit or unclaimed at rest")
            if rows[node]["abroad_cents"] != sum(abroad.values()):
                self.wrong(f"{node}: abroad is not the sum of its parts")
        held = sum(row["held_home_cents"] + row["held_foreign_cents"] for row in rows.values())
        shown = sum(found.balances.values())
        issued = sum(self.issued.values())
        if not held == shown == issued:
            self.wrong(f"{issued} cents were issued, {held} are held, accounts show {shown}")


def _tell(kind: str, answer: Mapping[str, Any], refused: bool) -> dict[str, Any]:
    """What of an answer must be the same whenever it is given."""
    names: Iterable[str] = ("code", "facts") if refused else _SAME[kind]
    return {name: answer.get(name) for name in names}


def _move(expected: dict[tuple[Account, str], int], id_: str, debit: Account, credit: Account, cents: int) -> None:
    expected[debit, id_] -= cents
    expected[credit, id_] += cents


def _key(entry: Mapping[str, Any]) -> str:
    """Name an entry by the id that its caller chose, or by the cession that it ends."""
    match entry["kind"]:
        case "returned":
            return f"returned {entry['reference'].removeprefix('slip ')}"
        case "cede_in":
            return f"arrival {entry['reference'].removeprefix('from ')}"
    return str(entry["id"])


def _number(address: str) -> str:
    """XXXX-XXXX-C@TERRITORY: the account's number without its dash and its check symbol."""
    return address.partition("@")[0].replace("-", "")[:8]


def _territory(address: str) -> str:
    return address.partition("@")[2]


def _name(one: Asked) -> str:
    return f"{one.kind} {one.id} of {one.node}"
