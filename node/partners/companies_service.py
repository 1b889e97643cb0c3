"""Enter companies, their groups, their own accounts, their fiscal years and turnovers."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, select

from node.partners import tables
from node.partners.answering import answer_each
from node.partners.ceilings import FiscalCalendar, FiscalYear
from node.partners.companies import Company, CompanyGroup, PostalAddress, Siren, YearEnd, group_of
from node.partners.errors import CompanyUnknown
from node.partners.grants import make_id
from node.partners.letters import make_donor
from node.partners.outbox_service import Outbox
from node.partners.seals import seal
from protocol.amounts import Cents, require_balance
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.house import BaseName
from protocol.identifiers import AccountNumber, Id16, require_number
from protocol.times import read_day, write_day

_companies = tables.companies


class Circle(NamedTuple):
    """Whom a company may not give to: itself and its group, and the accounts that are theirs."""

    group: frozenset[Siren]
    accounts: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAccount:
    """An account that belongs to a company. Raises InvalidAddress."""

    siren: Siren
    account: AccountNumber

    def __post_init__(self) -> None:
        require_number(self.account)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedYears:
    """The fiscal years of a company that are named one by one, the first of all and those that a change made."""

    siren: Siren
    years: tuple[FiscalYear, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """Of the fiscal year that starts on that day, without tax. Raises InvalidAmount."""

    siren: Siren
    starts_on: datetime.date
    cents: Cents

    def __post_init__(self) -> None:
        require_balance(self.cents)


class CompanyDesk:
    """Operations for the book's writer, on companies."""

    def __init__(self, outbox: Outbox, *, entropy: Callable[[int], bytes], months_max: int) -> None:
        self._outbox = outbox
        self._entropy = entropy
        self._months_max = months_max
        self._circles: dict[Siren, Circle] = {}  # of committed pages only; the book has one writer

    def save(self, page: Page, items: Sequence[Company]) -> list[Id16 | Refusal]:
        """Enter each company, or change it; return its donor id. The fund learns of a change of one that gave."""
        return answer_each(items, lambda company: self._save(page, company))

    def _save(self, page: Page, company: Company) -> Id16:
        found = find_donor(page.connection, company.siren)
        donor = found or make_id(page.now, self._entropy(10))
        values = {
            "siren": company.siren,
            "donor": donor,
            "legal_form": company.legal_form,
            "name": company.name,
            "street": company.address.street,
            "postcode": company.address.postcode,
            "city": company.address.city,
            "country": company.address.country,
            "end_month": company.year_end.month,
            "end_day": company.year_end.day,
        }
        # Looked at before anything is written: a company that no receipt could name is not entered.
        letter = make_donor(company, donor)
        if found is None:
            page.connection.execute(_companies.insert().values(at=page.now, **seal("companies", values)))
            return donor
        told_at = page.connection.execute(
            select(_companies.c.told_at).where(_companies.c.siren == company.siren)
        ).scalar()
        if load_company(page.connection, company.siren) == company:
            return donor
        page.connection.execute(
            _companies.update().where(_companies.c.siren == company.siren).values(**seal("companies", values))
        )
        if told_at is not None:
            self._outbox.send(page, BaseName.FUND, letter)
        return donor

    def introduce(self, page: Page, siren: Siren) -> Id16:
        """Tell the fund how receipts name the company, once; return its donor id. Raises CompanyUnknown."""
        company = load_company(page.connection, siren)
        row = page.connection.execute(
            select(_companies.c.donor, _companies.c.told_at, _companies.c.code).where(_companies.c.siren == siren)
        ).one()
        donor = Id16(bytes(row[0]))
        if row[1] is None or row[2]:
            self._outbox.send(page, BaseName.FUND, make_donor(company, donor))
            page.connection.execute(
                _companies.update().where(_companies.c.siren == siren).values(told_at=page.now, code="")
            )
        return donor

    def save_groups(self, page: Page, items: Sequence[CompanyGroup]) -> list[Id16]:
        """Enter each group, or say anew who is in it."""
        members, groups = tables.group_members, tables.groups
        for group in items:
            page.connection.execute(members.delete().where(members.c.group_id == group.id))
            page.connection.execute(groups.delete().where(groups.c.id == group.id))
            page.connection.execute(groups.insert().values(**seal("groups", {"id": group.id, "name": group.name})))
            page.connection.execute(
                members.insert(),
                [seal("group_members", {"group_id": group.id, "siren": siren}) for siren in sorted(group.members)],
            )
        self.forget(page)
        return [group.id for group in items]

    def save_accounts(self, page: Page, items: Sequence[OwnAccount]) -> list[AccountNumber | Refusal]:
        """Note which accounts are a company's own. One that was another's is this one's from now on."""
        table = tables.company_accounts
        answers: list[AccountNumber | Refusal] = []
        for item in items:
            if find_donor(page.connection, item.siren) is None:
                answers.append(CompanyUnknown(siren=item.siren))
                continue
            page.connection.execute(table.delete().where(table.c.account == item.account))
            page.connection.execute(
                table.insert().values(**seal("company_accounts", {"account": item.account, "siren": item.siren}))
            )
            answers.append(item.account)
        self.forget(page)
        return answers

    def save_years(self, page: Page, items: Sequence[NamedYears]) -> list[Siren | Refusal]:
        """Name fiscal years of companies, in place of those named before."""
        table = tables.fiscal_years
        answers: list[Siren | Refusal] = []
        for item in items:
            try:
                company = load_company(page.connection, item.siren)
                FiscalCalendar(named=item.years, year_end=company.year_end, months_max=self._months_max)
            except Refusal as refusal:
                answers.append(refusal)
                continue
            page.connection.execute(table.delete().where(table.c.siren == item.siren))
            page.connection.execute(
                table.insert(),
                [
                    seal(
                        "fiscal_years",
                        {
                            "siren": item.siren,
                            "starts_on": write_day(year.starts_on),
                            "ends_on": write_day(year.ends_on),
                        },
                    )
                    for year in item.years
                ],
            )
            answers.append(item.siren)
        return answers

    def save_turnovers(self, page: Page, items: Sequence[Turnover]) -> list[Siren | Refusal]:
        """Note the turnover of a fiscal year, in place of what was noted before."""
        table = tables.turnovers
        answers: list[Siren | Refusal] = []
        for item in items:
            if find_donor(page.connection, item.siren) is None:
                answers.append(CompanyUnknown(siren=item.siren))
                continue
            day = write_day(item.starts_on)
            page.connection.execute(table.delete().where(table.c.siren == item.siren, table.c.starts_on == day))
            page.connection.execute(
                table.insert().values(**seal("turnovers", {"siren": item.siren, "starts_on": day, "cents": item.cents}))
            )
            answers.append(item.siren)
        return answers

    def take_refusal(self, page: Page, donor: Id16, code: str) -> bool:
        """Note that the fund could not take a company; tell whether it is one."""
        done = page.connection.execute(_companies.update().where(_companies.c.donor == donor).values(code=code))
        return bool(done.rowcount)

    def circle(self, page: Page, siren: Siren) -> Circle:
        """Return whom the company may not give to."""
        known = self._circles.get(siren)
        if known is None:
            known = load_circle(page.connection, siren)
            if CompanyDesk not in page.memo:  # what this page changed may still be rolled back
                self._circles[siren] = known
        return known

    def forget(self, page: Page) -> None:
        """What is remembered of companies may be otherwise after this page."""
        page.memo[CompanyDesk] = True
        self._circles.clear()


def find_donor(connection: Connection, siren: Siren) -> Id16 | None:
    """Return the id by which other bases know a company, or None."""
    donor = connection.execute(select(_companies.c.donor).where(_companies.c.siren == siren)).scalar()
    return None if donor is None else Id16(bytes(donor))


def load_company(connection: Connection, siren: Siren) -> Company:
    """Return the company. Raises CompanyUnknown."""
    row = connection.execute(select(_companies).where(_companies.c.siren == siren)).first()
    if row is None:
        raise CompanyUnknown(siren=siren)
    return Company(
        siren=Siren(row.siren),
        legal_form=row.legal_form,
        name=row.name,
        address=PostalAddress(street=row.street, postcode=row.postcode, city=row.city, country=row.country),
        year_end=YearEnd(month=row.end_month, day=row.end_day),
    )


def list_companies(connection: Connection) -> list[Company]:
    """Return all companies, by SIREN."""
    sirens = connection.execute(select(_companies.c.siren).order_by(_companies.c.siren)).scalars().all()
    return [load_company(connection, Siren(siren)) for siren in sirens]


def load_groups(connection: Connection) -> list[CompanyGroup]:
    """Return all groups."""
    members: dict[bytes, set[Siren]] = {}
    table = tables.group_members
    for group_id, siren in connection.execute(select(table.c.group_id, table.c.siren)):
        members.setdefault(bytes(group_id), set()).add(Siren(siren))
    return [
        CompanyGroup(id=Id16(bytes(row.id)), name=row.name, members=frozenset(members[bytes(row.id)]))
        for row in connection.execute(select(tables.groups).order_by(tables.groups.c.id))
    ]


def load_circle(connection: Connection, siren: Siren) -> Circle:
    """Return a company with its group, and the accounts that are theirs."""
    group = group_of(siren, load_groups(connection))
    table = tables.company_accounts
    accounts = connection.execute(select(table.c.account).where(table.c.siren.in_(group))).scalars()
    return Circle(group, frozenset(accounts))


def find_years(connection: Connection, siren: Siren) -> tuple[FiscalYear, ...]:
    """Return the fiscal years that are named."""
    table = tables.fiscal_years
    rows = connection.execute(
        select(table.c.starts_on, table.c.ends_on).where(table.c.siren == siren).order_by(table.c.starts_on)
    )
    return tuple(FiscalYear(starts_on=read_day(row[0]), ends_on=read_day(row[1])) for row in rows)
