"""What the base knows for a fund's declarations: whom it paid, who gave, and what came from abroad."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select

from node.fund.days import day_of, number_of
from node.fund.declarations import (
    CompanyGift,
    CompanySheet,
    FiscalYear,
    ForeignResource,
    ForeignSource,
    Liberality,
    PrefectList,
    Redistribution,
    list_for_prefect,
    make_company_sheet,
    share_counterpart,
)
from node.fund.deposits import DepositState
from node.fund.donor_service import load_sheet, read_sheet
from node.fund.fund_errors import FundUnknown
from node.fund.outgoing_payments import PaymentState
from node.fund.receipts import Company
from node.fund.tables import bearers, deposits, donors, movements, payments
from protocol.amounts import Cents

AID: Final = "Aide financière"
FRANCE: Final = "France"
_NATURES: Final = {"company": "Mécénat", "individual": "Don manuel"}


def load_prefect_list(connection: Connection, year: FiscalYear) -> PrefectList:
    """Return the list of a year. Raises InvalidDeclaration where a bearer has no seat, mail or phone.

    A gift counts on the day when its euro came, a redistribution on the day when the bank booked it.
    """
    first, last = number_of(year.first_on), number_of(year.last_on)
    paid = connection.execute(
        select(payments.c.cents, bearers)
        .join(bearers, bearers.c.id == payments.c.bearer)
        .join(movements, movements.c.id == payments.c.movement)
        .where(payments.c.state == PaymentState.CONFIRMED, movements.c.booked_on.between(first, last))
        .order_by(payments.c.number)
    ).all()
    given = connection.execute(
        select(deposits.c.cents, deposits.c.received_on, donors.c.kind, donors.c.name, donors.c.body)
        .join(donors, donors.c.id == deposits.c.donor)
        .where(deposits.c.state != DepositState.UNDONE, deposits.c.received_on.between(first, last))
        .order_by(deposits.c.no)
    ).all()
    foreign = []
    for row in given:
        sheet = read_sheet(row.kind, bytes(row.body))
        if sheet.address.country != FRANCE:
            foreign.append(
                ForeignResource(
                    received_on=day_of(row.received_on),
                    source=ForeignSource.LEGAL_PERSON if row.kind == "company" else ForeignSource.NON_RESIDENT,
                    name=row.name,
                    country=sheet.address.country,
                    nature=_NATURES[row.kind],
                    cents=Cents(row.cents),
                )
            )
    return list_for_prefect(
        year,
        redistributions=[
            Redistribution(
                code=row.registry,
                name=row.name,
                seat=row.seat,
                mail=row.mail,
                phone=row.phone,
                nature=AID,
                cents=Cents(row[0]),
            )
            for row in paid
        ],
        liberalities=[
            Liberality(
                received_on=day_of(row.received_on),
                donor=row.name,
                nature=_NATURES[row.kind],
                cents=Cents(row.cents),
            )
            for row in given
        ],
        foreign=foreign,
    )


def load_company_sheet(
    connection: Connection,
    donor: bytes,
    year: FiscalYear,
    *,
    counterpart: int,
    beneficiary: str,
    beneficiary_code: str,
    threshold_cents: int,
) -> CompanySheet:
    """Return the 2069-RCI sheet of a company and one of *its* fiscal years. Raises FundUnknown, InvalidDeclaration.

    `counterpart`: what it got in return in that year, as the partners' register says; shared over its gifts.
    """
    sheet, _ = load_sheet(connection, donor)
    if not isinstance(sheet, Company):
        raise FundUnknown(path=f"company {donor.hex()}")
    rows = connection.execute(
        select(deposits.c.cents, deposits.c.received_on)
        .where(
            deposits.c.donor == donor,
            deposits.c.received_on.between(number_of(year.first_on), number_of(year.last_on)),
        )
        .order_by(deposits.c.received_on, deposits.c.no)
    ).all()
    parts = share_counterpart(counterpart, [row.cents for row in rows])
    return make_company_sheet(
        company=sheet.name,
        siren=sheet.siren,
        year=year,
        gifts=[
            CompanyGift(
                given_on=day_of(row.received_on),
                cents=Cents(row.cents),
                beneficiary=beneficiary,
                beneficiary_code=beneficiary_code,
                counterpart_cents=Cents(part),
            )
            for row, part in zip(rows, parts, strict=True)
        ],
        threshold_cents=threshold_cents,
    )
