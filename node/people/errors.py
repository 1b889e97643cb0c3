"""What the people's room refuses, as one tree. Pure.

Malformed
├── InvalidPerson            a civil record that cannot be: a field too long, a day that is none
├── InvalidRole, InvalidRule, InvalidDelegation, InvalidConsentText, InvalidIdentity
└── InvalidPaperCode         what was typed is no code: length, symbol, check symbol
Refusal
└── PeopleRefusal
    ├── NotEntitled          whoever asks has no duty, power or standing for it
    ├── PersonUnknown, PersonErased, PersonKindMisfit
    ├── FoundedAlready       the first officers are named once
    ├── AccountTaken         another person holds it, or it is on its way to be closed
    ├── HolderUnknown        no account of this base has this number
    ├── ConsentTextUnknown, ConsentNotGiven
    ├── ProposalUnknown, ProposalEnded, SameEyes
    ├── RoleUnknown, RoleInForce
    ├── DeclarationUnknown, DeclarationStands, TermOver, TermRunning
    ├── DelegationUnknown
    ├── ErasureUnknown, ErasureEnded, ErasureRunning
    ├── LostUnknown          nothing was noted under this id when the base came back from an old copy
    ├── IdentityUnknown, IdentityTaken, TooManyIdentities
    ├── PaperCodeWrong, PaperCodeLocked
    ├── StockTooSmall        fewer free accounts are open than cards are to be printed
    └── RecordUnreadable     a sealed record that no key of the base opens
"""

from __future__ import annotations

from protocol.errors import Malformed, Refusal


class InvalidPerson(Malformed):
    """Facts: field, reason."""

    code = "invalid_person"


class InvalidRole(Malformed):
    """Facts: field, reason."""

    code = "invalid_role"


class InvalidRule(Malformed):
    """Facts: rule, reason."""

    code = "invalid_rule"


class InvalidDelegation(Malformed):
    """Facts: field, reason."""

    code = "invalid_delegation"


class InvalidConsentText(Malformed):
    """Facts: field, reason."""

    code = "invalid_consent_text"


class InvalidIdentity(Malformed):
    """Facts: field, reason."""

    code = "invalid_identity"


class InvalidPaperCode(Malformed):
    """Facts: reason."""

    code = "invalid_paper_code"


class PeopleRefusal(Refusal):
    """Refused because of how the people's base stands."""

    code = "people_refused"


class NotEntitled(PeopleRefusal):
    """Facts: action."""

    code = "not_entitled"


class PersonUnknown(PeopleRefusal):
    """Facts: person."""

    code = "person_unknown"


class PersonErased(PeopleRefusal):
    """Facts: person."""

    code = "person_erased"


class PersonKindMisfit(PeopleRefusal):
    """Facts: person, kind."""

    code = "person_kind_misfit"


class FoundedAlready(PeopleRefusal):
    """No facts."""

    code = "founded_already"


class AccountTaken(PeopleRefusal):
    """Facts: account."""

    code = "account_taken"


class HolderUnknown(PeopleRefusal):
    """Facts: account."""

    code = "holder_unknown"


class ConsentTextUnknown(PeopleRefusal):
    """Facts: purpose, version."""

    code = "consent_text_unknown"


class ConsentNotGiven(PeopleRefusal):
    """Facts: purpose."""

    code = "consent_not_given"


class ProposalUnknown(PeopleRefusal):
    """Facts: proposal."""

    code = "people_proposal_unknown"


class ProposalEnded(PeopleRefusal):
    """Facts: proposal, state."""

    code = "people_proposal_ended"


class SameEyes(PeopleRefusal):
    """Facts: reason."""

    code = "same_eyes"


class RoleUnknown(PeopleRefusal):
    """Facts: role."""

    code = "role_unknown"


class RoleInForce(PeopleRefusal):
    """Facts: duty. It is ended by two others first."""

    code = "role_in_force"


class DeclarationUnknown(PeopleRefusal):
    """Facts: declaration."""

    code = "declaration_unknown"


class DeclarationStands(PeopleRefusal):
    """Facts: declaration, state."""

    code = "declaration_stands"


class TermOver(PeopleRefusal):
    """Facts: until."""

    code = "term_over"


class TermRunning(PeopleRefusal):
    """Facts: until."""

    code = "term_running"


class DelegationUnknown(PeopleRefusal):
    """Facts: delegation."""

    code = "delegation_unknown"


class LostUnknown(PeopleRefusal):
    """Facts: lost."""

    code = "people_lost_unknown"


class ErasureUnknown(PeopleRefusal):
    """Facts: erasure."""

    code = "erasure_unknown"


class ErasureEnded(PeopleRefusal):
    """Facts: erasure, state."""

    code = "erasure_ended"


class ErasureRunning(PeopleRefusal):
    """Facts: person."""

    code = "erasure_running"


class IdentityUnknown(PeopleRefusal):
    """Facts: identity."""

    code = "identity_unknown"


class IdentityTaken(PeopleRefusal):
    """No facts: whose it is is nobody else's business."""

    code = "identity_taken"


class TooManyIdentities(PeopleRefusal):
    """Facts: at_most."""

    code = "too_many_identities"


class PaperCodeWrong(PeopleRefusal):
    """Facts: attempts_left."""

    code = "paper_code_wrong"


class PaperCodeLocked(PeopleRefusal):
    """No facts."""

    code = "paper_code_locked"


class StockTooSmall(PeopleRefusal):
    """Facts: asked, free."""

    code = "stock_too_small"


class RecordUnreadable(PeopleRefusal):
    """Facts: person."""

    code = "record_unreadable"
