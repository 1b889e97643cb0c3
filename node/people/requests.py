"""What every request carries: under which id, by whom, for which purpose. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from node.people.authority import Purpose
from node.people.consents import ConsentPurpose
from node.people.declarations import DeclarationKind
from node.people.delegations import Power
from node.people.four_eyes import Decision, ProposalKind
from node.people.identities import Credential
from node.people.records import CivilRecord, LookupKind, PersonKind
from protocol.identifiers import AccountNumber, Id16


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`id` is the caller's own: the same id with the same content is answered as before. `by` is a person's id."""

    id: Id16
    by: Id16
    purpose: Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Request):
    """Enter the first two officers of the people's base. Once, by whoever keeps the machine: `by` is the first's id."""

    first: CivilRecord
    second: CivilRecord
    second_id: Id16


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter(Request):
    """Enter somebody; `id` becomes the person's id."""

    kind: PersonKind
    record: CivilRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectify(Request):
    person: Id16
    record: CivilRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Request):
    person: Id16
    has_history: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Request):
    """See a list of ids and days that is about nobody in particular."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtCard(Request):
    """See whom or which account a card signs in: by the part of its code that it is found by."""

    found_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtErasure(Request):
    erasure: Id16


@dataclass(frozen=True, slots=True, kw_only=True)
class Find(Request):
    kind: LookupKind
    value: str
    birth_date: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Join(Request):
    """Somebody belongs to a household or group, or does not any more."""

    group: Id16
    member: Id16
    is_member: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFor(Request):
    """Open an account for a person; `id` is the link's id, and the one under which the accounts are asked."""

    person: Id16


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTo(Request):
    """Say that an account that is open already is a person's: the accounts are asked whether it is one of a holder."""

    person: Id16
    account: AccountNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAbout(Request):
    """Ask the accounts what there is of a person's accounts."""

    person: Id16


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(Request):
    person: Id16
    about: ConsentPurpose
    is_given: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose(Request):
    """`body` is JSON of the kind of proposal; `id` becomes the proposal's id."""

    kind: ProposalKind
    subject: Id16 | None
    body: dict[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide(Request):
    proposal: Id16
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegate(Request):
    person: Id16
    delegate: Id16
    powers: frozenset[Power]
    from_day: int
    until_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke(Request):
    """End a delegation, or an identity."""

    person: Id16
    what: Id16


@dataclass(frozen=True, slots=True, kw_only=True)
class Declare(Request):
    person: Id16
    kind: DeclarationKind
    effective_on: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse(Request):
    declaration: Id16


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase(Request):
    """Forget a person. `into`: the account that rights go to, or empty: then they must be gone. `id` is the erasure's."""

    person: Id16
    into: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeErasure(Request):
    """Say where rights go, or take the request back."""

    erasure: Id16
    into: str = ""
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleLost(Request):
    """Somebody saw to what this base did not know of itself when it came back from an old copy."""

    lost: Id16


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrol(Request):
    """A passkey or an account elsewhere signs in as a person from now on."""

    person: Id16
    credential: Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolPaper(Request):
    """A card signs in as a person. The code was made and hashed before: this page does no slow work."""

    person: Id16
    found_by: str
    salt: bytes = field(repr=False)
    hash: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock(Request):
    """Have free accounts opened in advance, for cards to be handed out. Nobody says for whom."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card to be printed: by what it is found, and the hash of its secret."""

    found_by: str
    salt: bytes = field(repr=False)
    hash: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintCards(Request):
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCard(Request):
    """Whoever holds a card says who he is: its account becomes a person's. The code was verified before."""

    identity: Id16
    person: Id16
