"""Dues and pledges add themselves up again: each euro paid for a due hangs on one order that who decides has signed, on one
bearer, on two officers' signatures, and on lots that were deposited or pledged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, func, select

from node.fund.due_payment_service import DEAD, find_whole
from node.fund.due_service import load_issued
from node.fund.dues import DueState, Share, count_covered
from node.fund.outgoing_payments import SIGNERS, PaymentState, read_dues, write_words
from node.fund.pledge_service import make_issue, words_of_pledge
from node.fund.pledges import CALLED, PledgeState, call_id, compute_limit, issue_id
from node.fund.tables import (
    bearers,
    calls,
    card_deciders,
    deciders,
    deposits,
    due_lots,
    dues,
    expectations,
    officers,
    payments,
    pledge_signatures,
    pledges,
)
from protocol.amounts import Cents
from protocol.canonical import decode_typed, encode_typed
from protocol.conversion import OrderRefused, SignedOrder, verify_order
from protocol.directory import Directory
from protocol.errors import NotCanonical
from protocol.findings import Checked, Finding
from protocol.house import (
    BaseName,
    Deposit,
    DepositTaken,
    Due,
    DueSettled,
    DueTaken,
    HouseMessage,
    NettedDue,
    OrderReturned,
    PaymentCalled,
    Pledge,
    PledgeAccepted,
    PledgeEnded,
    PledgeSpent,
    Refused,
)
from protocol.house import DueState as Settlement
from protocol.keys import Domain, PublicKeys, is_signed
from protocol.messages import SEALED_ORDER_BYTES_MAX

INVARIANT: Final = "I6"
DUES: Final = "each due is owed once, by who decided it, and paid once"
PLEDGES: Final = "called lots are pledges that two people accepted, and calls are what was converted"
Log = Sequence[HouseMessage]


def check_dues(connection: Connection, neighbours: Directory, home: str, told: Log, answered: Log) -> Checked:
    """Hold dues against what the accounts told and what we answered, orders against their signatures, parts against lots."""
    findings: list[Finding] = []
    asked: dict[bytes, Due] = {}
    netted: dict[bytes, list[NettedDue]] = defaultdict(list)
    for message in told:
        if isinstance(message, Due):
            asked.setdefault(message.id, message)
        elif isinstance(message, NettedDue):
            netted[message.id].append(message)
    returned = {message.id for message in answered if isinstance(message, OrderReturned)}
    said: dict[bytes, str] = {}
    settled: dict[bytes, list[DueSettled]] = defaultdict(list)
    for message in answered:
        if isinstance(message, DueTaken):
            said.setdefault(message.id, "")
        elif isinstance(message, Refused):
            said.setdefault(message.id, message.code)
        elif isinstance(message, DueSettled):
            settled[message.id].append(message)
    keys = _load_keys(connection, neighbours, home)
    parts: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(select(due_lots).order_by(due_lots.c.due, due_lots.c.ix)):
        parts[row.due].append(row)
    registries = {bytes(row.id): row.registry for row in connection.execute(select(bearers))}
    rounds: set[tuple[str, bytes, int]] = set()
    rows = connection.execute(select(dues).order_by(dues.c.no)).all()
    for row in rows:
        place = f"due {bytes(row.id).hex()}"
        if row.debtor:
            findings += _find_in_netted(row, netted.pop(bytes(row.id), []), parts[row.no], keys[home], home, registries)
            continue
        due = asked.pop(bytes(row.id), None)
        if due is None or encode_typed(due) != bytes(row.told):
            findings.append(Finding(INVARIANT, place, "what the accounts told", "another, or nothing"))
            continue
        if said.get(bytes(row.id)) != row.code:
            findings.append(Finding(INVARIANT, place, f"answered {said.get(bytes(row.id))!r}", repr(row.code)))
        if row.state == DueState.REFUSED:
            if parts[row.no]:
                findings.append(Finding(INVARIANT, place, "no lots of what is refused", f"{len(parts[row.no])}"))
            continue
        findings += _find_in_due(row, due, parts[row.no], keys.get(row.territory, []), home, registries)
        key = (row.territory, bytes(row.project), row.round)
        if key in rounds:
            findings.append(Finding(INVARIANT, place, "one due for each round", "another"))
        rounds.add(key)
    findings += [Finding(INVARIANT, f"due {id_.hex()}", "taken or refused", "told, and not kept") for id_ in asked]
    findings += [
        Finding(INVARIANT, f"due {id_.hex()}", "taken, or its order sent back", "told, and not kept")
        for id_ in netted
        if id_ not in returned
    ]
    findings += _find_in_payments(connection, rows, parts, settled)
    findings += _find_beyond_lots(connection, parts)
    return Checked(INVARIANT, DUES, len(rows), tuple(findings))


def _load_keys(connection: Connection, neighbours: Directory, home: str) -> dict[str, list[PublicKeys]]:
    """Return by territory the keys that decide. Keys revoked since count for what was taken before."""
    own = neighbours.members.get(BaseName.PROJECTS)
    found: dict[str, list[PublicKeys]] = {home: [] if own is None else [*own.keys, *own.retired]}
    for table in (deciders, card_deciders):
        for row in connection.execute(select(table)):
            keys = PublicKeys(signing=bytes(row.signing), sealing=bytes(row.sealing))
            found.setdefault(row.territory, []).append(keys)
    return found


def _find_in_netted(
    row: Any,
    told: Sequence[NettedDue],
    parts: list[Any],
    known: list[PublicKeys],
    home: str,
    registries: Mapping[bytes, str],
) -> Iterator[Finding]:
    """What another fund owes us for a bearer of ours is one part, as one of the accounts' messages told it."""
    place = f"due {bytes(row.id).hex()}"
    message = next((one for one in told if encode_typed(one) == bytes(row.told)), None)
    if message is None or message.debtor != row.debtor:
        yield Finding(INVARIANT, place, "what the accounts told", "another, or nothing")
        return
    as_due = Due(message.id, home, message.project, (message.id,), (message.cents,), message.order)
    yield from _find_in_due(row, as_due, parts, known, home, registries)
    if any(one.share != Share.NETTED for one in parts):
        yield Finding(INVARIANT, place, "owed by another fund", "paid of lots of ours")


def _find_in_due(
    row: Any, message: Due, parts: list[Any], known: list[PublicKeys], home: str, registries: Mapping[bytes, str]
) -> Iterator[Finding]:
    place = f"due {bytes(row.id).hex()}"
    try:
        signed = decode_typed(bytes(row.signed), SignedOrder, size_max=SEALED_ORDER_BYTES_MAX)
        order = verify_order(signed, known, territory=row.territory, payer=home)
    except (NotCanonical, OrderRefused) as error:
        yield Finding(INVARIANT, place, f"an order of the projects of {row.territory}", str(error)[:120])
        return
    kept = (row.territory, bytes(row.project), row.round, row.title, registries.get(bytes(row.bearer)), row.iban)
    ordered = (order.territory, order.project, order.round, order.title, order.bearer, order.iban)
    if kept != ordered:
        yield Finding(INVARIANT, place, f"{ordered}"[:160], f"{kept}"[:160])
    if (row.territory, bytes(row.project), row.cents) != (message.territory, message.project, sum(message.cents)):
        yield Finding(INVARIANT, place, f"{sum(message.cents)} cents", f"{row.cents} cents")
    found = [(one.ix, bytes(one.ref), one.cents) for one in parts]
    expected = [(ix, ref, cents) for ix, (ref, cents) in enumerate(zip(message.refs, message.cents, strict=True))]
    if found != expected:
        yield Finding(INVARIANT, place, f"{len(expected)} lots as told", "others")


def _find_in_payments(
    connection: Connection,
    rows: Sequence[Any],
    parts: Mapping[int, Sequence[Any]],
    settled: Mapping[bytes, Sequence[DueSettled]],
) -> Iterator[Finding]:
    """What officers signed of dues is what hangs on each payment; what was paid was told; nothing is paid in advance."""
    ids = {row.no: bytes(row.id) for row in rows}
    bearer_of = {bytes(row.id): row.bearer and bytes(row.bearer) for row in rows}
    bound: dict[bytes, dict[bytes, int]] = defaultdict(lambda: defaultdict(int))
    shares: dict[bytes, set[str]] = defaultdict(set)
    for no, some in parts.items():
        for part in some:
            if part.payment is not None:
                bound[bytes(part.payment)][ids[no]] += part.cents
                shares[bytes(part.payment)].add(part.share)
    netted = {bytes(row.id) for row in rows if row.netted_on is not None}  # no payment of ours pays them
    for no, some in parts.items():
        if ids[no] in netted and any(part.payment is not None for part in some):
            yield Finding(INVARIANT, f"due {ids[no].hex()}", "netted, and paid by no payment", "a payment pays it")
    rejected: set[bytes] = set()
    for row in connection.execute(select(payments).order_by(payments.c.number)):
        place = f"payment {bytes(row.id).hex()}"
        try:
            words = read_dues(bytes(row.dues))
        except NotCanonical:
            yield Finding(INVARIANT, place, "which dues it pays", "unreadable")
            continue
        signed = {} if row.state in DEAD else dict(words.dues)
        found = dict(bound.pop(bytes(row.id), {}))
        if found != signed or shares[bytes(row.id)] - {words.share}:
            yield Finding(INVARIANT, place, f"{sum(signed.values())} cents of dues", f"{sum(found.values())} cents")
        if any(bearer_of.get(due) != bytes(row.bearer or b"") for due in signed):
            yield Finding(INVARIANT, place, "the bearer of its dues", "another")
        if row.state in (PaymentState.REJECTED, PaymentState.RETURNED):
            rejected |= {due for due, _ in words.dues}
    for payment, found in bound.items():
        yield Finding(INVARIANT, f"payment {payment.hex()}", f"it pays {sum(found.values())} cents", "no such payment")
    for due in {*ids.values(), *settled} - netted:
        last = settled[due][-1] if settled.get(due) else None
        whole = find_whole(connection, due) if bearer_of.get(due) else None
        place = f"due {due.hex()}"
        if whole is not None and (last is None or (last.state, last.cents) != (Settlement.PAID, whole)):
            yield Finding(INVARIANT, place, f"{whole} cents told as paid", "not told")
        if whole is None and last is not None and last.state is Settlement.PAID:
            yield Finding(INVARIANT, place, "not paid to the last part", f"{last.cents} cents told as paid")
        if due in rejected and not any(one.state is Settlement.REJECTED for one in settled.get(due, ())):
            yield Finding(INVARIANT, place, "told as rejected", "not told")
    covered = _find_covered(connection, parts)
    for no, some in parts.items():
        for part in some:
            if part.payment is not None and part.share == Share.CALLED and (no, part.ix) not in covered:
                yield Finding(INVARIANT, f"due {ids[no].hex()}", "its donor has paid", "it is paid in advance")


def _find_covered(connection: Connection, parts: Mapping[int, Sequence[Any]]) -> set[tuple[int, int]]:
    received = {
        bytes(row[0]): int(row[1])
        for row in connection.execute(
            select(deposits.c.expectation, func.sum(deposits.c.cents))
            .where(deposits.c.expectation.in_(select(calls.c.id)))
            .group_by(deposits.c.expectation)
        )
    }
    of_call: dict[bytes, list[Any]] = defaultdict(list)
    for no in sorted(parts):
        for part in parts[no]:
            if part.call is not None:
                of_call[bytes(part.call)].append(part)
    return {
        (part.due, part.ix)
        for call, some in of_call.items()
        for part in some[: count_covered([Cents(part.cents) for part in some], Cents(received.get(call, 0)))]
    }


def _find_beyond_lots(connection: Connection, parts: Mapping[int, Sequence[Any]]) -> Iterator[Finding]:
    spent: dict[bytes, int] = defaultdict(int)
    parts = {no: [part for part in some if part.share != Share.NETTED] for no, some in parts.items()}
    for some in parts.values():
        for part in some:
            spent[bytes(part.ref)] += part.cents
    issued, of_pledge = load_issued(connection, spent)
    for ref, cents in spent.items():
        if cents > issued.get(ref, 0):
            yield Finding("I2", f"lot {ref.hex()}", f"at most {issued.get(ref, 0)} cents converted", f"{cents}")
    for some in parts.values():
        for part in some:
            pledge = None if part.pledge is None else bytes(part.pledge)
            if of_pledge.get(bytes(part.ref)) != pledge:
                yield Finding("I2", f"lot {bytes(part.ref).hex()}", "the pledge that it was issued for", "another")


def check_pledges(connection: Connection, fund: str, asked: Log, answered: Log, issues: Log, lots: Log) -> Checked:
    """Hold pledges against what was asked, signed and issued, and calls against what was converted.

    `asked` and `answered` are the logs with the companies' base, `issues` and `lots` those with the accounts.
    """
    findings: list[Finding] = []
    told: dict[bytes, Pledge] = {}
    for one in asked:  # of two under one id the first counts, the other was refused
        if isinstance(one, Pledge):
            told.setdefault(one.id, one)
    ended = {one.pledge: one for one in asked if isinstance(one, PledgeSpent) and one.id in _accepted_ends(answered)}
    accepted = {one.id for one in answered if isinstance(one, PledgeAccepted)}
    refused = {one.id: one.code for one in answered if isinstance(one, Refused)}
    sent = {one.id: one for one in issues if isinstance(one, Deposit) and one.lot_class & CALLED}
    refs = {one.id: one.ref for one in lots if isinstance(one, DepositTaken)}
    keys = {bytes(row.key): bytes(row.signing) for row in connection.execute(select(officers))}
    signed: dict[bytes, list[tuple[bytes, bytes]]] = defaultdict(list)
    for row in connection.execute(select(pledge_signatures)):
        signed[bytes(row.pledge)].append((bytes(row.officer), bytes(row.signature)))
    rows = connection.execute(select(pledges).order_by(pledges.c.number)).all()
    for row in rows:
        id_ = bytes(row.id)
        place = f"pledge {id_.hex()}"
        if told.get(id_) != _as_told(row):
            findings.append(Finding("I2", place, "the pledge as it was asked", "another"))
        words = write_words(words_of_pledge(row, fund, bytes(row.letter or b"")))
        valid = {
            officer
            for officer, signature in signed[id_]
            if officer in keys and is_signed(keys[officer], Domain.OFFICER, words, signature)
        }
        needed = 0 if row.issued_month is None else SIGNERS
        if len(valid) < needed or len(valid) != len(signed[id_]):
            findings.append(Finding("I6", place, f"{needed} officers' signatures of these words", f"{len(valid)}"))
        message = sent.pop(issue_id(id_), None)
        if message != (None if row.issued_month is None else make_issue(row)):
            findings.append(
                Finding("I2", place, f"a lot of {row.cents} cents, once it is accepted", f"{message}"[:120])
            )
        ref = None if row.lot_ref is None else bytes(row.lot_ref)
        if ref != refs.get(issue_id(id_)) or (id_ in accepted) is not (ref is not None):
            findings.append(Finding("I2", place, "the lot that the accounts issued", f"{row.state}"))
        if (row.code or None) != (refused.get(id_) if row.state == PledgeState.REFUSED else None):
            findings.append(Finding("I2", place, f"refused: {refused.get(id_)}", row.code))
        if row.state != _state_of(row):
            findings.append(Finding("I2", place, f"a pledge that is {_state_of(row)}", row.state))
        given = None if (end := ended.get(id_)) is None else end.cents
        if row.given != given:
            findings.append(Finding("I2", place, f"{given} cents given in all", f"{row.given}"))
    findings += [
        Finding("I2", f"called lot {id_.hex()}", "an accepted pledge", f"{one.cents} cents told without")
        for id_, one in sent.items()
    ]
    findings += _find_in_calls(connection, answered)
    return Checked("I2", PLEDGES, len(rows), tuple(findings))


def _state_of(row: Any) -> PledgeState:
    """Return the state that the rest of a row says."""
    if row.code:
        return PledgeState.REFUSED
    if row.given is not None:
        return PledgeState.ENDED
    if row.lot_ref is not None:
        return PledgeState.ISSUED
    return PledgeState.ASKED if row.issued_month is None else PledgeState.ACCEPTED


def _accepted_ends(answered: Log) -> set[bytes]:
    return {one.id for one in answered if isinstance(one, PledgeEnded)}


def _as_told(row: Any) -> Pledge:
    return Pledge(
        id=bytes(row.id),
        donor=bytes(row.donor),
        campaign=row.campaign,
        lot_class=row.lot_class,
        restriction=row.restriction,
        into=row.pool,
        cents=row.cents,
        until=row.until,
    )


def _find_in_calls(connection: Connection, answered: Log) -> Iterator[Finding]:
    """Each call is the sum of the parts that it names, of pledges of one donor, and was told."""
    told = {one.id: one for one in answered if isinstance(one, PaymentCalled)}
    sums: dict[bytes, dict[bytes, int]] = defaultdict(lambda: defaultdict(int))
    for row in connection.execute(
        select(due_lots.c.call, due_lots.c.pledge, func.sum(due_lots.c.cents))
        .where(due_lots.c.call.is_not(None))
        .group_by(due_lots.c.call, due_lots.c.pledge)
    ):
        sums[bytes(row[0])][bytes(row[1])] += int(row[2])
    donor_of = {bytes(row.id): bytes(row.donor) for row in connection.execute(select(pledges))}
    for row in connection.execute(
        select(calls, expectations.c.cents, expectations.c.reference).join(
            expectations, expectations.c.id == calls.c.id
        )
    ):
        id_, place = bytes(row.id), f"call {row.reference}"
        parts = dict(sums.pop(id_, {}))
        message = told.pop(id_, None)
        if id_ != call_id(bytes(row.donor), row.month, row.lot_class):
            yield Finding("I2", place, f"the call of {row.month}", "another")
        if sum(parts.values()) != row.cents or any(donor_of[pledge] != bytes(row.donor) for pledge in parts):
            yield Finding("I2", place, f"{sum(parts.values())} cents converted of one donor's pledges", f"{row.cents}")
        if message is None or dict(zip(message.pledges, message.parts, strict=True)) != parts:
            yield Finding("I2", place, "told to the companies", "another sum, or nothing")
    for id_ in told:
        yield Finding("I2", f"call {id_.hex()}", "a call", "told without one")
    for id_, parts in sums.items():
        yield Finding("I2", f"call {id_.hex()}", f"{sum(parts.values())} cents", "no such call")


def sum_commitments(connection: Connection) -> int:
    """Return what companies still promise: what they pledged, less what was released and what was paid."""
    promised = sum(
        compute_limit(row.cents, row.given)
        for row in connection.execute(select(pledges).where(pledges.c.issued_month.is_not(None)))
        if row.state != PledgeState.REFUSED
    )
    paid = connection.execute(
        select(func.coalesce(func.sum(deposits.c.cents), 0)).where(deposits.c.expectation.in_(select(calls.c.id)))
    ).scalar_one()
    return promised - int(paid)
