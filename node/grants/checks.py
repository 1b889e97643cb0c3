"""What the companies' base signed against the ledger: invariants as queries, for `check`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from node.ledger.postings import PostingKind
from node.ledger.reading_service import load_moved, stream_out_of_pools
from protocol.exchange.talk_store import load_placed_talk
from protocol.findings import Checked, Finding
from protocol.house import (
    BaseName,
    Granted,
    Grants,
    PoolOpened,
    TakeBack,
    TakenBack,
)

INVARIANT: Final = "I2"


@dataclass(slots=True)
class _Told:
    """What the accounts answered the companies."""

    pools: set[str] = field(default_factory=set)
    granted: set[bytes] = field(default_factory=set)
    taken: dict[bytes, int] = field(default_factory=dict)


def check_grants(connection: Connection) -> list[Checked]:
    """Hold each grant and each taking back in the companies' log, and what left their pools, against the other.

    One snapshot. The first broken place of each rule is named: the leaf, or the operation.
    """
    told = _load_told(connection)
    lines, broken, undoing = _compare_signed(connection, told)
    looked_at, unsigned = 0, None
    left = dict(told.taken)
    for op, undone, cents in stream_out_of_pools(connection, told.pools):
        looked_at += 1
        if undone is None:
            is_signed, expected = op in told.granted, "a grant that the companies' base signed"
        else:
            left[op] = left.get(op, 0) - cents
            is_signed, expected = undoing.get(op) == undone and left[op] >= 0, "a taking back that it signed"
        if not is_signed and unsigned is None:
            unsigned = Finding(INVARIANT, f"operation {op.hex()}", expected, f"{cents} cents")
    return [
        Checked(
            INVARIANT,
            "each grant and taking back of the companies is in the ledger, once and to the cent",
            lines,
            broken,
        ),
        Checked(
            INVARIANT,
            "whatever left a pool of theirs, or went back into one, is signed by them",
            looked_at,
            () if unsigned is None else (unsigned,),
        ),
    ]


def _load_told(connection: Connection) -> _Told:
    told = _Told()
    for _, message in load_placed_talk(connection, BaseName.ACCOUNTS, BaseName.PARTNERS):
        match message:
            case PoolOpened():
                told.pools.add(message.number)
            case Granted():
                told.granted.update(message.ids)
            case TakenBack():
                told.taken[message.id] = message.cents
    return told


def _compare_signed(connection: Connection, told: _Told) -> tuple[int, tuple[Finding, ...], dict[bytes, bytes]]:
    """Return how many lines were looked at, the first that is wrong, and what each taking back undoes.

    Of two lines under one id the first counts: the other was answered as the first, or refused.
    """
    seen: set[bytes] = set()
    undoing: dict[bytes, bytes] = {}
    first: Finding | None = None
    for index, message in load_placed_talk(connection, BaseName.PARTNERS, BaseName.ACCOUNTS):
        place = f"log {BaseName.PARTNERS} to {BaseName.ACCOUNTS}, leaf {index}"
        if isinstance(message, TakeBack) and message.id not in seen:
            seen.add(message.id)
            undoing[message.id] = message.grant
            moved = load_moved(connection, [message.id]).get(message.id)
            expected = told.taken.get(message.id, 0)
            found = 0 if moved is None or moved.kind != PostingKind.REVERSAL else moved.cents
            if expected != found and first is None:
                first = Finding(INVARIANT, place, f"{expected} cents taken back", f"{found} cents")
        elif isinstance(message, Grants):
            posted = load_moved(connection, message.ids)
            for id_, account, cents in zip(message.ids, message.accounts, message.cents, strict=True):
                if id_ in seen:
                    continue
                seen.add(id_)
                moved = posted.get(id_)
                is_granted = id_ in told.granted
                is_there = moved is not None and moved == (PostingKind.CREDIT, message.pool, account, cents)
                if is_there is not is_granted and first is None:
                    expected_words = f"{cents} cents from {message.pool} to {account}"
                    first = Finding(
                        INVARIANT,
                        place,
                        expected_words if is_granted else f"nothing granted under {id_.hex()}: it was refused",
                        "nothing" if moved is None else f"{moved.cents} cents from {moved.debit} to {moved.credit}",
                    )
    return len(seen), () if first is None else (first,), undoing
