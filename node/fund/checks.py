"""The fund's base adds itself up again: statements follow each other, every euro is somewhere once, and what is kept
beside the movements is what they and the signed logs say.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final

from lxml import etree
from sqlalchemy import Connection, func, select

from node.fund.aid_places_store import load_places
from node.fund.books_service import find_payer, read_entry
from node.fund.card_checks import CARDS, check_cards
from node.fund.chart import AccountRole, JournalRole
from node.fund.chart_store import load_chart
from node.fund.days import day_of, number_of
from node.fund.deposit_service import make_message
from node.fund.deposits import DepositState
from node.fund.due_checks import DUES, PLEDGES, check_dues, check_pledges, sum_commitments
from node.fund.expectation_service import load_expectation, load_expectations
from node.fund.expectations import ExpectationState, Purpose
from node.fund.frozen_receipts import digest_of
from node.fund.issued_receipts import ReceiptState
from node.fund.matching import PAYMENTS, Meaning
from node.fund.monthly_gifts import CollectionState, DebitState, debit_end_to_end_id, debit_id, read_shares
from node.fund.netting import decode_window, read_subject
from node.fund.netting_checks import WINDOWS, check_windows, sum_windows
from node.fund.outgoing_payments import (
    SIGNERS,
    WORDS_VERSION,
    IbanWords,
    PaymentState,
    end_to_end_id,
    read_dues,
    write_words,
)
from node.fund.payment_words import words_of
from node.fund.pledges import CALLED
from node.fund.receipt_service import make_issued
from node.fund.references import make_reference
from node.fund.seal_store import find_broken
from node.fund.statements import MovementState
from node.fund.tables import (
    bearers,
    collections,
    debits,
    deposits,
    entries,
    expectations,
    iban_changes,
    mandates,
    movements,
    net_payments,
    net_receipts,
    officers,
    orders,
    payments,
    receipt_counters,
    receipts,
    recoveries,
    reminders,
    signatures,
    stated_numbers,
    statements,
    void_receipts,
    windows,
)
from node.fund.tags import Place
from protocol.amounts import Cents
from protocol.book.checks import check_logs, guarded
from protocol.book.stream_store import stream
from protocol.directory import Directory
from protocol.errors import Refusal
from protocol.exchange.talk_store import load_talk
from protocol.findings import Checked, Finding
from protocol.house import BaseName, Deposit, DepositTaken, ExpectationClosed, Refused
from protocol.identifiers import Id16
from protocol.keys import Domain, is_signed

Progress = Callable[[str], None]
_OF_MOVEMENTS: Final = frozenset(
    {
        *("deposit", "debit", "debit-returned", "waiting", "fee"),
        *("aid-paid", "aid-returned", "refund-paid", "net-paid", "net-received"),
    }
)
_OWED: Final = (PaymentState.SIGNED, PaymentState.ORDERED)
_OWED_OR_PAID: Final = (*_OWED, PaymentState.CONFIRMED)
_BEFORE_ORDERED: Final = (PaymentState.ASKED, PaymentState.SIGNED, PaymentState.CANCELLED)


def check_fund(
    connection: Connection, neighbours: Directory, on_progress: Progress, *, fund: str = "", home: str = ""
) -> list[Checked]:
    """Return each invariant of the fund's base, how much was looked at, and where it is broken. One snapshot."""
    checked: list[Checked] = []
    for rule, check in (
        ("statements follow each other and add up", _check_statements),
        ("each movement is used once", _check_movements),
        ("what was received is what arrived", _check_expectations),
        ("each deposit was told, and is what was answered", _check_deposits),
        ("mandates, debits and collections agree", _check_debits),
        ("two people signed what was paid", lambda line: _check_payments(line, fund)),
        ("two people signed each change of account", lambda line: _check_iban_changes(line, fund)),
        ("each order is its payments", _check_orders),
        ("receipts have no gap and are as they were issued", _check_receipts),
        ("after a recovery the last numbers are stated", _check_recoveries),
        ("entries have no gap and are as they were validated", _check_entries),
        ("each movement was used for what it is", _check_meanings),
        (DUES, lambda line: _check_dues(line, neighbours, home)),
        (WINDOWS, lambda line: _check_windows(line, fund, home)),
        (PLEDGES, lambda line: _check_pledges(line, fund)),
        (CARDS, _check_cards),
        ("rows are as they were written", _check_seals),
        ("the books stand where the bank stands", _check_books),
    ):
        on_progress(rule)
        checked += guarded("I6", rule, lambda check=check: [check(connection)])  # type: ignore[misc]
    return checked + guarded("I7", "logs are whole", lambda: check_logs(connection, neighbours, on_progress))


def _check_statements(connection: Connection) -> Checked:
    moved = {
        row[0]: int(row[1])
        for row in connection.execute(
            select(movements.c.statement_no, func.sum(movements.c.cents))
            .where(movements.c.state == MovementState.BOOKED, movements.c.is_detail == 0)
            .group_by(movements.c.statement_no)
        )
    }
    rows = connection.execute(select(statements).order_by(statements.c.no)).all()
    findings: list[Finding] = []
    closings: dict[str, int] = {}
    for row in rows:
        place = f"statement {row.statement_id}"
        opening = closings.get(row.iban, row.opening)
        if opening != row.opening:
            findings.append(Finding("I6", place, f"opens at {opening} cents", f"{row.opening} cents"))
        if row.opening + moved.get(row.no, 0) != row.closing:
            told = f"{row.closing - row.opening} cents of movements"
            findings.append(Finding("I6", place, told, f"{moved.get(row.no, 0)} cents"))
        closings[row.iban] = row.closing
    return Checked("I6", "statements follow each other and add up", len(rows), tuple(findings))


def _check_movements(connection: Connection) -> Checked:
    """Every cent of what the bank booked is somewhere once: a gift, a payment, a refund, a fee, kept, or waiting.

    An entry told as a sum and then in detail is one: what its details were used for is taken from the sum.
    """
    used: dict[str, int] = defaultdict(int)

    def use(column: Any, cents: Any, *where: Any, sign: int = 1) -> None:
        asked = select(column, func.sum(cents)).where(column.is_not(None), *where).group_by(column)
        for id_, total in connection.execute(asked):
            used[id_] += sign * int(total)

    use(deposits.c.movement, deposits.c.cents)
    use(debits.c.returned_by, debits.c.cents, sign=-1)
    use(payments.c.movement, payments.c.cents, sign=-1)
    use(payments.c.returned_by, payments.c.cents)
    use(net_receipts.c.movement, net_receipts.c.cents)
    # A refund that came back is none: it waits again with what it was a refund of.
    use(payments.c.refund_of, payments.c.cents, payments.c.state.in_(_OWED_OR_PAID))
    findings: list[Finding] = []
    looked_at = 0
    told: dict[str, int] = defaultdict(int)
    found: dict[str, int] = defaultdict(int)
    for row in stream(
        connection,
        select(
            movements.c.id,
            movements.c.entry,
            movements.c.cents,
            movements.c.state,
            movements.c.is_detail,
            movements.c.waiting,
            movements.c.kept,
            movements.c.fee,
        ).order_by(movements.c.no),
    ):
        looked_at += 1
        if row.state == MovementState.BOOKED and not row.is_detail:
            told[row.entry] += row.cents
        found[row.entry] += used.pop(row.id, 0) + row.waiting + row.kept + row.fee
    for entry in told.keys() | found.keys():
        if told[entry] != found[entry]:
            expected = f"{told[entry]} cents used, kept or waiting"
            findings.append(Finding("I6", f"movement {entry}", expected, f"{found[entry]}"))
    findings += [
        Finding("I6", f"movement {id_}", f"{cents} cents used", "no movement") for id_, cents in used.items() if cents
    ]
    return Checked("I6", "each movement is used once", looked_at, tuple(findings))


def _check_expectations(connection: Connection) -> Checked:
    received: dict[bytes, int] = defaultdict(int)
    for id_, cents in connection.execute(
        select(deposits.c.expectation, func.sum(deposits.c.cents))
        .where(deposits.c.expectation.is_not(None))
        .group_by(deposits.c.expectation)
    ):
        received[bytes(id_)] = int(cents)
    sent: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for row in connection.execute(select(reminders).order_by(reminders.c.rank)):
        sent[bytes(row.expectation)].append((row.rank, row.day))
    closed_by = {
        bytes(row.id): row.closed_by for row in connection.execute(select(expectations.c.id, expectations.c.closed_by))
    }
    told = Counter(
        one.id for one in load_talk(connection, BaseName.FUND, BaseName.PARTNERS) if isinstance(one, ExpectationClosed)
    )
    findings: list[Finding] = []
    known = load_expectations(connection)
    for one in known:
        place = f"expected payment {one.reference}"
        if received[one.id] != one.received:
            findings.append(Finding("I6", place, f"{received[one.id]} cents received", f"{one.received}"))
        if make_reference(one.number) != one.reference:
            findings.append(Finding("I6", place, make_reference(one.number), one.reference))
        if one.state != ExpectationState.CLOSED and (one.received >= one.cents) is not (
            one.state is ExpectationState.PAID
        ):
            findings.append(Finding("I6", place, f"{one.received} of {one.cents} cents", one.state))
        if (one.state is ExpectationState.CLOSED) is not bool(closed_by[one.id]):
            findings.append(Finding("I6", place, "who closed it, where it is closed", f"{one.state}"))
        is_told = one.state is ExpectationState.CLOSED and one.asked_by == BaseName.PARTNERS
        if told[one.id] != is_told:
            findings.append(Finding("I6", place, "told once to whom it concerns, where it is closed", f"{one.state}"))
        days = sent[one.id]
        ranks, on = [rank for rank, _ in days], [day for _, day in days]
        if ranks != list(range(1, len(days) + 1)) or on != sorted(set(on)) or (on and on[0] <= one.due):
            findings.append(Finding("I6", place, "a first and a second reminder after the due day", f"{days}"))
    return Checked("I6", "what was received is what arrived", len(known), tuple(findings))


def _check_cards(connection: Connection) -> Checked:
    told = list(load_talk(connection, BaseName.ACCOUNTS, BaseName.FUND))
    said = list(load_talk(connection, BaseName.FUND, BaseName.ACCOUNTS))
    return check_cards(connection, told, said)


def _check_dues(connection: Connection, neighbours: Directory, home: str) -> Checked:
    told = list(load_talk(connection, BaseName.ACCOUNTS, BaseName.FUND))
    return check_dues(connection, neighbours, home, told, list(load_talk(connection, BaseName.FUND, BaseName.ACCOUNTS)))


def _check_windows(connection: Connection, fund: str, home: str) -> Checked:
    told = list(load_talk(connection, BaseName.ACCOUNTS, BaseName.FUND))
    return check_windows(connection, fund, home, told, list(load_talk(connection, BaseName.FUND, BaseName.ACCOUNTS)))


def _check_pledges(connection: Connection, fund: str) -> Checked:
    return check_pledges(
        connection,
        fund,
        asked=list(load_talk(connection, BaseName.PARTNERS, BaseName.FUND)),
        answered=list(load_talk(connection, BaseName.FUND, BaseName.PARTNERS)),
        issues=list(load_talk(connection, BaseName.FUND, BaseName.ACCOUNTS)),
        lots=list(load_talk(connection, BaseName.ACCOUNTS, BaseName.FUND)),
    )


def _check_deposits(connection: Connection) -> Checked:
    """Deposits of lots that are prefunded; those of called ones are held against pledges."""
    told = {
        one.id: one
        for one in load_talk(connection, BaseName.FUND, BaseName.ACCOUNTS)
        if isinstance(one, Deposit) and not one.lot_class & CALLED
    }
    answered: dict[bytes, tuple[str, bytes | None, str]] = {}
    for one in load_talk(connection, BaseName.ACCOUNTS, BaseName.FUND):
        if isinstance(one, DepositTaken):
            answered.setdefault(one.id, (DepositState.ISSUED, one.ref, ""))
        elif isinstance(one, Refused):
            answered.setdefault(one.id, (DepositState.REFUSED, None, one.code))
    findings: list[Finding] = []
    rows = connection.execute(select(deposits).order_by(deposits.c.no)).all()
    for row in rows:
        place = f"deposit {bytes(row.id).hex()}"
        if row.expectation is None:
            continue  # of a debit: held against it elsewhere
        expectation = load_expectation(connection, bytes(row.expectation))
        message = told.pop(bytes(row.id), None)
        if expectation.purpose is not Purpose.CAMPAIGN:
            wanted = DepositState.GIFT if expectation.purpose is Purpose.GIFT else DepositState.CALLED
            if message is not None or row.state != wanted or row.lot_ref is not None or row.code:
                findings.append(Finding("I2", place, "a gift outside the miles", row.state))
            continue
        expected = make_message(Id16(bytes(row.id)), expectation, Cents(row.cents), row.received_on)
        if message != expected:
            findings.append(Finding("I2", place, f"{row.cents} cents told to the accounts", _show(message)))
        state = answered.get(bytes(row.id), (DepositState.TOLD, None, ""))
        found = (row.state, None if row.lot_ref is None else bytes(row.lot_ref), row.code)
        if state != found:
            findings.append(Finding("I2", place, f"{state[0]} {state[2]}".strip(), f"{row.state} {row.code}".strip()))
    findings += [
        Finding("I2", f"deposit {id_.hex()}", "euros on the account", f"{one.cents} cents told without")
        for id_, one in told.items()
    ]
    return Checked("I2", "each deposit was told, and is what was answered", len(rows), tuple(findings))


def _show(message: Deposit | None) -> str:
    return "nothing" if message is None else f"{message.cents} cents of {message.campaign}"


def _check_debits(connection: Connection) -> Checked:
    """A mandate is the sum of its shares; a message is its debits; what was credited is a gift, what went back is none."""
    findings: list[Finding] = []
    signed = {bytes(row.id): row for row in connection.execute(select(mandates).order_by(mandates.c.number))}
    for row in signed.values():
        place = f"mandate {row.umr}"
        if sum(read_shares(row.shares).values()) != row.cents:
            findings.append(Finding("I6", place, f"{row.cents} cents of shares", row.shares[:80]))
    given = {bytes(row.debit): row for row in connection.execute(select(deposits).where(deposits.c.debit.is_not(None)))}
    moved = {
        row.id: row
        for row in connection.execute(
            select(movements.c.id, movements.c.meaning, movements.c.cents, movements.c.booked_on).where(
                movements.c.id.in_(select(debits.c.movement)) | movements.c.id.in_(select(debits.c.returned_by))
            )
        )
    }
    collected = {row.month: row for row in connection.execute(select(collections).order_by(collections.c.month))}
    of_month: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(select(debits).order_by(debits.c.no)):
        of_month[row.month].append(row)
        place = f"debit {bytes(row.id).hex()}"
        mandate = signed[bytes(row.mandate)]
        if bytes(row.id) != debit_id(bytes(row.mandate), row.month):
            findings.append(Finding("I6", place, f"the debit of {mandate.umr} of {row.month}", "another id"))
        if row.end_to_end_id != debit_end_to_end_id(bytes(row.id)):
            findings.append(Finding("I6", place, debit_end_to_end_id(bytes(row.id)), row.end_to_end_id))
        if (row.cents, row.shares) != (mandate.cents, mandate.shares):
            findings.append(Finding("I6", place, f"{mandate.cents} cents as signed", f"{row.cents}, {row.shares}"[:90]))
        deposit = given.pop(bytes(row.id), None)
        expected: tuple[Any, ...] | None = None
        if row.movement is not None:
            state = DepositState.UNDONE if row.state == DebitState.RETURNED else DepositState.GIFT
            expected = (row.cents, bytes(mandate.donor), row.movement, moved[row.movement].booked_on, state)
        told = None
        if deposit is not None:
            told = (deposit.cents, bytes(deposit.donor), deposit.movement, deposit.received_on, deposit.state)
            if deposit.lot_ref is not None or deposit.code:
                findings.append(Finding("I2", place, "a gift outside the miles", deposit.code or "a lot"))
        if told != expected:
            findings.append(Finding("I6", place, _say_gift(expected), _say_gift(told)))
        if row.returned_by is not None and moved[row.returned_by].cents > -row.cents:
            findings.append(Finding("I6", place, f"{row.cents} cents taken back", f"{moved[row.returned_by].cents}"))
    for month, collection in collected.items():
        findings += _find_in_collection(collection, of_month[month], signed)
    findings += [Finding("I6", f"deposit {one.id.hex()}", "its debit", "none") for one in given.values()]
    return Checked(
        "I6", "mandates, debits and collections agree", len(signed) + len(collected) + len(moved), tuple(findings)
    )


def _say_gift(told: tuple[Any, ...] | None) -> str:
    return "no gift" if told is None else f"{told[0]} cents of {told[1].hex()[:8]}, {told[2][:8]}, {told[3]}, {told[4]}"


def _find_in_collection(collection: Any, rows: list[Any], signed: dict[bytes, Any]) -> Iterator[Finding]:
    """Hold the message that the bank got against its debits and what was signed."""
    place = f"collection {collection.month}"
    in_it = [row for row in rows if row.state != DebitState.DROPPED]
    found = (collection.debits, collection.cents)
    if found != (len(in_it), sum(row.cents for row in in_it)):
        yield Finding("I6", place, f"{len(in_it)} debits", f"{found[0]} debits, {found[1]} cents")
    is_sent = collection.state == CollectionState.ORDERED
    for row in rows:
        is_out = row.state not in (DebitState.ANNOUNCED, DebitState.DROPPED)
        if is_out is not is_sent and row.state != DebitState.DROPPED:
            yield Finding("I6", f"debit {bytes(row.id).hex()}", f"a debit of what is {collection.state}", row.state)
        if (not is_out) and (row.batch_id or row.sequence):
            yield Finding("I6", f"debit {bytes(row.id).hex()}", "no message", row.batch_id or row.sequence)
    if not is_sent:
        return
    expected = set()
    for row in in_it:
        mandate = signed[bytes(row.mandate)]
        day = day_of(mandate.signed_on).isoformat()
        expected.add((row.batch_id, row.sequence, row.end_to_end_id, row.cents, mandate.umr, day, mandate.iban))
    try:
        tree = etree.fromstring(bytes(collection.body))
    except etree.XMLSyntaxError as error:
        yield Finding("I6", place, "the message that was sent", str(error)[:80])
        return
    told = set()
    for group in tree.iterfind(".//{*}PmtInf"):
        if group.findtext("{*}ReqdColltnDt") != day_of(collection.collected_on).isoformat():
            yield Finding(
                "I6", place, f"collected on {collection.collected_on}", str(group.findtext("{*}ReqdColltnDt"))
            )
        for one in group.iterfind("{*}DrctDbtTxInf"):
            told.add(
                (
                    group.findtext("{*}PmtInfId"),
                    group.findtext(".//{*}SeqTp"),
                    one.findtext(".//{*}EndToEndId"),
                    int((one.findtext("{*}InstdAmt") or "0").replace(".", "")),
                    one.findtext(".//{*}MndtId"),
                    one.findtext(".//{*}DtOfSgntr"),
                    one.findtext("{*}DbtrAcct//{*}IBAN"),
                )
            )
    if tree.findtext(".//{*}GrpHdr/{*}MsgId") != collection.id:
        yield Finding("I6", place, collection.id, str(tree.findtext(".//{*}GrpHdr/{*}MsgId")))
    for one in sorted(expected ^ told, key=str):
        yield Finding("I6", place, "the same in message and base", f"{one}"[:160])


def _check_payments(connection: Connection, fund: str) -> Checked:
    known = connection.execute(select(officers)).all()
    keys = {bytes(row.key): bytes(row.signing) for row in known}
    names = {bytes(row.key): row.name for row in known}
    signed: dict[bytes, list[tuple[bytes, bytes]]] = defaultdict(list)
    for row in connection.execute(select(signatures)):
        signed[bytes(row.payment)].append((bytes(row.officer), bytes(row.signature)))
    findings: list[Finding] = []
    rows = connection.execute(select(payments).order_by(payments.c.number)).all()
    for row in rows:
        place = f"payment {bytes(row.id).hex()}"
        words = write_words(words_of(row, fund))
        valid = {
            names[officer]
            for officer, signature in signed[bytes(row.id)]
            if officer in keys and is_signed(keys[officer], Domain.OFFICER, words, signature)
        }
        needed = 0 if row.state in (PaymentState.ASKED, PaymentState.CANCELLED) else SIGNERS
        if len(valid) < needed:
            findings.append(Finding("I6", place, f"{needed} officers' signatures of these words", f"{len(valid)}"))
        if row.end_to_end_id != end_to_end_id(bytes(row.id)):
            findings.append(Finding("I6", place, end_to_end_id(bytes(row.id)), row.end_to_end_id))
        if row.refund_of is not None:
            came = connection.execute(select(movements).where(movements.c.id == row.refund_of)).one()
            if (row.iban, row.holder_name) != (came.counterpart_iban, came.counterpart_name):
                findings.append(Finding("I6", place, f"back to {came.counterpart_iban}", f"to {row.iban}"))
        if (row.order_id is None) is not (row.state in _BEFORE_ORDERED):
            findings.append(Finding("I6", place, f"an order for what is {row.state}", row.order_id or "none"))
    return Checked("I6", "two people signed what was paid", len(rows), tuple(findings))


def _check_iban_changes(connection: Connection, fund: str) -> Checked:
    """What is applied was asked by one officer and confirmed by another; the newest is where the bearer is paid."""
    keys = {bytes(row.key): bytes(row.signing) for row in connection.execute(select(officers))}
    accounts = {bytes(row.id): row for row in connection.execute(select(bearers))}
    applied: dict[bytes, Any] = {}
    findings: list[Finding] = []
    rows = connection.execute(select(iban_changes).order_by(iban_changes.c.applied_at, iban_changes.c.at)).all()
    for row in rows:
        place = f"change of account {bytes(row.id).hex()}"
        words = write_words(IbanWords(WORDS_VERSION, fund, bytes(row.id), bytes(row.bearer), row.holder_name, row.iban))
        signed = [(row.asked_by, row.asked_signature)]
        if row.confirmed_by is not None or row.confirmed_signature is not None or row.applied_at is not None:
            signed.append((row.confirmed_by, row.confirmed_signature))
        valid = {
            bytes(officer)
            for officer, signature in signed
            if officer is not None
            and signature is not None
            and bytes(officer) in keys
            and is_signed(keys[bytes(officer)], Domain.OFFICER, words, bytes(signature))
        }
        if len(valid) != len(signed):
            findings.append(Finding("I6", place, f"{len(signed)} officers' signatures of these words", f"{len(valid)}"))
        if row.applied_at is not None:
            applied[bytes(row.bearer)] = row
            if row.applied_at < row.effective_at:
                findings.append(Finding("I6", place, f"not before {row.effective_at}", f"{row.applied_at}"))
    for id_, row in applied.items():
        account = accounts[id_]
        if (account.iban, account.holder_name) != (row.iban, row.holder_name):
            findings.append(Finding("I6", f"bearer {id_.hex()}", f"paid on {row.iban}", account.iban))
    return Checked("I6", "two people signed each change of account", len(rows), tuple(findings))


def _check_orders(connection: Connection) -> Checked:
    """What the bank was given is what was signed: ids, sums and accounts of each message, and its payments in the base."""
    findings: list[Finding] = []
    rows = connection.execute(select(orders).order_by(orders.c.day)).all()
    for row in rows:
        place = f"order {row.id}"
        paid = connection.execute(
            select(payments.c.end_to_end_id, payments.c.cents, payments.c.iban)
            .where(payments.c.order_id == row.id)
            .order_by(payments.c.number)
        ).all()
        expected = [(one.end_to_end_id, one.cents, one.iban) for one in paid]
        try:
            tree = etree.fromstring(bytes(row.body))
        except etree.XMLSyntaxError as error:
            findings.append(Finding("I6", place, "the message that was sent", str(error)[:80]))
            continue
        found = [
            (
                one.findtext(".//{*}EndToEndId"),
                int((one.findtext(".//{*}InstdAmt") or "0").replace(".", "")),
                one.findtext(".//{*}CdtrAcct//{*}IBAN"),
            )
            for one in tree.iterfind(".//{*}CdtTrfTxInf")
        ]
        if found != expected:
            findings.append(Finding("I6", place, f"{expected}"[:160], f"{found}"[:160]))
        if (row.transfers, row.cents) != (len(paid), sum(one.cents for one in paid)):
            findings.append(
                Finding("I6", place, f"{row.transfers} payments, {row.cents} cents", f"{len(paid)} payments")
            )
    return Checked("I6", "each order is its payments", len(rows), tuple(findings))


def _check_receipts(connection: Connection) -> Checked:
    covered: dict[str, int] = {
        row[0]: int(row[1])
        for row in connection.execute(
            select(deposits.c.receipt, func.sum(deposits.c.cents))
            .where(deposits.c.receipt.is_not(None))
            .group_by(deposits.c.receipt)
        )
    }
    lasts = {(row.issuer, row.year): row.last for row in connection.execute(select(receipt_counters))}
    findings: list[Finding] = []
    void: dict[tuple[str, int], set[int]] = defaultdict(set)
    for row in connection.execute(select(void_receipts)):
        void[row.number.split("-")[1], row.year].add(row.seq)
    seen: dict[tuple[str, int], int] = defaultdict(int)
    replaced: dict[str, str] = {}
    rows = connection.execute(select(receipts).order_by(receipts.c.year, receipts.c.seq)).all()
    for row in rows:
        place = f"receipt {row.number}"
        key = (row.number.split("-")[1], row.year)
        seen[key] = _skip(seen[key], void[key]) + 1
        if row.seq != seen[key]:
            findings.append(Finding("I6", place, f"number {seen[key]} of {row.year}", f"{row.seq}"))
            seen[key] = row.seq
        if digest_of(bytes(row.body)) != bytes(row.digest):
            findings.append(Finding("I6", place, "the words that were issued", "others"))
            continue
        try:
            issued = make_issued(row)
        except Refusal as refusal:
            findings.append(Finding("I6", place, "a receipt", str(refusal)))
            continue
        if issued.receipt.replaces is not None:
            replaced[str(issued.receipt.replaces)] = row.number
        told = (str(issued.receipt.number), int(issued.receipt.cents))
        if told != (row.number, row.cents):
            findings.append(Finding("I6", place, f"{told[0]}, {told[1]} cents", f"{row.number}, {row.cents} cents"))
        expected = row.cents if row.state == ReceiptState.ISSUED else 0
        found = covered.pop(row.number, 0)
        if found != expected:
            findings.append(Finding("I6", place, f"{expected} cents", f"{found} cents of deposits"))
    for row in rows:
        if row.replaced_by != replaced.get(row.number, ""):
            expected_by = replaced.get(row.number, "no other")
            findings.append(Finding("I6", f"receipt {row.number}", f"replaced by {expected_by}", row.replaced_by))
    for number, cents in covered.items():
        findings.append(Finding("I6", f"receipt {number}", f"it covers {cents} cents", "no such receipt"))
    for key, last in lasts.items():
        seen[key] = _skip(seen[key], void[key])
        if seen[key] != last:
            findings.append(Finding("I6", f"receipts of {key[1]}", f"{last} numbers taken", f"{seen[key]} receipts"))
    return Checked("I6", "receipts have no gap and are as they were issued", len(rows), tuple(findings))


def _skip(last: int, void: set[int]) -> int:
    """Return the last number taken, those included that follow and are void."""
    while last + 1 in void:
        last += 1
    return last


def _check_recoveries(connection: Connection) -> Checked:
    """A person said what had left before each recovery, and what was said then is still so."""
    findings: list[Finding] = []
    stated = {row.recovery: row for row in connection.execute(select(stated_numbers))}
    rows = connection.execute(select(recoveries).order_by(recoveries.c.no)).all()
    for row in rows:
        place, said = f"recovery {row.no}", stated.get(row.no)
        if said is None:
            findings.append(Finding("I6", place, "the last receipt and the last order, as a person knows them", "none"))
            continue
        if said.last_order and not connection.execute(select(orders.c.id).where(orders.c.id == said.last_order)).all():
            findings.append(Finding("I6", place, f"the order {said.last_order}", "no such order"))
        for table in (receipts, void_receipts):
            if (
                said.last_receipt
                and connection.execute(select(table.c.number).where(table.c.number == said.last_receipt)).first()
            ):
                break
        else:
            if said.last_receipt:
                findings.append(
                    Finding("I6", place, f"the receipt {said.last_receipt}, here or void", "no such number")
                )
    return Checked("I6", "after a recovery the last numbers are stated", len(rows), tuple(findings))


def _check_entries(connection: Connection) -> Checked:
    findings: list[Finding] = []
    lasts: dict[tuple[str, int], int] = defaultdict(int)
    looked_at = 0
    for row in stream(connection, select(entries).order_by(entries.c.no)):
        looked_at += 1
        place = f"entry {row.no}"
        lasts[row.journal, row.year] += 1
        entry = read_entry(bytes(row.body))
        told = (
            entry.journal.code,
            number_of(entry.year.last_on),
            entry.number,
            number_of(entry.draft.on),
            number_of(entry.validated_on),
        )
        found = (row.journal, row.year, row.number, row.day, row.validated_on)
        if told != found:
            findings.append(Finding("I6", place, f"{told}", f"{found}"))
        if row.no != looked_at or row.number != lasts[row.journal, row.year]:
            expected = f"entry {looked_at}, number {lasts[row.journal, row.year]} of {row.journal}"
            findings.append(Finding("I6", place, expected, f"number {row.number}"))
            break
    return Checked("I6", "entries have no gap and are as they were validated", looked_at, tuple(findings))


def _check_seals(connection: Connection) -> Checked:
    findings: list[Finding] = []
    looked_at = 0
    for name, is_broken in find_broken(connection):
        looked_at += 1
        if is_broken:
            findings.append(Finding("I6", name, "the row as it was written", "another"))
    return Checked("I6", "rows are as they were written", looked_at, tuple(findings))


def _check_meanings(connection: Connection) -> Checked:
    """What a movement was taken for is what was done with it, and its entries are of its day."""
    gifts: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(deposits.c.movement, deposits.c.expectation, deposits.c.debit)):
        gifts[row.movement].add(bytes(row.expectation if row.debit is None else row.debit).hex())
    sent = {bytes(row.id).hex(): row for row in connection.execute(select(payments))}
    sent_back = {row.refund_of for row in sent.values() if row.refund_of is not None}
    taken = {bytes(row.id).hex(): row for row in connection.execute(select(debits))}
    batches = {row.batch_id for row in taken.values() if row.batch_id}
    nets = {
        (row.window_no, row.other)
        for row in connection.execute(select(net_payments).where(net_payments.c.is_ours.is_(False)))
    }
    awaited = {bytes(row[0]).hex() for row in connection.execute(select(expectations.c.id))}
    days: dict[str, set[int]] = defaultdict(set)
    for row in stream(connection, select(entries.c.event, entries.c.body).order_by(entries.c.no)):
        if row.event.split(" ")[0] in _OF_MOVEMENTS:
            days[row.event.split(" ")[1]].add(number_of(read_entry(bytes(row.body)).draft.piece.on))
    findings: list[Finding] = []
    looked_at = 0
    for row in stream(connection, select(movements).order_by(movements.c.no)):
        looked_at += 1
        place = f"movement {row.id}"
        if days[row.id] - {row.booked_on}:
            findings.append(Finding("I6", place, f"booked on {sorted(days[row.id])}", f"{row.booked_on}"))
        meaning, subject = row.meaning, row.subject
        is_known = {
            **dict.fromkeys(PAYMENTS, subject in awaited or read_subject(subject) in nets),
            Meaning.TRANSFER_LEFT: subject in sent,
            Meaning.TRANSFER_CAME_BACK: subject in sent,
            Meaning.DEBIT_COLLECTED: subject in taken or subject in batches,
            Meaning.DEBIT_RETURNED: subject in taken,
        }.get(Meaning(meaning), subject == "")
        if not is_known:
            findings.append(Finding("I6", place, f"what is {meaning}", subject or "nothing"))
        # What a person decided of, or sent back, had waited: nothing was done with it for its meaning.
        by_people = row.decided_by or row.id in sent_back
        done = row.cents != row.waiting and not by_people and row.state == MovementState.BOOKED
        used = {
            Meaning.TRANSFER_LEFT: not done or (subject in sent and sent[subject].movement == row.id),
            Meaning.TRANSFER_CAME_BACK: not done or (subject in sent and sent[subject].returned_by == row.id),
            Meaning.DEBIT_COLLECTED: not done or subject in gifts[row.id] or subject in batches,
            Meaning.DEBIT_RETURNED: not done or (subject in taken and taken[subject].returned_by == row.id),
        }.get(Meaning(meaning), True)
        if not used:
            findings.append(Finding("I6", place, f"{meaning} {subject}", "something else was done with it"))
    return Checked("I6", "each movement was used for what it is", looked_at, tuple(findings))


def _check_books(connection: Connection) -> Checked:
    """What stands on the bank's account of the books is what the bank told; gifts are deposits, aids are payments."""
    sums: dict[str, int] = defaultdict(int)
    looked_at = abroad = 0
    for row in stream(connection, select(entries).order_by(entries.c.no)):
        entry = read_entry(bytes(row.body))
        chart = load_chart(entry.year.first_on)
        if entry.journal == chart.journals[JournalRole.OPENING]:
            continue
        roles = {chart.account(role).number: role for role in AccountRole}
        for line in entry.lines:
            looked_at += 1
            role = roles.get(line.account.number)
            if role is None and line.account.number.startswith(chart.account(AccountRole.BANK).number):
                role = AccountRole.BANK
            sums[str(role)] += line.debit - line.credit
            if role is AccountRole.AIDS and line.tag is not None and line.tag.place is Place.ABROAD:
                abroad += line.debit - line.credit

    def total(column: Any, *where: Any) -> int:
        return int(connection.execute(select(func.coalesce(func.sum(column), 0)).where(*where)).scalar_one())

    moved = total(movements.c.cents, movements.c.state == MovementState.BOOKED, movements.c.is_detail == 0)
    is_aid = payments.c.bearer.is_not(None) & payments.c.window_no.is_(None)
    is_refund = payments.c.refund_of.is_not(None)
    owed = total(payments.c.cents, payments.c.state.in_(_OWED), is_aid)
    spent = owed + total(payments.c.cents, payments.c.state == PaymentState.CONFIRMED, is_aid)
    given, contributed, left = sum_windows(connection)
    spent, owed = spent + given, owed + left
    waits = total(movements.c.waiting) + total(movements.c.kept)
    for row in connection.execute(
        select(payments.c.refund_of, payments.c.cents).where(payments.c.state.in_(_OWED), is_refund)
    ):
        if find_payer(connection, row.refund_of) is None:
            waits += row.cents
        else:
            owed += row.cents
    found = (
        ("bank account", moved, sums[AccountRole.BANK]),
        (
            "gifts",
            -total(deposits.c.cents, deposits.c.state != DepositState.UNDONE),
            sums[AccountRole.PATRONAGE] + sums[AccountRole.GIFTS],
        ),
        ("aids", spent, sums[AccountRole.AIDS]),
        ("aids abroad", _sum_abroad(connection), abroad),
        ("contributions", -contributed, sums[AccountRole.CONTRIBUTIONS_RECEIVED]),
        ("in suspense", -waits, sums[AccountRole.SUSPENSE]),
        ("fees", -total(movements.c.fee), sums[AccountRole.BANK_FEES]),
        ("owed", -owed, sums[AccountRole.OTHER_CREDITORS]),
        ("pledged", sum_commitments(connection), sums[AccountRole.COMMITMENTS_RECEIVED]),
    )
    findings = [
        Finding("I6", f"books, {name}", f"{expected} cents", f"{told} cents")
        for name, expected, told in found
        if expected != told
    ]
    return Checked("I6", "the books stand where the bank stands", looked_at, tuple(findings))


def _sum_abroad(connection: Connection) -> int:
    """Return the cents of dues that were signed or netted and whose order says that the work is done abroad."""
    paid: Counter[bytes] = Counter()
    for row in connection.execute(select(payments.c.dues).where(payments.c.state.in_(_OWED_OR_PAID))):
        for due, cents in read_dues(bytes(row.dues)).dues:
            paid[due] += cents
    for row in connection.execute(select(windows.c.told)):
        told = decode_window(bytes(row.told))
        for due, cents in zip(told.ids, told.cents, strict=True):
            paid[due] += max(0, -cents)
    places = load_places(connection, paid)
    return sum(cents for due, cents in paid.items() if places.get(due) is Place.ABROAD)
