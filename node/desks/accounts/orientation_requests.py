"""What programs send to direct rights to projects, as typed structs. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from node.catalogue.listing import parse_place
from node.desks.accounts.requests import AccountText, Id, read_account
from node.ledger.draws import Draws
from node.ledger.lots import LotId
from node.orientation.directions import CHOICES_MAX, NAMED_LOTS_MAX, Choice, Direct, Overflow
from node.orientation.service import TakeBackAsked
from node.orientation.standing import COARSE, Basis, Preference, StandingOrder
from protocol.amounts import Cents
from protocol.errors import Malformed
from protocol.identifiers import Address, TerritoryCode, parse_address, parse_id, tidy_address, write_address

_LOT_MAX: Final = 2**62


class NamedLot(Struct, frozen=True, forbid_unknown_fields=True):
    """A lot, by the number that the balance shows, and how much of it."""

    lot: Annotated[int, Meta(ge=1, le=_LOT_MAX)]
    cents: int


class ChoiceItem(Struct, frozen=True, forbid_unknown_fields=True):
    """One project, here or far. Without `cents` it gets what the other choices leave."""

    to: AccountText
    cents: int | None = None
    lots: Annotated[list[NamedLot], Meta(max_length=NAMED_LOTS_MAX)] = []


class OrientationRequest(Struct, frozen=True, forbid_unknown_fields=True, rename={"giver": "from"}):
    """Direct rights to one or several projects, in this order. `overflow` is next or back."""

    id: Id
    giver: AccountText
    choices: Annotated[list[ChoiceItem], Meta(min_length=1, max_length=CHOICES_MAX)]
    overflow: Annotated[str, Meta(max_length=10)] = "back"
    anonymous: bool = False


class OrientationReturnRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Take back an orientation, or a part of it."""

    id: Id
    cents: int | None = None


class StandingRequest(Struct, frozen=True, forbid_unknown_fields=True, rename={"giver": "from"}):
    """Direct a share, in thousandths, again and again. `basis` is held or received, `preference` listed, urgency, distance."""

    id: Id
    giver: AccountText
    share: int
    basis: Annotated[str, Meta(max_length=10)] = "held"
    period_days: int = 30
    preference: Annotated[str, Meta(max_length=10)] = "listed"
    theme: Annotated[str, Meta(max_length=40)] = ""
    projects: Annotated[list[AccountText], Meta(max_length=CHOICES_MAX)] = []
    everywhere: bool = False
    near: Annotated[str, Meta(max_length=40)] = ""
    within_km: Annotated[int, Meta(ge=0, le=20_100)] = 0


def read_standing(asked: StandingRequest, home: TerritoryCode) -> StandingOrder:
    """Return what is asked. Raises Malformed."""
    try:
        basis, preference = Basis(asked.basis), Preference(asked.preference)
    except ValueError:
        raise Malformed(field="basis", reason="held or received; listed, urgency or distance") from None
    return StandingOrder(
        op=parse_id(asked.id),
        account=read_account(asked.giver, home),
        share=asked.share,
        basis=basis,
        period_days=asked.period_days,
        preference=preference,
        theme=asked.theme,
        projects=tuple(_read_project(one, home) for one in asked.projects),
        is_everywhere=asked.everywhere,
        near=_read_coarse_place(asked.near) if asked.near else None,
        within_m=asked.within_km * 1_000,
    )


def _read_coarse_place(text: str) -> tuple[int, int]:
    """Return a place to a hundredth of a degree: where somebody lives is not to be read from it."""
    latitude, longitude = parse_place(text)
    return round(latitude / COARSE) * COARSE, round(longitude / COARSE) * COARSE


def read_orientation(asked: OrientationRequest, home: TerritoryCode) -> Direct:
    """Return what is asked. Raises Malformed."""
    account = read_account(asked.giver, home)
    return Direct(
        op=parse_id(asked.id),
        account=account,
        choices=tuple(
            Choice(to=_read_project(one.to, home), cents=one.cents, draws=_read_draws(one)) for one in asked.choices
        ),
        overflow=_read_overflow(asked.overflow),
        giver="" if asked.anonymous else write_address(account, home),
    )


def read_orientation_return(asked: OrientationReturnRequest, orientation: str) -> TakeBackAsked:
    """Return what is asked of an orientation. Raises Malformed."""
    return TakeBackAsked(op=parse_id(asked.id), orientation=parse_id(orientation), cents=asked.cents)


def _read_project(text: str, home: TerritoryCode) -> Address:
    tidy = tidy_address(text)
    return parse_address(tidy) if "@" in tidy else Address(read_account(tidy, home), home)


def _read_draws(item: ChoiceItem) -> Draws | None:
    return tuple((LotId(one.lot), Cents(one.cents)) for one in item.lots) if item.lots else None


def _read_overflow(text: str) -> Overflow:
    try:
        return Overflow(text)
    except ValueError:
        raise Malformed(field="overflow", reason="overflow is next or back") from None
