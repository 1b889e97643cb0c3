"""What the companies' base tells the others of a campaign and of its donor, within what those messages hold. Pure."""

from __future__ import annotations

import datetime
import textwrap
from typing import Final

from node.partners.campaigns import Campaign
from node.partners.companies import Company
from node.partners.errors import CompanyNotComplete
from node.partners.grants import shorten_words
from protocol.amounts import Cents
from protocol.house import Donor, ExpectPayment, OpenPool, Pledge
from protocol.identifiers import Id16, format_id
from protocol.times import write_day

# Flags of a lot's class, as the ledger has them: a test holds the two together.
ELIGIBLE: Final = 1
SOUTH_FIT: Final = 4
RESTRICTED: Final = 8
CALLED: Final = 16

_LINE_MAX: Final = 70
_LINES_MAX: Final = 3


def make_donor(company: Company, donor: Id16) -> Donor:
    """Return the company as receipts name it. Raises CompanyNotComplete where the fund's forms do not hold it."""
    address = company.address
    for field, text, length_max in (
        ("name", company.name, 120),
        ("postcode", address.postcode, 12),
        ("city", address.city, 60),
    ):
        if len(text) > length_max:
            raise CompanyNotComplete(field=field, reason=f"at most {length_max} symbols on a receipt")
    lines = tuple(textwrap.wrap(address.street, _LINE_MAX))
    if not 1 <= len(lines) <= _LINES_MAX:
        raise CompanyNotComplete(field="street", reason=f"at most {_LINES_MAX} lines of {_LINE_MAX} symbols")
    return Donor(
        id=donor,
        siren=company.siren,
        name=company.name,
        legal_form=company.legal_form,
        address=lines,
        postcode=address.postcode,
        commune=address.city,
        country=address.country,
        year_end=(company.year_end.month, company.year_end.day),
    )


def make_opening(asked: Id16, campaign: Campaign) -> OpenPool:
    """Return the question for a pool. Its shown name is the campaign's title, cut."""
    return OpenPool(asked, shorten_words(campaign.terms.title))


def make_expectation(
    id_: Id16, campaign: Campaign, *, donor: Id16, pool: str, cents: Cents, due: datetime.date
) -> ExpectPayment:
    """Return what the fund is told to expect. A lot of another campaign never mixes with it: its id is the name.

    What a company does not bind to a territory or a theme may be ceded to a community of the South: whether a programme
    there may be paid is decided where it is paid.
    """
    restriction = campaign.terms.restriction
    return ExpectPayment(
        id=id_,
        donor=donor,
        campaign=format_id(campaign.id),
        lot_class=_class_of(campaign),
        restriction="" if restriction is None else restriction.value,
        into=pool,
        cents=cents,
        due=write_day(due),
    )


def make_pledge(id_: Id16, campaign: Campaign, *, donor: Id16, pool: str) -> Pledge:
    """Return what the fund is told of a called campaign: up to its ceiling, as long as it gives."""
    restriction = campaign.terms.restriction
    return Pledge(
        id=id_,
        donor=donor,
        campaign=format_id(campaign.id),
        lot_class=_class_of(campaign) | CALLED,
        restriction="" if restriction is None else restriction.value,
        into=pool,
        cents=campaign.terms.ceilings.campaign,
        until=write_day(campaign.terms.closes_on),
    )


def _class_of(campaign: Campaign) -> int:
    return ELIGIBLE | (SOUTH_FIT if campaign.terms.restriction is None else RESTRICTED)
