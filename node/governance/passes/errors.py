"""What the rooms of passes and volunteering refuse, as one tree. Pure.

Malformed
├── InvalidPass, InvalidOffer    a field cannot be
├── InvalidSkill                 a code that no vocabulary has
├── InvalidCredential            what was shown is no credential of ours, or not readable as one
└── InvalidBadge               no PNG or SVG that carries a credential
Refusal
└── PassRefusal
    ├── PassStepRefused          the step is not possible from that state
    ├── ValidatorRefused         bearer and committee must be two, and the bearer that of the project
    ├── CredentialForged         the proof does not hold
    ├── IssuerUnknown            signed by a key that is not the issuer's, or of an issuer that is not known here
    ├── PictureAltered           the credential is genuine, the picture around it is not the one that was issued
    ├── StatusListFull           no place is left in this list: open the next
    ├── PassUnknown, StatusListUnknown
    ├── OfferStepRefused, ApplicationStepRefused
    ├── OfferFull                not as many places are left
    ├── HoursRefused             not of this day, more than a day has, or judged already
    └── OfferUnknown, ApplicationUnknown, RequestUnknown, HoursUnknown
"""

from __future__ import annotations

from protocol.errors import Malformed, Refusal


class InvalidPass(Malformed):
    """Facts: field, reason."""

    code = "invalid_pass"


class InvalidOffer(Malformed):
    """Facts: field, reason."""

    code = "invalid_offer"


class InvalidSkill(Malformed):
    """Facts: skill, reason."""

    code = "invalid_skill"


class InvalidCredential(Malformed):
    """Facts: reason."""

    code = "invalid_credential"


class InvalidBadge(Malformed):
    """Facts: reason."""

    code = "invalid_badge"


class PassRefusal(Refusal):
    """Refused by a rule of passes or of volunteering."""

    code = "pass_refused"


class PassStepRefused(PassRefusal):
    """Facts: state, event."""

    code = "pass_step_refused"


class ValidatorRefused(PassRefusal):
    """Facts: reason."""

    code = "validator_refused"


class CredentialForged(PassRefusal):
    """Facts: reason."""

    code = "credential_forged"


class IssuerUnknown(PassRefusal):
    """Facts: issuer."""

    code = "issuer_unknown"


class PictureAltered(PassRefusal):
    """Facts: reason."""

    code = "picture_altered"


class StatusListFull(PassRefusal):
    """Facts: list."""

    code = "status_list_full"


class PassUnknown(PassRefusal):
    """Facts: pass_id."""

    code = "pass_unknown"


class StatusListUnknown(PassRefusal):
    """Facts: list."""

    code = "status_list_unknown"


class OfferStepRefused(PassRefusal):
    """Facts: state, event."""

    code = "offer_step_refused"


class ApplicationStepRefused(PassRefusal):
    """Facts: state, event."""

    code = "application_step_refused"


class OfferFull(PassRefusal):
    """Facts: places."""

    code = "offer_full"


class HoursRefused(PassRefusal):
    """Facts: reason."""

    code = "hours_refused"


class OfferUnknown(PassRefusal):
    """Facts: offer."""

    code = "offer_unknown"


class ApplicationUnknown(PassRefusal):
    """Facts: application."""

    code = "application_unknown"


class RequestUnknown(PassRefusal):
    """Facts: request."""

    code = "request_unknown"


class HoursUnknown(PassRefusal):
    """Facts: hours."""

    code = "hours_unknown"
