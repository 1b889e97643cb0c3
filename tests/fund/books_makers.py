"""A fund, its people and its events, for the tests of its books."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from hypothesis import strategies as st

from node.fund import bookings
from node.fund.bookings import AidPart, BoundSource, DebitedGift, Endowment, Writing
from node.fund.chart import (
    BankAccount,
    bearer_auxiliary,
    company_auxiliary,
    donor_auxiliary,
    earmark_auxiliary,
    fund_auxiliary,
)
from node.fund.chart_store import load_chart
from node.fund.declarations import FiscalYear
from node.fund.entries import Draft, Entry, Piece, number_drafts
from node.fund.references import Iban
from node.fund.tags import Origin, Place, Purpose, Tag
from protocol.amounts import Cents

SIREN = "732829320"
YEAR = FiscalYear(first_on=datetime.date(2026, 1, 1), last_on=datetime.date(2026, 12, 31))
NEXT_YEAR = FiscalYear(first_on=datetime.date(2027, 1, 1), last_on=datetime.date(2027, 12, 31))
CHART = load_chart(YEAR.first_on)
BANK = BankAccount(iban=Iban("FR7630006000011234567890189"), rank=1)
OTHER_BANK = BankAccount(iban=Iban("FR7630001007941234567890185"), rank=12)
COMPANY = company_auxiliary("552100554", "Au Bon Pain")
DONOR = donor_auxiliary(42)
BEARER = bearer_auxiliary("W691234567", "Les Jardins partagés")
EARMARK = earmark_auxiliary("EAU", "Eau")
DAY = datetime.date(2026, 3, 4)
PIECE = Piece(reference="RELEVE-2026-03", on=datetime.date(2026, 3, 3))
WRITING = Writing(chart=CHART, on=DAY, piece=PIECE)
MISSION = Tag(is_public_appeal=True, purpose=Purpose.MISSION, place=Place.FRANCE)
FUND = fund_auxiliary("243500139")
ABROAD = Tag(is_public_appeal=False, purpose=Purpose.MISSION, place=Place.ABROAD)
RUNNING = Tag(is_public_appeal=False, purpose=Purpose.RUNNING, place=Place.FRANCE)

cents = st.integers(1, 10**12).map(Cents)
banks = st.sampled_from([BANK, OTHER_BANK])
spending_tags = st.builds(
    Tag, is_public_appeal=st.booleans(), purpose=st.sampled_from(Purpose), place=st.sampled_from(Place)
)
aid_tags = st.builds(
    Tag, is_public_appeal=st.booleans(), purpose=st.just(Purpose.MISSION), place=st.sampled_from(Place)
)
days = st.dates(YEAR.first_on, YEAR.last_on)
references = st.text(alphabet="ABCDEFabcé0123456789-/", min_size=1, max_size=20)
pieces = st.builds(Piece, reference=references, on=days)
writings = st.builds(Writing, chart=st.just(CHART), on=days, piece=pieces)
aid_parts = st.lists(st.builds(AidPart, cents=cents, tag=aid_tags), min_size=1, max_size=4)
donors = st.integers(1, 10**6).map(donor_auxiliary)
sources = st.sampled_from(BoundSource)
appeals = st.booleans()


def make_window_entry(writing: Writing, *, aids: list[AidPart], contributed: list[Cents]) -> Draft:
    """Return the entry of a window, whose rest is paid to another fund, or by one."""
    rest = sum(part.cents for part in aids) - sum(contributed)
    return bookings.book_window(
        writing,
        window=1,
        aids=aids,
        contributions=contributed,
        pays=[(FUND, Cents(rest))] if rest > 0 else [],
        receives=[(FUND, Cents(-rest))] if rest < 0 else [],
    )


# Every function of bookings.py, by its name, with all that it can be given.
BOOKINGS: dict[str, st.SearchStrategy[Draft]] = {
    "book_endowment": st.builds(
        bookings.book_endowment, writings, bank=banks, kind=st.sampled_from(Endowment), cents=cents
    ),
    "book_liberality": st.builds(
        bookings.book_liberality, writings, bank=banks, giver=donors, origin=st.sampled_from(Origin), cents=cents
    ),
    "book_endowment_consumed": st.builds(bookings.book_endowment_consumed, writings, cents=cents),
    "book_company_deposit": st.builds(
        bookings.book_company_deposit,
        writings,
        bank=banks,
        company=st.just(COMPANY),
        cents=cents,
        excess=st.one_of(st.just(Cents(0)), cents),
        is_public_appeal=appeals,
    ),
    "book_excess_refund": st.builds(
        bookings.book_excess_refund, writings, bank=banks, company=st.just(COMPANY), cents=cents
    ),
    "book_gift": st.builds(
        bookings.book_gift, writings, bank=banks, donor=donors, cents=cents, is_public_appeal=appeals
    ),
    "book_debits": st.builds(
        bookings.book_debits,
        writings,
        bank=banks,
        gifts=st.lists(st.builds(DebitedGift, donor=donors, cents=cents), min_size=1, max_size=5),
        is_public_appeal=appeals,
    ),
    "book_rejected_debit": st.builds(
        bookings.book_rejected_debit, writings, bank=banks, donor=donors, cents=cents, is_public_appeal=appeals
    ),
    "book_rejection_identified": st.builds(
        bookings.book_rejection_identified, writings, donor=donors, cents=cents, is_public_appeal=appeals
    ),
    "book_unidentified_receipt": st.builds(bookings.book_unidentified_receipt, writings, bank=banks, cents=cents),
    "book_identified_deposit": st.builds(
        bookings.book_identified_deposit,
        writings,
        company=st.just(COMPANY),
        cents=cents,
        excess=st.one_of(st.just(Cents(0)), cents),
        is_public_appeal=appeals,
    ),
    "book_identified_gift": st.builds(
        bookings.book_identified_gift, writings, donor=donors, cents=cents, is_public_appeal=appeals
    ),
    "book_receipt_sent_back": st.builds(bookings.book_receipt_sent_back, writings, bank=banks, cents=cents),
    "book_aid_identified": st.builds(bookings.book_aid_identified, writings, bearer=st.just(BEARER), cents=cents),
    "book_aid_return_identified": st.builds(
        bookings.book_aid_return_identified, writings, bearer=st.just(BEARER), cents=cents
    ),
    "book_excess_owed": st.builds(bookings.book_excess_owed, writings, payer=donors, cents=cents),
    "book_excess_waits": st.builds(bookings.book_excess_waits, writings, payer=donors, cents=cents),
    "book_fee_identified": st.builds(bookings.book_fee_identified, writings, cents=cents, tag=spending_tags),
    "book_aid_decided": st.builds(bookings.book_aid_decided, writings, bearer=st.just(BEARER), parts=aid_parts),
    "book_aid_paid": st.builds(bookings.book_aid_paid, writings, bank=banks, bearer=st.just(BEARER), cents=cents),
    "book_aid_returned": st.builds(
        bookings.book_aid_returned, writings, bank=banks, bearer=st.just(BEARER), cents=cents
    ),
    "book_aid_withdrawn": st.builds(bookings.book_aid_withdrawn, writings, bearer=st.just(BEARER), parts=aid_parts),
    "book_window": st.builds(make_window_entry, writings, aids=aid_parts, contributed=st.lists(cents, max_size=3)),
    "book_net_paid": st.builds(bookings.book_net_paid, writings, bank=banks, fund=st.just(FUND), cents=cents),
    "book_net_received": st.builds(bookings.book_net_received, writings, bank=banks, fund=st.just(FUND), cents=cents),
    "book_bank_fee": st.builds(bookings.book_bank_fee, writings, bank=banks, cents=cents, tag=spending_tags),
    "book_dedicated": st.builds(
        bookings.book_dedicated,
        writings,
        source=sources,
        earmark=st.just(EARMARK),
        cents=cents,
        is_public_appeal=appeals,
    ),
    "book_dedicated_used": st.builds(
        bookings.book_dedicated_used,
        writings,
        source=sources,
        earmark=st.just(EARMARK),
        cents=cents,
        kept=st.just(Cents(10**12)),
        is_public_appeal=appeals,
    ),
    "book_pledge": st.builds(bookings.book_pledge, writings, company=st.just(COMPANY), cents=cents),
    "book_pledge_ended": st.builds(bookings.book_pledge_ended, writings, company=st.just(COMPANY), cents=cents),
    "book_volunteering": st.builds(bookings.book_volunteering, writings, cents=cents, tag=spending_tags),
    "book_result_allotted": st.builds(
        bookings.book_result_allotted, writings, result=st.integers(-(10**12), 10**12).filter(bool)
    ),
}
drafts = st.one_of(list(BOOKINGS.values()))


def number(drafts: Sequence[Draft], year: FiscalYear = YEAR, validated_on: datetime.date | None = None) -> list[Entry]:
    """Number drafts in the order of their days, validated on their day or on the one that is given."""
    entries: list[Entry] = []
    last: dict[str, int] = {}
    for draft in sorted(drafts, key=lambda draft: draft.on):
        made = number_drafts([draft], year=year, last_numbers=last, validated_on=validated_on or draft.on)
        last[draft.journal.code] = made[0].number
        entries += made
    return entries


entries_of_a_year = st.lists(drafts, max_size=8).map(number)
