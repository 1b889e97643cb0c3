"""What the fund signed against what was issued: invariants as queries, for `check`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from node.ledger.postings import PostingKind
from node.ledger.reading_service import find_operation, load_endowed_ops
from protocol.exchange.talk_store import load_placed_talk
from protocol.findings import Checked, Finding
from protocol.house import BaseName, Deposit, DepositTaken
from protocol.identifiers import Id16

INVARIANT: Final = "I2"


def check_deposits(connection: Connection) -> list[Checked]:
    """Hold each deposit in the fund's log, and each endowment of the ledger, against the other. One snapshot.

    The first broken place of each rule is named: the leaf, or the operation.
    """
    signed = _find_deposits(connection)
    taken = {
        message.id
        for _, message in load_placed_talk(connection, BaseName.ACCOUNTS, BaseName.FUND)
        if isinstance(message, DepositTaken)
    }
    broken = [finding for place, deposit in signed.values() if (finding := _compare(connection, place, deposit, taken))]
    endowed = load_endowed_ops(connection)
    unsigned = [
        Finding(INVARIANT, f"endowment {op.hex()}", "a deposit that the fund signed", "none")
        for op in endowed
        if op not in signed
    ]
    return [
        Checked(INVARIANT, "each deposit that we took is issued, once and to the cent", len(signed), tuple(broken[:1])),
        Checked(INVARIANT, "each endowment is a deposit of the fund", len(endowed), tuple(unsigned[:1])),
    ]


def _find_deposits(connection: Connection) -> dict[bytes, tuple[str, Deposit]]:
    """Return the deposits by id, each with its leaf; of two under one id the first counts, the other was refused."""
    found: dict[bytes, tuple[str, Deposit]] = {}
    for index, message in load_placed_talk(connection, BaseName.FUND, BaseName.ACCOUNTS):
        if isinstance(message, Deposit):
            found.setdefault(message.id, (f"log {BaseName.FUND} to {BaseName.ACCOUNTS}, leaf {index}", message))
    return found


def _compare(connection: Connection, place: str, deposit: Deposit, taken: set[bytes]) -> Finding | None:
    view = find_operation(connection, Id16(deposit.id))
    is_issued = view.kind is PostingKind.ENDOWMENT
    if deposit.id not in taken:
        return Finding(INVARIANT, place, "nothing issued: it was refused", f"{view.cents} cents") if is_issued else None
    found = f"{view.cents} cents into {view.credit}" if is_issued else view.state
    expected = f"{deposit.cents} cents into {deposit.into}"
    return None if found == expected else Finding(INVARIANT, place, expected, found)
