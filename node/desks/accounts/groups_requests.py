"""What programs send about groups with a guide, as typed structs. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from node.desks.accounts.requests import AccountText, Id, read_account
from node.guides.acts import ACT_BYTES_MAX, SignedAct, read_signed_act
from node.guides.service import DeclareGroup, GiveConsent, JoinGroup
from protocol.errors import Malformed
from protocol.identifiers import AccountNumber, TerritoryCode, parse_id

_DIGITS: Final = 64


class GroupRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A group's account is moved by a guide alone from now on."""

    id: Id
    account: AccountText


class MemberRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody is in the group, by his account."""

    id: Id
    member: AccountText


class ConsentRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A member consents to a guide's accreditation, from today for so many days."""

    id: Id
    guide: Id
    member: AccountText
    days: Annotated[int, Meta(ge=0, le=100_000)]


class MandateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole group consents on paper: its SHA-256, for so many days. The paper stays with the office."""

    id: Id
    guide: Id
    sha256: Annotated[str, Meta(min_length=_DIGITS, max_length=_DIGITS)]
    days: Annotated[int, Meta(ge=0, le=100_000)]


class ActRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a guide signed, as hexadecimal digits (`group sign`)."""

    signed: Annotated[str, Meta(max_length=4 * ACT_BYTES_MAX)]


def read_group(asked: GroupRequest, home: TerritoryCode) -> DeclareGroup:
    """Return what is asked. Raises Malformed."""
    return DeclareGroup(op=parse_id(asked.id), account=read_account(asked.account, home))


def read_member(asked: MemberRequest, account: AccountNumber, home: TerritoryCode) -> JoinGroup:
    """Return what is asked. Raises Malformed."""
    return JoinGroup(op=parse_id(asked.id), account=account, member=read_account(asked.member, home))


def read_consent(asked: ConsentRequest, account: AccountNumber, home: TerritoryCode) -> GiveConsent:
    """Return what is asked. Raises Malformed."""
    return GiveConsent(
        op=parse_id(asked.id),
        account=account,
        guide=parse_id(asked.guide),
        days=asked.days,
        member=read_account(asked.member, home),
    )


def read_mandate(asked: MandateRequest, account: AccountNumber) -> GiveConsent:
    """Return what is asked. Raises Malformed."""
    try:
        digest = bytes.fromhex(asked.sha256)
    except ValueError:
        raise Malformed(field="sha256", reason="64 hexadecimal digits") from None
    return GiveConsent(
        op=parse_id(asked.id), account=account, guide=parse_id(asked.guide), days=asked.days, digest=digest
    )


def read_act_request(asked: ActRequest) -> SignedAct:
    """Return the signed words. Raises ActRefused, NotCanonical."""
    return read_signed_act(asked.signed)
