"""Rest: the line is good, everything that waits is said and every file is done; then all must agree."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from node.deposits.checks import check_deposits
from node.fund.checks import check_fund
from node.grants.checks import check_grants
from node.house_checks import _check_between
from node.ledger.checks import check_ledger
from node.partners.checks import check_partners
from protocol.book.checks import check_logs
from protocol.findings import Finding
from protocol.house import BaseName
from tests.fund.fund_world import BREST
from tests.simulation.house import bank, line, shop
from tests.simulation.house.oracle import Found, Wrong, judge
from tests.simulation.house.stage import ACCOUNTS, FUND, NAMES, PAIRS, PARTNERS, Stage

ROUNDS_TO_REST: Final = 20


async def rest(stage: Stage) -> None:
    stage.tell("rest")
    for fault in stage.faults.values():
        fault.disarm()
    await settle(stage)
    shop.expire(stage)
    shop.finish_files(stage)
    await settle(stage)
    shop.expire(stage)  # tickets that were claimed for nobody's account are open again
    bank.look(stage)
    for row in stage.read(PARTNERS, "SELECT uid, pool FROM campaigns WHERE pool IS NOT NULL"):
        stage.oracle.campaigns[bytes(row.uid)].pool = row.pool
    findings = find_wrongs(stage)
    if findings:
        raise Wrong(f"check found {len(findings)}: {findings[0]}")
    judge(stage.oracle, read(stage))


async def settle(stage: Stage) -> None:
    """Let the bases talk until two rounds in a row bring nothing new."""
    quiet = 0
    for _ in range(ROUNDS_TO_REST):
        calls = [await line.call(stage, caller, answerer, is_bad=False) for caller, answerer in PAIRS]
        quiet = quiet + 1 if calls == [1, 1, 1] else 0
        if quiet == 2:
            return
    raise Wrong("the house does not come to rest")


def find_wrongs(stage: Stage) -> list[Finding]:
    """Return what the product's own checks find: those of `check_house`, on each book and between them."""
    accounts, fund, partners = (stage.books[name] for name in (ACCOUNTS, FUND, PARTNERS))
    checked = [
        *accounts.read_now(lambda book: check_ledger(book, home=BREST)),
        *accounts.read_now(check_grants),
        *accounts.read_now(check_deposits),
        *fund.read_now(
            lambda book: check_fund(
                book, stage.peers[FUND].neighbours, lambda _: None, fund=stage.fund.code, home=BREST
            )
        ),
        *partners.read_now(check_partners),
    ]
    for name in NAMES:
        checked += stage.books[name].read_now(
            lambda book, known=stage.peers[name].neighbours: check_logs(book, known, lambda _: None)
        )
    checked.append(
        accounts.read_now(
            lambda one: fund.read_now(
                lambda two: partners.read_now(
                    lambda three: _check_between(
                        Path(), {BaseName.ACCOUNTS: one, BaseName.FUND: two, BaseName.PARTNERS: three}
                    )
                )
            )
        )
    )
    return [finding for one in checked for finding in one.findings]


_MOVEMENTS = """
    SELECT m.bank_reference, m.cents, m.waiting, m.meaning,
        (SELECT COALESCE(SUM(d.cents), 0) FROM deposits d WHERE d.movement = m.id)
    FROM movements m WHERE m.state = 'booked' AND m.is_detail = 0 ORDER BY m.no
"""
_DEPOSITS = """
    SELECT d.state, d.cents, e.purpose = 'gift', e.pool FROM deposits d
    JOIN expectations e ON e.id = d.expectation ORDER BY d.no
"""
_BALANCES = """
    SELECT a.number, SUM(h.cents) FROM holdings h JOIN accounts a ON a.id = h.account_id
    WHERE a.kind NOT IN ('issuance', 'border') GROUP BY a.number
"""
_REFUNDS = """
    SELECT s.till_id, s.key, r.key, r.sale_id, r.due, r.taken, r.state FROM refunds r JOIN sales s ON s.id = r.sale_id
"""
_TICKETS = """
    SELECT s.till_id, s.key, v.cents, v.state, v.holder FROM vouchers v JOIN sales s ON s.id = v.sale_id
"""
# A ticket may have been claimed for an account that does not exist: what is granted comes last.
_GRANTS = """
    SELECT g.id, g.account, g.cents, g.taken, g.state, g.source, s.till_id, s.key, r.operation FROM grants g
    LEFT JOIN sales s ON s.id = g.source_id AND g.source <> 'operation'
    LEFT JOIN run_rows r ON r.grant_id = g.id AND g.source = 'operation'
    ORDER BY g.state = 'granted', g.id
"""
_OPERATIONS = """
    SELECT c.uid, r.operation, r.account, r.cents FROM run_rows r JOIN runs n ON n.id = r.run_id
    JOIN campaigns c ON c.id = n.campaign_id WHERE r.grant_id IS NOT NULL
"""
_RECEIPTS = """
    SELECT r.number, r.cents, r.state, (SELECT COALESCE(SUM(d.cents), 0) FROM deposits d WHERE d.receipt = r.number)
    FROM receipts r
"""


def _key(till: int, key: str) -> tuple[int, str]:
    return till, key.partition("/")[2]


def read(stage: Stage) -> Found:
    """Return what the books show, by SQL of our own."""
    grants = []
    for row in stage.read(PARTNERS, _GRANTS):
        source = f"operation {row.operation}" if row.till_id is None else f"{row.source} {_key(row.till_id, row.key)}"
        grants.append((row.account, row.cents, row.taken, row.state, source))
    return Found(
        movements=[tuple(row) for row in stage.read(FUND, _MOVEMENTS)],
        deposits=[(state, cents, int(gift), pool) for state, cents, gift, pool in stage.read(FUND, _DEPOSITS)],
        lots=stage.read(ACCOUNTS, "SELECT COALESCE(SUM(issued), 0) FROM lots")[0][0],
        balances=dict(map(tuple, stage.read(ACCOUNTS, _BALANCES))),
        funded={
            bytes(row[0]): (row[1], row[2]) for row in stage.read(PARTNERS, "SELECT uid, funded, spent FROM campaigns")
        },
        sales={
            _key(till, key): (granted, code, refunded)
            for till, key, granted, code, refunded in stage.read(
                PARTNERS, "SELECT till_id, key, granted, code, refunded FROM sales"
            )
        },
        refunds={
            (*_key(row[0], row[1]), row[2].removeprefix(f"{row[3]}/")): (row[4], row[5], row[6])
            for row in stage.read(PARTNERS, _REFUNDS)
        },
        tickets={
            _key(till, key): (cents, state, holder or "")
            for till, key, cents, state, holder in stage.read(PARTNERS, _TICKETS)
        },
        grants=grants,
        payments={
            row[0]: (row[1], row[2], row[3] or "")
            for row in stage.read(FUND, "SELECT end_to_end_id, cents, state, order_id FROM payments")
        },
        operations={
            (bytes(uid), id_): (account, cents) for uid, id_, account, cents in stage.read(PARTNERS, _OPERATIONS)
        },
        receipts={row[0]: (row[1], row[2], row[3]) for row in stage.read(FUND, _RECEIPTS)},
    )


def compute_digest(stage: Stage) -> str:
    """Return the hash of the story, of every log's root and of every balance."""
    parts = list(stage.story)
    for name in NAMES:
        rows = stage.read(name, "SELECT owner, reader, epoch, size, root FROM logs ORDER BY id")
        parts += [f"{name} {row[0]} {row[1]} {row[2]} {row[3]} {bytes(row[4]).hex()}" for row in rows]
    parts += [f"{number} {cents}" for number, cents in sorted(map(tuple, stage.read(ACCOUNTS, _BALANCES)))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
