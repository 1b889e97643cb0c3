"""What happens at the funds: the bank's statements, payments of dues signed by two, orders, rejections, who is believed."""

from __future__ import annotations

from typing import Any

from node.fund.due_payment_service import load_proposals
from node.fund.due_service import Decider
from node.fund.expectation_service import load_expectations
from node.fund.outgoing_payments import end_to_end_id
from node.fund.payment_status import PaymentState as BankState
from node.fund.payment_status import StatusReport, Verdict
from node.fund.references import Iban
from node.fund.statement_service import read_bank_file
from protocol.errors import Refusal
from tests.fund.camt_files import Detail, Entry, File
from tests.simulation.cycle import netting
from tests.simulation.cycle.officers import sign_payment
from tests.simulation.cycle.oracle import Payment
from tests.simulation.cycle.stage import CODES, FUND, IBANS, PROJECTS, Stage
from tests.simulation.cycle.windows import require_funded
from tests.simulation.house.oracle import Wrong


def statement(stage: Stage) -> None:
    """The banks tell of a day: what companies paid, what they carried out, what came back."""
    for code in stage.dice.sample(CODES, stage.dice.choice((1, 2, 3))):
        tell_of_a_day(stage, code)


def tell_of_a_day(stage: Stage, code: str) -> None:
    dice, entries = stage.dice, []
    for one in stage.books[f"{code}/{FUND}"].read_now(load_expectations):
        if one.left and dice.random() < 0.7:
            entries.append(_receive(stage, code, int(one.left), one.reference))
    for id_, payment in stage.oracle.payments.items():
        if payment.payee == code and payment.is_under_way and dice.random() < 0.6:
            entries.append(arrive(stage, id_, payment))
        if payment.code != code:
            continue
        if payment.state == "ordered" and dice.random() < 0.7:
            entries.append(leave(stage, id_, payment))
        elif payment.state == "confirmed" and not payment.has_arrived and dice.random() < 0.2:
            entries.append(_come_back(stage, id_, payment))
    take_statement(stage, code, entries)


def _receive(stage: Stage, code: str, cents: int, reference: str) -> Entry:
    stage.oracle.issued[code] += cents
    detail = Detail(cents=cents, reference=reference)
    return Entry(cents=cents, details=[detail], bank_reference=stage.entropy(6).hex(), day=stage.today.isoformat())


def leave(stage: Stage, id_: str, payment: Payment) -> Entry:
    payment.state = "confirmed"
    payment.debits += 1
    detail = Detail(cents=-payment.cents, end_to_end_id=id_)
    reference = stage.entropy(6).hex()
    return Entry(cents=-payment.cents, details=[detail], bank_reference=reference, day=stage.today.isoformat())


def arrive(stage: Stage, id_: str, payment: Payment) -> Entry:
    """Another fund's bank carried it out, and now it is here."""
    payment.has_arrived = True
    text = f"CITIZEN-MILES WINDOW {payment.window} {payment.code}"
    detail = Detail(cents=payment.cents, end_to_end_id=id_, iban=IBANS[payment.code], text=text)
    reference = stage.entropy(6).hex()
    return Entry(cents=payment.cents, details=[detail], bank_reference=reference, day=stage.today.isoformat())


def _come_back(stage: Stage, id_: str, payment: Payment) -> Entry:
    payment.state = "returned"
    payment.debits -= 1
    stage.oracle.note_return(payment)
    detail = Detail(cents=payment.cents, end_to_end_id=id_, reason="AC04")
    reference = stage.entropy(6).hex()
    return Entry(cents=payment.cents, details=[detail], bank_reference=reference, day=stage.today.isoformat())


def pay_all(stage: Stage, code: str) -> None:
    """Let the bank tell of everything that companies announced."""
    expected = stage.books[f"{code}/{FUND}"].read_now(load_expectations)
    take_statement(stage, code, [_receive(stage, code, int(one.left), one.reference) for one in expected if one.left])


def take_statement(stage: Stage, code: str, entries: list[Entry]) -> None:
    town, oracle = stage.known.towns[code], stage.oracle
    town.sequence += 1
    file = File(opening=oracle.balances[code], entries=entries, id=f"STMT-{town.sequence}", sequence=town.sequence)
    file.iban = IBANS[code]
    data = file.write()
    oracle.balances[code] += sum(entry.cents for entry in entries)
    town.statements.append(data)
    taken = _take(stage, code, data)
    stage.tell(f"{code}: statement {town.sequence} of {len(entries)}: {sorted(taken.meanings.items())}")


def _take(stage: Stage, code: str, data: bytes) -> Any:
    told = read_bank_file(data, account=Iban(IBANS[code]), bytes_max=10_000_000)
    return stage.ask(f"{code}/{FUND}", lambda: stage.fund(code).statements.take, told)


def statement_again(stage: Stage) -> None:
    code = stage.choose_code()
    statements = stage.known.towns[code].statements
    if statements:
        taken = _take(stage, code, stage.dice.choice(statements))
        if taken.new or taken.deposited or taken.statements:
            raise Wrong(f"a statement counts twice: {taken}")


# ---------------------------------------------------------------- payments of dues


def pay(stage: Stage) -> None:
    """Two officers sign what their fund proposes. Mostly its job ran before they came, and netted what is netted."""
    for code in stage.dice.sample(CODES, stage.dice.choice((1, 2, 3))):
        if stage.dice.random() < 0.7:
            netting.net_one(stage, code)
        pay_one(stage, code)
        if stage.dice.random() < 0.5:
            order_one(stage, code)


def pay_one(stage: Stage, code: str, *, count_max: int = 3) -> None:
    """Pay what a fund proposes, to bearers."""
    name = f"{code}/{FUND}"
    proposals = stage.books[name].read_now(lambda line: load_proposals(line, stage.fund(code).code, stage.today))
    for words in proposals[:count_max]:
        sign_payment(stage, code, words)
        id_ = end_to_end_id(words.id)
        stage.oracle.require(holds=id_ not in stage.oracle.payments, words=f"payment {id_} is proposed twice")
        stage.oracle.payments[id_] = Payment(code, words.cents, words.iban, dict(words.dues))
        require_funded(stage.oracle, code)
        stage.tell(f"{code}: {words.cents} signed")


def order(stage: Stage) -> None:
    for code in stage.dice.sample(CODES, stage.dice.choice((1, 2, 3))):
        order_one(stage, code)


def order_one(stage: Stage, code: str) -> None:
    """The day's order goes out; asked again, it is the same."""
    try:
        made = stage.ask(f"{code}/{FUND}", lambda: stage.fund(code).payments.order, stage.today)
    except Refusal as refusal:
        stage.tell(refusal.code)
        return
    body, town = made.body.decode(), stage.known.towns[code]
    town.last_order = max(town.last_order, (made.id, made.body))
    for id_, payment in stage.oracle.payments.items():
        if payment.code != code or f"<EndToEndId>{id_}</EndToEndId>" not in body:
            continue
        if payment.order not in ("", made.id):
            raise Wrong(f"payment {id_} stands in two orders")
        if payment.state == "signed":
            payment.state, payment.order = "ordered", made.id
        elif not payment.order:
            raise Wrong(f"payment {id_} is ordered, and {payment.state}")
    stage.tell(f"{code}: order {made.id} of {made.count}")


def report(stage: Stage) -> None:
    """The bank refuses a transfer that it was ordered to make."""
    sent = [id_ for id_, one in stage.oracle.payments.items() if one.state == "ordered"]
    if sent:
        reject(stage, stage.dice.choice(sent))


def reject(stage: Stage, id_: str) -> None:
    payment = stage.oracle.payments[id_]
    verdict = Verdict(state=BankState.REJECTED, code="RJCT", reason="AC01")
    told = StatusReport(message_id=payment.order, whole=None, groups={}, payments={id_: verdict})
    stage.ask(f"{payment.code}/{FUND}", lambda: stage.fund(payment.code).payments.take_report, told)
    payment.state = "rejected"
    stage.oracle.note_return(payment)


def lose_trust(stage: Stage) -> None:
    """A fund no longer believes who decides elsewhere: what it would owe there is refused. Or it believes again."""
    code, other = stage.dice.sample(list(stage.known.towns), 2)
    keys = stage.apps[f"{other}/{PROJECTS}"].exchange.identity.keyring.current.public
    distrusted = stage.known.towns[code].distrusted
    if other in distrusted:
        stage.ask(f"{code}/{FUND}", lambda: stage.fund(code).dues.add_deciders, Decider(territory=other, keys=keys))
        distrusted.remove(other)
        return
    stage.ask(f"{code}/{FUND}", lambda: stage.fund(code).dues.revoke_deciders, (other, keys.id))
    revoked = "SELECT key FROM deciders WHERE territory = :other AND key = :key AND revoked_at IS NOT NULL"
    if not stage.read(f"{code}/{FUND}", revoked, other=other, key=keys.id):
        raise Wrong(f"{code} revoked who decides in {other}, and believes on")
    distrusted.add(other)
    stage.tell(f"{code} believes {other} no more")


ACTIONS = {statement: 7, statement_again: 1, pay: 9, order: 3, report: 1.5, lose_trust: 1.5}
