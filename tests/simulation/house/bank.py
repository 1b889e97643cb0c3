"""What happens at the fund: statements of the bank, decisions of people, gifts, payments to bearers, receipts."""

from __future__ import annotations

import datetime
from typing import Any

from node.fund.bearer_service import Bearer
from node.fund.expectation_service import Announce, load_expectations
from node.fund.expectations import Expectation, Purpose
from node.fund.officer_service import NewOfficer
from node.fund.outgoing_payments import PaymentState, write_words
from node.fund.payment_status import PaymentState as BankState
from node.fund.payment_status import StatusReport, Verdict
from node.fund.receipt_service import CancelReceipt, IssueReceipt
from node.fund.references import Iban
from node.fund.signature_service import Signed
from node.fund.statement_service import Decide, read_bank_file
from protocol.amounts import Cents
from protocol.errors import Refusal
from protocol.house import Donor
from protocol.identifiers import Id16
from protocol.keys import Domain, make_keys, sign
from tests.fund.camt_files import OURS, Detail, Entry, File
from tests.fund.fund_world import BEARER_IBAN
from tests.simulation.house.oracle import Entry as Booked
from tests.simulation.house.oracle import Expected, Payment, Wrong
from tests.simulation.house.stage import FUND, Stage

GIVER = Id16(b"gives by itself.")
OFFICERS = ("anne", "bob")


def found_fund(stage: Stage) -> None:
    """Enter a company that gives by itself, two officers, a bearer."""
    donor = Donor(GIVER, "552100554", "Le Fournil", "SAS", ("1 rue de Siam",), "29200", "Brest", "FR", (6, 30))
    stage.ask(FUND, lambda: stage.fund.keep_companies, donor)
    for name in OFFICERS:
        secret = stage.officers[name] = make_keys(stage.entropy(64))
        officer = NewOfficer(key=secret.public.id, name=name, signing=secret.public.signing)
        stage.ask(FUND, lambda officer=officer: stage.fund.officers.add, officer)
    bearer = Bearer(
        id=stage.new_id(),
        name="Les Jardins",
        registry="W291234567",
        category="association d'intérêt général",
        proof="rescrit",
        proven_until=20991231,
        holder_name="LES JARDINS",
        iban=Iban(BEARER_IBAN),
    )
    stage.bearers.append(stage.ask(FUND, lambda: stage.fund.bearers.keep, bearer))


def look(stage: Stage) -> list[Expectation]:
    """Return what the fund expects; the oracle learns of what is new."""
    known = stage.books[FUND].read_now(load_expectations)
    for one in known:
        stage.oracle.expected.setdefault(one.reference, Expected(one.cents, one.pool))
    return known


def gift(stage: Stage) -> None:
    """Somebody gives outside the miles."""
    cents = Cents(stage.dice.randint(1, 3_000))
    asked = Announce(id=stage.new_id(), purpose=Purpose.GIFT, donor=GIVER, cents=cents, due=20271231)
    stage.ask(FUND, lambda: stage.fund.announce, asked)


# ---------------------------------------------------------------- the bank


def statement(stage: Stage) -> None:
    """The bank tells of a day: what was due, less, more, for a second time, of nobody, fees, transfers."""
    entries = [_make_entry(stage) for _ in range(stage.dice.choice((0, 1, 1, 2, 3)))]
    take_statement(stage, entries)


def take_statement(stage: Stage, entries: list[Entry]) -> None:
    stage.sequence += 1
    number = stage.sequence
    opening = stage.oracle.balance
    file = File(opening=opening, entries=entries, id=f"STMT-{number}", sequence=number)
    data = file.write()
    stage.statements.append(data)
    deposited = 0
    for entry in entries:
        detail = entry.details[0] if entry.details else Detail(cents=entry.cents, end_to_end_id="")
        deposited += _book(stage, entry, detail)
    taken = _take(stage, data)
    stage.tell(f"statement {number}: {sorted(taken.meanings.items())}, {taken.deposited} deposited")
    # Whoever had no answer asked again, and is told of a repetition: then it counted the first time.
    if taken.repeated == 0 and taken.deposited != deposited:
        raise Wrong(f"statement {number} deposits {taken.deposited}, and {deposited} is due")


def _book(stage: Stage, entry: Entry, detail: Detail) -> int:
    """Note an entry in the oracle; return what of it is deposited at once."""
    oracle, reference = stage.oracle, entry.bank_reference
    if entry.cents > 0 and not detail.reason:
        return oracle.hear_entry(reference, entry.cents, detail.reference)
    kind = "fee"
    payment = oracle.payments.get(detail.end_to_end_id)
    if payment is not None and abs(entry.cents) == payment.cents:
        kind = "out" if entry.cents < 0 else "back"
        if kind == "out" and payment.state in ("ordered", "rejected"):
            payment.state = "confirmed"
        elif kind == "back" and payment.state == "confirmed":
            payment.state = "returned"
    oracle.entries[reference] = Booked(entry.cents, kind, detail.end_to_end_id)
    return 0


def _take(stage: Stage, data: bytes) -> Any:
    told = read_bank_file(data, account=Iban(OURS), bytes_max=10_000_000)
    return stage.ask(FUND, lambda: stage.fund.statements.take, told)


def statement_again(stage: Stage) -> None:
    """The same file comes once more, by another person or another channel."""
    if stage.statements:
        taken = _take(stage, stage.dice.choice(stage.statements))
        if taken.new or taken.deposited or taken.statements:
            raise Wrong(f"a statement counts twice: {taken}")


def bad_statement(stage: Stage) -> None:
    """One is missing, or begins with another balance than the last one ended with: it is refused whole."""
    if not stage.statements:
        return
    is_gap = stage.dice.random() < 0.5
    entries = [_make_entry(stage)]
    opening, number = stage.oracle.balance + (0 if is_gap else 7), stage.sequence + (2 if is_gap else 1)
    try:
        _take(stage, File(opening=opening, entries=entries, id=f"STMT-{number}-bad", sequence=number).write())
    except Refusal as refusal:
        stage.tell(refusal.code)
        return
    raise Wrong("a statement that does not follow is taken")


def _make_entry(stage: Stage) -> Entry:
    dice, reference = stage.dice, stage.entropy(6).hex()
    known = look(stage)
    day = stage.today.isoformat()
    kind = dice.choice(("paid", "paid", "paid", "under", "over", "again", "unknown", "fee", "left", "left", "back"))
    if kind in ("paid", "under", "over", "again") and known:
        open_ones = [one for one in known if one.left] or known
        one = dice.choice(known if kind == "again" else open_ones)
        cents = int(one.left or one.cents)
        cents += {"under": -dice.randint(0, cents - 1), "over": dice.randint(1, 300)}.get(kind, 0)
        detail = Detail(cents=cents, reference=one.reference)
        return Entry(cents=cents, details=[detail], bank_reference=reference, day=day)
    if kind in ("left", "back"):
        wanted = ("ordered", "rejected") if kind == "left" else ("confirmed",)
        sent = [(id_, one) for id_, one in stage.oracle.payments.items() if one.state in wanted]
        if sent:
            id_, payment = dice.choice(sent)
            cents = payment.cents if kind == "back" else -payment.cents
            detail = Detail(cents=cents, end_to_end_id=id_, reason="AC04" if kind == "back" else "")
            return Entry(cents=cents, details=[detail], bank_reference=reference, day=day)
    if kind == "unknown":
        cents = dice.randint(1, 2_000)
        return Entry(cents=cents, details=[Detail(cents=cents, text="loyer")], bank_reference=reference, day=day)
    return Entry(cents=-dice.randint(1, 200), bank_reference=reference, day=day)


def decide(stage: Stage) -> None:
    """A person decides of money that waits: a payment after all, in whole or in part, or none.

    A person whose command got no answer looks at the queue again, as the base shows it, and not at a memory.
    """
    known = look(stage)
    rows = stage.read(FUND, "SELECT id, bank_reference, waiting FROM movements WHERE waiting <> 0 ORDER BY no")
    if not rows:
        return
    id_, reference, waiting = stage.dice.choice(rows)
    asked = Decide(movement=id_, by="anne", reason="known", is_fee=waiting < 0)
    named = None
    if waiting > 0 and known and stage.dice.random() < 0.7:
        named = stage.dice.choice(known)
        part = Cents(stage.dice.choice((waiting, stage.dice.randint(1, waiting))))
        asked = Decide(movement=id_, by="bob", expectation=named.id, cents=part)
    try:
        stage.books[FUND].write_now(stage.fund.statements.decide, asked)
    except Exception as error:
        if not stage.must_ask_again(FUND, error):
            raise
    ((left,),) = stage.read(FUND, "SELECT waiting FROM movements WHERE id = :id", id=id_)
    entry = stage.oracle.entries[reference]
    if named is None:
        entry.aside += waiting - left if waiting > 0 else 0
    else:
        entry.deposited += waiting - left
        stage.oracle.expected[named.reference].received += waiting - left


# ---------------------------------------------------------------- payments to bearers


def pay(stage: Stage) -> None:
    """Two people sign a payment, each once or twice; sometimes only one does."""
    bearer, id_ = stage.bearers[0], stage.new_id()
    cents = Cents(stage.dice.randint(1, 5_000))
    words = stage.books[FUND].read_now(
        lambda line: stage.fund.payments.make_words(line, id_, bearer.id, cents, "Jardins", "comité")
    )
    state = PaymentState.ASKED
    signers = stage.dice.choice((("anne", "bob"), ("bob", "anne", "bob"), ("anne", "anne")))
    for name in signers:
        secret = stage.officers[name]
        signed = Signed(
            words=words, officer=secret.public.id, signature=sign(secret, Domain.OFFICER, write_words(words))
        )
        state = stage.ask(FUND, lambda signed=signed: stage.fund.payments.sign, signed)
    two = len(set(signers)) == 2
    if (state is PaymentState.SIGNED) is not two:
        raise Wrong(f"signed by {signers}, and {state}")
    ((end_to_end,),) = stage.read(FUND, "SELECT end_to_end_id FROM payments WHERE id = :id", id=id_)
    stage.oracle.payments[end_to_end] = Payment(cents, str(state))


def order(stage: Stage) -> None:
    """The day's order goes out; asked again, it is the same."""
    try:
        made = stage.ask(FUND, lambda: stage.fund.payments.order, stage.today)
    except Refusal as refusal:
        stage.tell(refusal.code)
        return
    body = made.body.decode()
    stage.oracle.last_order = max(stage.oracle.last_order, (made.id, made.body))
    for id_, payment in stage.oracle.payments.items():
        if f"<EndToEndId>{id_}</EndToEndId>" not in body:
            continue
        if payment.order not in ("", made.id):
            raise Wrong(f"payment {id_} stands in two orders")
        if payment.state == "signed":
            payment.state, payment.order = "ordered", made.id
        elif not payment.order:
            raise Wrong(f"payment {id_} is ordered, and {payment.state}")
    stage.tell(f"order {made.id}: {made.count}, {made.cents}")


def report(stage: Stage) -> None:
    """The bank rejects a transfer that it was ordered to make."""
    sent = [(id_, one) for id_, one in stage.oracle.payments.items() if one.state == "ordered"]
    if sent:
        id_, payment = stage.dice.choice(sent)
        verdict = Verdict(state=BankState.REJECTED, code="RJCT", reason="AC01")
        told = StatusReport(message_id=payment.order, whole=None, groups={}, payments={id_: verdict})
        stage.ask(FUND, lambda: stage.fund.payments.take_report, told)
        payment.state = "rejected"


def cancel_payment(stage: Stage) -> None:
    held = [(id_, one) for id_, one in stage.oracle.payments.items() if one.state in ("asked", "signed")]
    if held:
        id_, payment = stage.dice.choice(held)
        ((uid,),) = stage.read(FUND, "SELECT id FROM payments WHERE end_to_end_id = :id", id=id_)
        stage.ask(FUND, lambda: stage.fund.payments.cancel, Id16(bytes(uid)))
        payment.state = "cancelled"


# ---------------------------------------------------------------- receipts


def receipt(stage: Stage) -> None:
    donors = stage.read(FUND, "SELECT id FROM donors ORDER BY number")
    donor = Id16(bytes(stage.dice.choice(donors)[0]))
    asked = IssueReceipt(donor=donor, first_on=datetime.date(2026, 1, 1), last_on=stage.today)
    try:
        told = stage.ask(FUND, lambda: stage.fund.receipts.issue, asked)
    except Refusal as refusal:
        stage.tell(refusal.code)
        return
    number = str(told.receipt.number)
    if number in stage.oracle.receipts | stage.oracle.void:
        raise Wrong(f"receipt {number} is given out twice")
    stage.oracle.receipts.add(number)
    stage.tell(f"receipt {number}: {told.receipt.cents}")


def cancel_receipt(stage: Stage) -> None:
    if not stage.oracle.receipts:
        return
    number = stage.dice.choice(sorted(stage.oracle.receipts))
    try:
        stage.ask(FUND, lambda: stage.fund.receipts.cancel, CancelReceipt(number=number, reason="wrong"))
    except Refusal as refusal:
        stage.tell(refusal.code)


ACTIONS = {
    statement: 7,
    statement_again: 2,
    bad_statement: 0.7,
    decide: 3,
    gift: 1,
    pay: 2,
    order: 2,
    report: 0.7,
    cancel_payment: 0.7,
    receipt: 2.5,
    cancel_receipt: 0.7,
}
