"""What South programmes and guides refuse, as one tree. Pure.

Malformed
├── InvalidProgramme         country, purpose, partner, agreement, budget, statement, report
└── InvalidGuide             training, term
ProjectsRefusal
└── SouthRefusal
    ├── ProgrammeBlocked     something is missing: `reasons` are codes of `gate.GapCode`, each explained where it is listed
    ├── ProgrammeStands      it does not change any more
    ├── ReportRefused        a report that does not follow from the ones before, or tells of more than was converted
    ├── GuideStepRefused     approved or ended already, or not yet
    └── ProgrammeUnknown, PartnerUnknown, AgreementUnknown, GuideUnknown
"""

from __future__ import annotations

from node.governance.errors import ProjectsRefusal
from protocol.errors import Malformed


class InvalidProgramme(Malformed):
    """Facts: field, reason."""

    code = "invalid_programme"


class InvalidGuide(Malformed):
    """Facts: field, reason."""

    code = "invalid_guide"


class SouthRefusal(ProjectsRefusal):
    """Refused by a rule of South programmes."""

    code = "south_refused"


class ProgrammeBlocked(SouthRefusal):
    """Facts: project, reasons (codes, with commas)."""

    code = "programme_blocked"


class ProgrammeStands(SouthRefusal):
    """Facts: field, reason."""

    code = "programme_stands"


class ReportRefused(SouthRefusal):
    """Facts: reason."""

    code = "report_refused"


class GuideStepRefused(SouthRefusal):
    """Facts: guide, reason."""

    code = "guide_step_refused"


class ProgrammeUnknown(SouthRefusal):
    """Facts: project."""

    code = "programme_unknown"


class PartnerUnknown(SouthRefusal):
    """Facts: partner."""

    code = "programme_partner_unknown"


class AgreementUnknown(SouthRefusal):
    """Facts: agreement."""

    code = "agreement_unknown"


class GuideUnknown(SouthRefusal):
    """Facts: guide."""

    code = "guide_unknown"
