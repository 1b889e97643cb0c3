"""Rest: the lines are good, everything that waits is said; then all checks are empty and the oracle must agree."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Any, Final
from unittest import mock

from sqlalchemy import Engine

from hub.reconciliation.checks import check_hub
from hub.settlement import store as settlement_store
from node import house_checks
from node.federation.reading_service import load_cession
from protocol.book.store import open_engine
from protocol.findings import Finding
from protocol.obligations import Obligation
from tests.simulation.cycle import line, netting, office
from tests.simulation.cycle.netting_readings import read_netting
from tests.simulation.cycle.oracle import Due, Found, Held, Part, judge
from tests.simulation.cycle.stage import ACCOUNTS, CODES, FUND, HUB, PAIRS, PROJECTS, Stage
from tests.simulation.house import line as house_line
from tests.simulation.house.oracle import Wrong
from tests.simulation.readings import read_draws, read_holdings, read_positions
from tests.simulation.stage import _Compiled

ROUNDS_TO_REST: Final = 30
_COMPILED: Final[dict[str, _Compiled]] = {}


async def rest(stage: Stage, *, is_checked: bool = True) -> None:
    """Come to rest and judge. `is_checked`: all books are checked too, where the run wants that at all."""
    stage.tell("rest")
    for fault in stage.faults.values():
        fault.disarm()
    await settle(stage)
    for code in CODES:
        line.let_go(stage, code)
        netting.look_at(stage, code)
    await settle(stage)
    office.learn_numbers(stage)
    netting.learn_windows(stage)
    findings = find_wrongs(stage) if is_checked and stage.is_checked else []
    if findings:
        raise Wrong(f"check found {len(findings)}: {findings[0]}")
    _learn_credits(stage)
    judge(stage.oracle, read(stage))


async def settle(stage: Stage) -> None:
    """Let everybody talk until two rounds in a row bring nothing new."""
    quiet = 0
    for _ in range(ROUNDS_TO_REST):
        calls = [await line.call_hub(stage, code, is_bad=False) for code in CODES]
        for code in CODES:
            for caller, answerer in PAIRS:
                calls.append(await house_line.call(stage, f"{code}/{caller}", f"{code}/{answerer}", is_bad=False))
        is_over = set(calls) == {1} and stage.hub.exchange.recovery is None
        quiet = quiet + 1 if is_over else 0
        if quiet == 2:
            return
    raise Wrong("the territories do not come to rest")


def find_wrongs(stage: Stage) -> list[Finding]:
    """Return what `hub check` and `node check` of each house find."""
    checked = stage.books[HUB].read_now(lambda book: check_hub(book, hub=stage.hub.config.code, on_progress=_ignore))
    with mock.patch.object(house_checks, "open_engine", _open_engine):
        for code in CODES:
            checked += house_checks.check_house(stage.folder / code, _ignore)
    return [finding for one in checked for finding in one.findings]


def _open_engine(url: str, **how: Any) -> Engine:
    """Open a base as `node check` does; what it is asked is compiled once for all bases of its kind."""
    engine = open_engine(url, **how)
    _COMPILED.setdefault(url.rpartition("/")[2], _Compiled()).share_engine(engine)
    return engine


def _ignore(_where: str) -> None:
    """Progress that nobody looks at."""


def _learn_credits(stage: Stage) -> None:
    """Tell the oracle which lots each credit moved: by now all of them were done."""
    for grant, (code, holder, cents) in stage.known.granted.items():
        draws = read_draws(stage.books[f"{code}/{ACCOUNTS}"], grant)
        if sum(draws.values()) != cents:
            raise Wrong(f"{holder} was told {cents}, and credited {sum(draws.values())}")
        stage.oracle.credits[grant] = ((code, holder), draws)


_PARTS = """
    SELECT r.round_op, o.op, o.origin, l.issuer, l.ref, r.payer, r.cents FROM round_lots r
    JOIN orientations o ON o.id = r.orientation_id JOIN lots l ON l.id = r.lot_id
"""
_ARRIVED = "SELECT op, origin, epoch, ix, place FROM arrivals"
_LEFT = "SELECT op, epoch, ix, place FROM cessions"
_CONVERTED = """
    SELECT l.issuer, l.ref, h.cents FROM holdings h JOIN accounts a ON a.id = h.account_id
    JOIN lots l ON l.id = h.lot_id WHERE a.kind = 'converted' AND h.cents <> 0
"""
_OWED = """
    SELECT d.id, d.cents, d.state, d.territory, d.iban, l.ref, l.cents FROM dues d
    LEFT JOIN due_lots l ON l.due = d.no WHERE d.debtor = '' ORDER BY d.no, l.ix
"""
_PAYMENTS = "SELECT end_to_end_id, cents, state, order_id FROM payments"


def read(stage: Stage) -> Found:
    """Return what the books show, by SQL of our own."""
    held: Held = {}
    converted: dict[str, dict[tuple[str, bytes], int]] = {}
    asked: dict[bytes, tuple[bytes, str, Due]] = {}
    owed: dict[str, dict[bytes, Due]] = {}
    payments: dict[str, tuple[str, int, str, str]] = {}
    marks: dict[bytes, str] = {}
    support: dict[bytes, tuple[str, int, int]] = {}
    parts: list[Part] = []
    for code in CODES:
        accounts, fund, projects = (f"{code}/{base}" for base in (ACCOUNTS, FUND, PROJECTS))
        for account, draws in read_holdings(stage.books[accounts]).items():
            if account != "converted":
                held[code, account] = draws
        converted[code] = {(issuer, bytes(ref)): cents for issuer, ref, cents in stage.read(accounts, _CONVERTED)}
        parts += _read_parts(stage, code)
        for due, row, payer, cents, state in stage.read(accounts, "SELECT id, round_op, payer, cents, state FROM dues"):
            asked[bytes(due)] = (bytes(row), payer, Due(cents, state))
        owed[code] = _read_owed(stage, fund)
        for id_, cents, state, order in stage.read(fund, _PAYMENTS):
            payments[id_] = (code, cents, state, order or "")
        marks |= {bytes(due): mark for due, mark in stage.read(projects, "SELECT id, mark FROM dues")}
        for id_, state, cents, supporters in stage.read(
            projects, "SELECT id, state, support, supporters FROM projects"
        ):
            support[bytes(id_)] = (state, cents, supporters)
    return Found(
        held=held,
        converted=converted,
        ends={op: _read_end(stage, op, leaving.giver[0], leaving.end) for op, leaving in stage.oracle.leavings.items()},
        parts=parts,
        asked=asked,
        owed=owed,
        payments=payments,
        marks=marks,
        obligations=_read_obligations(stage),
        positions={place: cents for place, cents in read_positions(stage.books[HUB]).items() if cents},
        support=support,
        netting=read_netting(stage),
    )


def _read_end(stage: Stage, op: bytes, code: str, known: str) -> str:
    if known == "delivered":
        return known  # at home, or said before: what is said stays (the hub's log holds it)
    return str(stage.books[f"{code}/{ACCOUNTS}"].read_now(lambda book: load_cession(book, op)).state)


def _read_parts(stage: Stage, code: str) -> list[Part]:
    """Return what rounds of a territory took, each by the id under which its giver directed it, wherever that was."""
    left = {
        (giver, epoch, ix, place): bytes(op)
        for giver in CODES
        for op, epoch, ix, place in stage.read(f"{giver}/{ACCOUNTS}", _LEFT)
    }
    arrived = {
        bytes(op): left[origin, epoch, ix, place]
        for op, origin, epoch, ix, place in stage.read(f"{code}/{ACCOUNTS}", _ARRIVED)
    }
    return [
        Part(bytes(row), arrived[bytes(op)] if origin == "abroad" else bytes(op), (issuer, bytes(ref)), payer, cents)
        for row, op, origin, issuer, ref, payer, cents in stage.read(f"{code}/{ACCOUNTS}", _PARTS)
    ]


def _read_owed(stage: Stage, fund: str) -> dict[bytes, Due]:
    rows: dict[bytes, list[Any]] = defaultdict(list)
    for row in stage.read(fund, _OWED):
        rows[bytes(row[0])].append(row)
    found = {}
    for due, of_due in rows.items():
        refs: dict[bytes, int] = defaultdict(int)
        for row in of_due:
            if row[5] is not None:
                refs[bytes(row[5])] += row[6]
        _, cents, state, territory, iban, _, _ = of_due[0]
        found[due] = Due(cents, state, tuple(sorted(refs.items())), territory, iban)
    return found


def _read_obligations(stage: Stage) -> dict[bytes, tuple[str, str, int, str]]:
    """Return what the hub counts as owed, by the due that it is: the slip says which round."""
    rounds = {}
    for code in CODES:
        sql = "SELECT origin, epoch, ix, place, id FROM conversions"
        for origin, epoch, ix, place, due in stage.read(f"{code}/{ACCOUNTS}", sql):
            rounds[origin, epoch, ix, place] = bytes(due)
    found: dict[bytes, tuple[str, str, int, str]] = {}
    owed: list[tuple[Any, Obligation]] = stage.books[HUB].read_now(lambda book: list(settlement_store.load_owed(book)))
    for (key, place), one in owed:
        due = rounds[(*key, place)]
        if due in found:
            raise Wrong("the hub counts one due twice")
        found[due] = (one.debtor, one.creditor, one.cents, str(one.state))
    return found


def compute_digest(stage: Stage) -> str:
    """Return the hash of the story, of every log's root and of every holding."""
    lines = list(stage.story)
    for name, book in stage.books.items():
        rows = stage.read(name, "SELECT owner, reader, epoch, size, root FROM logs ORDER BY id")
        lines += [f"{name} {row[0]} {row[1]} {row[2]} {row[3]} {bytes(row[4]).hex()}" for row in rows]
        if stage.code_of(name) == ACCOUNTS:
            for account, held in sorted(read_holdings(book).items()):
                lines += [f"{name} {account} {lot[0]} {lot[1].hex()} {cents}" for lot, cents in sorted(held.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
