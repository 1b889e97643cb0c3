"""All steps of the people's base that have a door, and the commands that have none. Pure.

Whatever is about somebody is asked in a body, never in a query: addresses stand in logs of proxies, and a name is in none.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from node.doors.duties import Duty
from node.doors.shapes import Account, Day, KnownId, Line, OwnId
from node.doors.steps import FileAnswer, Step, Steps
from node.people.authority import Purpose
from node.people.consents import ConsentPurpose
from node.people.declarations import DeclarationKind
from node.people.four_eyes import Decision, ProposalKind
from node.people.lost import LostKind
from node.people.records import LookupKind, PersonKind
from protocol.running.openapi import Api

PEOPLE_DUTIES: Final = (Duty.READER, Duty.REGISTRAR, Duty.DISTRIBUTOR, Duty.GOVERNOR, Duty.AUDITOR)
REGISTRAR: Final = (Duty.REGISTRAR,)
DISTRIBUTOR: Final = (Duty.DISTRIBUTOR,)
GOVERNOR: Final = (Duty.GOVERNOR,)
DayOrNone = Annotated[str, Meta(pattern="^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
Field = Annotated[str, Meta(max_length=400)]
Text = Annotated[str, Meta(max_length=20_000)]
Digits = Annotated[str, Meta(max_length=8_192, pattern="^([0-9a-f]{2})+$")]
Code = Annotated[str, Meta(min_length=1, max_length=80)]
Repeat = bool | UnsetType


class Carried(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What each carries: the caller's id, and why; `by` is the officer of the key, and nobody else."""

    id: OwnId
    purpose: Purpose = Purpose.REQUEST_OF_PERSON
    by: Line = ""


class Governed(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What moves roles, rules or texts."""

    purpose: Purpose = Purpose.GOVERNANCE


class Handed(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What hands out accounts on paper."""

    purpose: Purpose = Purpose.SOLIDARITY


class EnterRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody new: the id becomes the person's."""

    purpose: Purpose = Purpose.ENROLMENT
    kind: PersonKind = PersonKind.PERSON
    name: Field
    birth_date: DayOrNone = ""
    address: Field = ""
    email: Field = ""
    telephone: Field = ""


class EnteredAnswer(Struct, frozen=True):
    """Who it is from now on."""

    person: str
    kind: str
    is_repeat: Repeat = UNSET


class RectifiedAnswer(Struct, frozen=True):
    """Whose record it is, and its version."""

    person: str
    version: int
    is_repeat: Repeat = UNSET


class RectifyRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole record anew."""

    person: KnownId
    name: Field
    birth_date: DayOrNone = ""
    address: Field = ""
    email: Field = ""
    telephone: Field = ""


class PersonRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """About one person."""

    person: KnownId


class ReadRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One record, with what it was before where that is asked."""

    person: KnownId
    history: bool = False


class RecordVersion(Struct, frozen=True):
    """What a record was."""

    version: int
    at: str
    name: str
    birth_date: str
    address: str
    email: str
    telephone: str


class AccountSheet(Struct, frozen=True):
    """An account of a person, as the accounts last told it."""

    link: str
    account: str
    kind: str
    state: str
    is_frozen: bool
    cents: int
    reserved_cents: int
    in_flight_cents: int
    movements: int
    shows_name: bool
    opened_at: str
    closed_at: str
    told_at: str
    code: str


class RecordAnswer(Struct, frozen=True):
    """A record and its accounts. The person sees who read it."""

    person: str
    kind: str
    version: int
    name: str
    birth_date: str
    address: str
    email: str
    telephone: str
    accounts: list[AccountSheet]
    history: list[RecordVersion] | UnsetType = UNSET


class FindRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """By e-mail address, by telephone, or by name and birth date."""

    kind: LookupKind
    value: Field
    birth_date: DayOrNone = ""


class FoundAnswer(Struct, frozen=True):
    """Ids, to be read one by one."""

    persons: list[str]


class JoinRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody belongs to a household or group, or does not any more."""

    group: KnownId
    member: KnownId
    is_member: bool = True


class JoinAnswer(Struct, frozen=True):
    """Whether he belongs to it."""

    group: str
    member: str
    is_member: bool
    is_repeat: Repeat = UNSET


class JournalLine(Struct, frozen=True):
    """Who did what to a record, why."""

    at: str
    by: str
    action: str
    purpose: str
    what: str


class JournalAnswer(Struct, frozen=True):
    """The oldest first."""

    rows: list[JournalLine]


class OpenRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An account for a person: the accounts learn that somebody wants one, and not who."""

    purpose: Purpose = Purpose.ENROLMENT
    person: KnownId


class LinkRequest(OpenRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An account that is open already is a person's."""

    account: Account


class LinkAnswer(Struct, frozen=True):
    """The accounts are asked."""

    link: str
    state: str
    is_repeat: Repeat = UNSET


class ExportAnswer(Struct, frozen=True):
    """Everything about a person by table; as application/zip with JSON, CSV and a page that says what it is."""

    accounts_answered: bool
    export: dict[str, Any]


class ConsentRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody agrees to the newest text, or takes it back."""

    person: KnownId
    about: ConsentPurpose
    is_given: bool


class ConsentAnswer(Struct, frozen=True):
    """Of which version."""

    purpose: str
    version: int
    is_given: bool
    is_repeat: Repeat = UNSET


class TextLine(Struct, frozen=True):
    """One version of a text to be agreed to."""

    purpose: str
    version: int
    french: str
    english: str


class TextsAnswer(Struct, frozen=True):
    """All versions of all texts."""

    rows: list[TextLine]


class ProposalBody(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is proposed: a role (`base` in capitals, `duty`, days), the `role` that ends, a text, or the value of a rule.

    `word` and `key`: how that base knows the officer, of a new role or of the `role` that is there (kind `name_role`).
    """

    base: Line | UnsetType = UNSET
    duty: Line | UnsetType = UNSET
    from_day: DayOrNone | UnsetType = UNSET
    until_day: DayOrNone | UnsetType = UNSET
    role: KnownId | UnsetType = UNSET
    word: Line | UnsetType = UNSET
    key: Line | UnsetType = UNSET
    purpose: ConsentPurpose | UnsetType = UNSET
    french: Text | UnsetType = UNSET
    english: Text | UnsetType = UNSET
    rule: Line | UnsetType = UNSET
    value: Line | UnsetType = UNSET


class ProposeRequest(Governed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A role, its end, a text or a rule: nothing moves until another officer approves with a key of his own."""

    kind: ProposalKind
    body: ProposalBody
    person: KnownId | UnsetType = UNSET


class DecideProposalRequest(Governed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Approve or reject what another proposed; withdraw what one proposed."""

    proposal: KnownId
    decision: Decision


class ProposalAnswer(Struct, frozen=True):
    """The proposal's state."""

    proposal: str
    state: str
    is_repeat: Repeat = UNSET


class ProposalsRequest(Governed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Those that wait, or all."""

    all: bool = False


class ProposalLine(Struct, frozen=True):
    """A proposal; `body` is JSON of its kind."""

    proposal: str
    kind: str
    person: str
    body: str
    by: str
    state: str


class ProposalsAnswer(Struct, frozen=True):
    """Proposals."""

    rows: list[ProposalLine]


class RoleLine(Struct, frozen=True):
    """Who has which duty at which base: by id. Days are whole numbers yyyymmdd.

    `word` and `key` are how that base knows him; `keys_state` says whether it heard that the duty is over: named, told, placed, or
    unplaced where it knows neither.
    """

    role: str
    person: str
    base: str
    duty: str
    from_day: int
    until_day: int | None
    in_force: bool
    word: str
    key: str
    keys_state: str
    doors_ended: int
    signers_ended: int


class RolesAnswer(Struct, frozen=True):
    """Roles."""

    rows: list[RoleLine]


class RulesAnswer(Struct, frozen=True):
    """The rules in force."""

    rights_after_death: str
    rights_after_dormancy: str
    reversible_days: str


class DeclareRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A death or a dormancy, since when."""

    purpose: Purpose = Purpose.LEGAL_DUTY
    person: KnownId
    kind: DeclarationKind
    on: Day


class DeclaredAnswer(Struct, frozen=True):
    """Until when it can be taken back."""

    declaration: str
    reversible_until: str
    is_repeat: Repeat = UNSET


class ReverseRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The declaration that is taken back."""

    declaration: KnownId


class ReversedAnswer(Struct, frozen=True):
    """The declaration's state."""

    declaration: str
    state: str
    is_repeat: Repeat = UNSET


class DeclarationLine(Struct, frozen=True):
    """A declaration."""

    declaration: str
    person: str
    kind: str
    effective_on: str
    declared_on: str
    declared_by: str
    reversible_until: str
    state: str
    ended_on: str
    rule: str


class DeclarationsRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All declarations."""

    purpose: Purpose = Purpose.LEGAL_DUTY


class DeclarationsAnswer(Struct, frozen=True):
    """Declarations."""

    rows: list[DeclarationLine]


class DelegateRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who may act for another; `powers` with commas: read, rectify, orient, cede."""

    person: KnownId
    delegate: KnownId
    powers: Line
    from_day: Day
    until_day: Day


class DelegatedAnswer(Struct, frozen=True):
    """The delegation."""

    delegation: str
    powers: str
    is_repeat: Repeat = UNSET


class WhatRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What of a person's ends: a delegation, or an identity."""

    person: KnownId
    what: KnownId


class UndelegatedAnswer(Struct, frozen=True):
    """The delegation's state."""

    delegation: str
    state: str
    is_repeat: Repeat = UNSET


class EnrolRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What signs in as a person: a passkey (`credential`, `public_key` in hexadecimal), or an account elsewhere (OIDC)."""

    person: KnownId
    kind: Literal["passkey", "oidc"]
    credential: Digits | UnsetType = UNSET
    public_key: Digits | UnsetType = UNSET
    issuer: Annotated[str, Meta(max_length=500)] | UnsetType = UNSET
    subject: Annotated[str, Meta(max_length=500)] | UnsetType = UNSET


class EnrolledAnswer(Struct, frozen=True):
    """The identity."""

    identity: str
    kind: str
    is_repeat: Repeat = UNSET


class PaperAnswer(Struct, frozen=True):
    """The identity, and its code: shown once, empty where it was asked before."""

    identity: str
    kind: str
    code: str
    is_repeat: Repeat = UNSET


class IdentityEndedAnswer(Struct, frozen=True):
    """The identity's state."""

    identity: str
    state: str
    is_repeat: Repeat = UNSET


class IdentityLine(Struct, frozen=True):
    """By what somebody signs in: no secret of it."""

    identity: str
    kind: str
    state: str
    attempts_left: int | None


class IdentitiesAnswer(Struct, frozen=True):
    """A person's identities."""

    rows: list[IdentityLine]


class CodeRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A code on paper: a wrong one costs one of a few attempts. Whose card it is sees who tried."""

    code: Code


class CodeAnswer(Struct, frozen=True):
    """Who or which account it signs in."""

    identity: str
    person: str
    account: str


class StockRequest(Handed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """So many free accounts, opened in advance."""

    count: Annotated[int, Meta(ge=1, le=500)]


class StockAnswer(Struct, frozen=True):
    """So many were asked of the accounts."""

    asked: int
    is_repeat: Repeat = UNSET


class PrintRequest(StockRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """So many cards, all alike."""

    format: Literal["pdf", "text"] = "pdf"


class PrintAnswer(Struct, frozen=True):
    """The file in base64: its codes are told once, and stand nowhere else; none are printed where they were before."""

    cards: int
    printed: int
    file: str


class ClaimRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whoever holds a card says who he is."""

    person: KnownId
    code: Code


class ClaimedAnswer(Struct, frozen=True):
    """The card's account is the person's."""

    account: str
    person: str
    is_repeat: Repeat = UNSET


class EraseRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Forget somebody; `into`: the account that rights go to."""

    person: KnownId
    into: Line = ""


class ErasingAnswer(Struct, frozen=True):
    """The erasure's state."""

    erasure: str
    state: str
    is_repeat: Repeat = UNSET


class ChangeErasureRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where rights go; or, while it waits, the request is taken back."""

    erasure: KnownId
    into: Line = ""
    is_cancelled: bool = False


class ErasureRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One erasure."""

    erasure: KnownId


class KeptLine(Struct, frozen=True):
    """What is kept, where, until when, by which law."""

    what: str
    base: str
    until: str
    source: str
    is_verified: bool
    french: str
    english: str


class ErasureAnswer(Struct, frozen=True):
    """Where an erasure stands; once it is done, the letter in both languages."""

    erasure: str
    person: str
    state: str
    into: str
    asked_on: str
    ended_on: str
    kept: list[KeptLine]
    letter_fr: str | UnsetType = UNSET
    letter_en: str | UnsetType = UNSET


class LostRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What waits for a person, or all."""

    purpose: Purpose = Purpose.SECURITY
    all: bool = False


class LostLine(Struct, frozen=True):
    """What an old copy lacked: an account of nobody who is known, a person or a role. `is_done`: the base did it itself."""

    lost: str
    kind: LostKind
    is_done: bool
    account: str
    person: str
    role: str
    noted_at: str
    settled_at: str


class LostAnswer(Struct, frozen=True):
    """What was noted."""

    rows: list[LostLine]


class SettleLostRequest(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What somebody saw to."""

    lost: KnownId


class LostSettledAnswer(Struct, frozen=True):
    """What it was."""

    lost: str
    kind: str
    is_repeat: Repeat = UNSET


def _of_person(command: str, summary: str, asks: type[Struct], answers: type[Struct], **more: Any) -> Step:
    """Return a step that the registrar takes for somebody."""
    told: dict[str, Any] = {"duties": REGISTRAR, "by": "by", **more}
    return Step(command=command, summary=summary, asks=asks, answers=answers, **told)


_MACHINE: Final = "it touches the files of the machine"
_KEYS: Final = "a key of doors makes no other"
PEOPLE_STEPS: Final = Steps(
    prefix="/v1/people",
    steps=(
        _of_person("enter", "Enter somebody.", EnterRequest, EnteredAnswer),
        _of_person("rectify", "Correct a record; its history is kept, sealed.", RectifyRequest, RectifiedAnswer),
        _of_person("read", "Show a record. The person will see it.", ReadRequest, RecordAnswer),
        _of_person("find", "Find somebody, by what he gave.", FindRequest, FoundAnswer),
        _of_person("join", "Say who belongs to a household or group.", JoinRequest, JoinAnswer),
        _of_person(
            "log",
            "Show who read or changed a record.",
            PersonRequest,
            JournalAnswer,
            duties=(Duty.REGISTRAR, Duty.AUDITOR),
        ),
        _of_person(
            "export",
            "Gather everything about a person.",
            PersonRequest,
            ExportAnswer,
            file=FileAnswer(part="zip", media="application/zip", name="export.zip", is_base64=True),
        ),
        _of_person("open", "Ask the accounts for an account.", OpenRequest, LinkAnswer),
        _of_person("link", "Say whose an account is that is open already.", LinkRequest, LinkAnswer),
        _of_person("consent", "Note a consent, given or withdrawn.", ConsentRequest, ConsentAnswer),
        Step(
            command="texts",
            summary="List the texts that are agreed to.",
            answers=TextsAnswer,
            duties=(Duty.READER, Duty.REGISTRAR, Duty.GOVERNOR),
            reads=True,
        ),
        _of_person(
            "propose",
            "Propose a role, its end, a text or a rule: another officer decides.",
            ProposeRequest,
            ProposalAnswer,
            duties=GOVERNOR,
        ),
        _of_person(
            "decide",
            "Decide what another officer proposed, with a key of one's own.",
            DecideProposalRequest,
            ProposalAnswer,
            duties=GOVERNOR,
        ),
        _of_person(
            "proposals",
            "List proposals that wait. The journal says who looked.",
            ProposalsRequest,
            ProposalsAnswer,
            duties=(Duty.GOVERNOR, Duty.AUDITOR),
        ),
        Step(
            command="roles",
            summary="List who has which duty at which base, by id.",
            answers=RolesAnswer,
            duties=(Duty.READER, Duty.GOVERNOR, Duty.AUDITOR),
            reads=True,
        ),
        Step(
            command="rules",
            summary="Show the rules that are in force.",
            answers=RulesAnswer,
            duties=(Duty.READER, Duty.REGISTRAR, Duty.GOVERNOR),
            reads=True,
        ),
        _of_person("declare", "Declare a death or a dormancy.", DeclareRequest, DeclaredAnswer),
        _of_person("reverse", "Take a declaration back.", ReverseRequest, ReversedAnswer),
        _of_person(
            "declarations",
            "List declarations. The journal says who looked.",
            DeclarationsRequest,
            DeclarationsAnswer,
        ),
        _of_person("delegate", "Let somebody act for another.", DelegateRequest, DelegatedAnswer),
        _of_person("undelegate", "End a delegation from today on.", WhatRequest, UndelegatedAnswer),
        _of_person("enrol", "Let a passkey or an account elsewhere sign in.", EnrolRequest, EnrolledAnswer),
        _of_person("enrol_paper", "Let a code on paper sign in. It is shown once.", PersonRequest, PaperAnswer),
        _of_person("revoke_identity", "End an identity.", WhatRequest, IdentityEndedAnswer),
        _of_person("identities", "List by what somebody signs in.", PersonRequest, IdentitiesAnswer),
        _of_person(
            "verify",
            "Verify a code on paper. Whose card it is sees who tried.",
            CodeRequest,
            CodeAnswer,
            duties=(Duty.REGISTRAR, Duty.DISTRIBUTOR),
        ),
        _of_person("stock", "Open free accounts in advance.", StockRequest, StockAnswer, duties=DISTRIBUTOR),
        _of_person("print", "Print cards; their codes are told once.", PrintRequest, PrintAnswer, duties=DISTRIBUTOR),
        _of_person("claim", "Make the account of a card a person's.", ClaimRequest, ClaimedAnswer),
        _of_person("erase", "Forget somebody, and say what is kept.", EraseRequest, ErasingAnswer),
        _of_person("change_erasure", "Say where rights go, or take it back.", ChangeErasureRequest, ErasingAnswer),
        _of_person("erasure", "Show where an erasure stands.", ErasureRequest, ErasureAnswer),
        _of_person(
            "lost",
            "List what an old copy of this base does not know, and a person does. The journal says who looked.",
            LostRequest,
            LostAnswer,
        ),
        _of_person("settle_lost", "Say that somebody saw to it.", SettleLostRequest, LostSettledAnswer),
    ),
    without={
        "key_new": _KEYS,
        "key_revoke": _KEYS,
        "keys": _KEYS,
        "found": "the first two officers are named on the machine, before there is anybody to give a key to",
        "rotate": _MACHINE,
        "catch_up": "the base does it by itself every quarter of an hour",
    },
    api=Api(
        title="Citizen-Miles people",
        words=(
            "Who is behind a number. Served at an address of its own. What is done is done by the officer whose key is"
            " shown: `by` may be left out, and naming another is refused. An `id` that a request brings is the caller's"
            " own (UUID): the same id with the same content is answered again and never done twice; with another content"
            " it is refused. Each look at a record stands in its journal, with the purpose, and the person may read it."
        ),
        key="cmd_<id>_<secret>",
    ),
)
