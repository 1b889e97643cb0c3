"""Who gives: companies as their own base tells them, citizens as they told the fund. For receipts, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from node.fund.fund_errors import AppealNotAuthorised, DonorRefused, FundUnknown
from node.fund.receipts import Company, Individual, PostalAddress
from node.fund.seal_store import change
from node.fund.tables import deposits, donors
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.house import Donor
from protocol.identifiers import Id16

FRANCE = "FR"


def read_company(told: Donor) -> Company:
    """Return a company as receipts print it. Raises DonorRefused where no receipt could be made of it."""
    try:
        return Company(
            name=told.name,
            legal_form=told.legal_form,
            siren=told.siren,
            address=PostalAddress(
                street=told.address[0],
                complement=", ".join(told.address[1:]),
                postcode=told.postcode,
                town=told.commune,
                country="France" if told.country == FRANCE else told.country,
            ),
        )
    except Refusal as refusal:
        raise DonorRefused(**{"field": "donor", "reason": refusal.code, **refusal.facts}) from None


def keep_company(page: Page, told: Donor) -> None:
    """Keep a company, or what is new of it. Raises DonorRefused."""
    _keep(page, Id16(told.id), read_company(told), told.year_end[0] * 100 + told.year_end[1])


def keep_individual(page: Page, id_: Id16, person: Individual) -> None:
    """Keep a person who gives to the fund directly."""
    _keep(page, id_, person, 1231)


def _keep(page: Page, id_: Id16, sheet: Company | Individual, year_end: int) -> None:
    is_company = isinstance(sheet, Company)
    values: Mapping[str, Any] = {
        "kind": "company" if is_company else "individual",
        "siren": sheet.siren if isinstance(sheet, Company) else "",
        "name": sheet.name if isinstance(sheet, Company) else f"{sheet.first_name} {sheet.name}",
        "body": msgspec.json.encode(sheet),
        "year_end": year_end,
        "at": page.now,
    }
    row = page.connection.execute(select(donors.c.kind, donors.c.siren).where(donors.c.id == id_)).first()
    known = None if row is None else row.kind
    if row is not None and row.siren != values["siren"] and _has_given(page.connection, id_):
        # Its receipts name who gave: another company is another donor.
        raise DonorRefused(field="siren", reason=f"what {row.siren} gave is not another's")
    if known is None:
        number = int(page.connection.execute(select(func.coalesce(func.max(donors.c.number), 0))).scalar_one()) + 1
        page.connection.execute(insert(donors).values(number=number, id=id_, **values))
    elif known != values["kind"]:
        raise DonorRefused(field="kind", reason=f"it is a {known}")
    else:
        change(page.connection, update(donors).where(donors.c.id == id_).values(**values))


def _has_given(connection: Connection, id_: Id16) -> bool:
    return connection.execute(select(deposits.c.no).where(deposits.c.donor == id_).limit(1)).first() is not None


def load_sheet(connection: Connection, id_: bytes) -> tuple[Company | Individual, int]:
    """Return a donor as receipts print it, and its year end (mmdd). Raises FundUnknown."""
    row = connection.execute(select(donors).where(donors.c.id == id_)).first()
    if row is None:
        raise FundUnknown(path=f"donor {id_.hex()}")
    return read_sheet(row.kind, bytes(row.body)), int(row.year_end)


# Made while modules are imported: see `prepare` of protocol/canonical.py.
_COMPANIES: Final = msgspec.json.Decoder(Company)
_INDIVIDUALS: Final = msgspec.json.Decoder(Individual)


def read_sheet(kind: str, body: bytes) -> Company | Individual:
    """Return the sheet of a row."""
    return _COMPANIES.decode(body) if kind == "company" else _INDIVIDUALS.decode(body)


def require_no_citizen(connection: Connection, id_: bytes) -> None:
    """Raises AppealNotAuthorised where a donor is a person."""
    if connection.execute(select(donors.c.kind).where(donors.c.id == id_)).scalar() == "individual":
        raise AppealNotAuthorised


def find_donor(connection: Connection, name: str) -> Id16:
    """Return the id of a donor named by SIREN or by id. Raises FundUnknown."""
    if len(name) == 32:
        try:
            wanted = bytes.fromhex(name)
        except ValueError:
            raise FundUnknown(path=f"donor {name}") from None
        found = connection.execute(select(donors.c.id).where(donors.c.id == wanted)).scalars().all()
    else:
        siren = "".join(name.split()) or "-"
        found = connection.execute(select(donors.c.id).where(donors.c.siren == siren)).scalars().all()
    if len(found) != 1:
        raise FundUnknown(path=f"donor {name}")
    return Id16(bytes(found[0]))
