"""What is directed to projects against the ledger, and against what the projects base and the fund were told: for `check`.

Each rule is told again from another place: from the transfers, or from a log that somebody else signed or acknowledged.
The first row where the two part is named.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select

from node.federation.arrivals import foreign_op
from node.federation.outgoing import derive_op
from node.ledger import tables as ledger
from node.ledger.accounts import AccountKind
from node.orientation.projects import NEXT_STATE, ProjectEvent, ProjectState, compute_asked
from node.orientation.tables import (
    directed_lots,
    direction_asks,
    dues,
    orientations,
    project_orders,
    projects,
    returns,
    round_lots,
    rounds,
    standing_orders,
    standing_runs,
    supports,
)
from protocol.exchange.talk_store import load_talk
from protocol.findings import Checked, Finding
from protocol.house import (
    BaseName,
    CommitProject,
    ConvertProject,
    Due,
    HouseMessage,
    OpenProject,
    Refused,
    ReleaseProject,
    make_due_id,
)

INVARIANT: Final = "I1"
_ORDERS: Final = {
    OpenProject: "open",
    CommitProject: "commit",
    ReleaseProject: "release",
    ConvertProject: "convert",
}
_Order = OpenProject | CommitProject | ReleaseProject | ConvertProject
_Keyed = dict[tuple[int, int], int]


@dataclass(slots=True)
class _Rule:
    """One invariant being checked: keeps its first finding and counts what it looked at."""

    rule: str
    looked_at: int = 0
    first: Finding | None = None

    def compare(self, place: str, expected: object, found: object) -> None:
        self.looked_at += 1
        if self.first is None and (expected != found or type(expected) is not type(found)):
            self.first = Finding(INVARIANT, place, str(expected), str(found))

    def compare_all(self, place: str, expected: Mapping[Any, int], found: Mapping[Any, int]) -> None:
        """Compare two tables of sums: what one lacks is zero there."""
        for key in sorted(expected.keys() | found.keys(), key=str):
            self.compare(f"{place} {_show(key)}", expected.get(key, 0), found.get(key, 0))

    def close(self) -> Checked:
        return Checked(INVARIANT, self.rule, self.looked_at, () if self.first is None else (self.first,))


def check_orientation(connection: Connection, *, home: str) -> list[Checked]:
    """Return what was checked. Give it one snapshot."""
    parts = _load_parts(connection)
    accounts = _load_accounts(connection)
    signed = _load_signed(connection)
    return [
        _check_orders(connection),
        _check_projects(connection, signed),
        _check_held(connection, parts, accounts),
        _check_given(connection, parts, accounts),
        _check_gone(connection, parts),
        _check_figures(connection, parts),
        _check_rounds(connection, parts, signed),
        _check_told(connection, home),
        _check_asks(connection),
        _check_standing(connection),
    ]


def _load_parts(connection: Connection) -> dict[tuple[int, int], Any]:
    """Return the parts by orientation and lot: project, cents, held, converted."""
    table = directed_lots.c
    rows = connection.execute(
        select(table.orientation_id, table.lot_id, table.project_id, table.cents, table.held, table.converted)
    )
    return {(row[0], row[1]): row for row in rows}


def _load_accounts(connection: Connection) -> dict[int, int]:
    """Return the project of each account that a project has."""
    rows = connection.execute(
        select(ledger.accounts.c.id, projects.c.id)
        .join_from(ledger.accounts, projects, projects.c.number == ledger.accounts.c.number)
        .where(ledger.accounts.c.kind == str(AccountKind.PROJECT))
    )
    return {int(row[0]): int(row[1]) for row in rows}


def _load_signed(connection: Connection) -> list[HouseMessage]:
    """Return what the projects base asked and was not refused, in its order."""
    kept = {
        bytes(op): bytes(asked) for op, asked in connection.execute(select(project_orders.c.op, project_orders.c.asked))
    }
    return [message for message in _read_orders(connection) if kept.get(message.id) == compute_asked(message)]


def _read_orders(connection: Connection) -> Iterator[_Order]:
    for message in load_talk(connection, BaseName.PROJECTS, BaseName.ACCOUNTS):
        if isinstance(message, _Order):
            yield message


def _check_orders(connection: Connection) -> Checked:
    rule = _Rule("what the projects base asked was done or refused, and nothing else was")
    refused = {
        message.id
        for message in load_talk(connection, BaseName.ACCOUNTS, BaseName.PROJECTS)
        if isinstance(message, Refused)
    }
    asked: dict[bytes, list[tuple[str, bytes]]] = {}
    for message in _read_orders(connection):
        asked.setdefault(message.id, []).append((_ORDERS[type(message)], compute_asked(message)))
    kept = {
        bytes(row[0]): (row[1], bytes(row[2]))
        for row in connection.execute(select(project_orders.c.op, project_orders.c.kind, project_orders.c.asked))
    }
    for op, one in kept.items():
        rule.compare(f"project_orders op={op.hex()}", True, one in asked.get(op, []))
    for op in asked:
        rule.compare(f"asked under {op.hex()}", True, op in kept or op in refused)
    return rule.close()


def _check_projects(connection: Connection, signed: Iterable[HouseMessage]) -> Checked:
    """Each project stands where the projects base's own messages put it, under what it said of it."""
    rule = _Rule("each project is what the projects base signed, and has an account")
    told: dict[bytes, tuple[str, str, int, int]] = {}
    states: dict[bytes, ProjectState] = {}
    numbers = {row[0]: row[1] for row in connection.execute(select(ledger.accounts.c.op, ledger.accounts.c.number))}
    for message in signed:
        match message:
            case OpenProject():
                told.setdefault(message.id, (message.shown_name, message.theme, message.target, message.until))
                states.setdefault(message.id, ProjectState.OPEN)
            case CommitProject() | ReleaseProject() if message.project in states:
                event = ProjectEvent.COMMIT if isinstance(message, CommitProject) else ProjectEvent.RELEASE
                now = states[message.project]
                states[message.project] = NEXT_STATE[now].get(event, now)
    for row in connection.execute(select(projects).order_by(projects.c.id)):
        op = bytes(row.op)
        place = f"projects id={row.id}"
        rule.compare(place, told.get(op), (row.shown_name, row.theme, row.target, row.until))
        rule.compare(f"{place} state", str(states.get(op, "none")), row.state)
        rule.compare(f"{place} number", numbers.get(op), row.number)
    return rule.close()


def _check_held(connection: Connection, parts: Mapping[tuple[int, int], Any], accounts: Mapping[int, int]) -> Checked:
    rule = _Rule("what is directed to each project and not converted is what its account holds, lot by lot")
    held: _Keyed = defaultdict(int)
    for (_, lot), part in parts.items():
        held[part.project_id, lot] += part.held
    table = ledger.holdings.c
    there: _Keyed = {}
    for account, lot, cents in connection.execute(
        select(table.account_id, table.lot_id, table.cents)
        .join_from(ledger.holdings, ledger.accounts, ledger.accounts.c.id == table.account_id)
        .where(ledger.accounts.c.kind == str(AccountKind.PROJECT))
    ):
        if account in accounts:  # one that was opened by hand has no orientations
            there[accounts[account], lot] = cents
    rule.compare_all("project, lot", held, there)
    return rule.close()


def _check_given(connection: Connection, parts: Mapping[tuple[int, int], Any], accounts: Mapping[int, int]) -> Checked:
    rule = _Rule("each orientation was posted once, of its very lots, and nothing else was directed")
    transfers = ledger.transfers.c
    expected: dict[tuple[bytes, int], int] = defaultdict(int)
    rows = connection.execute(select(orientations.c.id, orientations.c.op, orientations.c.cents)).all()
    ops = {row.id: bytes(row.op) for row in rows}
    sums: dict[int, int] = defaultdict(int)
    for (orientation, lot), part in parts.items():
        expected[ops.get(orientation, b""), lot] += part.cents
        sums[orientation] += part.cents
    for row in rows:
        rule.compare(f"orientations id={row.id}", sums.get(row.id, 0), row.cents)
    # The part of an arrival that is drawn from lots of others has an id of its own.
    named = {**{op: op for op in ops.values()}, **{foreign_op(op): op for op in ops.values()}}
    found: dict[tuple[bytes, int], int] = defaultdict(int)
    for op, lot, cents, credit in connection.execute(
        select(transfers.op, transfers.lot, transfers.cents, transfers.credit)
        .join_from(ledger.transfers, ledger.accounts, ledger.accounts.c.id == transfers.credit)
        .where(transfers.kind.in_(("orientation", "cede_in")), ledger.accounts.c.kind == str(AccountKind.PROJECT))
    ):
        if credit in accounts:
            found[named.get(bytes(op), bytes(op)), lot] += cents
    rule.compare_all("operation, lot", expected, found)
    return rule.close()


def _check_gone(connection: Connection, parts: Mapping[tuple[int, int], Any]) -> Checked:
    rule = _Rule("what is no more directed went back once, lot by lot")
    gone: _Keyed = defaultdict(int)
    transfers = ledger.transfers.c
    for orientation, lot, cents in connection.execute(
        select(returns.c.orientation_id, transfers.lot, transfers.cents)
        .join_from(returns, ledger.transfers, transfers.op == returns.c.op)
        .where(returns.c.state == "done")
    ):
        gone[orientation, lot] += cents
    expected = {key: part.cents - part.held - part.converted for key, part in parts.items()}
    rule.compare_all("orientation, lot", expected, gone)
    rows = connection.execute(
        select(returns.c.op, func.sum(transfers.cents))
        .join_from(returns, ledger.transfers, transfers.op == returns.c.op)
        .group_by(returns.c.op)
    )
    sums = {bytes(row[0]): int(row[1]) for row in rows}
    for op, cents in connection.execute(select(returns.c.op, returns.c.cents)):
        rule.compare(f"returns op={bytes(op).hex()}", sums.get(bytes(op), 0), cents)
    return rule.close()


def _check_figures(connection: Connection, parts: Mapping[tuple[int, int], Any]) -> Checked:
    rule = _Rule("each project's sum and the count of its supporters are those of its orientations")
    directed: dict[int, int] = defaultdict(int)
    converted: dict[int, int] = defaultdict(int)
    by_holder: dict[tuple[str, int], int] = defaultdict(int)
    holders = {row[0]: row[1] for row in connection.execute(select(orientations.c.id, orientations.c.holder))}
    for (orientation, _), part in parts.items():
        directed[part.project_id] += part.held + part.converted
        converted[part.project_id] += part.converted
        by_holder[holders.get(orientation, ""), part.project_id] += part.held + part.converted
    told = {(row[0], row[1]): row[2] for row in connection.execute(select(supports))}
    rule.compare_all("holder, project", by_holder, told)
    for row in connection.execute(select(projects).order_by(projects.c.id)):
        count = sum(cents > 0 for (_, project), cents in by_holder.items() if project == row.id)
        expected = (directed[row.id], converted[row.id], count)
        rule.compare(f"projects id={row.id}", expected, (row.directed, row.converted, row.supporters))
    return rule.close()


def _check_rounds(
    connection: Connection, parts: Mapping[tuple[int, int], Any], asked: Iterable[HouseMessage]
) -> Checked:
    rule = _Rule("rounds take what was directed, once, as the projects base signed; home lots are held as converted")
    signed = {
        message.id: (message.project, message.round, message.cents)
        for message in asked
        if isinstance(message, ConvertProject)
    }
    owed = {(bytes(row.round_op), row.payer): row for row in connection.execute(select(dues))}
    taken: _Keyed = defaultdict(int)
    by_due: dict[tuple[bytes, str], int] = defaultdict(int)
    counted: dict[bytes, int] = defaultdict(int)
    for row in connection.execute(select(round_lots)):
        key = (bytes(row.round_op), row.payer)
        by_due[key] += row.cents
        due = owed.get(key)
        if due is None or due.state != "refused":
            taken[row.orientation_id, row.lot_id] += row.cents
            counted[key[0]] += row.cents
    rule.compare_all("converted of orientation, lot", {key: part.converted for key, part in parts.items()}, taken)
    rule.compare_all("round, payer", by_due, {key: row.cents for key, row in owed.items()})
    for row in connection.execute(
        select(rounds.c.op, rounds.c.round, rounds.c.cents, rounds.c.waiting, projects.c.op.label("project")).join_from(
            rounds, projects
        )
    ):
        op = bytes(row.op)
        place = f"rounds op={op.hex()}"
        rule.compare(place, signed.get(op), (bytes(row.project), row.round, row.cents))
        rule.compare(f"{place} waiting", row.cents, counted[op] + row.waiting)
    return rule.close()


def _check_told(connection: Connection, home: str) -> Checked:
    """What our fund was told that it owes is what is converted of our lots, and what the account of it holds."""
    rule = _Rule("conversions told to the fund are those that were made, lot by lot")
    lots = connection.execute(select(ledger.lots.c.id, ledger.lots.c.ref).where(ledger.lots.c.issuer == home))
    refs = {bytes(row[1]): row[0] for row in lots}
    told: dict[tuple[bytes, int], int] = defaultdict(int)
    for message in load_talk(connection, BaseName.ACCOUNTS, BaseName.FUND):
        if isinstance(message, Due) and message.territory == home:
            for ref, cents in zip(message.refs, message.cents, strict=True):
                told[message.id, refs.get(ref, -1)] += cents
    made: dict[tuple[bytes, int], int] = defaultdict(int)
    standing: dict[int, int] = defaultdict(int)
    refused = {bytes(row[0]) for row in connection.execute(select(dues.c.id).where(dues.c.state == "refused"))}
    for row in connection.execute(select(round_lots).where(round_lots.c.payer == home)):
        id_ = make_due_id(bytes(row.round_op), home)
        made[id_, row.lot_id] += row.cents
        if id_ not in refused:
            standing[row.lot_id] += row.cents
    rule.compare_all("due, lot", made, told)
    rows = connection.execute(
        select(ledger.holdings.c.lot_id, ledger.holdings.c.cents)
        .join_from(ledger.holdings, ledger.accounts, ledger.accounts.c.id == ledger.holdings.c.account_id)
        .where(ledger.accounts.c.kind == str(AccountKind.CONVERTED))
    )
    held = {int(row[0]): int(row[1]) for row in rows}
    # What others asked of our fund stands there too: node/federation/conversion_checks.py holds it to their slips.
    for lot, cents in connection.execute(
        select(ledger.transfers.c.lot, func.sum(ledger.transfers.c.cents))
        .join_from(ledger.transfers, ledger.accounts, ledger.accounts.c.id == ledger.transfers.c.debit)
        .where(ledger.transfers.c.kind == "conversion", ledger.accounts.c.kind == str(AccountKind.ABROAD))
        .group_by(ledger.transfers.c.lot)
    ):
        standing[lot] += int(cents)
    rule.compare_all("account converted, lot", standing, held)
    return rule.close()


def _check_asks(connection: Connection) -> Checked:
    """What a holder asked was either done or refused."""
    rule = _Rule("what holders asked is answered for ever, done or refused")
    for op, code, facts, answer in connection.execute(
        select(direction_asks.c.op, direction_asks.c.code, direction_asks.c.facts, direction_asks.c.answer)
    ):
        place = f"direction_asks op={bytes(op).hex()}"
        rule.compare(place, bool(code), not answer)
        rule.compare(place, bool(code), bool(facts))
    return rule.close()


def _check_standing(connection: Connection) -> Checked:
    rule = _Rule("each period of a standing order was run once, and directed what it says")
    asks = {
        bytes(op): answer
        for op, answer in connection.execute(select(direction_asks.c.op, direction_asks.c.answer))
        if answer
    }
    runs: dict[bytes, list[int]] = defaultdict(list)
    for row in connection.execute(select(standing_runs).order_by(standing_runs.c.order_op, standing_runs.c.period)):
        order = bytes(row.order_op)
        runs[order].append(row.period)
        answer = asks.get(derive_op("standing", order.hex(), row.period))
        cents = 0 if answer is None else sum(one["cents"] for one in json.loads(answer)["placements"])
        rule.compare(f"standing_runs order={order.hex()} period={row.period}", cents, row.cents)
    for op, following in connection.execute(select(standing_orders.c.op, standing_orders.c.next)):
        rule.compare(f"standing_orders op={bytes(op).hex()}", list(range(following)), runs.get(bytes(op), []))
    return rule.close()


def _show(key: object) -> str:
    if isinstance(key, tuple):
        return ", ".join(_show(part) for part in key)
    return key.hex() if isinstance(key, bytes) else str(key)
