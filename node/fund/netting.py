"""What a closed window of netting means for this fund: what it owes and is owed, whom it pays and who pays it. Pure.

Whatever the accounts tell is held against the rule again: positions sum to zero, ours is what our dues come to, and the
payments are those that `protocol.netting` gives. Source: SPEC.md, "Windows of netting".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from protocol.canonical import decode_typed, prepare
from protocol.house import WindowTold
from protocol.identifiers import Id16
from protocol.messages import LEAF_BYTES_MAX
from protocol.netting import net

SUBJECT: Final = "net"  # of a movement that is another fund's payment: net:WINDOW:TERRITORY


@dataclass(frozen=True, slots=True, kw_only=True)
class NetOutcome:
    """A window, as one fund reads it: gross cents by other fund, and what is paid at its end, by other fund."""

    window: int
    owed_to: dict[str, int]  # we owe
    owed_by: dict[str, int]  # we are owed
    owed: dict[str, dict[bytes, int]]  # what we owe, by due
    pays: dict[str, int]  # we pay, net
    receives: dict[str, int]  # we are paid, net


def read_window(told: WindowTold, home: str) -> NetOutcome | str:
    """Return what a window means for the fund of `home`, or what is wrong with it, in words."""
    net_of = dict(zip(told.members, told.net, strict=True))
    if sum(told.net) or len(net_of) != len(told.members):
        return "positions do not sum to zero"
    if len(set(told.ids)) != len(told.ids):
        return "a due stands in it twice"
    owed_to: dict[str, int] = {}
    owed_by: dict[str, int] = {}
    owed: dict[str, dict[bytes, int]] = {}
    for id_, other, cents in zip(told.ids, told.others, told.cents, strict=True):
        name = told.members[other]
        if name == home or cents == 0:
            return "a due of ours with ourselves, or of nothing"
        side = owed_by if cents > 0 else owed_to
        side[name] = side.get(name, 0) + abs(cents)
        if cents < 0:
            owed.setdefault(name, {})[id_] = -cents
    if net_of.get(home) != sum(owed_by.values()) - sum(owed_to.values()):
        return "our position is not what our dues come to"
    payments = net(net_of)
    return NetOutcome(
        window=told.window,
        owed_to=owed_to,
        owed_by=owed_by,
        owed=owed,
        pays={one.payee: one.cents for one in payments if one.payer == home},
        receives={one.payer: one.cents for one in payments if one.payee == home},
    )


def decode_window(told: bytes) -> WindowTold:
    """Return a window as it was told. Raises NotCanonical where it was changed by hand."""
    return decode_typed(told, WindowTold, size_max=LEAF_BYTES_MAX)


def net_payment_id(window: int, home: str, other: str, attempt: int) -> Id16:
    """Return the id of our payment at the end of a window; `attempt` counts those of the same that came to nothing.

    No other fund that pays the same one has it: to its bank they are two transfers.
    """
    told = f"{window}/{home}/{other}/{attempt}".encode()
    return Id16(hashlib.blake2b(told, digest_size=16, person=b"cm-net-payment").digest())


def write_subject(window: int, other: str) -> str:
    return f"{SUBJECT}:{window}:{other}"


def read_subject(subject: str) -> tuple[int, str] | None:
    """Return window and territory where a movement's subject is another fund's payment."""
    kind, _, rest = subject.partition(":")
    window, _, other = rest.partition(":")
    return (int(window), other) if kind == SUBJECT and window.isdigit() and other else None


prepare(WindowTold)
