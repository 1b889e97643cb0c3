"""The fund's books: every euro that the bank moves is an entry of the same page, numbered without a gap.

What nobody recognised waits in the suspense account until a person says what it was; so the account of the bank always
stands where the bank's own statement stands.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, func, insert, select

from node.fund import bookings
from node.fund.aid_places_store import load_sums_by_place
from node.fund.balances import compute_balances
from node.fund.bookings import AidPart, Writing
from node.fund.chart import (
    Auxiliary,
    BankAccount,
    bearer_auxiliary,
    company_auxiliary,
    donor_auxiliary,
    fund_auxiliary,
)
from node.fund.chart_store import load_chart
from node.fund.days import day_at, day_of, number_of
from node.fund.declarations import FiscalYear
from node.fund.entries import Draft, Entry, Piece, number_drafts
from node.fund.matching import PAYMENTS
from node.fund.netting import NetOutcome, read_subject
from node.fund.openings import open_year
from node.fund.outgoing_payments import read_dues
from node.fund.settings import FundSettings
from node.fund.statements import Movement
from node.fund.tables import bearers, donors, entries, expectations, movements
from node.fund.tags import Place, Purpose, Tag
from protocol.amounts import Cents
from protocol.book.worker import Page

_RANK: Final = 1  # of the one bank account that the fund has today
_FEES: Final = Tag(is_public_appeal=False, purpose=Purpose.RUNNING, place=Place.FRANCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRow:
    """What one account, and who stands behind it, has after all entries of a year. Cents."""

    account: str
    label: str
    auxiliary: str
    debit: int
    credit: int


class Books:
    """Writes what happens to the fund's euros into its journals."""

    def __init__(self, settings: FundSettings) -> None:
        self._settings = settings
        self._bank = BankAccount(iban=settings.account.iban, rank=_RANK)

    def year_of(self, day: datetime.date) -> FiscalYear:
        """Return the fiscal year of a day."""
        return self._settings.year_of(day)

    # What happens.

    def receive(self, page: Page, movement: Movement, donor: bytes, cents: Cents, *, was_waiting: bool) -> None:
        """A deposit: straight from the bank, or out of what waited for a person."""
        kind, auxiliary = _donor_of(page.connection, donor)
        is_public = kind == "individual" and self._settings.takes_from_public

        def write(writing: Writing) -> Draft:
            if kind == "company":
                if was_waiting:
                    return bookings.book_identified_deposit(
                        writing, company=auxiliary, cents=cents, is_public_appeal=False
                    )
                return bookings.book_company_deposit(
                    writing, bank=self._bank, company=auxiliary, cents=cents, is_public_appeal=False
                )
            if was_waiting:
                return bookings.book_identified_gift(writing, donor=auxiliary, cents=cents, is_public_appeal=is_public)
            return bookings.book_gift(
                writing, bank=self._bank, donor=auxiliary, cents=cents, is_public_appeal=is_public
            )

        self._write_movement(page, "deposit", movement, write, is_now=was_waiting)

    def collect(
        self, page: Page, movement: Movement, gifts: Sequence[tuple[bytes, Cents]], *, was_waiting: bool
    ) -> None:
        """Monthly gifts that the bank credited, one line for each donor."""
        told = [(_donor_of(page.connection, donor)[1], cents) for donor, cents in gifts]
        if was_waiting:
            for auxiliary, cents in told:
                self._write_movement(
                    page,
                    "debit",
                    movement,
                    lambda writing, auxiliary=auxiliary, cents=cents: bookings.book_identified_gift(  # type: ignore[misc]
                        writing, donor=auxiliary, cents=cents, is_public_appeal=True
                    ),
                    is_now=True,
                )
            return
        lines = [bookings.DebitedGift(donor=auxiliary, cents=cents) for auxiliary, cents in told]
        self._write_movement(
            page,
            "debit",
            movement,
            lambda writing: bookings.book_debits(writing, bank=self._bank, gifts=lines, is_public_appeal=True),
        )

    def give_back(self, page: Page, movement: Movement, donor: bytes, cents: Cents, *, was_waiting: bool) -> None:
        """A debit that the bank took back."""
        _, auxiliary = _donor_of(page.connection, donor)

        def write(writing: Writing) -> Draft:
            if was_waiting:
                return bookings.book_rejection_identified(writing, donor=auxiliary, cents=cents, is_public_appeal=True)
            return bookings.book_rejected_debit(
                writing, bank=self._bank, donor=auxiliary, cents=cents, is_public_appeal=True
            )

        self._write_movement(page, "debit-returned", movement, write, is_now=was_waiting)

    def wait(self, page: Page, movement: Movement, cents: int) -> None:
        """Euros moved, and nobody knows yet what they were: above zero they came, below they went."""

        def write(writing: Writing) -> Draft:
            if cents > 0:
                return bookings.book_unidentified_receipt(writing, bank=self._bank, cents=Cents(cents))
            return bookings.book_receipt_sent_back(writing, bank=self._bank, cents=Cents(-cents))

        self._write_movement(page, "waiting", movement, write)

    def find_fee(self, page: Page, movement: Movement, cents: Cents) -> None:
        """What went unexplained was a fee of the bank."""
        self._write_movement(
            page,
            "fee",
            movement,
            lambda writing: bookings.book_fee_identified(writing, cents=cents, tag=_FEES),
            is_now=True,
        )

    def decide_aid(self, page: Page, payment: Any) -> None:
        """Two people signed: the fund owes the bearer."""
        parts = _parts(page.connection, payment)
        self._write_payment(
            page,
            "aid-decided",
            payment,
            lambda writing, bearer: bookings.book_aid_decided(writing, bearer=bearer, parts=parts),
        )

    def withdraw_aid(self, page: Page, payment: Any) -> None:
        """Nothing was paid, and nothing is owed any more."""
        parts = _parts(page.connection, payment)
        self._write_payment(
            page,
            "aid-withdrawn",
            payment,
            lambda writing, bearer: bookings.book_aid_withdrawn(writing, bearer=bearer, parts=parts),
        )

    def pay_aid(self, page: Page, movement: Movement, payment: Any, *, was_waiting: bool) -> None:
        """The bank's statement shows the transfer."""
        bearer = _bearer_of(page.connection, payment)
        cents = Cents(payment.cents)

        def write(writing: Writing) -> Draft:
            if was_waiting:
                return bookings.book_aid_identified(writing, bearer=bearer, cents=cents)
            return bookings.book_aid_paid(writing, bank=self._bank, bearer=bearer, cents=cents)

        self._write_movement(page, "aid-paid", movement, write, is_now=was_waiting)

    def return_aid(self, page: Page, movement: Movement, payment: Any, *, was_waiting: bool) -> None:
        """The transfer came back: the fund owes it again."""
        bearer = _bearer_of(page.connection, payment)
        cents = Cents(payment.cents)

        def write(writing: Writing) -> Draft:
            if was_waiting:
                return bookings.book_aid_return_identified(writing, bearer=bearer, cents=cents)
            return bookings.book_aid_returned(writing, bank=self._bank, bearer=bearer, cents=cents)

        self._write_movement(page, "aid-returned", movement, write, is_now=was_waiting)

    def close_window(self, page: Page, outcome: NetOutcome, on: datetime.date) -> None:
        """What we and other funds owed each other is netted: what is left is to be paid."""
        aids = [part for paid in outcome.owed.values() for part in _parts_of(page.connection, paid)]

        def write(writing: Writing) -> Draft:
            return bookings.book_window(
                writing,
                window=outcome.window,
                aids=aids,
                contributions=[Cents(cents) for cents in outcome.owed_by.values()],
                pays=[(fund_auxiliary(other), Cents(cents)) for other, cents in outcome.pays.items()],
                receives=[(fund_auxiliary(other), Cents(cents)) for other, cents in outcome.receives.items()],
            )

        event, today = f"window {outcome.window}", day_at(page.now)
        self.write(page, event, max(on, today), Piece(reference=f"FENETRE-{outcome.window}", on=on), write)

    def pay_net(self, page: Page, movement: Movement, other: str, cents: Cents, *, was_waiting: bool) -> None:
        """The bank's statement shows what we pay another fund at the end of a window."""
        fund = fund_auxiliary(other)

        def write(writing: Writing) -> Draft:
            if was_waiting:
                return bookings.book_aid_identified(writing, bearer=fund, cents=cents)
            return bookings.book_net_paid(writing, bank=self._bank, fund=fund, cents=cents)

        self._write_movement(page, "net-paid", movement, write, is_now=was_waiting)

    def receive_net(self, page: Page, movement: Movement, other: str, cents: Cents, *, was_waiting: bool) -> None:
        """What another fund pays us is here, or what we paid it came back."""
        fund = fund_auxiliary(other)

        def write(writing: Writing) -> Draft:
            if was_waiting:
                return bookings.book_aid_return_identified(writing, bearer=fund, cents=cents)
            return bookings.book_net_received(writing, bank=self._bank, fund=fund, cents=cents)

        self._write_movement(page, "net-received", movement, write, is_now=was_waiting)

    def change_pledge(self, page: Page, pledge: Any, cents: int, event: str) -> None:
        """A company promised so much more, or below zero so much less: off the balance sheet."""
        company = _donor_of(page.connection, pledge.donor)[1]
        piece = Piece(reference=f"PROMESSE-{pledge.number}", on=day_at(pledge.at))
        book = bookings.book_pledge if cents > 0 else bookings.book_pledge_ended
        self.write(
            page,
            event,
            day_at(page.now),
            piece,
            lambda writing: book(writing, company=company, cents=Cents(abs(cents))),
        )

    def pay_pledge(self, page: Page, movement: Movement, donor: bytes, cents: Cents) -> None:
        """What was called of a pledge was paid: it is promised no more."""
        company = _donor_of(page.connection, donor)[1]
        self._write_movement(
            page,
            "pledge-paid",
            movement,
            lambda writing: bookings.book_pledge_ended(writing, company=company, cents=cents),
            is_now=True,
        )

    def owe_refund(self, page: Page, payment: Any) -> None:
        """Two people signed that what waits goes back. Of a payer that nobody knows it waits on, under no name."""
        payer = find_payer(page.connection, payment.refund_of)
        if payer is not None:
            self._write_refund(
                page,
                "refund-decided",
                payment,
                lambda writing: bookings.book_excess_owed(writing, payer=payer, cents=Cents(payment.cents)),
            )

    def withdraw_refund(self, page: Page, payment: Any) -> None:
        """Nothing went back: it waits again."""
        payer = find_payer(page.connection, payment.refund_of)
        if payer is not None:
            self._write_refund(
                page,
                "refund-withdrawn",
                payment,
                lambda writing: bookings.book_excess_waits(writing, payer=payer, cents=Cents(payment.cents)),
            )

    def pay_refund(self, page: Page, movement: Movement, payment: Any, *, was_waiting: bool) -> None:
        """The bank's statement shows that it went back."""
        payer = find_payer(page.connection, payment.refund_of)
        cents = Cents(payment.cents)
        if payer is None and was_waiting:
            return  # it waited when it came and when it left, on the same account

        def write(writing: Writing) -> Draft:
            if payer is None:
                return bookings.book_receipt_sent_back(writing, bank=self._bank, cents=cents)
            if was_waiting:
                return bookings.book_excess_waits(writing, payer=payer, cents=cents)
            return bookings.book_excess_refund(writing, bank=self._bank, company=payer, cents=cents)

        self._write_movement(page, "refund-paid", movement, write, is_now=was_waiting)

    def _write_refund(self, page: Page, event: str, payment: Any, make: Callable[[Writing], Draft]) -> None:
        piece = Piece(reference=payment.end_to_end_id, on=day_at(payment.at))
        self.write(page, f"{event} {bytes(payment.id).hex()}", day_at(page.now), piece, make)

    # How it is written.

    def _write_movement(
        self,
        page: Page,
        event: str,
        movement: Movement,
        make: Callable[[Writing], Draft],
        *,
        is_now: bool = False,
    ) -> None:
        """Write what the bank booked, on its day; what a person found out about it, on the day when he did."""
        assert movement.booked_on is not None
        piece = Piece(reference=movement.bank_reference or movement.id[:16], on=movement.booked_on)
        on = max(day_at(page.now), movement.booked_on) if is_now else movement.booked_on
        self.write(page, f"{event} {movement.id}", on, piece, make)

    def _write_payment(self, page: Page, event: str, payment: Any, make: Callable[[Writing, Auxiliary], Draft]) -> None:
        bearer = _bearer_of(page.connection, payment)
        on = day_at(page.now)
        piece = Piece(reference=payment.end_to_end_id, on=day_at(payment.at))
        self.write(page, f"{event} {bytes(payment.id).hex()}", on, piece, lambda writing: make(writing, bearer))

    def write(self, page: Page, event: str, on: datetime.date, piece: Piece, make: Callable[[Writing], Draft]) -> None:
        """Write one entry of an event, on its day."""
        year = self._settings.year_of(on)
        draft = make(Writing(chart=load_chart(year.first_on), on=on, piece=piece))
        self._keep(page, year, [(event, draft)])

    def _keep(self, page: Page, year: FiscalYear, written: list[tuple[str, Draft]]) -> None:
        connection = page.connection
        closing = number_of(year.last_on)
        lasts: dict[str, int] = {}
        # Never before what was validated already, so that numbers and days of a journal rise together: an entry of a day that our
        # clock has not reached (the bank's, or the hub's) may stand there.
        today = max([day_at(page.now), *(draft.on for _, draft in written)])
        for journal, number, validated_on in connection.execute(
            select(entries.c.journal, func.max(entries.c.number), func.max(entries.c.validated_on))
            .where(entries.c.year == closing)
            .group_by(entries.c.journal)
        ):
            lasts[journal] = int(number)
            today = max(today, day_of(int(validated_on)))
        last = int(connection.execute(select(func.coalesce(func.max(entries.c.no), 0))).scalar_one())
        made = number_drafts([draft for _, draft in written], year=year, last_numbers=lasts, validated_on=today)
        for place, ((event, _), entry) in enumerate(zip(written, made, strict=True), 1):
            connection.execute(
                insert(entries).values(
                    no=last + place,
                    journal=entry.journal.code,
                    year=closing,
                    number=entry.number,
                    day=number_of(entry.draft.on),
                    validated_on=number_of(entry.validated_on),
                    event=event,
                    body=msgspec.json.encode(entry),
                )
            )

    def open_year(self, page: Page, closing: datetime.date) -> int:
        """Write the opening balances of the fiscal year that closes on that day, once; return how many entries."""
        year = self._settings.year_of(closing)
        before = self._settings.year_of(year.first_on - datetime.timedelta(days=1))
        event = f"opening {number_of(year.last_on)}"
        if page.connection.execute(select(entries.c.no).where(entries.c.event == event)).first() is not None:
            return 0
        told = load_entries(page.connection, before)
        piece = Piece(reference=f"CLOTURE-{number_of(before.last_on)}", on=before.last_on)
        drafts = open_year(
            compute_balances(told),
            before=before,
            year=year,
            chart=load_chart(year.first_on),
            piece=piece,
        )
        self._keep(page, year, [(event, draft) for draft in drafts])
        return len(drafts)


def _parts(connection: Connection, payment: Any) -> list[AidPart]:
    """Return what a payment is told by: what its dues' orders say of places; what officers decide themselves is work in France."""
    paid = dict(read_dues(bytes(payment.dues)).dues)
    return _parts_of(connection, paid) if paid else [_part(Place.FRANCE, payment.cents)]


def _parts_of(connection: Connection, paid: Mapping[bytes, int]) -> list[AidPart]:
    return [_part(place, cents) for place, cents in sorted(load_sums_by_place(connection, paid).items())]


def _part(place: Place, cents: int) -> AidPart:
    return AidPart(cents=Cents(cents), tag=Tag(is_public_appeal=False, purpose=Purpose.MISSION, place=place))


def _donor_of(connection: Connection, donor: bytes) -> tuple[str, Auxiliary]:
    row = connection.execute(select(donors).where(donors.c.id == donor)).one()
    if row.kind == "company":
        return "company", company_auxiliary(row.siren, row.name)
    return "individual", donor_auxiliary(row.number)


def find_payer(connection: Connection, movement: str) -> Auxiliary | None:
    """Return who paid what came in, where it was recognised as a payment that was expected of somebody."""
    row = connection.execute(select(movements.c.meaning, movements.c.subject).where(movements.c.id == movement)).one()
    if row.meaning not in PAYMENTS:
        return None
    if (net := read_subject(row.subject)) is not None:
        return fund_auxiliary(net[1])
    asked = select(expectations.c.donor).where(expectations.c.id == bytes.fromhex(row.subject))
    return _donor_of(connection, connection.execute(asked).scalar_one())[1]


def _bearer_of(connection: Connection, payment: Any) -> Auxiliary:
    row = connection.execute(select(bearers).where(bearers.c.id == payment.bearer)).one()
    return bearer_auxiliary(row.registry, row.name)


def load_entries(connection: Connection, year: FiscalYear) -> list[Entry]:
    """Return all entries of a fiscal year, in the order in which they were written."""
    rows = connection.execute(
        select(entries.c.body).where(entries.c.year == number_of(year.last_on)).order_by(entries.c.no)
    )
    return [read_entry(bytes(row.body)) for row in rows]


# Made while modules are imported: see `prepare` of protocol/canonical.py.
_ENTRIES: Final = msgspec.json.Decoder(Entry)


def read_entry(body: bytes) -> Entry:
    """Return the entry of a row. Raises ValueError, Refusal where it was changed by hand."""
    return _ENTRIES.decode(body)


def balance_rows(told: Iterable[Entry]) -> list[BalanceRow]:
    """Return the trial balance, by account number."""
    return [
        BalanceRow(
            account=one.account.number,
            label=one.account.label,
            auxiliary=one.auxiliary.label if one.auxiliary else "",
            debit=one.debit,
            credit=one.credit,
        )
        for one in compute_balances(told)
    ]


def find_year_of(settings: FundSettings, closing_year: int) -> FiscalYear:
    """Return the fiscal year that closes in a civil year."""
    return settings.year_of(settings.close_of(datetime.date(closing_year, 1, 1)))
