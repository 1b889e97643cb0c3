"""Declarations from a base that lived: the prefect's list, a company's sheet, the register of receipts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.bearer_service import Bearer
from node.fund.declaration_csv import write_receipts_register
from node.fund.declaration_service import load_company_sheet, load_prefect_list
from node.fund.declarations import CompanySheet, FiscalYear, share_counterpart
from node.fund.donor_service import keep_individual
from node.fund.outgoing_payments import end_to_end_id
from node.fund.receipt_errors import InvalidDeclaration
from node.fund.receipt_service import CancelReceipt, IssueReceipt, load_all_issued
from node.fund.receipts import Individual, PostalAddress
from node.fund.references import Iban
from protocol.book.worker import Page
from tests.fund.camt_files import Detail, Entry
from tests.fund.fund_world import BEARER_IBAN, COMPANY, FundWorld

YEAR = FiscalYear(first_on=date(2026, 1, 1), last_on=date(2026, 12, 31))


def bearer(world: FundWorld, **told: str) -> Bearer:
    one = Bearer(
        id=world.id(),
        name="Les Jardins",
        registry="W291234567",
        category="intérêt général",
        proof="rescrit",
        proven_until=20271231,
        holder_name="LES JARDINS",
        iban=Iban(BEARER_IBAN),
        **told,
    )
    kept: Bearer = world.write(world.fund.bearers.keep, one)
    return kept


async def test_the_prefects_list_holds_what_left_what_came_and_what_is_foreign(world: FundWorld) -> None:
    expectation = await world.expect(10_000)
    abroad = world.id()

    def keep(page: Page, items: Sequence[Individual]) -> list[None]:
        for item in items:
            keep_individual(page, abroad, item)
        return [None for _ in items]

    address = PostalAddress(street="1 rue Y", postcode="1000", town="Bruxelles", country="Belgique")
    world.write(keep, Individual(name="Peeters", first_name="An", address=address))
    gift = world.gift(700, abroad)
    world.take(
        world.statement(world.paid(10_000, reference=expectation.reference), world.paid(700, reference=gift.reference))
    )
    body = bearer(world, seat="4 rue Z, 29200 Brest", mail="bureau@example.org", phone="+33 2 98 00 00 00")
    for cents in (2_000, 500):
        words = world.pay(body, cents)
        world.write(world.fund.payments.order, date(2026, 11, 24 + cents // 2_000))
        detail = Detail(cents=-cents, end_to_end_id=end_to_end_id(words.id), bank_reference=f"P{cents}")
        world.take(world.statement(Entry(cents=-cents, details=[detail])))
    world.pay(body, 9)  # signed, and not paid: no redistribution yet
    told = world.book.read_now(lambda line: load_prefect_list(line, YEAR))
    assert [(row.code, row.mail, row.cents) for row in told.redistributions] == [
        ("W291234567", "bureau@example.org", 2_500)
    ]
    assert [(row.donor, row.nature, row.cents) for row in told.liberalities] == [
        ("An Peeters", "Don manuel", 700),
        ("Le Fournil", "Mécénat", 10_000),
    ]
    assert [(row.name, row.country, row.cents) for row in told.foreign] == [("An Peeters", "Belgique", 700)]
    next_year = FiscalYear(first_on=date(2027, 1, 1), last_on=date(2027, 12, 31))
    empty = world.book.read_now(lambda line: load_prefect_list(line, next_year))
    assert (empty.redistributions, empty.liberalities, empty.foreign) == ((), (), ())


async def test_a_bearer_without_seat_and_mail_is_named_before_a_list_goes_out(world: FundWorld) -> None:
    words = world.pay(bearer(world), 100)
    world.write(world.fund.payments.order, date(2026, 11, 24))
    world.take(world.statement(Entry(cents=-100, details=[Detail(cents=-100, end_to_end_id=end_to_end_id(words.id))])))
    with pytest.raises(InvalidDeclaration):
        world.book.read_now(lambda line: load_prefect_list(line, YEAR))


async def test_a_companys_sheet_has_its_gifts_by_date_and_what_it_got_above_the_threshold(world: FundWorld) -> None:
    expectation = await world.expect(2_000_000)

    def sheet(counterpart: int) -> CompanySheet:
        return world.book.read_now(
            lambda line: load_company_sheet(
                line,
                COMPANY,
                FiscalYear(first_on=date(2026, 7, 1), last_on=date(2027, 6, 30)),
                counterpart=counterpart,
                beneficiary="Fonds",
                beneficiary_code="200046977",
                threshold_cents=1_000_000,
            )
        )

    world.take(world.statement(world.paid(1_000_000, reference=expectation.reference)))
    assert not sheet(0).must_detail
    world.take(world.statement(world.paid(3, reference=expectation.reference)))
    told = sheet(1_001)
    assert told.must_detail
    assert [(gift.cents, gift.counterpart_cents) for gift in told.gifts] == [(3, 0), (1_000_000, 1_001)]
    assert sum(gift.counterpart_cents for gift in told.gifts) == told.counterpart_cents == 1_001


async def test_the_register_keeps_cancelled_receipts(world: FundWorld) -> None:
    expectation = await world.expect(10_000)
    world.take(world.statement(world.paid(10_000, reference=expectation.reference)))
    asked = IssueReceipt(donor=COMPANY, first_on=YEAR.first_on, last_on=YEAR.last_on)
    first = world.write(world.fund.receipts.issue, asked)
    world.write(world.fund.receipts.cancel, CancelReceipt(number=str(first.receipt.number), reason="adresse; fausse"))
    world.write(
        world.fund.receipts.issue,
        IssueReceipt(donor=COMPANY, first_on=YEAR.first_on, last_on=YEAR.last_on, replaces=str(first.receipt.number)),
    )
    lines = write_receipts_register(world.book.read_now(load_all_issued)).splitlines()
    assert lines[0].startswith("Numéro;Formulaire;Donateur;")
    assert lines[1].startswith("FD-200046977-2026-000001;")
    assert '"adresse; fausse";FD-200046977-2026-000002;0' in lines[1]
    assert ";100,00;" in lines[2]
    assert ";délivré;" in lines[2]


@given(st.integers(0, 10**9), st.lists(st.integers(1, 10**9), min_size=1, max_size=20))
def test_no_cent_of_a_counterpart_is_lost_and_each_part_is_its_proportion(cents: int, gifts: list[int]) -> None:
    parts = share_counterpart(cents, gifts)
    assert sum(parts) == cents
    for part, gift in zip(parts, gifts, strict=True):
        assert abs(part * sum(gifts) - cents * gift) < sum(gifts)


def test_something_in_return_of_nothing_is_refused() -> None:
    assert share_counterpart(0, []) == []
    with pytest.raises(InvalidDeclaration):
        share_counterpart(1, [])
