"""The fund's base on real books: from an announced payment to the lot, the order to the bank, and the receipt."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest
from lxml import etree
from msgspec.structs import replace

from node.fund.bank_errors import OpeningBalanceWrong, StatementGap, StatementOverlap
from node.fund.deposit_service import load_deposits
from node.fund.expectations import ExpectationState
from node.fund.fund_errors import (
    BearerNotEligible,
    DecisionRefused,
    DonorRefused,
    NothingToOrder,
    NothingToReceipt,
    NothingWaits,
    OfficerRefused,
    PaymentStepRefused,
)
from node.fund.officer_service import NewOfficer, RevokeOfficer
from node.fund.outgoing_payments import WORDS_VERSION, IbanWords, PaymentState, end_to_end_id
from node.fund.payment_service import load_payments
from node.fund.payment_status import PaymentState as BankState
from node.fund.payment_status import StatusReport, Verdict
from node.fund.receipt_service import CancelReceipt, CopyReceipt, IssueReceipt, load_all_issued
from node.fund.receipts import Individual, PostalAddress
from node.fund.references import number_of
from node.fund.statement_service import Decide, load_waiting
from protocol.amounts import Cents
from protocol.errors import IdMismatch
from protocol.house import BaseName, Donor, ExpectPayment, PaymentArrived, PaymentExpected, Refused
from protocol.identifiers import Id16
from protocol.keys import make_keys
from tests.fund.camt_files import Detail, Entry
from tests.fund.fund_world import BAKER, COMPANY, OURS, FundWorld

YEAR = (date(2026, 1, 1), date(2026, 12, 31))


# ---------------------------------------------------------------- what is announced


async def test_partners_announce_a_payment_and_are_told_the_reference(world: FundWorld) -> None:
    expectation = await world.expect(10_000)
    assert number_of(expectation.reference) == expectation.number == 1
    assert world.heard == [PaymentExpected(expectation.id, expectation.reference, OURS)]


async def test_who_is_not_the_partners_announces_nothing_and_what_cannot_be_is_refused(world: FundWorld) -> None:
    world.tell(BAKER, sender=BaseName.ACCOUNTS)
    await world.settle()
    stranger = Donor(world.id(), "552100554", "Le Fournil", "SAS", ("1 rue",), "ABC", "Brest", "FR", (6, 30))
    nobody = ExpectPayment(world.id(), world.id(), "bread", 1, "", world.pool, 5, 20261231)
    world.tell(stranger, nobody)
    await world.settle()
    assert world.heard == [Refused(stranger.id, "donor_refused"), Refused(nobody.id, "not_found")]
    assert world.expectations() == []


async def test_the_same_again_is_answered_again_and_another_under_its_id_is_refused(world: FundWorld) -> None:
    first = await world.expect(10_000)
    again = await world.expect(10_000, id_=first.id)
    assert again == first
    assert world.heard[0] == world.heard[1]
    await world.expect(10_001, id_=first.id)
    assert world.heard[2] == Refused(first.id, "id_mismatch")
    assert len(world.expectations()) == 1


# ---------------------------------------------------------------- what the bank says


async def test_a_confirmed_deposit_issues_the_lot_and_everybody_is_told(world: FundWorld) -> None:
    expectation = await world.expect(10_000)
    taken = world.take(world.statement(world.paid(10_000, reference=expectation.reference)))
    assert (taken.new, taken.deposited, taken.waiting) == (1, 10_000, [])
    await world.settle()
    assert world.issued() == 10_000
    (deposit,) = world.book.read_now(load_deposits)
    assert (deposit.state, deposit.cents, deposit.received_on) == ("issued", 10_000, 20261124)
    assert world.heard[-1] == PaymentArrived(expectation.id, bytes(deposit.id), 10_000, 20261124)
    assert world.expectations()[0].state is ExpectationState.PAID


async def test_the_same_statement_twice_changes_nothing(world: FundWorld) -> None:
    expectation = await world.expect(10_000)
    file = world.statement(world.paid(10_000, reference=expectation.reference))
    world.take(file)
    again = world.take(file)
    assert (again.new, again.statements, again.repeated, again.known) == (0, 0, 1, 1)
    await world.settle()
    assert world.issued() == 10_000


async def test_a_notification_and_then_the_statement_of_the_day_are_one_payment(world: FundWorld) -> None:
    expectation = await world.expect(10_000)
    entry = world.paid(10_000, reference=expectation.reference)
    notice = world.statement(entry, message="camt.054.001.08")
    world.statements, world.balance = 0, 0
    assert world.take(notice).deposited == 10_000
    told = world.take(world.statement(entry))
    assert (told.new, told.known, told.deposited) == (0, 1, 0)
    await world.settle()
    assert world.issued() == 10_000


async def test_pending_money_is_not_there_yet(world: FundWorld) -> None:
    expectation = await world.expect(500)
    entry = world.paid(500, reference=expectation.reference)
    entry.state = "PDNG"
    assert world.take(world.statement(entry)).deposited == 0
    entry.state = "BOOK"
    assert world.take(world.statement(entry)).deposited == 500
    await world.settle()
    assert world.issued() == 500


async def test_too_little_is_taken_and_the_rest_is_still_expected(world: FundWorld) -> None:
    expectation = await world.expect(10_000)
    world.take(world.statement(world.paid(4_000, reference=expectation.reference)))
    await world.settle()
    assert world.issued() == 4_000
    assert world.expectations()[0].left == 6_000
    world.take(world.statement(world.paid(6_000, reference=expectation.reference)))
    await world.settle()
    assert world.issued() == 10_000
    assert world.expectations()[0].state is ExpectationState.PAID


async def test_too_much_waits_for_a_person_who_may_take_it_as_a_gift_too(world: FundWorld) -> None:
    expectation = await world.expect(10_000)
    taken = world.take(world.statement(world.paid(10_500, reference=expectation.reference)))
    (waiting,) = taken.waiting
    await world.settle()
    assert world.issued() == 10_000
    with pytest.raises(DecisionRefused):
        world.write(
            world.fund.statements.decide,
            Decide(movement=waiting, by="anne", expectation=expectation.id, cents=Cents(501)),
        )
    world.write(world.fund.statements.decide, Decide(movement=waiting, by="anne", expectation=expectation.id))
    await world.settle()
    assert world.issued() == 10_500
    assert world.book.read_now(load_waiting) == []
    with pytest.raises(NothingWaits):
        world.write(world.fund.statements.decide, Decide(movement=waiting, by="anne", expectation=expectation.id))


async def test_two_payments_for_one_reference_the_second_waits(world: FundWorld) -> None:
    expectation = await world.expect(10_000)
    pay = [world.paid(10_000, reference=expectation.reference) for _ in range(2)]
    taken = world.take(world.statement(*pay))
    assert taken.deposited == 10_000
    assert len(taken.waiting) == 1
    await world.settle()
    assert world.issued() == 10_000


async def test_what_nobody_expects_waits_with_its_reason_until_somebody_says_what_it_is(world: FundWorld) -> None:
    taken = world.take(world.statement(world.paid(77, text="loyer"), Entry(cents=-250, bank_reference="FEE1")))
    assert len(taken.waiting) == 2
    assert taken.meanings == {"queue": 2}
    with pytest.raises(DecisionRefused):  # a part would let the rest wait for nobody
        Decide(movement=taken.waiting[0], by="anne", reason="known", cents=Cents(7))
    with pytest.raises(DecisionRefused):
        Decide(movement=taken.waiting[0], by="anne", expectation=world.id(), net="net:1:243500139")
    assert [(row.waiting, row.why) for row in world.book.read_now(load_waiting)] == [  # type: ignore[attr-defined]
        (77, "nothing_known"),
        (-250, "nothing_known"),
    ]
    for id_ in taken.waiting:
        world.write(world.fund.statements.decide, Decide(movement=id_, by="anne", reason="known"))
    assert world.book.read_now(load_waiting) == []


async def test_a_batch_told_as_a_sum_and_then_in_detail_is_counted_once(world: FundWorld) -> None:
    first, second = await world.expect(300), await world.expect(700)
    whole = Entry(cents=1_000, bank_reference="BATCH", details=[])
    taken = world.take(world.statement(whole))
    assert len(taken.waiting) == 1
    details = [
        Detail(cents=one.cents, bank_reference=f"B{number}", reference=one.reference)
        for number, one in enumerate((first, second))
    ]
    told = world.statement(Entry(cents=1_000, bank_reference="BATCH", details=details), message="camt.054.001.08")
    world.balance -= 1_000
    assert world.take(told).deposited == 1_000
    await world.settle()
    assert world.issued() == 1_000
    assert world.book.read_now(load_waiting) == []


async def test_a_gap_a_wrong_opening_and_an_older_statement_are_said_and_nothing_is_taken(world: FundWorld) -> None:
    expectation = await world.expect(100)
    world.take(world.statement(world.paid(1, text="x")))
    world.statements += 1
    with pytest.raises(StatementGap):
        world.take(world.statement(world.paid(100, reference=expectation.reference)))
    world.statements, world.balance = 1, 2
    with pytest.raises(OpeningBalanceWrong):
        world.take(world.statement(world.paid(100, reference=expectation.reference)))
    world.statements, world.balance = 0, 1
    with pytest.raises(StatementOverlap):
        world.take(world.statement(world.paid(100, reference=expectation.reference)))
    assert world.expectations()[0].received == 0


# ---------------------------------------------------------------- what is paid out


async def test_a_payment_takes_two_people_goes_out_once_and_is_followed_to_the_statement(world: FundWorld) -> None:
    words = world.pay(world.bearer(), 2_500)
    day = date(2026, 11, 24)
    order = world.write(world.fund.payments.order, day)
    assert order == world.write(world.fund.payments.order, day), "the order of a day is made once"
    tree = etree.fromstring(order.body)
    assert tree.findtext(".//{*}EndToEndId") == end_to_end_id(words.id)
    assert tree.findtext(".//{*}InstdAmt") == "25.00"
    with pytest.raises(NothingToOrder):
        world.write(world.fund.payments.order, date(2026, 11, 25))
    leaving = Entry(cents=-2_500, details=[Detail(cents=-2_500, end_to_end_id=end_to_end_id(words.id))])
    taken = world.take(world.statement(leaving))
    assert taken.meanings == {"transfer_left": 1}
    assert taken.waiting == []
    (payment,) = world.book.read_now(load_payments)
    assert (payment.state, payment.signed) == (PaymentState.CONFIRMED, 2)


async def test_a_transfer_that_comes_back_is_known_again(world: FundWorld) -> None:
    words = world.pay(world.bearer(), 2_500)
    world.write(world.fund.payments.order, date(2026, 11, 24))
    id_ = end_to_end_id(words.id)
    world.take(world.statement(Entry(cents=-2_500, details=[Detail(cents=-2_500, end_to_end_id=id_)])))
    back = Entry(cents=2_500, details=[Detail(cents=2_500, end_to_end_id=id_, reason="AC04")])
    assert world.take(world.statement(back)).meanings == {"transfer_came_back": 1}
    (payment,) = world.book.read_now(load_payments)
    assert (payment.state, payment.code) == (PaymentState.RETURNED, "AC04")


async def test_what_the_bank_rejects_is_noted_and_a_statement_is_believed_more(world: FundWorld) -> None:
    words = world.pay(world.bearer(), 2_500)
    order = world.write(world.fund.payments.order, date(2026, 11, 24))
    verdict = Verdict(state=BankState.REJECTED, code="RJCT", reason="AC04")
    report = StatusReport(message_id=order.id, whole=verdict, groups={}, payments={})
    assert world.write(world.fund.payments.take_report, report) == 1
    assert world.write(world.fund.payments.take_report, report) == 0
    (payment,) = world.book.read_now(load_payments)
    assert (payment.state, payment.code) == (PaymentState.REJECTED, "AC04")
    id_ = end_to_end_id(words.id)
    world.take(world.statement(Entry(cents=-2_500, details=[Detail(cents=-2_500, end_to_end_id=id_)])))
    (payment,) = world.book.read_now(load_payments)
    assert payment.state == PaymentState.CONFIRMED


async def test_one_person_twice_a_stranger_a_revoked_officer_and_other_words_sign_nothing(world: FundWorld) -> None:
    bearer = world.bearer()
    anne = world.officer("anne")
    world.officer("bob")
    words = world.words(bearer, 2_500)
    sign = world.fund.payments.sign
    assert world.write(sign, world.sign("anne", words)) is PaymentState.ASKED
    assert world.write(sign, world.sign("anne", words)) is PaymentState.ASKED, "the same person again"
    other = world.words(bearer, 2_501)
    bent = world.sign("bob", other)
    with pytest.raises(OfficerRefused):
        world.write(sign, type(bent)(words=words, officer=bent.officer, signature=bent.signature))
    more = type(words)(*(3_000 if name == "cents" else getattr(words, name) for name in words.__struct_fields__))
    with pytest.raises(IdMismatch):
        world.write(sign, world.sign("bob", more))
    world.write(world.fund.officers.revoke, RevokeOfficer(key=anne))
    with pytest.raises(OfficerRefused):
        world.write(sign, world.sign("anne", other))
    with pytest.raises(NothingToOrder):
        world.write(world.fund.payments.order, date(2026, 11, 24))


async def test_one_person_with_two_keys_is_one_and_a_revoked_key_is_half_of_no_pair(world: FundWorld) -> None:
    bearer, sign = world.bearer(), world.fund.payments.sign
    anne, bob = world.officer("anne"), world.officer("bob")
    world.officers["anne again"] = make_keys(world.entropy(64))
    public = world.officers["anne again"].public
    world.write(world.fund.officers.add, NewOfficer(key=public.id, name="anne", signing=public.signing))
    words = world.words(bearer, 2_500)
    world.write(sign, world.sign("anne", words))
    with pytest.raises(OfficerRefused, match="another key"):
        world.write(sign, world.sign("anne again", words))
    world.write(world.fund.officers.revoke, RevokeOfficer(key=anne))
    assert world.write(sign, world.sign("anne again", words)) is PaymentState.ASKED, "the lost key is half of no pair"
    assert world.write(sign, world.sign("bob", words)) is PaymentState.SIGNED
    # Revoked between the second signature and the order: it waits until it is taken back.
    world.write(world.fund.officers.revoke, RevokeOfficer(key=bob))
    with pytest.raises(NothingToOrder):
        world.write(world.fund.payments.order, date(2026, 11, 24))
    assert world.write(world.fund.payments.cancel, words.id) is PaymentState.CANCELLED


async def test_a_bearer_without_proof_is_not_paid_even_if_it_ran_out_after_the_signatures(world: FundWorld) -> None:
    world.officer("anne")
    lapsed = world.bearer(proven_until=20251231)
    with pytest.raises(BearerNotEligible):
        world.write(world.fund.payments.sign, world.sign("anne", world.words(lapsed, 100)))
    world.pay(world.bearer(proven_until=20261130), 100)
    with pytest.raises(NothingToOrder):
        world.write(world.fund.payments.order, date(2026, 12, 1))


async def test_a_signature_that_came_when_nothing_might_go_out_is_not_kept_and_may_come_again(world: FundWorld) -> None:
    for name in ("anne", "bob"):
        world.officer(name)
    bearer = world.bearer(proven_until=20261130)
    words, sign = world.words(bearer, 100), world.fund.payments.sign
    assert world.write(sign, world.sign("anne", words)) is PaymentState.ASKED
    world.later(30)
    with pytest.raises(BearerNotEligible):
        world.write(sign, world.sign("bob", words))
    world.write(world.fund.bearers.keep, dataclasses.replace(bearer, proven_until=20271231))
    assert world.write(sign, world.sign("bob", words)) is PaymentState.SIGNED


async def test_another_account_takes_two_people_and_two_days(world: FundWorld) -> None:
    bearer = world.bearer()
    world.officer("anne")
    world.officer("bob")
    change = world.fund.bearers.change_ibans
    words = IbanWords(WORDS_VERSION, "200046977", world.id(), bearer.id, bearer.holder_name, "DE75512108001245126199")
    world.write(change, world.sign("anne", words))
    with pytest.raises(OfficerRefused):
        world.write(change, world.sign("anne", words))
    assert world.write(change, world.sign("bob", words)) == "47 hours"
    world.pay(bearer, 100)
    first = world.write(world.fund.payments.order, date(2026, 11, 24))
    assert b"FR14" in first.body
    assert b"DE75" not in first.body
    world.later(2)
    assert world.write(world.fund.bearers.apply_due, None) == 1
    world.pay(bearer, 100)
    second = world.write(world.fund.payments.order, date(2026, 11, 26))
    assert b"DE75" in second.body
    assert world.words(bearer, 100).iban == "DE75512108001245126199"


async def test_a_change_of_account_holds_only_while_both_keys_do(world: FundWorld) -> None:
    """Somebody sees within the two days that a key was stolen, and revokes it: the thief's account is never paid."""
    bearer = world.bearer()
    thief = world.officer("anne")
    words = IbanWords(WORDS_VERSION, "200046977", world.id(), bearer.id, bearer.holder_name, "DE75512108001245126199")
    for name in ("anne", "bob"):
        if name not in world.officers:
            world.officer(name)
        world.write(world.fund.bearers.change_ibans, world.sign(name, words))
    world.write(world.fund.officers.revoke, RevokeOfficer(key=thief))
    with pytest.raises(OfficerRefused, match="ask anew"):  # the other sees that it will not hold
        world.write(world.fund.bearers.change_ibans, world.sign("bob", words))
    world.later(3)
    assert world.write(world.fund.bearers.apply_due, None) == 0
    world.officer("claire")
    paid = world.words(bearer, 100)
    for name in ("bob", "claire"):
        world.write(world.fund.payments.sign, world.sign(name, paid))
    order = world.write(world.fund.payments.order, date(2026, 11, 27))
    assert (b"FR14" in order.body, b"DE75" in order.body) == (True, False)


async def test_a_change_whose_second_key_was_revoked_is_asked_anew(world: FundWorld) -> None:
    bearer, other = world.bearer(), world.officer("bob")
    world.officer("anne")
    world.officer("claire")
    words = IbanWords(WORDS_VERSION, "200046977", world.id(), bearer.id, bearer.holder_name, "DE75512108001245126199")
    for name in ("anne", "bob"):
        world.write(world.fund.bearers.change_ibans, world.sign(name, words))
    world.write(world.fund.officers.revoke, RevokeOfficer(key=other))
    with pytest.raises(OfficerRefused, match="who confirmed it signs no more"):
        world.write(world.fund.bearers.change_ibans, world.sign("claire", words))


async def test_what_was_signed_for_an_account_that_is_another_by_now_waits_until_it_is_taken_back(
    world: FundWorld,
) -> None:
    """The account changed the day before: what was signed for the old one goes out until the change holds, and not after."""
    bearer = world.bearer()
    old = world.pay(bearer, 100)
    words = IbanWords(WORDS_VERSION, "200046977", world.id(), bearer.id, bearer.holder_name, "DE75512108001245126199")
    for name in ("anne", "bob"):
        world.write(world.fund.bearers.change_ibans, world.sign(name, words))
    world.later(3)
    with pytest.raises(NothingToOrder):
        world.write(world.fund.payments.order, date(2026, 11, 27))
    with pytest.raises(IdMismatch):
        world.write(world.fund.payments.sign, world.sign("anne", replace(old, id=world.id())))
    assert world.write(world.fund.payments.cancel, Id16(old.id)) is PaymentState.CANCELLED
    world.pay(bearer, 100)
    order = world.write(world.fund.payments.order, date(2026, 11, 28))
    assert (order.cents, b"FR14" in order.body, b"DE75" in order.body) == (100, False, True)


async def test_what_is_with_the_bank_is_not_taken_back(world: FundWorld) -> None:
    first, second = world.pay(world.bearer(), 100), world.pay(world.bearer(), 200)
    cancel = world.fund.payments.cancel
    assert world.write(cancel, Id16(first.id)) is PaymentState.CANCELLED
    assert world.write(world.fund.payments.order, date(2026, 11, 24)).cents == 200
    with pytest.raises(PaymentStepRefused):
        world.write(cancel, Id16(second.id))


# ---------------------------------------------------------------- receipts


async def test_receipts_have_no_gap_are_frozen_and_cover_each_euro_once(world: FundWorld) -> None:
    expectation = await world.expect(10_000)
    world.take(world.statement(*[world.paid(cents, reference=expectation.reference) for cents in (4_000, 6_000)]))
    issue = world.fund.receipts.issue
    asked = IssueReceipt(donor=COMPANY, first_on=YEAR[0], last_on=YEAR[1])
    first = world.write(issue, asked)
    assert str(first.receipt.number) == "FD-200046977-2026-000001"
    assert first.receipt.cents == 10_000
    assert len(first.receipt.payments) == 2
    with pytest.raises(NothingToReceipt):
        world.write(issue, asked)
    world.write(world.fund.receipts.cancel, CancelReceipt(number=str(first.receipt.number), reason="wrong address"))
    second = world.write(
        issue,
        IssueReceipt(donor=COMPANY, first_on=YEAR[0], last_on=YEAR[1], replaces=str(first.receipt.number)),
    )
    assert second.receipt.number.sequence == 2
    assert second.receipt.replaces == first.receipt.number
    kept = world.book.read_now(load_all_issued)
    assert [one.state for one in kept] == ["cancelled", "issued"]
    assert kept[0].cancellation is not None
    assert kept[0].cancellation.replaced_by == second.receipt.number
    copied = world.write(world.fund.receipts.copy, CopyReceipt(number=str(second.receipt.number)))
    assert len(copied.duplicates) == 1


async def test_what_a_company_gave_is_not_made_another_company_s(world: FundWorld) -> None:
    """Neither by the treasurer nor by the companies' base: a receipt names who gave."""
    expected = await world.expect(10_000)
    other = replace(BAKER, siren="732829320", name="Another")
    world.write(world.fund.keep_companies, other)  # nothing was given yet: a mistake is mended
    world.write(world.fund.keep_companies, BAKER)
    world.take(world.statement(world.paid(10_000, reference=expected.reference)))
    with pytest.raises(DonorRefused):
        world.write(world.fund.keep_companies, other)
    world.write(world.fund.keep_companies, replace(BAKER, name="The same, otherwise"))


async def test_a_gift_of_a_citizen_is_outside_the_miles_and_has_its_own_receipt(world: FundWorld) -> None:
    from node.fund.donor_service import keep_individual

    person = Individual(
        name="Kerros", first_name="Soazig", address=PostalAddress(street="3 rue X", postcode="29200", town="Brest")
    )
    id_ = world.id()
    world.write(lambda page, items: [keep_individual(page, id_, item) for item in items], person)
    gift = world.gift(3_000, id_)
    taken = world.take(world.statement(world.paid(3_000, reference=gift.reference)))
    assert taken.deposited == 3_000
    await world.settle()
    assert world.issued() == 0
    assert world.heard == []
    receipt = world.write(world.fund.receipts.issue, IssueReceipt(donor=id_, first_on=YEAR[0], last_on=YEAR[1]))
    assert receipt.receipt.donor == person
    assert receipt.receipt.form_version == "11580*05"


async def test_money_that_gives_no_right_gets_no_receipt(world: FundWorld) -> None:
    expectation = await world.expect(10_000, lot_class=4)
    world.take(world.statement(world.paid(10_000, reference=expectation.reference)))
    with pytest.raises(NothingToReceipt):
        world.write(world.fund.receipts.issue, IssueReceipt(donor=COMPANY, first_on=YEAR[0], last_on=YEAR[1]))
