"""Windows of netting add themselves up again: agreements are signed, each window is what was told, each payment is its rule's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, func, select

from node.fund.netting import decode_window, read_window
from node.fund.netting_store import load_awaited
from node.fund.outgoing_payments import SIGNERS, WORDS_VERSION, NettingWords, PaymentState, write_words
from node.fund.tables import (
    awaited_dues,
    dues,
    net_payments,
    net_receipts,
    netting_heard,
    netting_signatures,
    netting_words,
    officers,
    payments,
    windows,
)
from node.fund.window_service import find_fault
from protocol.canonical import encode_typed
from protocol.errors import NotCanonical
from protocol.findings import Checked, Finding
from protocol.house import DueSettled, HouseMessage, NetPaid, NettingTold, WindowTold
from protocol.house import DueState as Settlement
from protocol.keys import Domain, is_signed
from protocol.messages import SettledState

INVARIANT: Final = "I8"
WINDOWS: Final = "windows are what was told, and paid as the rule says"
Log = Sequence[HouseMessage]


def check_windows(connection: Connection, fund: str, home: str, told: Log, answered: Log) -> Checked:
    """Hold what we said of netting against signatures and logs, and windows against what the accounts told."""
    findings = [*_find_in_words(connection, fund, told, answered), *_find_in_netted(connection, answered)]
    closed: dict[int, list[WindowTold]] = {}
    words: dict[tuple[int, str], tuple[int, int]] = {}
    for message in told:
        if isinstance(message, WindowTold):
            closed.setdefault(message.window, []).append(message)
        elif isinstance(message, NetPaid):
            words[message.window, message.other] = (int(message.state), message.on)
    rows = connection.execute(select(windows).order_by(windows.c.window_no)).all()
    findings += _find_in_awaited(connection)
    kept = {row.window_no: bytes(row.told) for row in rows}
    for number in sorted({*closed, *kept}):
        findings += _find_in_window(connection, home, number, closed.get(number, []), kept.get(number))
    findings += _find_in_payments(connection, words, answered)
    return Checked(INVARIANT, WINDOWS, len(kept), tuple(findings))


def _find_in_words(connection: Connection, fund: str, told: Log, answered: Log) -> Iterator[Finding]:
    keys = {bytes(row.key): bytes(row.signing) for row in connection.execute(select(officers))}
    signed: dict[bytes, list[Any]] = defaultdict(list)
    for row in connection.execute(select(netting_signatures)):
        signed[bytes(row.words)].append(row)
    said = [message for message in answered if isinstance(message, NettingTold)]
    for row in connection.execute(select(netting_words).order_by(netting_words.c.said_at, netting_words.c.number)):
        place = f"netting with {row.territory}, {bytes(row.id).hex()}"
        words = NettingWords(WORDS_VERSION, fund, bytes(row.id), row.territory, row.is_netted, row.since)
        valid = {
            bytes(one.officer)
            for one in signed[bytes(row.id)]
            if is_signed(keys[bytes(one.officer)], Domain.OFFICER, write_words(words), bytes(one.signature))
        }
        if row.said_at is None:
            continue
        if len(valid) < SIGNERS:
            yield Finding(INVARIANT, place, f"{SIGNERS} officers' signatures of these words", f"{len(valid)}")
        message = NettingTold(row.territory, row.is_netted, row.since)
        if message not in said:
            yield Finding(INVARIANT, place, "told to the accounts", "not told")
        else:
            said.remove(message)
    yield from (Finding(INVARIANT, f"netting with {one.other}", "signed by two", "told, and not here") for one in said)
    heard = [(row.territory, row.is_netted, row.since) for row in connection.execute(select(netting_heard))]
    expected = [(one.other, one.is_netted, one.since) for one in told if isinstance(one, NettingTold)]
    if sorted(heard) != sorted(expected):
        yield Finding(INVARIANT, "netting, what others say", f"{len(expected)} words", f"{len(heard)} words")


def _find_in_netted(connection: Connection, answered: Log) -> Iterator[Finding]:
    """What we net was told once, whole."""
    said = {
        message.id: (message.cents, message.on)
        for message in answered
        if isinstance(message, DueSettled) and message.state is Settlement.NETTED
    }
    for row in connection.execute(select(dues).where(dues.c.netted_on.is_not(None))):
        told = said.pop(bytes(row.id), None)
        if told != (row.cents, row.netted_on):
            yield Finding(
                INVARIANT, f"due {bytes(row.id).hex()}", f"told as netted: {told}", f"{row.cents} on {row.netted_on}"
            )
    for id_, (cents, _) in said.items():
        yield Finding(INVARIANT, f"due {id_.hex()}", f"netted: {cents} cents", "it is not")


def _find_in_window(
    connection: Connection, home: str, number: int, all_told: Sequence[WindowTold], kept: bytes | None
) -> Iterator[Finding]:
    """A window that is here is one that was told; one that is not here is named with what is wrong with it."""
    place = f"window {number}"
    if kept is None:
        fault = _find_wrong(connection, home, all_told[-1])
        yield Finding(INVARIANT, place, "what the accounts told", f"not taken: {fault or 'take it again'}"[:160])
        return
    try:
        told = decode_window(kept)
    except NotCanonical:
        yield Finding(INVARIANT, place, "what the accounts told", "unreadable")
        return
    if told not in all_told or encode_typed(told) != kept:
        yield Finding(INVARIANT, place, "what the accounts told", "another")
        return
    outcome = read_window(told, home)
    fault = _find_wrong(connection, home, told)
    if fault is not None or isinstance(outcome, str):
        yield Finding(INVARIANT, place, "dues of ours", str(fault))
        return
    inside = {bytes(row.id) for row in connection.execute(select(dues).where(dues.c.window_no == number))}
    if inside - set(told.ids) or any(
        id_ not in inside for id_, cents in zip(told.ids, told.cents, strict=True) if cents < 0
    ):
        yield Finding(INVARIANT, place, f"{len(told.ids)} dues", f"{len(inside)} dues say that they stand in it")
    awaited = {id_ for id_, window in load_awaited(connection, told.ids).items() if window == number}
    lost = {id_ for id_, cents in zip(told.ids, told.cents, strict=True) if cents > 0} - inside - awaited
    if lost:
        yield Finding(INVARIANT, place, "each due that others owe us is here, or awaited", f"{len(lost)} are neither")
    rows = connection.execute(select(net_payments).where(net_payments.c.window_no == number)).all()
    found = {(row.other, bool(row.is_ours)): row.cents for row in rows}
    expected = {(other, True): cents for other, cents in outcome.pays.items()}
    expected |= {(other, False): cents for other, cents in outcome.receives.items()}
    if found != expected:
        yield Finding(INVARIANT, place, f"pays and receives {expected}"[:160], f"{found}"[:160])


def _find_in_awaited(connection: Connection) -> Iterator[Finding]:
    """Nothing is awaited but what its window was told to hold; and what came since stands in that window."""
    known: dict[int, set[bytes]] = {}
    rows = connection.execute(
        select(
            awaited_dues.c.id, awaited_dues.c.window_no, windows.c.told, dues.c.no, dues.c.window_no.label("stands_in")
        )
        .join(windows, windows.c.window_no == awaited_dues.c.window_no)
        .outerjoin(dues, dues.c.id == awaited_dues.c.id)
        .order_by(awaited_dues.c.window_no)
    )
    for row in rows:
        if row.window_no not in known:
            try:
                known = {row.window_no: set(decode_window(bytes(row.told)).ids)}
            except NotCanonical:
                known = {row.window_no: {bytes(row.id)}}  # named as unreadable
        place = f"window {row.window_no}"
        if bytes(row.id) not in known[row.window_no]:
            yield Finding(INVARIANT, place, "awaits what it holds", f"due {bytes(row.id).hex()}")
        elif row.no is not None and row.stands_in != row.window_no:
            yield Finding(INVARIANT, place, f"due {bytes(row.id).hex()}, which came", f"in window {row.stands_in}")


def _find_wrong(connection: Connection, home: str, told: WindowTold) -> str | None:
    outcome = read_window(told, home)
    return outcome if isinstance(outcome, str) else find_fault(connection, told)


def _find_in_payments(
    connection: Connection, words: dict[tuple[int, str], tuple[int, int]], answered: Log
) -> Iterator[Finding]:
    received = {
        (row[0], row[1]): int(row[2])
        for row in connection.execute(
            select(net_receipts.c.window_no, net_receipts.c.other, func.sum(net_receipts.c.cents)).group_by(
                net_receipts.c.window_no, net_receipts.c.other
            )
        )
    }
    said = {(one.window, one.other): one.state for one in answered if isinstance(one, NetPaid)}
    sent: dict[tuple[int, str], list[Any]] = defaultdict(list)
    for row in connection.execute(select(payments).where(payments.c.window_no.is_not(None))):
        sent[row.window_no, row.paid_fund].append(row)
    for row in connection.execute(select(net_payments)):
        key, place = (row.window_no, row.other), f"window {row.window_no}, {row.other}"
        if row.received != received.get(key, 0):
            yield Finding(INVARIANT, place, f"{received.get(key, 0)} cents received", f"{row.received} cents")
        if (row.said, row.said_on) != words.get(key, (0, 0)):
            yield Finding(INVARIANT, place, f"the other fund's word {words.get(key)}", f"{row.said} on {row.said_on}")
        paid = [one for one in sent.pop(key, []) if one.state not in (PaymentState.CANCELLED,)]
        if any(one.cents != row.cents for one in paid) or (paid and not row.is_ours):
            yield Finding(INVARIANT, place, f"payments of {row.cents} cents", f"{[one.cents for one in paid]}")
        confirmed = sum(1 for one in paid if one.state == PaymentState.CONFIRMED)
        if confirmed > 1:
            yield Finding(INVARIANT, place, "paid once", f"{confirmed} times")
        is_done = confirmed > 0 if row.is_ours else row.received == row.cents
        last = SettledState.PAID if row.is_ours else SettledState.CONFIRMED
        if is_done != (said.get(key) is last):
            yield Finding(INVARIANT, place, f"told as {last.name}" if is_done else "not told so", str(said.get(key)))
    for window, other in sent:
        yield Finding(INVARIANT, f"window {window}, {other}", "nothing to pay", "a payment")


def sum_windows(connection: Connection) -> tuple[int, int, int]:
    """Return cents of all windows: given to other funds, contributed by them, and what we owe still, net."""
    given = contributed = left = 0
    for row in connection.execute(select(windows)):
        told = decode_window(bytes(row.told))
        given += sum(-cents for cents in told.cents if cents < 0)
        contributed += sum(cents for cents in told.cents if cents > 0)
    confirmed = {
        (row.window_no, row.paid_fund)
        for row in connection.execute(select(payments).where(payments.c.state == PaymentState.CONFIRMED))
    }
    for row in connection.execute(select(net_payments)):
        if row.is_ours:
            left += 0 if (row.window_no, row.other) in confirmed else row.cents
        else:
            left -= row.cents - row.received
    return given, contributed, left
