"""Why a guide does not act for a group. Pure.

Refusal
└── GroupRefusal
    ├── NotAGroup           no account of a group, or closed
    ├── GroupUnknown        no group with a guide has this account
    ├── GroupIsGuided       nothing leaves it but by its guide's signed act
    ├── GroupHasStandingOrder   it is stopped before the group gets a guide
    ├── MemberKnown, GroupMemberUnknown
    ├── GuideNotHere        the projects' base told of no such accreditation
    ├── GuideNotAccredited  the term has not begun, is over, or the accreditation ended
    ├── ConsentRefused      too long, of somebody who is no member, or to a guide who is none
    ├── ConsentMissing      fewer members consent than are needed, and no paper holds
    ├── GroupConsentUnknown
    └── ActRefused          not signed by that guide, for another territory, or too late
"""

from __future__ import annotations

from protocol.errors import Refusal


class GroupRefusal(Refusal):
    """Refused because of how a group and its guide stand."""

    code = "group_refused"


class NotAGroup(GroupRefusal):
    """Facts: account, kind."""

    code = "not_a_group"


class GroupUnknown(GroupRefusal):
    """Facts: account."""

    code = "group_unknown"


class GroupIsGuided(GroupRefusal):
    """Facts: account."""

    code = "group_is_guided"


class GroupHasStandingOrder(GroupRefusal):
    """Facts: account, order (its id)."""

    code = "group_has_standing_order"


class MemberKnown(GroupRefusal):
    """Facts: member."""

    code = "group_member_known"


class GroupMemberUnknown(GroupRefusal):
    """Facts: member."""

    code = "group_member_unknown"


class GuideNotHere(GroupRefusal):
    """Facts: guide."""

    code = "guide_not_here"


class GuideNotAccredited(GroupRefusal):
    """Facts: guide, reason."""

    code = "guide_not_accredited"


class ConsentRefused(GroupRefusal):
    """Facts: reason."""

    code = "consent_refused"


class ConsentMissing(GroupRefusal):
    """Facts: account, guide, given, needed."""

    code = "consent_missing"


class GroupConsentUnknown(GroupRefusal):
    """Facts: consent."""

    code = "group_consent_unknown"


class ActRefused(GroupRefusal):
    """Facts: reason."""

    code = "act_refused"
